"""Sends zips: through the gateway slice by slice, or straight out of Orthanc in one exact stream."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import quote

from flask import Response

from readingroom.audit import Trail
from readingroom.audit.events import CaseDownloaded, DownloadBroken
from readingroom.cases.downloads import Plan, PlannedFiles, Plans
from readingroom.cases.stored_files import StoredFiles
from readingroom.cases.tickets import Grant, Tickets
from readingroom.errors import Conflict, RangeNotSatisfiable, StoredFileBroken, TooManyRequests
from readingroom.identity import Caller, Identity
from readingroom.zipstream import PIECE, Archive, Ledger

LARGEST_SLICE = 32 << 20
"""A 206 leaves Orthanc with its body in memory; a longer range is answered by its beginning, as RFC 9110
section 15.3.7 lets a server do. The gateway's slices are a quarter of this."""

DIRECT_AT_ONCE = 24
"""Streams straight out of Orthanc hold one of its 50 HTTP threads each for as long as the client takes."""

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.IGNORECASE)


class Sender:
    """Answers requests for zips; `within` asks for a place in the gateway, by the caller."""

    def __init__(self, plans: Plans, stored: StoredFiles, tickets: Tickets, trail: Trail) -> None:
        self._plans = plans
        self._stored = stored
        self._tickets = tickets
        self._trail = trail
        self._ledger = Ledger()
        self._direct = threading.BoundedSemaphore(DIRECT_AT_ONCE)

    def send(self, plan: Plan, caller: Caller, reader: Identity) -> Response:
        """Begin a download for `reader`, who came with the request of `caller`; audited.

        The gateway gets the key to fetch the zip with, at the client's pace; anybody else the bytes
        themselves.
        """
        asking = replace(caller, identity=reader)
        key = self._tickets.key(plan, reader)
        if caller.through_gateway:
            # What is wrong at the very beginning is said in words; later the gateway can only cut the line.
            with self._told(plan, asking):
                self._archive(plan, key).read(0, min(PIECE, plan.layout.length))
            response = Response(headers={"X-Accel-Redirect": f"/_zip/{key}"})
        else:
            response = self._whole(plan, key, asking)
        self._trail.record(
            CaseDownloaded(
                entity_id=plan.wish.case_ids[0] if len(plan.wish.case_ids) == 1 else "",
                case_numbers=plan.case_numbers,
                files=len(plan.layout),
                bytes=plan.layout.length,
            ),
            asking,
        )
        return _described(response, plan)

    def part(self, grant: Grant, caller: Caller, wanted: str, if_range: str) -> Response:
        """Answer with the bytes that a Range header asks for, or with all of them when it asks for none.

        Raises Conflict when the cases have changed since the download began, RangeNotSatisfiable,
        StoredFileBroken.
        """
        plan = self._plans.same(grant.wish, grant.etag)
        if plan is None:
            raise Conflict("These cases have changed since this download began: start it again.")
        asking = replace(caller, identity=grant.reader)
        span = byte_range(wanted, plan.layout.length) if if_range in ("", grant.etag) else None
        if span is None:
            return _described(self._whole(plan, grant.id, asking), plan)
        start, stop = span[0], min(span[1], span[0] + LARGEST_SLICE)
        with self._told(plan, asking):
            body = self._archive(plan, grant.id).read(start, stop)
        response = Response(body, status=206)
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{plan.layout.length}"
        return _described(response, plan)

    def _whole(self, plan: Plan, download: str, asking: Caller) -> Response:
        archive = self._archive(plan, download)
        length = plan.layout.length
        # The first piece is made before the status line leaves: what is wrong there can still be said in
        # words.
        with self._told(plan, asking):
            first = archive.read(0, min(PIECE, length))
        if length <= PIECE:
            return Response(first)
        if not self._direct.acquire(blocking=False):
            raise TooManyRequests("Too many downloads are running; try again in a moment.", retry_after=10)
        body = DirectBody(first, archive.stream(PIECE), self._told(plan, asking), self._direct.release)
        return Response(body, headers={"Content-Length": str(length)}, direct_passthrough=True)

    def _archive(self, plan: Plan, download: str) -> Archive:
        return Archive(plan.layout, PlannedFiles(plan, self._stored), ledger=self._ledger, download=download)

    def _told(self, plan: Plan, asking: Caller) -> Telling:
        return Telling(self._trail, plan, asking)


class Telling:
    """Writes it into the audit trail when a stored file turns out broken, and lets the error go on."""

    def __init__(self, trail: Trail, plan: Plan, asking: Caller) -> None:
        self._trail = trail
        self._plan = plan
        self._asking = asking

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        if isinstance(error, StoredFileBroken):
            told = error.detail if isinstance(error.detail, dict) else {}
            instance = told.get("instance") or (self._plan.instance(told["file"]) if "file" in told else "")
            self._trail.record(DownloadBroken(entity_id=str(instance), reason=error.message), self._asking)


class DirectBody:
    """The bytes of a zip for WSGI; `close` gives the place back, even when nobody ever read from it."""

    def __init__(self, first: bytes, rest: Iterator[bytes], told: Telling, release: Callable[[], None]) -> None:
        self._first = first
        self._rest = rest
        self._told = told
        self._release: Callable[[], None] | None = release

    def __iter__(self) -> Iterator[bytes]:
        try:
            with self._told:
                yield self._first
                yield from self._rest
        finally:
            self.close()

    def close(self) -> None:
        """The answer is over, one way or another."""
        release, self._release = self._release, None
        if release is not None:
            release()


def byte_range(header: str, length: int) -> tuple[int, int] | None:
    """Start and stop of a Range header's one range; None where there is none that we follow (RFC 9110 section
    14.1.2).

    Several ranges, or a unit that is not bytes, are ignored, as a server may. Raises RangeNotSatisfiable.
    """
    found = _RANGE.fullmatch(header.strip())
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, stop = max(length - int(found[2]), 0), length
    else:
        start, stop = int(found[1]), min(int(found[2]) + 1, length) if found[2] else length
        if found[2] and int(found[2]) < start:
            return None
    if start >= length or start >= stop:
        raise RangeNotSatisfiable("The range lies outside the file.", headers={"Content-Range": f"bytes */{length}"})
    return start, stop


def disposition(file_name: str) -> str:
    """Content-Disposition for a file to save (RFC 6266; the second form where the name is not ASCII)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in file_name)
    named = f'attachment; filename="{plain}"'
    return named if plain == file_name else f"{named}; filename*=UTF-8''{quote(file_name, safe='')}"


def _described(response: Response, plan: Plan) -> Response:
    response.mimetype = "application/zip"
    response.headers["Content-Disposition"] = disposition(plan.file_name)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-store"
    if "X-Accel-Redirect" not in response.headers:
        response.headers["ETag"] = plan.layout.etag
    return response
