"""Audit events of sharing; the entity is the link's id, never its token, and no patient is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.audit.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCreated(Event):
    """A link was made."""

    action: ClassVar[str] = "share.create"
    entity_table: ClassVar[str] = "shares"
    series_key: str
    expires_at: str
    has_password: bool
    max_downloads: int  # 0: no limit
    deidentified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareExtended(Event):
    """A link was given another end, limit or note; `changed` are the names of what was set."""

    action: ClassVar[str] = "share.extend"
    entity_table: ClassVar[str] = "shares"
    changed: tuple[str, ...]
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRevoked(Event):
    """A link was ended before its time."""

    action: ClassVar[str] = "share.revoke"
    entity_table: ClassVar[str] = "shares"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCopied(Event):
    """The de-identified copy of a link was made, or could not be."""

    action: ClassVar[str] = "share.copy"
    entity_table: ClassVar[str] = "shares"
    files: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCopyAgain(Event):
    """A copy that failed is to be made after all."""

    action: ClassVar[str] = "share.copy_again"
    entity_table: ClassVar[str] = "shares"
    accept_burned_in: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLogRead(Event):
    """Somebody looked at who used a link."""

    action: ClassVar[str] = "share.log"
    entity_table: ClassVar[str] = "shares"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareOpened(Event):
    """A link's holder came to its page."""

    action: ClassVar[str] = "share.open"
    entity_table: ClassVar[str] = "shares"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareUnlocked(Event):
    """The right passcode was shown."""

    action: ClassVar[str] = "share.unlock"
    entity_table: ClassVar[str] = "shares"
    folded: ClassVar[bool] = True  # a script shows it with every file


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareDownloaded(Event):
    """A zip of the shared series began to flow; `resumed` when it had begun before."""

    action: ClassVar[str] = "share.download"
    entity_table: ClassVar[str] = "shares"
    files: int
    bytes: int
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareFileRead(Event):
    """Single files of the shared series were downloaded."""

    action: ClassVar[str] = "share.file"
    entity_table: ClassVar[str] = "shares"
    folded: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareBroken(Event):
    """A download ended early: a file went away, changed, or cannot be read."""

    action: ClassVar[str] = "share.download_broken"
    entity_table: ClassVar[str] = "shares"
    outcome: str = "failed"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRefused(Event):
    """Somebody was not let in; without an entity: no such link."""

    action: ClassVar[str] = "share.refused"
    entity_table: ClassVar[str] = "shares"
    folded: ClassVar[bool] = True
    outcome: str = "refused"
