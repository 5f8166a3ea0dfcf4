"""Passes Orthanc's change events on to whoever asked for their kind."""

from __future__ import annotations

from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

Handler = Callable[[str], None]


class Changes:
    """One callback for Orthanc, many listeners; a listener that fails harms nobody else."""

    def __init__(self) -> None:
        self._listeners: dict[int, list[Handler]] = {}

    def on(self, change: int, handler: Handler) -> None:
        """Call `handler(resource id)` at each change of that kind (orthanc.ChangeType)."""
        self._listeners.setdefault(int(change), []).append(handler)

    def happened(self, change: int, _level: int, resource: str) -> None:
        """What Orthanc calls, from a thread of its own."""
        for handler in self._listeners.get(int(change), ()):
            try:
                handler(resource)
            except Exception:
                log.exception("change_listener_failed", change=int(change))
