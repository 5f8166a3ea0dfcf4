"""The routes of sources: configuration, connection test, figures, advice."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from pydantic import Field
from sqlalchemy import func, select

from readingroom.audit import Trail
from readingroom.clock import Clock, iso
from readingroom.db import Database
from readingroom.errors import BadRequest
from readingroom.nas_index.advice import Suggestion, of_site, of_source
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.connection_test import Tested, tested
from readingroom.nas_index.events import SourcesConfigured, SourceTested
from readingroom.nas_index.firebird import mapping_of
from readingroom.nas_index.nas_config import NasConfig, SourceConfig, merged, parsed
from readingroom.nas_index.run_answers import Plain
from readingroom.nas_index.start import Indexing
from readingroom.nas_index.tables import nas_error
from readingroom.routing import Area, Body, caller
from readingroom.settings import Settings
from readingroom.sources import parse_location


class TestWish(Body):
    """A configured source by name, a path or an address below one of `NAS_ALLOWED_ROOTS`, or a whole configuration."""

    source: str | None = Field(None, max_length=2000)
    config: dict[str, Any] | None = None


class TestShown(Tested):
    """What a test found, and when."""

    source: str = ""
    tested_at: str = ""


class SourceFigures(Plain):
    """What is known of one source in figures."""

    name: str
    online: bool
    files: int
    series: int
    size_bytes: int
    latency_ms: float | None
    throughput_mb_s: float | None
    encrypted: bool | None
    tested_at: str | None
    last_run_state: str | None
    last_run_seconds: float | None
    last_run_files_per_second: float | None
    errors_by_code: dict[str, int]


class Figures(Plain):
    """Of all sources."""

    sources: list[SourceFigures]


class Advice(Plain):
    """What to do next, most useful first."""

    suggestions: list[Suggestion]


class Results:
    """The last test of each source, kept in a file: advice outlives a restart."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def read(self) -> dict[str, TestShown]:
        """By the source's name."""
        try:
            return {name: TestShown.model_validate(said) for name, said in json.loads(self._place.read_text()).items()}
        except (OSError, ValueError):
            return {}

    def keep(self, result: TestShown) -> None:
        """Remember one."""
        known = {name: each.model_dump() for name, each in self.read().items()} | {result.source: result.model_dump()}
        self._place.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._place.with_name(f".{self._place.name}.{secrets.token_hex(4)}")
        fresh.write_text(json.dumps(known))
        fresh.replace(self._place)


class Sources:
    """What the routes do."""

    def __init__(self, settings: Settings, indexing: Indexing, clock: Clock, trail: Trail) -> None:
        self._settings = settings
        self._indexing = indexing
        self._clock = clock
        self._trail = trail
        self.results = Results(settings.data / "cache" / "nas_tests.json")

    def write(self, wanted: NasConfig) -> NasConfig:
        """Replace the configuration. Raises BadRequest."""
        present = self._indexing.config.read()
        whole = merged(wanted, present)
        unchanged = [each.model_dump() for each in present.sources]
        for each in whole.sources:
            if each.model_dump() not in unchanged:
                self._check(each, present)
        self._indexing.config.write(whole)
        self._trail.record(SourcesConfigured(sources=tuple(each.name for each in whole.sources)), caller())
        return whole

    def test(self, wish: TestWish) -> TestShown:
        """Try a source. Raises BadRequest and NotFound."""
        config, kept = self._meant(wish)
        found = tested(self._settings, config)
        result = TestShown(**found.model_dump(), source=config.name, tested_at=iso(self._clock.now()))
        if kept:
            self.results.keep(result)
        self._trail.record(
            SourceTested(
                source=config.location().url, error_code=found.error_code, outcome="ok" if found.ok else "failed"
            ),
            caller(),
        )
        return result

    def _meant(self, wish: TestWish) -> tuple[SourceConfig, bool]:
        if wish.config is None:
            return self._indexing.meant(wish.source, None)[0], True
        present = self._indexing.config.read()
        wanted = merged(parsed({"sources": [wish.config]}), present).sources[0]
        if wanted.model_dump() not in [each.model_dump() for each in present.sources]:
            self._check(wanted, present)
            return wanted, False
        return wanted, True

    def _check(self, config: SourceConfig, present: NasConfig) -> None:
        """Refuse a mapping that makes no sense, and what the web may not configure.

        That would read with this server's rights, or sign in with its keys.
        """
        if config.firebird is not None:
            mapping_of(config.firebird, config.name)
        before = next((each for each in present.sources if each.name == config.name), None)
        if config.type in ("local", "list"):
            if not self._indexing.lies_in_roots(config.location()):
                raise BadRequest(f"{config.name}: this folder lies below none of NAS_ALLOWED_ROOTS.")
            return
        hosts = {parse_location(root).host for root in self._settings.nas_roots} | {self._settings.sftp_host} - {""}
        if config.host in hosts:
            return
        if config.private_key_path and (before is None or before.private_key_path != config.private_key_path):
            raise BadRequest(
                f"{config.name}: a key file is named in NAS_CONFIG or SFTP_PRIVATE_KEY_PATH, not from here."
            )
        if not config.private_key_path and not (config.username and config.password):
            raise BadRequest(f"{config.name}: user name and password are needed; the site's own are for its own hosts.")


def routes(
    settings: Settings, database: Database, clock: Clock, trail: Trail, indexing: Indexing, catalogue: Catalogue
) -> Area:
    """The area of sources."""
    area = Area("nas", "NAS sources")
    sources = Sources(settings, indexing, clock, trail)

    @area.get("/api/nas/config", capability="index.run", answer=NasConfig)
    def configured() -> NasConfig:
        """The configured sources; every secret is `***`."""
        return _shown(indexing.config.read())

    @area.put("/api/nas/config", capability="index.run", body=NasConfig, answer=NasConfig)
    def configure(body: NasConfig) -> NasConfig:
        """Replace the configured sources (one alone may stand by itself); a secret of `***` stays as it was."""
        return _shown(sources.write(body))

    @area.post("/api/nas/test", capability="index.run", body=TestWish, answer=TestShown, errors=(404,))
    def test(body: TestWish) -> TestShown:
        """Try a source: whether it answers, why not, and how fast it is."""
        return sources.test(body)

    @area.get("/api/nas/metrics", capability="index.run", answer=Figures)
    def metrics() -> Figures:
        """Figures of all sources."""
        results = sources.results.read()
        return Figures(sources=[_figures(record.name, results) for record in catalogue.sources()])

    @area.get("/api/nas/suggestions", capability="index.run", answer=Advice)
    def suggestions() -> Advice:
        """What would make indexing faster, safer or more complete."""
        config, results = indexing.config.read(), sources.results.read()
        known = {each.name: each for each in catalogue.sources()}
        found = list(of_site(len(config.sources)))
        for each in config.sources:
            if each.enabled:
                record = known.get(each.name)
                errors = _errors(record.id) if record else {}
                found += of_source(each, results.get(each.name), errors, record)
        return Advice(suggestions=found)

    def _figures(name: str, results: dict[str, TestShown]) -> SourceFigures:
        record = catalogue.named(name)
        run, test_result = indexing.runs.latest(name), results.get(name)
        seconds = ((run.finished_at or run.heartbeat_at) - run.started_at).total_seconds() if run is not None else None
        return SourceFigures(
            name=name,
            online=record.online,
            files=record.files,
            series=record.series,
            size_bytes=record.size,
            latency_ms=test_result.latency_ms if test_result else None,
            throughput_mb_s=test_result.throughput_mb_s if test_result else None,
            encrypted=test_result.encrypted if test_result else None,
            tested_at=test_result.tested_at if test_result else None,
            last_run_state=run.state if run is not None else None,
            last_run_seconds=round(seconds, 1) if seconds is not None else None,
            last_run_files_per_second=round(run.files_processed / seconds, 1) if run is not None and seconds else None,
            errors_by_code=_errors(record.id),
        )

    def _errors(source_id: int) -> dict[str, int]:
        counted = (
            select(nas_error.c.error_code, func.count())
            .where(nas_error.c.source_id == source_id)
            .group_by(nas_error.c.error_code)
        )
        with database.read() as connection:
            return {str(code): int(count) for code, count in connection.execute(counted)}

    return area


def _shown(config: NasConfig) -> NasConfig:
    return NasConfig(sources=[SourceConfig.model_validate(each.shown()) for each in config.sources])
