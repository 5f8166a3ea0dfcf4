"""Puts the parts of imaging together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.imaging import studies_api
from readingroom.imaging.clinics import Patients
from readingroom.imaging.studies import Studies
from readingroom.metrics import Metrics
from readingroom.routing import Area
from readingroom.settings import Settings


@dataclass(frozen=True, slots=True)
class Imaging:
    """What the application takes from here."""

    areas: list[Area]
    starts: list[Callable[[], None]] = field(default_factory=list)
    stops: list[Callable[[], None]] = field(default_factory=list)


def build(settings: Settings, database: Database, clock: Clock, trail: Trail, metrics: Metrics) -> Imaging:
    """All parts, as the settings say. Raises SettingsError."""
    patients = Patients(database, settings.imaging_patient_table)
    studies = Studies(database, clock, trail, patients)
    variants = settings.imaging_thumbs
    return Imaging([studies_api.routes(studies, trail, metrics, variants=variants)])
