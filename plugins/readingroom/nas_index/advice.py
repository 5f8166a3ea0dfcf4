"""Concrete advice about sources, from what tests and runs measured: each with its figures, and a setting to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from readingroom.nas_index.catalogue import SourceRecord
from readingroom.nas_index.connection_test import Tested
from readingroom.nas_index.measure import cores
from readingroom.nas_index.nas_config import SourceConfig
from readingroom.nas_index.place import IN_FLIGHT
from readingroom.nas_index.told import SUGGESTIONS

MANY_ERRORS = 10
"""Of one kind, before they are worth a word."""

SLOW_MB_S = 10.0
FAR_MS = 20.0
"""Beyond a building: another site, or a line that is full."""


class Suggestion(BaseModel):
    """One piece of advice; `setting` and `value` where a single one is to be changed."""

    title: str
    detail: str
    source: str | None = None
    setting: str | None = None
    value: str | int | None = None


def of_source(
    config: SourceConfig, tested: Tested | None, errors: Mapping[str, int], known: SourceRecord | None = None
) -> Iterator[Suggestion]:
    """Advice about one source; `errors` counts those of its last run by code, `known` is what the catalogue has."""
    name = config.name
    if config.firebird is None and known is not None and known.content in ("jpeg2000_firebird", "mixed"):
        yield Suggestion(
            title=f"Name the database of {name}",
            detail=f"{known.pictures or 'Many'} JPEG 2000 pictures lie there, and nothing is known of them: patients "
            "and dates of such an archive stand in a Firebird database. Say where it is and what its columns mean.",
            source=name,
            setting="firebird",
        )
    if tested is None:
        yield Suggestion(
            title=f"Test {name}",
            detail="Nobody tested this source yet: its speed, and whether it encrypts, is not known.",
            source=name,
        )
    elif not tested.ok:
        yield Suggestion(title=f"{name} does not answer", detail=_sentence(tested), source=name)
    else:
        yield from _of_speed(config, tested)
    for code, count in sorted(errors.items(), key=lambda each: -each[1]):
        if count >= MANY_ERRORS and code not in ("not_dicom", "not_an_instance"):
            yield Suggestion(
                title=f"{count} files of {name}: {code.replace('_', ' ')}",
                detail=SUGGESTIONS.get(code, "See the run's errors."),
                source=name,
            )


def _of_speed(config: SourceConfig, tested: Tested) -> Iterator[Suggestion]:
    name, latency = config.name, tested.latency_ms or 0.0
    if config.type == "smb":
        detail = (
            "A mounted share is read several times as fast as one that is reached by smb://. Mount it on this machine: "
            f"mount -t cifs //{config.host}/{config.share.strip('/')} /mnt/nas -o ro,seal,vers=3.0,username=… "
            "and configure the folder in its place."
        )
        yield Suggestion(
            title=f"Mount {name} on this machine", detail=detail, source=name, setting="type", value="local"
        )
    if config.type == "sftp" and latency > 1:
        detail = (
            f"A file takes {latency:.1f} ms. Where the NAS can export the folder by NFS or SMB, mount it on this "
            "machine and configure the mounted folder: opening a file then takes one round trip instead of several."
        )
        yield Suggestion(
            title=f"Mount {name} on this machine", detail=detail, source=name, setting="type", value="local"
        )
    if config.type == "sftp" and latency > 1 and "may run no commands" in tested.reading:
        detail = (
            f"{tested.reading} Where the account may also run sh, xargs and head (no ForceCommand internal-sftp, a "
            "login shell), files are read in one stream; nothing is ever written there."
        )
        yield Suggestion(title=f"Let the account of {name} run commands", detail=detail, source=name)
    best = IN_FLIGHT["balanced"] if tested.far else 0
    if tested.far and 0 < config.max_workers < best // 2:
        detail = (
            f"A file takes {latency:.1f} ms, nearly all of it waiting: {config.max_workers} at a time come to about "
            f"{config.max_workers * 1000 / max(latency, 0.1):.0f} a second at best."
        )
        yield Suggestion(
            title=f"Raise the workers of {name} to {best}",
            detail=detail,
            source=name,
            setting="max_workers",
            value=best,
        )
    if not tested.far and config.max_workers > 2 * cores():
        detail = (
            f"{name} answers in {latency:.2f} ms: reading is limited by this machine's {cores()} processors, and more "
            f"workers than those only wait for each other."
        )
        yield Suggestion(
            title=f"Let the workers of {name} be chosen", detail=detail, source=name, setting="max_workers", value=0
        )
    if tested.encrypted is False:
        detail = (
            "Headers name patients, and go over the network as plain text. Switch SMB 3 encryption on at the NAS (for "
            "this share), then require it here."
        )
        yield Suggestion(
            title=f"Encrypt the line to {name}", detail=detail, source=name, setting="encryption", value="required"
        )
    if latency > FAR_MS:
        detail = (
            f"A file takes {latency:.0f} ms: the source is at another site, or the line is full. Make the list on the "
            "NAS itself (scripts/windows/, or find) and index by list: that saves the walk."
        )
        yield Suggestion(
            title=f"Enumerate {name} where it is", detail=detail, source=name, setting="type", value="list"
        )
    if tested.throughput_mb_s and tested.throughput_mb_s < SLOW_MB_S and tested.far:
        detail = (
            f"One reader gets {tested.throughput_mb_s} MB/s. Headers need little; opening and importing series will be "
            "slow. Check that the link is not a 100 Mbit one."
        )
        yield Suggestion(title=f"Look at the line to {name}", detail=detail, source=name)


def of_site(configured: int) -> Iterator[Suggestion]:
    """Advice where nothing is configured yet."""
    if not configured:
        yield Suggestion(
            title="Configure a source",
            detail="Mount the NAS on this machine, read-only, and configure the folder as a source of type local; or "
            "name an SMB share or an SFTP server.",
        )


def _sentence(tested: Tested) -> str:
    message = tested.message.rstrip(".") + "."
    return f"{message} {tested.suggestion}".strip()
