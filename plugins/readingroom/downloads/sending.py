"""Sends zips: through the gateway slice by slice, or straight out of Orthanc in one exact stream."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from flask import Response

from readingroom.clock import Clock
from readingroom.downloads.answers import byte_range, described
from readingroom.downloads.keys import Grant, Keys
from readingroom.downloads.plan import Plan, Provider
from readingroom.errors import Conflict, NotFound, StoredFileBroken, TooManyRequests
from readingroom.identity import Caller, Identity
from readingroom.identity.lately import Lately
from readingroom.zipstream import PIECE, Archive, Ledger

LARGEST_SLICE = 32 << 20
"""A 206 leaves Orthanc with its body in memory; a longer range is answered by its beginning, as RFC 9110
section 15.3.7 lets a server do. The gateway's slices are a quarter of this."""

DIRECT_AT_ONCE = 24
"""Streams straight out of Orthanc hold one of its 50 HTTP threads each for as long as the client takes."""

ASK_EVERY = 1.0
"""Seconds: how long a download that may no longer be had can still get slices."""

REMEMBERED = 4096
"""Downloads that were allowed a moment ago; one that was forgotten is asked for again."""


class Sender:
    """Answers requests for zips, whoever planned them; `serve` tells it who does."""

    def __init__(self, keys: Keys, clock: Clock) -> None:
        self._keys = keys
        self._providers: dict[str, Provider] = {}
        self._lately = Lately[str, bool](ASK_EVERY, REMEMBERED, clock)
        self._ledger = Ledger()
        self._direct = threading.BoundedSemaphore(DIRECT_AT_ONCE)

    def serve(self, owner: str, provider: Provider) -> None:
        """Take plans of this owner from now on."""
        self._providers[owner] = provider

    def send(self, plan: Plan, caller: Caller, reader: Identity) -> Response:
        """Begin a download for `reader`, who came with the request of `caller`; its provider is told.

        The gateway gets the key to fetch the zip with, at the client's pace; anybody else the bytes
        themselves.
        """
        key, download = self._keys.key(plan, reader)
        sending = self._sending(plan, download, replace(caller, identity=reader))
        if caller.through_gateway:
            # What is wrong at the very beginning is said in words; later the gateway can only cut the line.
            sending.read(0, min(PIECE, plan.layout.length))
            response = Response(headers={"X-Accel-Redirect": f"/_zip/{key}"})
        else:
            response = self._whole(sending)
        try:
            sending.provider.begun(plan, download, sending.asking)
        except BaseException:
            response.close()  # nobody will take these bytes
            raise
        return described(response, plan)

    def part(self, grant: Grant, caller: Caller, wanted: str, if_range: str) -> Response:
        """Answer with the bytes that a Range header asks for, or with all of them when it asks for none.

        Raises NotFound when the reader may no longer have them, Conflict when the files have changed since the
        download began, RangeNotSatisfiable, StoredFileBroken.
        """
        sending = self._granted(grant, caller)
        plan, provider = sending.plan, sending.provider
        span = byte_range(wanted, plan.layout.length) if if_range in ("", grant.etag) else None
        if span is None:
            return described(self._whole(sending), plan)
        start, stop = span[0], min(span[1], span[0] + LARGEST_SLICE)
        response = Response(sending.read(start, stop), status=206)
        provider.passed(plan, grant.id, start, stop)
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{plan.layout.length}"
        return described(response, plan)

    def flow(self, grant: Grant, caller: Caller, wanted: str, if_range: str) -> Flow:
        """The same bytes as from `part`, however many, for who takes them piece by piece; raises what it raises."""
        sending = self._granted(grant, caller)
        length = sending.plan.layout.length
        span = byte_range(wanted, length) if if_range in ("", grant.etag) else None
        return Flow(sending, self._lately, span is not None, *(span or (0, length)))

    def _granted(self, grant: Grant, caller: Caller) -> Sending:
        provider = self._provider(grant.owner)
        _ask(self._lately, provider, grant.id, grant.claims)
        plan = provider.same(grant.claims, grant.etag)
        if plan is None:
            raise Conflict("These files have changed since this download began: start it again.")
        return self._sending(plan, grant.id, replace(caller, identity=grant.reader))

    def _whole(self, sending: Sending) -> Response:
        length = sending.plan.layout.length
        # The first piece is made before the status line leaves: what is wrong there can still be said in
        # words.
        first = sending.read(0, min(PIECE, length))
        if length <= PIECE:
            sending.provider.passed(sending.plan, sending.download, 0, length)
            return Response(first)
        if not self._direct.acquire(blocking=False):
            raise TooManyRequests("Too many downloads are running; try again in a moment.", retry_after=10)
        body = DirectBody(first, sending, self._lately, self._direct.release)
        return Response(body, headers={"Content-Length": str(length)}, direct_passthrough=True)

    def _provider(self, owner: str) -> Provider:
        try:
            return self._providers[owner]
        except KeyError:
            raise NotFound("There is nothing to download here.") from None

    def _sending(self, plan: Plan, download: str, asking: Caller) -> Sending:
        archive = Archive(plan.layout, plan.files, ledger=self._ledger, download=download)
        return Sending(plan, archive, self._provider(plan.owner), download, asking)


@dataclass(frozen=True, slots=True)
class Sending:
    """One download as this process sends it, or a slice of it."""

    plan: Plan
    archive: Archive
    provider: Provider
    download: str
    asking: Caller

    def read(self, start: int, stop: int) -> bytes:
        """Bytes of the zip; its provider is told of a broken file before StoredFileBroken goes on."""
        with self._told():
            return self.archive.read(start, stop)

    def read_into(self, start: int, target: memoryview) -> None:
        """The same into memory that there is already."""
        with self._told():
            self.archive.read_into(start, target)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except StoredFileBroken as error:
            self.provider.broken(self.plan, error, self.asking)
            raise


COUNT_EVERY = 8 << 20
"""Bytes of a flow after which its provider is told that they passed."""


class Flow:
    """A download, or a range of it, as it is taken piece by piece; for one thread at a time."""

    def __init__(self, sending: Sending, lately: Lately[str, bool], is_part: bool, start: int, stop: int) -> None:
        self._sending = sending
        self._lately = lately
        self._is_part = is_part
        self._start = self._told = self._at = start
        self._stop = stop

    @property
    def is_over(self) -> bool:
        """Whether all of it was taken."""
        return self._at == self._stop

    @property
    def taken(self) -> int:
        """Bytes that were taken so far."""
        return self._at - self._start

    def head(self) -> Response:
        """Status and headers of the answer."""
        plan = self._sending.plan
        response = described(Response(status=206 if self._is_part else 200), plan)
        response.headers["Content-Length"] = str(self._stop - self._start)
        if self._is_part:
            response.headers["Content-Range"] = f"bytes {self._start}-{self._stop - 1}/{plan.layout.length}"
        return response

    def take(self, room: memoryview) -> int:
        """Put what comes next into `room`; how many bytes that are, 0 at the end.

        Raises NotFound within ASK_EVERY when the reader may no longer have them, StoredFileBroken.
        """
        sending = self._sending
        if self._at < self._stop:
            _ask(self._lately, sending.provider, sending.download, sending.plan.claims)
        stop = min(self._at + len(room), self._stop)
        if stop < self._stop:
            stop = sending.plan.layout.resting_place(self._at, stop)
        sending.read_into(self._at, room[: stop - self._at])
        count, self._at = stop - self._at, stop
        if self._at - self._told >= COUNT_EVERY:
            self._count()
        return count

    def close(self) -> None:
        """It is over, one way or another."""
        if self._at > self._told:
            self._count()

    def _count(self) -> None:
        told, self._told = self._told, self._at
        self._sending.provider.passed(self._sending.plan, self._sending.download, told, self._at)


class DirectBody:
    """The bytes of a zip for WSGI; `close` gives the place back, even when nobody ever read from it."""

    def __init__(self, first: bytes, sending: Sending, lately: Lately[str, bool], release: Callable[[], None]) -> None:
        self._first = first
        self._sending = sending
        self._lately = lately
        self._passed = 0
        self._release: Callable[[], None] | None = release

    def __iter__(self) -> Iterator[bytes]:
        sending = self._sending
        length = sending.plan.layout.length
        try:
            self._passed = len(self._first)
            yield self._first
            while self._passed < length:
                _ask(self._lately, sending.provider, sending.download, sending.plan.claims)
                piece = sending.read(self._passed, min(self._passed + PIECE, length))
                self._passed += len(piece)
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        """The answer is over, one way or another."""
        release, self._release = self._release, None
        if release is not None:
            release()
            self._sending.provider.passed(self._sending.plan, self._sending.download, 0, self._passed)


def _ask(lately: Lately[str, bool], provider: Provider, download: str, claims: Mapping[str, Any]) -> None:
    """Raise NotFound when this download may no longer be had; asked once a second at most."""
    if not lately.get(download):
        provider.allowed(claims)
        lately.keep(download, True)
