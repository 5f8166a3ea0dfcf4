"""Whether a source is there, and the patience to wait until it is there again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from readingroom.errors import SourceError, SourceUnreachable

PROBE_SECONDS = 15.0
"""A source that says nothing for so long is away: a hard mount never says anything at all."""

LONGEST_PAUSE = 30.0
"""Seconds between two looks at a source that is away: soon enough after it is back, no burden before."""


SUGGESTION = "Check NAS and network; the run goes on by itself as soon as the source is back."


class SourceOffline(SourceUnreachable):
    """The source stayed away for longer than anybody wants to wait."""

    code = "source_offline"


class RunStopped(Exception):
    """Somebody asked the run to stop; not an error."""


class Watch:
    """Shared by all that read one source: whoever meets a loss waits here, and all go on when it is back."""

    def __init__(
        self,
        probe: Callable[[], None],
        *,
        patience: float,
        first_pause: float = 1.0,
        stopping: threading.Event | None = None,
    ) -> None:
        self._probe = probe
        self._patience = patience
        self._first_pause = first_pause
        self.stopping = stopping or threading.Event()
        self._lock = threading.Lock()
        self.away: SourceError | None = None
        """Why the source cannot be read, while somebody waits for it; else None."""

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for the source."""
        return self.away is not None

    def alive(self) -> bool:
        """Whether the source answers and is the one it was."""
        return self._looked() is None

    def _looked(self) -> SourceError | None:
        """Why it is not there; None when it is."""
        said: list[SourceError | None] = []

        def look() -> None:
            try:
                self._probe()
            except SourceError as error:
                said.append(error)
            except OSError as error:
                said.append(SourceUnreachable(f"The source cannot be reached: {error.strerror or error}"))
            else:
                said.append(None)

        looking = threading.Thread(target=look, name="index-probe", daemon=True)
        looking.start()
        looking.join(PROBE_SECONDS)
        found = said[0] if said else SourceUnreachable("The source does not answer.")
        if found is not None and not found.suggestion:
            found.suggestion = SUGGESTION
        return found

    def wait(self) -> None:
        """Return when the source is there. Raises SourceOffline after `patience` seconds, RunStopped when asked to."""
        with self._lock:
            since, pause = monotonic(), self._first_pause
            try:
                while (away := self._looked()) is not None:
                    self.away = away
                    if monotonic() - since > self._patience:
                        raise SourceOffline(
                            f"The source has been away for {self._patience / 60:.0f} minutes: {away.message}",
                            suggestion="Check NAS and network, then start the run again: it goes on from there.",
                        )
                    if self.stopping.wait(pause):
                        raise RunStopped
                    pause = min(pause * 2, LONGEST_PAUSE)
            finally:
                self.away = None
