"""The part of `scripts/serve --demo` that shows imaging assets: a clinic's account, and a few pictures of a patient.

It may be run again: what is there stays as it is. An instance with studies of its own is left alone.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import structlog
import typer
from rich.console import Console
from sqlalchemy import func, select

from readingroom import identity as identities
from readingroom.audit import Trail
from readingroom.clock import SystemClock
from readingroom.db import Database, migrate, open_database
from readingroom.errors import NotFound, ReadingRoomError
from readingroom.identity import Caller, Identity
from readingroom.imaging.clinics import Patients
from readingroom.imaging.demo_files import SAMPLES, SampleStudy
from readingroom.imaging.filing import Filing, NewAsset
from readingroom.imaging.spool import Spool
from readingroom.imaging.studies import NewStudy, Studies
from readingroom.imaging.tables import imaging_asset, imaging_study
from readingroom.imaging.variants_kept import KeptVariants
from readingroom.metrics import Metrics
from readingroom.objects.choosing import from_settings
from readingroom.pictures import Pictures
from readingroom.settings import Settings, kept_password

DEMO = "demo"
"""Who filed the pictures, and what their studies say that they came from."""

CLINIC = 1
ACCOUNT = "clinician"
"""Named after its role, as the other sample accounts are."""

application = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@application.command(context_settings={"help_option_names": ["-h", "--help"]})
def demo(
    data: Annotated[
        Path | None, typer.Option(help="Data folder of the running instance.", envvar="READINGROOM_DATA")
    ] = None,
) -> None:
    """Give a running instance a sample clinic: the account `clinician`, and pictures of a patient."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    try:
        settings = Settings.load(data=data) if data else Settings.load()
        database = open_database(settings.database_url)
        migrate(database)
        for line in Demo(settings, database).fill():
            console.print(line, markup=False, soft_wrap=True)
    except (ReadingRoomError, OSError) as error:
        errors.print(f"demo: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


class Demo:
    """Brings the pictures in; each step may have been done before."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._clock = SystemClock()
        self._trail = Trail(database, self._clock)
        self._patients = Patients(database, settings.imaging_patient_table)
        self._studies = Studies(database, self._clock, self._trail, self._patients)
        self._caller = Caller(Identity(DEMO, "service", clinic=str(CLINIC)), str(uuid4()), "")

    def fill(self) -> list[str]:
        """Do it; gives what there is to tell a person. Raises ReadingRoomError when a file cannot be filed."""
        if self._settings.imaging_patient_table or self._has_others():
            return ["This instance has patients of its own; the sample clinic was not added."]
        with self._filing() as filing, tempfile.TemporaryDirectory(prefix="readingroom-demo-") as folder:
            for sample in SAMPLES:
                self._file(filing, self._study(sample), sample, Path(folder))
        count = sum(len(sample.files) for sample in SAMPLES)
        told = f"{count} sample pictures of one patient of clinic {CLINIC} are filed"
        return [told, *self._person()]

    def _has_others(self) -> bool:
        c = imaging_study.c
        with self._database.read() as connection:
            ours = c.source == DEMO
            return bool(connection.scalar(select(func.count()).where(~ours | c.source.is_(None))))

    @contextmanager
    def _filing(self) -> Iterator[Filing]:
        settings, metrics, objects = self._settings, Metrics(), from_settings(self._settings)
        pictures, spool = Pictures(settings), Spool(settings.data / "spool" / "pictures")
        variants = KeptVariants(
            self._database, self._clock, self._trail, metrics, objects, pictures, spool,
            enabled=settings.imaging_thumbs,
        )  # fmt: skip
        try:
            yield Filing(
                self._database, self._clock, self._trail, metrics, self._patients, objects, pictures, variants,
                max_bytes=settings.imaging_max_upload_mb << 20,
            )  # fmt: skip
        finally:
            for part in (variants, pictures, objects):
                part.close()

    def _study(self, sample: SampleStudy) -> int:
        c = imaging_study.c
        with self._database.read() as connection:
            wanted = (c.clinic_id == CLINIC, c.source == DEMO, c.kind == sample.kind, c.title == sample.title)
            found = connection.scalar(select(c.id).where(*wanted))
        if found is not None:
            return int(found)
        captured_at = datetime.fromisoformat(sample.captured_at)
        new = NewStudy(sample.patient_id, sample.kind, sample.title, captured_at, DEMO)
        return self._studies.create(CLINIC, new, self._caller)

    def _file(self, filing: Filing, study_id: int, sample: SampleStudy, folder: Path) -> None:
        c = imaging_asset.c
        for each in sample.files:
            data = each.data()
            digest = hashlib.sha256(data).hexdigest()
            with self._database.read() as connection:
                # What somebody deleted stays deleted.
                there = connection.scalar(select(c.id).where(c.study_id == study_id, c.file_name == each.name).limit(1))
            if there is not None:
                continue
            place = folder / each.name
            place.write_bytes(data)
            new = NewAsset(
                CLINIC, sample.patient_id, study_id, each.modality, each.name,
                datetime.fromisoformat(sample.captured_at), each.device, digest,
            )  # fmt: skip
            filing.file(new, place, self._caller)

    def _person(self) -> list[str]:
        accounts = identities.build(self._settings, self._database, self._trail, self._clock).accounts
        try:
            accounts.find(ACCOUNT)
        except NotFound:
            secret = f"demo_{ACCOUNT}_password"
            password = kept_password(self._settings.data, secret)
            accounts.create(ACCOUNT, password, (ACCOUNT,), str(CLINIC), self._caller)
            return [
                f"  sign in as {ACCOUNT} with the password {password}",
                f"  (kept in {self._settings.data / 'secrets' / secret})",
            ]
        return []  # made in an earlier run, or by somebody else


if __name__ == "__main__":
    application()
