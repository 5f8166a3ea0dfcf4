"""Audit events of the NAS index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.audit.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStarted(Event):
    """An index run began; `source` without credentials. `accept_loss`: whatever is missing may be forgotten."""

    action: ClassVar[str] = "index.run.start"
    entity_table: ClassVar[str] = "nas_run"
    source: str
    path: str
    limit: int
    accept_loss: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexAsked(Event):
    """Somebody paused a run, let it go on, or cancelled it."""

    action: ClassVar[str] = "index.run.ask"
    entity_table: ClassVar[str] = "nas_run"
    asked: str  # pause, resume, cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFinished(Event):
    """An index run ended, one way or another."""

    action: ClassVar[str] = "index.run.finish"
    entity_table: ClassVar[str] = "nas_run"
    state: str
    files: int
    added: int
    changed: int
    gone: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesConfigured(Event):
    """The configured sources were replaced; `sources` are their names."""

    action: ClassVar[str] = "index.config.write"
    entity_table: ClassVar[str] = "nas_source"
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTested(Event):
    """A source was tried; `error_code` is empty where all was well."""

    action: ClassVar[str] = "index.source.test"
    entity_table: ClassVar[str] = "nas_source"
    source: str
    error_code: str
