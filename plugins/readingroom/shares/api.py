"""Routes of whoever makes links: create, list, extend, revoke, who used one, figures."""

from __future__ import annotations

from typing import Annotated

from flask import request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from readingroom.audit import Trail
from readingroom.clock import Clock, iso
from readingroom.db import Database
from readingroom.errors import BadRequest
from readingroom.identity.passwords import MAX_LENGTH
from readingroom.metrics import Metrics
from readingroom.routing import Area, caller, identity, over_tls
from readingroom.shares import access_log
from readingroom.shares.access_log import AccessLog
from readingroom.shares.events import ShareLogRead
from readingroom.shares.links import ADMIN, Links, Wish
from readingroom.shares.rules import Link, State
from readingroom.shares.statistics import gather

CREATE = "share.create"

SHORTEST_PASSCODE = 6
"""Characters. With `rules.SHUT_AFTER` tries, six digits are guessed once in ten thousand links."""

DEFAULT_HOURS = 24


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text cannot hold the character NUL")  # PostgreSQL stores none
    return text


Note = Annotated[str, Field(max_length=500), AfterValidator(_storable)]


class Snake(BaseModel):
    """JSON of sharing is snake_case: the documents fix it."""

    model_config = ConfigDict(extra="forbid")


class NewShare(Snake):
    """A link to make."""

    series_key: str = Field(min_length=1, max_length=64, description="SeriesKey, or a SeriesInstanceUID")
    expires_hours: float = Field(DEFAULT_HOURS, ge=1)
    password: str | None = Field(None, min_length=SHORTEST_PASSCODE, max_length=MAX_LENGTH)
    max_downloads: int | None = Field(None, ge=1, le=1_000_000)
    deidentified: bool = False
    accept_burned_in: bool = Field(False, description="See POST /api/shares/<id>/copy")
    note: Note = ""


class ShareEdit(Snake):
    """What to set of a link; what is left out stays. `max_downloads: null` takes the limit away."""

    expires_hours: float | None = Field(None, ge=1, description="From now")
    max_downloads: int | None = Field(None, ge=1, le=1_000_000)
    note: Note | None = None


class ShareQuery(Snake):
    """Which links."""

    state: State | None = None
    q: str = Field("", max_length=200)
    all: bool = Field(False, description="Everybody's; counts for share.admin alone")
    limit: int = Field(50, ge=1, le=500)
    offset: int = Field(0, ge=0)


class LogQuery(Snake):
    """Which page."""

    limit: int = Field(50, ge=1, le=500)
    offset: int = Field(0, ge=0)


class Created(Snake):
    """A fresh link; token and address are told this once."""

    token: str
    url: str
    expires_at: str
    id: str


class ShareAnswer(Snake):
    """A link as its maker sees it."""

    id: str
    series_key: str
    study_uid: str
    series_uid: str
    series: dict[str, str]
    origin: str
    source: str
    created_by: str
    created_at: str
    expires_at: str
    revoked_at: str | None
    has_password: bool
    locked_until: str | None = Field(description="No passcode is taken before; 9999: not until it is extended")
    max_downloads: int | None
    download_count: int
    access_count: int
    last_accessed: str | None
    file_count: int
    size_bytes: int
    deidentified: bool
    copy_state: str | None
    copy_message: str
    copy_done: int = Field(description="Files of the copy, of `file_count`")
    note: str
    state: State


class SharesAnswer(Snake):
    """One page of links."""

    items: list[ShareAnswer]
    total: int


class AccessAnswer(Snake):
    """Something that was done with a link."""

    time: str
    ip: str
    user_agent: str
    what: str
    bytes: int
    success: bool


class AccessesAnswer(Snake):
    """One page of that."""

    items: list[AccessAnswer]
    total: int


class DayAnswer(Snake):
    """One day."""

    day: str
    created: int
    downloads: int
    refused: int


class PersonAnswer(Snake):
    """One maker of links."""

    user: str
    created: int
    active: int
    downloads: int


class StatisticsAnswer(Snake):
    """Figures; of one's own links, or of all for share.admin."""

    active: int
    expired: int
    revoked: int
    owner_disabled: int
    used_up: int
    preparing: int
    failed: int
    created_last_30_days: int
    downloads: int
    bytes: int = Field(description="Within `log_days`")
    refused: int = Field(description="Within `log_days`")
    log_days: int = Field(description="How long it is kept who used a link")
    by_day: list[DayAnswer]
    by_user: list[PersonAnswer]


def routes(
    links: Links, log: AccessLog, database: Database, clock: Clock, trail: Trail, metrics: Metrics,
    *, public_url: str, max_hours: int, log_days: int,
) -> Area:  # fmt: skip
    """The area of links' makers."""
    area = Area("shares", "Sharing")

    @area.post("/share/create", capability=CREATE, body=NewShare, answer=Created, status=201, errors=(404, 429, 503))
    def create_share(body: NewShare) -> Created:
        """Make a link to one series. Its token is told here and nowhere else."""
        _check_hours(body.expires_hours)
        wish = Wish(
            body.series_key,
            body.expires_hours,
            body.password,
            body.max_downloads,
            body.deidentified,
            body.note,
            body.accept_burned_in,
        )
        link, token = links.create(wish, caller())
        metrics.add("shares_created_total")
        url = f"{public_url.rstrip('/') or _origin()}/share/{token}"
        return Created(token=token, url=url, expires_at=iso(link.expires_at), id=link.id)

    @area.get("/api/shares", capability=CREATE, query=ShareQuery, answer=SharesAnswer)
    def list_shares(query: ShareQuery) -> SharesAnswer:
        """My links, the newest first; everybody's for an admin of links who asks for `all`."""
        log.settle()
        found, total = links.page(
            identity(), everybodys=query.all, state=query.state, words=query.q, limit=query.limit, offset=query.offset
        )
        return SharesAnswer(items=[_answer(link) for link in found], total=total)

    @area.get("/api/shares/statistics", capability=CREATE, answer=StatisticsAnswer)
    def share_statistics() -> StatisticsAnswer:
        """What became of links within the last 30 days, and in all."""
        log.settle()
        who = identity()
        found = gather(database, clock, None if who.can(ADMIN) else who.user)
        return StatisticsAnswer(
            **found.states,
            created_last_30_days=found.created_lately,
            downloads=found.downloads,
            bytes=found.bytes,
            refused=found.refused,
            log_days=log_days,
            by_day=[
                DayAnswer(day=each.day.isoformat(), created=each.created, downloads=each.downloads,
                          refused=each.refused)
                for each in found.by_day
            ],
            by_user=[
                PersonAnswer(user=each.user, created=each.created, active=each.active, downloads=each.downloads)
                for each in found.by_user
            ],
        )  # fmt: skip

    @area.get("/api/shares/<share_id>", capability=CREATE, answer=ShareAnswer, errors=(404,))
    def get_share(share_id: str) -> ShareAnswer:
        """One link."""
        log.settle()
        return _answer(links.theirs(share_id, identity()))

    @area.put("/api/shares/<share_id>", capability=CREATE, body=ShareEdit, answer=ShareAnswer, errors=(404, 409))
    def extend_share(share_id: str, body: ShareEdit) -> ShareAnswer:
        """Give a link another end, limit or note. One that was guessed at too often takes passcodes again."""
        if body.expires_hours is not None:
            _check_hours(body.expires_hours)
        changes: dict[str, object] = {"hours": body.expires_hours}
        if "max_downloads" in body.model_fields_set:
            changes["max_downloads"] = body.max_downloads
        if body.note is not None:
            changes["note"] = body.note
        return _answer(links.extend(share_id, changes, caller()))

    @area.delete("/api/shares/<share_id>", capability=CREATE, status=204, errors=(404,))
    def revoke_share(share_id: str) -> None:
        """End a link at once, for downloads under way too."""
        links.revoke(share_id, caller())

    @area.get("/api/shares/<share_id>/log", capability=CREATE, query=LogQuery, answer=AccessesAnswer, errors=(404,))
    def share_log(share_id: str, query: LogQuery) -> AccessesAnswer:
        """Who used a link, when, from where, and how much of it."""
        log.settle()
        link = links.theirs(share_id, identity())
        with database.read() as connection:
            rows, total = access_log.read(connection, link.id, query.limit, query.offset)
        trail.record(ShareLogRead(entity_id=link.id), caller())
        items = [
            AccessAnswer(
                time=iso(row.accessed_at), ip=row.ip_address, user_agent=row.user_agent, what=row.what,
                bytes=row.bytes, success=row.success,
            )
            for row in rows
        ]  # fmt: skip
        return AccessesAnswer(items=items, total=total)

    def _answer(link: Link) -> ShareAnswer:
        locked = link.locked_until if link.locked_until and link.locked_until > clock.now() else None
        return ShareAnswer(
            id=link.id, series_key=link.series_key, study_uid=link.study_uid, series_uid=link.series_uid,
            series=dict(link.facts), origin=link.origin, source=link.source,
            created_by=link.created_by, created_at=iso(link.created_at), expires_at=iso(link.expires_at),
            revoked_at=iso(link.revoked_at) if link.revoked_at else None, has_password=link.password_hash is not None,
            locked_until=iso(locked) if locked else None, max_downloads=link.max_downloads,
            download_count=link.download_count, access_count=link.access_count,
            last_accessed=iso(link.last_accessed) if link.last_accessed else None, file_count=link.file_count,
            size_bytes=link.size_bytes, deidentified=link.deidentified, copy_state=link.copy_state,
            copy_message=link.copy_message, copy_done=link.copy_done, note=link.note, state=link.state(clock.now()),
        )  # fmt: skip

    def _check_hours(hours: float) -> None:
        if hours > max_hours:
            raise BadRequest(f"A link lasts at most {max_hours} hours here.", detail={"limit": max_hours})

    return area


def _origin() -> str:
    """Where the browser came to; the gateway lets only what a host name can be through."""
    return f"{'https' if over_tls(caller()) else 'http'}://{request.host}"
