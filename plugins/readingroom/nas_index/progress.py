"""How far a run is, what is asked of it meanwhile, and how patient it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Phase = Literal["enumerating", "reading", "waiting", "paused", "finishing", ""]
Asked = Literal["", "pause", "cancel"]


@dataclass(slots=True)
class Progress:
    """How far a run is, in files."""

    phase: Phase = ""
    enumerated: int = 0
    all_enumerated: bool = False
    processed: int = 0
    unchanged: int = 0
    errors: int = 0
    skipped: int = 0
    pictures: int = 0


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long things are tried again."""

    attempts: int = 3
    """For a single file, while the source itself is there."""
    delay: float = 1.0
    """Seconds before the first; doubled each time."""
