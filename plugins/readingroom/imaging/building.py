"""Puts the parts of imaging together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.imaging import assets_api, dicom_api, parts_api, studies_api
from readingroom.imaging.assets import Assets
from readingroom.imaging.bodies import HandedBodies
from readingroom.imaging.checking import Checking
from readingroom.imaging.clinics import Patients
from readingroom.imaging.dicomizing import Dicomizing
from readingroom.imaging.filing import Filing
from readingroom.imaging.once import Once
from readingroom.imaging.part_files import PartFiles
from readingroom.imaging.parts import CHUNK_BYTES, Parts
from readingroom.imaging.reading import Reading
from readingroom.imaging.spool import Spool
from readingroom.imaging.studies import Studies
from readingroom.imaging.sweeping import Sweeper
from readingroom.imaging.uploading import Uploading
from readingroom.imaging.variants_kept import KeptVariants, PictureMaker
from readingroom.metrics import Metrics
from readingroom.objects import Backend, ObjectStore
from readingroom.objects.standing import Standing
from readingroom.pacs import Pacs
from readingroom.procedures import Lifeline
from readingroom.routing import Area
from readingroom.settings import Settings


@dataclass(frozen=True, slots=True)
class Imaging:
    """What the application takes from here."""

    areas: list[Area]
    starts: list[Callable[[], None]]
    stops: list[Callable[[], None]]
    sweeper: Sweeper
    checking: Checking
    backend: Backend
    standing: Standing


def build(
    settings: Settings, database: Database, clock: Clock, trail: Trail, metrics: Metrics,
    objects: ObjectStore, pictures: PictureMaker, pacs: Pacs | None = None,
) -> Imaging:  # fmt: skip
    """All parts, as the settings say; without `pacs`, on the command line, none that needs it. Raises SettingsError."""
    enabled, max_bytes = settings.imaging_thumbs, settings.imaging_max_upload_mb << 20
    patients = Patients(database, settings.imaging_patient_table)
    spool = Spool(settings.data / "spool" / "pictures")
    variants = KeptVariants(database, clock, trail, metrics, objects, pictures, spool, enabled=enabled)
    filing = Filing(database, clock, trail, metrics, patients, objects, pictures, variants, max_bytes=max_bytes)
    files, days = PartFiles(settings.data / "uploads"), settings.imaging_deleted_days
    uploading = Uploading(filing, Once(database, clock), spool, files.see_room)
    parts = Parts(database, clock, trail, files, filing, timedelta(hours=settings.imaging_upload_hours))
    sweeper = Sweeper(
        database, clock, trail, metrics, objects, filing, files, spool,
        Lifeline(settings.data / "run", "imaging-sweeper"), None if days is None else timedelta(days=days),
    )  # fmt: skip
    assets = Assets(database, clock, trail)
    areas = [
        studies_api.routes(Studies(database, clock, trail, patients), trail, metrics, variants=enabled),
        assets_api.routes(
            assets, uploading, Reading(objects, variants), HandedBodies(settings.data),
            trail, metrics, max_bytes=max_bytes, chunk_bytes=CHUNK_BYTES,
        ),
        parts_api.routes(parts, metrics),
    ]  # fmt: skip
    stops = [objects.close, pictures.close, variants.close, sweeper.stop]  # the last is ended first
    if pacs is not None:
        dicomizing = Dicomizing(settings, database, clock, trail, metrics, pacs, objects, assets, spool)
        areas.append(dicom_api.routes(dicomizing))
        stops.append(dicomizing.close)
    return Imaging(
        areas, [spool.clear, sweeper.start], stops, sweeper, Checking(database, clock, trail, objects, filing),
        objects.name, Standing(objects, clock),
    )  # fmt: skip
