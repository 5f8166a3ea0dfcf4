"""Compresses the frames of new series while nobody waits for any, so that a viewer on a slow line finds them ready."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import structlog

from readingroom.beside import Beside
from readingroom.errors import ReadingRoomError
from readingroom.frames.making import Making
from readingroom.frames.reading import Unreadable
from readingroom.frames.record import ENCODINGS
from readingroom.frames.supply import Supply
from readingroom.frames.wanted import Wanted
from readingroom.manifests import SeriesPlan
from readingroom.series import Origin

log = structlog.get_logger(__name__)

When = Literal["auto", "always", "never"]
"""`auto`: as long as there are viewers on slow lines."""

QUIET_SECONDS: Final = 3.0
"""For so long nobody may have asked for frames."""

LOOK_SECONDS: Final = 1.0

AGAIN_SECONDS: Final = 1.0
"""After a series that failed for no reason known here comes the next."""

SLOW_DAYS: Final = 30.0
"""So long after the last viewer on a slow line another one is expected."""

SAID_SECONDS: Final = 3600.0
"""That there was one is written down no more often than this."""

WAITING: Final = 1_000
"""Series that wait at most; those that came first are then left to whoever asks for them."""

WORTH_BYTES: Final = 64 << 10
"""A smaller frame is not asked for compressed, see web/src/lib/frames/line.ts."""


class Lines:
    """Whether viewers come on slow lines; remembered in a file, so that a restart forgets nothing."""

    def __init__(self, mark: Path, when: When) -> None:
        self._mark = mark
        self._when = when
        self._said = float("-inf")

    def slow(self) -> None:
        """One has come."""
        now = time.monotonic()
        if self._when != "auto" or now - self._said < SAID_SECONDS:
            return
        self._said = now
        with suppress(OSError):
            self._mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._mark.touch()

    def expected(self) -> bool:
        """Another one may come."""
        if self._when != "auto":
            return self._when == "always"
        try:
            return time.time() - self._mark.stat().st_mtime < SLOW_DAYS * 86400
        except OSError:
            return False


class Beforehand:
    """One thread beside all others; what it has made lies among the kept frames. A restart forgets who waited."""

    def __init__(
        self, origin: Origin, making: Making, lines: Lines, plan: Callable[[str], SeriesPlan | None],
        quiet: Callable[[], float],
    ) -> None:  # fmt: skip
        """`plan` finds a series by Orthanc's id, `quiet` says for how many seconds nobody has asked for frames."""
        self._origin = origin
        self._making = making
        self._lines = lines
        self._plan = plan
        self._quiet = quiet
        self._waiting: deque[str] = deque(maxlen=WAITING)
        self._beside = Beside("frames-beforehand", self._turn, again=AGAIN_SECONDS)

    def start(self) -> None:
        """Begin."""
        self._beside.start()

    def stop(self) -> None:
        """End after the frame that is being made."""
        self._beside.stop()

    def settled(self, series: str) -> None:
        """No more instances of that series of Orthanc's come, for now. Returns at once."""
        if self._lines.expected():
            self._waiting.append(series)
            self._beside.wake()

    def _turn(self) -> float | None:
        """One of those that wait."""
        if not self._waiting:
            return None
        self._series(self._waiting.popleft())
        return 0.0

    def _series(self, series: str) -> None:
        try:
            if not self._calm():
                return
            plan = self._plan(series)
            if plan is None:
                return
            supply = Supply(
                self._origin, plan, Wanted(range(len(plan.frames)), frozenset(ENCODINGS), "slow"), self._making
            )
            made = 0
            for index in range(len(plan.frames)):
                if not self._calm():
                    return
                made += self._frame(supply, index)
        except ReadingRoomError as error:
            log.info("not compressed beforehand", why=error.message)
            return
        if made:
            log.info("compressed beforehand", frames=made)

    def _frame(self, supply: Supply, index: int) -> bool:
        if supply.size(index) < WORTH_BYTES:
            return False
        try:
            return supply.prepare(index)
        except Unreadable:
            return False  # whoever asks for it is told

    def _calm(self) -> bool:
        """Waits until nobody wants frames; False when it is time to end."""
        while self._quiet() < QUIET_SECONDS:
            if not self._beside.rest(LOOK_SECONDS):
                return False
        return not self._beside.is_stopping
