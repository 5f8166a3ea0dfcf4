"""One answer of many frames, as it is taken piece by piece: read, checked, in the client's order."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from flask import Response

from readingroom.frames import record
from readingroom.frames.ahead import Ahead, Budget
from readingroom.frames.form import Frame
from readingroom.frames.reading import Unreadable
from readingroom.frames.supply import Supply
from readingroom.frames.wanted import Wanted
from readingroom.zipstream import crc32

ASK_EVERY = 1.0
"""Seconds: how long a stream that may no longer be had goes on."""

SLOW_SECONDS = 0.005
"""A frame that takes longer to be read comes from afar, or from a disk that is busy."""

SLOW_IN_A_ROW = 2
"""So many slow ones, and frames are read ahead: one may have met a full processor."""

LOST_IN_A_ROW = 2
"""So many frames whose place does not answer, and the others are not waited for."""

AWAY = 503


class Tally(NamedTuple):
    """What a stream has sent; bytes with heads."""

    frames: int
    failed: int
    bytes: int


class Stream:
    """The frames that one client asked for; for one thread at a time (`downloads.Flow`)."""

    def __init__(
        self, supply: Supply, wanted: Wanted, budget: Budget, allowed: Callable[[], None],
        ended: Callable[[Tally], None],
    ) -> None:  # fmt: skip
        """`allowed` raises when the client may no longer have them; `ended` is told once, at the end."""
        self._supply = supply
        self._wanted = wanted
        self._allowed = allowed
        self._ended: Callable[[Tally], None] | None = ended
        self._budget = budget
        self._ahead: Ahead[Frame] | None = None
        self._is_ahead = False
        self._slow = 0
        self._lost = 0
        self._at = 0
        self._rest: list[memoryview] = []  # of records that were made, what did not fit
        self._is_over = False
        self._asked = time.monotonic()
        self._taken = self._failed = 0

    @property
    def is_over(self) -> bool:
        """Whether all of it was taken."""
        return self._is_over and not self._rest

    @property
    def taken(self) -> int:
        """Bytes that were taken so far."""
        return self._taken

    def head(self) -> Response:
        """Status and headers of the answer; it has no length: its last record tells that it is whole."""
        return Response(mimetype=record.MIME, headers={"Cache-Control": "private, no-store"})

    def take(self, room: memoryview) -> int:
        """Put what comes next into `room`; how many bytes that are, 0 at the end.

        Raises what `allowed` raises, within ASK_EVERY. A frame that cannot be had is an error in its place.
        """
        self._ask()
        at = 0
        while at < len(room) and not self.is_over:
            if self._rest:
                at += self._poured(room[at:])
            elif self._at == len(self._wanted.indices):
                self._rest.append(memoryview(record.END))
                self._is_over = True
            else:
                passed = self._passed(room[at:], is_first=not at)
                if passed is None:
                    break  # what there is goes out, before more is waited for
                at += passed
        self._taken += at
        return at

    def close(self) -> None:
        """It is over, one way or another."""
        self._stop_ahead()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(Tally(self._at - self._failed, self._failed, self._taken))

    def _passed(self, room: memoryview, *, is_first: bool) -> int | None:
        """Read the next frame straight into place, or put it into what is to be poured: how many bytes stand in `room`.

        None where it would have to be waited for, or does not fit, and is not the first one there.
        """
        index = self._wanted.indices[self._at]
        near = None if self._is_ahead else self._supply.near(index)
        if near is None:
            self._is_ahead = True
            return self._waited(index) if is_first else None
        size = record.HEAD.size + near.length
        if size > len(room) and not is_first:
            return None
        target = room[:size] if size <= len(room) else memoryview(bytearray(size))
        payload = target[record.HEAD.size :]
        began = time.monotonic()
        try:
            near.read_into(payload)
        except Unreadable as error:
            self._fail(index, error)
            return 0
        self._learn(time.monotonic() - began)
        target[: record.HEAD.size] = record.head(index, near.encoding, near.length, crc32(payload, 0))
        self._at += 1
        self._lost = 0
        if size <= len(room):
            return size
        self._rest.append(target)
        return 0

    def _waited(self, index: int) -> int:
        """Wait for a frame that is read or made by other threads, with those behind it."""
        if self._ahead is None:
            self._ahead = Ahead(self._budget, self._wanted.indices[self._at :], self._supply.frame, self._supply.size)
        try:
            if self._lost >= LOST_IN_A_ROW:
                raise Unreadable(AWAY, "source_unreachable", "The place where this image lies does not answer.")
            frame = self._ahead.next()
        except TimeoutError:
            self._fail(index, Unreadable(AWAY, "timeout", "This image took too long to be read."))
        except Unreadable as error:
            self._fail(index, error)
        else:
            payload = memoryview(frame.payload)
            self._rest += (memoryview(record.head(index, frame.encoding, len(payload), crc32(payload, 0))), payload)
            self._at += 1
            self._lost = 0
        return 0

    def _fail(self, index: int, error: Unreadable) -> None:
        self._rest.append(memoryview(record.error(index, error.status, error.code, error.message)))
        self._at += 1
        self._failed += 1
        self._lost = self._lost + 1 if error.status == AWAY else 0
        if self._lost >= LOST_IN_A_ROW:
            self._is_ahead = True
            self._stop_ahead()

    def _stop_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.close()

    def _poured(self, room: memoryview) -> int:
        at = 0
        while self._rest and at < len(room):
            piece = self._rest[0]
            count = min(len(piece), len(room) - at)
            room[at : at + count] = piece[:count]
            at += count
            if count == len(piece):
                self._rest.pop(0)
            else:
                self._rest[0] = piece[count:]
        return at

    def _learn(self, seconds: float) -> None:
        self._slow = self._slow + 1 if seconds > SLOW_SECONDS else 0
        self._is_ahead = self._is_ahead or self._slow >= SLOW_IN_A_ROW

    def _ask(self) -> None:
        now = time.monotonic()
        if now - self._asked >= ASK_EVERY:
            self._asked = now
            self._allowed()
