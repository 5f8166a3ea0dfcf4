"""Links: made, found, listed, extended, revoked."""

from __future__ import annotations

import hashlib
import json
import secrets
import unicodedata
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, func, insert, select, true, update

from readingroom.audit import Trail
from readingroom.clock import Clock, iso
from readingroom.db import Database
from readingroom.errors import BadRequest, Conflict, NotFound
from readingroom.identity import Caller, Identity, SharedSeries, Visit
from readingroom.identity.passwords import Passwords
from readingroom.series import FoundSeries, Origins
from readingroom.shares.events import ShareCreated, ShareExtended, ShareRevoked
from readingroom.shares.rows import first, in_state, link_of
from readingroom.shares.rows import links as joined
from readingroom.shares.rules import Link, State, Tries
from readingroom.shares.tables import shares

TOKEN_BYTES = 32
"""Random bytes of a token: 43 characters in an address."""

ADMIN = "share.admin"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a link shall be."""

    series_key: str
    hours: float
    password: str | None = None
    max_downloads: int | None = None
    deidentified: bool = False
    note: str = ""
    accept_burned_in: bool = False


class Copies(Protocol):
    """De-identified copies of series, each made for one link."""

    def ask(self, link: Link) -> None:
        """Have the copy made if it waits for that; called after a link was made or changed."""
        ...

    def drop(self, link: Link) -> None:
        """The link was revoked: its copy is needed no more."""
        ...


class Links:
    """All links of this installation."""

    def __init__(
        self, database: Database, clock: Clock, trail: Trail, passwords: Passwords, origins: Origins,
        copies: Copies | None = None,
    ) -> None:  # fmt: skip
        self._database = database
        self._clock = clock
        self._trail = trail
        self._passwords = passwords
        self._origins = origins
        self._copies = copies

    def create(self, wish: Wish, caller: Caller) -> tuple[Link, str]:
        """Make a link; the token is told this once. Raises NotFound, BadRequest."""
        found = self._origins.find(wish.series_key)
        if found is None or found.origin == "copy":
            raise NotFound("There is no such series.")
        if wish.deidentified and self._copies is None:
            raise BadRequest("De-identified copies are not made here.")
        token = secrets.token_urlsafe(TOKEN_BYTES)
        # Before the transaction: a hash takes as long as many of them.
        password_hash = None if wish.password is None else self._passwords.hash(wish.password)
        now = self._clock.now()
        row = {
            **_of_series(found),
            "id": str(uuid.uuid4()),
            "token_hash": hashed(token),
            "search_text": folded(" ".join((wish.note, caller.identity.user, *found.facts.values(), found.series_uid))),
            "created_by": caller.identity.user,
            "created_at": now,
            "expires_at": now + timedelta(hours=wish.hours),
            "password_hash": password_hash,
            "max_downloads": wish.max_downloads,
            "deidentified": wish.deidentified,
            "copy_state": "queued" if wish.deidentified else None,
            "accept_burned_in": wish.accept_burned_in,
            "note": wish.note,
        }
        event = ShareCreated(
            entity_id=str(row["id"]), series_key=found.key, expires_at=iso(row["expires_at"]),
            has_password=password_hash is not None, max_downloads=wish.max_downloads or 0,
            deidentified=wish.deidentified,
        )  # fmt: skip
        with self._database.write() as connection:
            connection.execute(insert(shares).values(row))
            self._trail.record(event, caller, connection)
        link = self.by_id(str(row["id"]))
        if link.deidentified and self._copies is not None:
            self._copies.ask(link)
        return link, token

    def by_token(self, token: str) -> Link | None:
        """The link with that token, whatever state it is in."""
        return self._first(shares.c.token_hash == hashed(token))

    def find(self, link_id: str) -> Link | None:
        """The link with that id, whatever state it is in."""
        return self._first(shares.c.id == link_id)

    def by_id(self, link_id: str) -> Link:
        """The same; raises NotFound."""
        found = self.find(link_id)
        if found is None:
            raise NotFound("There is no such link.")
        return found

    def theirs(self, link_id: str, who: Identity) -> Link:
        """A link that this person made, or any for an admin of links; raises NotFound."""
        found = self.by_id(link_id)
        if found.created_by != who.user and not who.can(ADMIN):
            raise NotFound("There is no such link.")
        return found

    def page(
        self, who: Identity, *, everybodys: bool, state: State | None, words: str, limit: int, offset: int
    ) -> tuple[list[Link], int]:
        """One page of somebody's links, or of everybody's for an admin of links; the newest first."""
        wanted: list[ColumnElement[bool]] = [_containing(word) for word in folded(words).split()]
        if not (everybodys and who.can(ADMIN)):
            wanted.append(shares.c.created_by == who.user)
        if state is not None:
            wanted.append(in_state(state, self._clock.now()))
        where = and_(true(), *wanted)
        ordered = joined().where(where).order_by(shares.c.created_at.desc(), shares.c.id)
        with self._database.read() as connection:
            total = connection.scalar(select(func.count()).select_from(shares).where(where)) or 0
            rows = connection.execute(ordered.limit(limit).offset(offset)).all()
        return [link_of(row) for row in rows], total

    def extend(self, link_id: str, changes: Mapping[str, Any], caller: Caller) -> Link:
        """Set `hours` from now, `max_downloads` (None: no limit) and `note`, as far as they are named.

        Whatever is set, a link that was guessed at too often takes passcodes again.
        Raises NotFound, Conflict when it was revoked.
        """
        link = self.theirs(link_id, caller.identity)
        if link.revoked_at is not None:
            raise Conflict("This link was revoked; make a new one.")
        values: dict[str, Any] = {name: changes[name] for name in ("max_downloads", "note") if name in changes}
        if changes.get("hours") is not None:
            values["expires_at"] = self._clock.now() + timedelta(hours=changes["hours"])
        if "note" in values:
            said = (values["note"], link.created_by, *link.facts.values(), link.series_uid)
            values["search_text"] = folded(" ".join(said))
        afresh = Tries()
        locks = {"failed_attempts": afresh.failures, "locked_until": afresh.locked_until}
        end = values.get("expires_at", link.expires_at)
        changed = tuple(sorted(values.keys() - {"search_text"}))
        with self._database.write() as connection:
            connection.execute(update(shares).where(shares.c.id == link.id).values({**values, **locks}))
            self._trail.record(
                ShareExtended(entity_id=link.id, changed=changed, expires_at=iso(end)), caller, connection
            )
        link = self.by_id(link.id)
        if link.deidentified and self._copies is not None:
            self._copies.ask(link)  # it may have been removed after the link's end
        return link

    def revoke(self, link_id: str, caller: Caller) -> None:
        """End a link at once; a second time changes nothing. Raises NotFound."""
        link = self.theirs(link_id, caller.identity)
        with self._database.write() as connection:
            ended = connection.execute(
                update(shares)
                .where(shares.c.id == link.id, shares.c.revoked_at.is_(None))
                .values(revoked_at=self._clock.now())
            )
            if ended.rowcount:
                self._trail.record(ShareRevoked(entity_id=link.id), caller, connection)
        if ended.rowcount and link.deidentified and self._copies is not None:
            self._copies.drop(link)

    def standing(self, visits: Collection[Visit]) -> list[SharedSeries]:
        """What these visits give now: of links that stand, unlocked where there is a passcode."""
        now = self._clock.now()
        with self._database.read() as connection:
            rows = connection.execute(joined().where(shares.c.id.in_([visit.link for visit in visits]))).all()
        links = {link.id: link for link in map(link_of, rows)}
        found = []
        for visit in visits:
            link = links.get(visit.link)
            # Used up: whoever came in by it goes on looking until its end.
            if link is None or not link.stands(now) or link.copy_state not in (None, "ready"):
                continue
            if link.password_hash is not None and not visit.unlocked(now):
                continue
            if not link.deidentified:
                found.append(SharedSeries(link.id, link.series_uid, link.study_uid))
            elif (copy := copy_of(link, self._origins)) is not None:  # never the series that it was made of
                found.append(SharedSeries(link.id, copy.series_uid, copy.study_uid))
        return found

    def active(self) -> int:
        """How many links are open at this moment."""
        with self._database.read() as connection:
            counted = select(func.count()).select_from(shares).where(in_state("active", self._clock.now()))
            return connection.scalar(counted) or 0

    def _first(self, condition: ColumnElement[bool]) -> Link | None:
        with self._database.read() as connection:
            return first(connection, condition)


def copy_of(link: Link, origins: Origins) -> FoundSeries | None:
    """The de-identified copy that a link gives in place of its series; it is known by the link's id."""
    try:
        return origins.find_in("copy", link.id)
    except KeyError:  # this installation keeps no copies
        return None


def hashed(token: str) -> str:
    """What is kept of a token: SHA-256, hex. Its 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def folded(text: str) -> str:
    """Text as it is searched: no accents, no capitals, a caret is a space."""
    apart = unicodedata.normalize("NFKD", text.replace("^", " "))
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


def _containing(word: str) -> ColumnElement[bool]:
    return shares.c.search_text.contains(word, autoescape=True)


def _of_series(found: FoundSeries) -> dict[str, Any]:
    return {
        "series_key": found.key,
        "series_uid": found.series_uid,
        "study_uid": found.study_uid,
        "origin": found.origin,
        "source": found.where,
        "facts": json.dumps(dict(found.facts), ensure_ascii=False),
        "file_count": found.file_count,
        "size_bytes": found.size_bytes,
    }
