"""Routes of whoever holds a link: its page, what it gives, the passcode, the zip, the files one by one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from flask import Response, request
from pydantic import Field

from readingroom.audit import Trail
from readingroom.clock import Clock, iso
from readingroom.errors import NotFound, ShareNotReady
from readingroom.identity import PUBLIC, ShareCookies, Visit
from readingroom.identity.passwords import MAX_LENGTH
from readingroom.identity.share_cookies import new_visit
from readingroom.routing import Area, caller, json_answer, over_tls
from readingroom.shares.access_log import AccessLog
from readingroom.shares.admission import Admission, Asked, Holder
from readingroom.shares.api import Snake
from readingroom.shares.events import ShareOpened, ShareUnlocked
from readingroom.shares.rules import Link
from readingroom.shares.sending import Sending

HIDDEN = "-"
"""In a path: the handle stands in HANDLE_HEADER. Orthanc writes paths into its log when it is told to say much."""

HANDLE_HEADER = "X-Readingroom-Share"
METHOD_HEADER = "X-Readingroom-Method"
"""Both are the gateway's own; HEAD comes from there as GET."""

PASSCODE_HEADER = "X-Share-Passcode"

PREVIEWERS = re.compile(
    r"bot\b|preview|whatsapp|facebookexternalhit|slack|skype|telegram|crawl|spider|embedly|iframely|safelinks",
    re.IGNORECASE,
)
"""Programs of mail and chat that look at what a link leads to. They must not use up a download."""

NOWHERE = "/shared/none"
"""The page that says: not valid, or no longer."""

READY_SECONDS = 10

HOLDERS = (404, 429, 503)
"""What every route here may answer: no such link; too many at a time, at the gateway, or too many passcodes that are
being looked at; Orthanc does not answer."""


class Passcode(Snake):
    """What unlocks a link."""

    password: str = Field(max_length=MAX_LENGTH)


class Info(Snake):
    """What a link gives; nothing of the series before it is unlocked."""

    id: str
    needs_passcode: bool
    unlocked: bool
    expires_at: str
    downloads_left: int | None
    state: str = Field(description="ready, preparing or failed")
    deidentified: bool
    series: dict[str, str]
    file_count: int = Field(description="0 before it is unlocked, and so is the size")
    size_bytes: int
    file_name: str
    study_uid: str = Field(description="What the viewer asks for; empty before it is unlocked and ready")
    series_uid: str


class FileAnswer(Snake):
    """One file; `n` is its place, from 1."""

    n: int
    name: str
    size: int


class FilesAnswer(Snake):
    """All files of the series."""

    items: list[FileAnswer]
    total: int


def routes(
    admission: Admission, cookies: ShareCookies, sending: Sending, log: AccessLog, trail: Trail, clock: Clock
) -> Area:
    """The area of links' holders. Every refusal in it is the same 404."""
    area = Area("share", "Shared links")
    marks = Marks(cookies, clock)
    zip_of = downloads(area, admission, sending, log, marks)

    @area.get("/share/<handle>", capability=PUBLIC, errors=(*HOLDERS, 409, 416))
    def open_share(handle: str) -> Response:
        """A browser is led to the link's page, anything else gets the zip."""
        if not _wants_page():
            return zip_of(handle)
        try:
            holder = admission.admit(_asked(handle), locked_too=True)
        except NotFound:
            return _to(NOWHERE)
        link = holder.link
        log.note(link.id, "landing", holder.caller, holder.asked.agent)
        trail.record(ShareOpened(entity_id=link.id), holder.caller)
        response = _to(f"/shared/{link.id}")
        if not PREVIEWERS.search(holder.asked.agent):
            marks.leave(response, marks.visit(holder))
        return response

    @area.get("/share/<handle>/info", capability=PUBLIC, answer=Info, errors=HOLDERS)
    def share_info(handle: str) -> Response:
        """What the link gives, and whether a passcode is needed first."""
        holder = admission.admit(_asked(handle), locked_too=True)
        link = holder.link
        what = sending.look(link) if holder.unlocked else None
        answer = Info(
            id=link.id,
            needs_passcode=link.password_hash is not None,
            unlocked=holder.unlocked,
            expires_at=iso(link.expires_at),
            downloads_left=link.downloads_left,
            state=what.state if what else copied(link),
            deidentified=link.deidentified,
            series=dict(what.facts) if what else {},
            file_count=what.file_count if what else 0,
            size_bytes=what.size_bytes if what else 0,
            file_name=what.file_name if what else "",
            study_uid=what.study_uid if what else "",
            series_uid=what.series_uid if what else "",
        )
        log.note(link.id, "info", holder.caller, holder.asked.agent)
        return marks.used(json_answer(answer), holder)

    @area.post("/share/<handle>/unlock", capability=PUBLIC, body=Passcode, status=204, errors=(*HOLDERS, 403))
    def unlock_share(handle: str, body: Passcode) -> Response:
        """Show the passcode; the cookie that comes back counts for 30 minutes after its last use."""
        holder = admission.admit(_asked(handle, body.password))
        visit = marks.visit(holder)
        if holder.shown:
            log.note(holder.link.id, "unlock", holder.caller, holder.asked.agent)
            trail.record(ShareUnlocked(entity_id=holder.link.id), holder.caller)
            visit = visit.unlock(clock.now())
        response = Response(status=204)
        marks.leave(response, visit)
        return response

    return area


def downloads(
    area: Area, admission: Admission, sending: Sending, log: AccessLog, marks: Marks
) -> Callable[[str], Response]:
    """The routes that give something of the series; answers the zip's handler, which the bare address has too."""

    @area.get("/share/<handle>/zip", capability=PUBLIC, errors=(*HOLDERS, 409, 416))
    def share_zip(handle: str) -> Response:
        """The series as a zip: exact length, resumable. Scripts show the passcode in `X-Share-Passcode`."""
        holder = _ready(admission.admit(_asked(handle), finishing=_resumes()))
        return marks.used(sending.zip(holder, is_head=_is_head(), resumes=_resumes()), holder)

    @area.get("/share/<handle>/files", capability=PUBLIC, answer=FilesAnswer, errors=(*HOLDERS, 409))
    def share_files(handle: str) -> Response:
        """Names and sizes of the files."""
        holder = _ready(admission.admit(_asked(handle)))
        files = sending.files(holder.link)
        items = [FileAnswer(n=n, name=each.name, size=each.size) for n, each in enumerate(files, 1)]
        log.note(holder.link.id, "info", holder.caller, holder.asked.agent)
        return marks.used(json_answer(FilesAnswer(items=items, total=len(items))), holder)

    @area.get("/share/<handle>/files/<n>", capability=PUBLIC, errors=(*HOLDERS, 409, 416))
    def share_file(handle: str, n: str) -> Response:
        """One file, byte for byte. All files together count as one download."""
        holder = _ready(admission.admit(_asked(handle)))
        return marks.used(sending.file(holder, n, is_head=_is_head()), holder)

    @area.get("/share/<handle>/thumbnail", capability=PUBLIC, errors=(*HOLDERS, 409))
    def share_thumbnail(handle: str) -> Response:
        """The middle image, small."""
        holder = _ready(admission.admit(_asked(handle)))
        return marks.used(sending.thumbnail(holder, request.headers.get("If-None-Match", "")), holder)

    return share_zip


class Marks:
    """The cookies that links leave in browsers."""

    def __init__(self, cookies: ShareCookies, clock: Clock) -> None:
        self._cookies = cookies
        self._clock = clock

    def visit(self, holder: Holder) -> Visit:
        """This browser's way into the link, a new one at first."""
        end = holder.link.expires_at  # another one since it was extended
        if holder.visit is None:
            return new_visit(holder.link.id, self._clock.now(), end)
        return replace(holder.visit, end=end)

    def leave(self, response: Response, visit: Visit) -> None:
        """Put it into the browser."""
        self._cookies.leave(response, visit, request.cookies, secure=over_tls(caller()))

    def used(self, response: Response, holder: Holder) -> Response:
        """The response, with a fresh cookie where the link has another end now, or the passcode's half hour is to begin
        again.
        """
        if holder.visit is not None and int(holder.visit.end.timestamp()) != int(holder.link.expires_at.timestamp()):
            self.leave(response, self.visit(holder))
        elif holder.visit is not None:
            self._cookies.renew(response, holder.visit, self._clock.now(), secure=over_tls(caller()))
        return response


def _ready(holder: Holder) -> Holder:
    if holder.link.copy_state in ("queued", "preparing"):
        raise ShareNotReady("This is being prepared; try again shortly.", headers={"Retry-After": str(READY_SECONDS)})
    if holder.link.copy_state == "failed":
        raise ShareNotReady("This could not be prepared; ask whoever sent you the link.")
    return holder


def copied(link: Link) -> str:
    """How far a link is, as far as can be told without the passcode."""
    return {"queued": "preparing", "preparing": "preparing", "failed": "failed"}.get(link.copy_state or "", "ready")


def _asked(handle: str, passcode: str | None = None) -> Asked:
    who = caller()
    if handle == HIDDEN and who.through_gateway:
        handle = request.headers.get(HANDLE_HEADER, "")
    if passcode is None:
        passcode = as_typed(request.headers.get(PASSCODE_HEADER))
    return Asked(handle, who, request.headers.get("User-Agent", ""), request.cookies, passcode)


def as_typed(value: str | None) -> str | None:
    """A header's text where a program sent UTF-8: WSGI takes its bytes for Latin-1 (PEP 3333)."""
    try:
        return value if value is None else value.encode("latin-1").decode()
    except UnicodeError:
        # Decoded already, or Latin-1 indeed; what is no text at all fits nothing, and is refused like any other.
        return value.encode("utf-8", "replace").decode() if value is not None else None


def _wants_page() -> bool:
    if "text/html" in request.headers.get("Accept", ""):
        return True
    return PREVIEWERS.search(request.headers.get("User-Agent", "")) is not None


def _is_head() -> bool:
    return request.method == "HEAD" or (caller().through_gateway and request.headers.get(METHOD_HEADER, "") == "HEAD")


def _resumes() -> bool:
    """Whether the request asks for what comes after the beginning."""
    # One range alone: of several the gateway takes none, and sends the whole.
    asked = re.fullmatch(r"bytes=([0-9]{1,18})-[0-9]{0,18}", request.headers.get("Range", "").strip(), re.IGNORECASE)
    return asked is not None and int(asked[1]) > 0


def _to(address: str) -> Response:
    return Response(status=303, headers={"Location": address})
