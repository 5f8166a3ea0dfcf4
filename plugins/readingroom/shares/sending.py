"""Answers with what a link gives: the zip, one file, the small picture."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from flask import Response, request

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.downloads import Sender, byte_range, disposition
from readingroom.downloads.handing import Handing
from readingroom.downloads.sending import ASK_EVERY, LARGEST_SLICE
from readingroom.errors import NotFound, NoThumbnail, RangeNotSatisfiable, ReadingRoomError, ShareUnavailable
from readingroom.series import FoundSeries, Origins, SeriesFile, model
from readingroom.shares.access_log import AccessLog
from readingroom.shares.admission import Admission, Holder
from readingroom.shares.counting import Begun, Downloads, Wanted
from readingroom.shares.events import ShareBroken, ShareFileRead
from readingroom.shares.file_flow import FileFlow
from readingroom.shares.links import Links, copy_of
from readingroom.shares.naming import zip_name
from readingroom.shares.pace import Pace
from readingroom.shares.places import HeldBody, Place, Places
from readingroom.shares.plans import Plan, Plans
from readingroom.shares.ranges import FOR_NOTHING, read_for_nothing
from readingroom.shares.rules import Link
from readingroom.thumbnails.api import answer as picture_answer
from readingroom.thumbnails.thumbnails import Thumbnails
from readingroom.zipstream import safe_name

PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Look:
    """What a link gives, as its page tells it."""

    state: str  # ready preparing failed
    facts: Mapping[str, str]
    file_count: int
    size_bytes: int
    file_name: str
    study_uid: str = ""
    series_uid: str = ""
    """Of what the viewer shows: the series itself, or its de-identified copy; empty as long as it is not ready."""


class Sending:
    """Takes a holder who was let in, and answers."""

    def __init__(
        self, links: Links, origins: Origins, plans: Plans, sender: Sender, downloads: Downloads, places: Places,
        pace: Pace, admission: Admission, log: AccessLog, trail: Trail, clock: Clock,
        thumbnails: Thumbnails | None = None, handing: Handing[FileFlow] | None = None,
    ) -> None:  # fmt: skip
        """With `handing` the gateway fetches large files from the plugin's own socket."""
        self._links = links
        self._origins = origins
        self._plans = plans
        self._sender = sender
        self._downloads = downloads
        self._places = places
        self._pace = pace
        self._admission = admission
        self._log = log
        self._trail = trail
        self._clock = clock
        self._thumbnails = thumbnails
        self._handing = handing

    def look(self, link: Link) -> Look:
        """What the link gives now."""
        if link.copy_state in ("queued", "preparing", "failed"):
            state = "failed" if link.copy_state == "failed" else "preparing"
            return Look(state, {}, link.file_count, link.size_bytes, zip_name(link.facts, link.deidentified))
        found = series_of(link, self._origins)
        if found is None:
            facts = {} if link.deidentified else link.facts
            return Look("failed", facts, link.file_count, link.size_bytes, zip_name(link.facts, link.deidentified))
        name = zip_name(found.facts, link.deidentified)
        sizes = found.file_count, found.size_bytes
        return Look("ready", found.facts, *sizes, name, found.study_uid, found.series_uid)

    def files(self, link: Link) -> Sequence[SeriesFile]:
        """The files of the series, in order. Raises ShareUnavailable."""
        return self._origins.files(self._found(link))

    def zip(self, holder: Holder, *, is_head: bool, resumes: bool) -> Response:
        """The zip, or what of it was asked for; raises NotFound when the link has no download left."""
        plan = self._plans.fresh(holder.link)
        # A range of another version, or one that is none, is answered with the whole: that takes nothing up.
        same = request.headers.get("If-Range", "") in ("", plan.layout.etag)
        span = byte_range(request.headers.get("Range", ""), plan.layout.length) if same else None
        through_gateway = holder.caller.through_gateway
        if is_head:
            return self._sender.send(plan, holder.caller, holder.caller.identity)
        self._pace.begin(holder.link.id, "zip")
        if through_gateway and span is not None:  # straight out of Orthanc a zip comes whole
            self._check_range(holder, plan, span)
        place = None if through_gateway else self._places.take(holder.link.id)
        try:
            begun = self._begin(
                holder, Wanted(plan.layout.etag, plan.layout.length, "zip"), again=resumes and span is not None
            )
            plan = replace(plan, row=begun.row, resumed=begun.counted is None)
            with self._given_back(begun):
                response = self._sender.send(plan, holder.caller, holder.caller.identity)
        except BaseException:
            if place is not None:
                place.give_back()
            raise
        return _holding(response, place)

    def file(self, holder: Holder, n: str, *, is_head: bool) -> Response:
        """File `n`, from 1, or a range of it; the first one of a reader counts as a download."""
        link = holder.link
        found = self._found(link)
        files = self._origins.files(found)
        if not (re.fullmatch(r"[0-9]{1,9}", n) and 1 <= int(n) <= len(files)):
            raise NotFound("There is no such file.")
        index, entry = int(n) - 1, files[int(n) - 1]
        etag = etag_of(found, entry)
        span = None
        if request.headers.get("If-Range", "") in ("", etag):
            span = byte_range(request.headers.get("Range", ""), entry.size)
        handing = self._handing if holder.caller.through_gateway else None
        if handing is None and span is not None and span[1] - span[0] > LARGEST_SLICE:
            # Out of Orthanc a part leaves from memory alone. Its beginning would do (RFC 9110 section 15.3.7), but
            # `curl -C -` takes that for all there is: so the whole, as section 14.2 lets a server do.
            span = None
        start, stop = span or (0, entry.size)
        head = Response(
            headers={"Content-Length": str(stop - start), "ETag": etag, "Cache-Control": "private, no-store"}
        )
        if span is not None:
            head.status_code = 206
            head.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{entry.size}"
        response = head if is_head else self._file(holder, found, index, (start, stop), head, handing)
        response.mimetype = "application/dicom"
        response.headers["Content-Disposition"] = disposition(safe_name(entry.name).rpartition("/")[2])
        response.headers["Accept-Ranges"] = "bytes"
        return response

    def _file(
        self, holder: Holder, found: FoundSeries, index: int, span: tuple[int, int], head: Response,
        handing: Handing[FileFlow] | None,
    ) -> Response:  # fmt: skip
        """Bytes of a file behind that head: at once, as a stream, or for the gateway to fetch."""
        link, (start, stop) = holder.link, span
        self._pace.begin(link.id, "file")
        place = None if holder.caller.through_gateway else self._places.take(link.id)
        try:
            begun = self._begin(holder, _files_of(found), again=True)
            with self._given_back(begun):
                pieces = self._pieces(holder, found, index, start, stop)
                first = next(pieces, b"")
        except BaseException:
            if place is not None:
                place.give_back()
            raise
        self._trail.record(ShareFileRead(entity_id=link.id), holder.caller)
        flow = FileFlow(head, stop - start, first, pieces, lambda taken: self._log.passed(begun.row, taken))
        if len(first) == stop - start:
            head.response = list(flow)
        elif handing is not None:
            return Response(headers={"X-Accel-Redirect": handing.keep(flow)})
        else:
            head.response, head.direct_passthrough = flow, True
            # A gateway without our socket takes it at its client's pace too, and keeps nothing of it in files.
            head.headers["X-Accel-Buffering"] = "no"
        return _holding(head, place)

    def counted(self, holder: Holder, found: FoundSeries, size: int) -> None:
        """A file of so many bytes that is sent by another room: counts as one of `file`. Raises NotFound."""
        self._pace.begin(holder.link.id, "file")
        begun = self._begin(holder, _files_of(found), again=True)
        self._log.passed(begun.row, size)

    def thumbnail(self, holder: Holder, known: str) -> Response:
        """The small picture; raises NoThumbnail where there is none."""
        if self._thumbnails is None:
            raise NoThumbnail("There is no picture of this series.")
        response = picture_answer(self._thumbnails.of(self._found(holder.link), self._origins), known)
        if response.status_code == 200:
            size = len(response.get_data())
            self._log.note(holder.link.id, "thumbnail", holder.caller, holder.asked.agent, size=size)
        return response

    def _found(self, link: Link) -> FoundSeries:
        found = series_of(link, self._origins)
        if found is None:
            raise ShareUnavailable("This series cannot be read at the moment.", headers={"Retry-After": "60"})
        return found

    def _check_range(self, holder: Holder, plan: Plan, span: tuple[int, int]) -> None:
        """Raise RangeNotSatisfiable for a range of which a whole series would be read and next to nothing sent.

        RFC 9110 section 15.5.17 has 416 for such a range too. The whole in its place (200) would count a download, and
        give 10 GB to who asked for 100 bytes. Whoever began the download may take it up wherever it broke, but not at
        any pace: TooManyRequests.
        """
        if read_for_nothing(plan.layout, *span) <= FOR_NOTHING:
            return
        is_suffix = request.headers.get("Range", "").strip().lower().startswith("bytes=-")
        if is_suffix or not self._downloads.has_begun(holder.link.id, holder.reader, plan.layout.etag):
            raise RangeNotSatisfiable(
                "This end of the zip is known once its files were read: download it from its beginning.",
                headers={"Content-Range": f"bytes */{plan.layout.length}"},
            )
        self._pace.begin_costly(holder.link.id)

    def _begin(self, holder: Holder, of: Wanted, *, again: bool) -> Begun:
        begun = self._downloads.begin(holder.link, holder.reader, of, holder.caller, holder.asked.agent, again=again)
        if begun is None:
            self._admission.refuse(holder.asked, holder.link)
        return begun

    def _given_back(self, begun: Begun) -> GivenBack:
        return GivenBack(self._downloads, begun)

    def _pieces(self, holder: Holder, found: FoundSeries, index: int, start: int, stop: int) -> Iterator[bytes]:
        asked = self._clock.monotonic()
        try:
            with self._origins.open(found, index) as file:
                for at in range(start, stop, PIECE):
                    if self._clock.monotonic() - asked > ASK_EVERY:
                        asked = self._clock.monotonic()
                        self._plans.allowed({"share": holder.link.id})
                    piece = bytearray(min(PIECE, stop - at))
                    file.read_into(at, memoryview(piece))
                    yield bytes(piece)
        except ReadingRoomError as error:
            self._trail.record(ShareBroken(entity_id=holder.link.id, reason=error.message), holder.caller)
            raise


class GivenBack:
    """Takes a download's count back when what follows fails: nothing of it was sent."""

    def __init__(self, downloads: Downloads, begun: Begun) -> None:
        self._downloads = downloads
        self._begun = begun

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        if kind is not None:
            self._downloads.give_back(self._begun)


def series_of(link: Link, origins: Origins) -> FoundSeries | None:
    """The series of a link as it lies now; of a de-identified one its copy, and nothing else."""
    if link.deidentified:
        return copy_of(link, origins)
    key = link.series_uid or link.series_key
    # Where it lay when the link was made, as long as it does: a download that began there is resumed there.
    place: model.Place = "orthanc" if link.origin == "orthanc" else "nas"
    return origins.find_in(place, key) or origins.find(key)


def _files_of(found: FoundSeries) -> Wanted:
    return Wanted(f"files {found.version}", found.size_bytes, "file")


def etag_of(found: FoundSeries, entry: SeriesFile) -> str:
    """Another one when the file is."""
    said = f"{found.key} {found.version} {entry.name} {entry.size} {entry.mtime_ns}"
    return f'"{hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]}"'


def _holding(response: Response, place: Place | None) -> Response:
    if place is None:
        return response
    if isinstance(response.response, list):
        place.give_back()  # small, and whole in memory already
    else:
        response.response = HeldBody(cast(Iterable[bytes], response.response), place)
    return response
