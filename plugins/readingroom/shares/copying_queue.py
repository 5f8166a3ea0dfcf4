"""Which copies wait, how far each is, and how it ended: columns of the links' own rows."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.identity import Caller, Identity
from readingroom.shares.events import ShareCopied
from readingroom.shares.rows import first
from readingroom.shares.rules import Link
from readingroom.shares.tables import shares

TRIES = 3
"""How often a copy is begun whose process died each time before a single file more was done."""

MAX_MESSAGE = 500


class CopyQueue:
    """One process at a time works on it (see `copying_work`), so what is `preparing` waits as well: it was cut off."""

    def __init__(self, database: Database, clock: Clock, trail: Trail) -> None:
        self._database = database
        self._clock = clock
        self.trail = trail

    def waiting(self) -> int:
        """How many copies are to be made or finished."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(shares).where(self._waits())) or 0

    def take(self) -> Link | None:
        """The one that waits longest, now `preparing`; None when none does."""
        c = shares.c
        oldest = select(c.id).where(self._waits()).order_by(c.created_at, c.id).limit(1)
        with self._database.write() as connection:
            link_id = connection.scalar(oldest)
            if link_id is None:
                return None
            values = {"copy_state": "preparing", "copy_tries": c.copy_tries + 1}
            connection.execute(update(shares).where(c.id == link_id).values(values))
            return first(connection, c.id == link_id)

    def is_hopeless(self, link: Link) -> bool:
        """Whether its process died too often at the same file."""
        with self._database.read() as connection:
            tries = connection.scalar(select(shares.c.copy_tries).where(shares.c.id == link.id)) or 0
        return tries > TRIES

    def beat(self, link: Link, done: int, *, is_progress: bool) -> bool:
        """Tell how many files are done; whether the copy is still wanted."""
        values = {"copy_done": done, **({"copy_tries": 1} if is_progress else {})}
        with self._database.write() as connection:
            return bool(connection.execute(update(shares).where(self._wanted(link)).values(values)).rowcount)

    def ready(self, link: Link, files: int, size: int) -> bool:
        """The copy is whole; whether it is still wanted."""
        values = {"copy_state": "ready", "copy_done": files, "copy_tries": 0, "copy_message": ""}
        with self._database.write() as connection:
            if not connection.execute(update(shares).where(self._wanted(link)).values(values)).rowcount:
                return False
            self._tell(connection, link, "ok", files, size)
        return True

    def failed(self, link: Link, message: str) -> None:
        """There will be none, for that reason: a sentence for whoever made the link, naming no patient."""
        values = {"copy_state": "failed", "copy_message": message[:MAX_MESSAGE], "copy_done": 0, "copy_tries": 0}
        with self._database.write() as connection:
            if connection.execute(update(shares).where(self._wanted(link)).values(values)).rowcount:
                self._tell(connection, link, "failed", 0, 0)

    def again(self, link: Link, *, accept_burned_in: bool, connection: Connection) -> bool:
        """Have a copy that failed made after all; whether it had failed."""
        c = shares.c
        values = {"copy_state": "queued", "copy_message": "", "copy_done": 0, "copy_tries": 0}
        if accept_burned_in:
            values["accept_burned_in"] = True
        failed = and_(c.id == link.id, c.copy_state == "failed")
        return bool(connection.execute(update(shares).where(failed).values(values)).rowcount)

    def gone(self, link: str) -> None:
        """Its copy was removed after its end: if the link is extended, it is made again."""
        c = shares.c
        values = {"copy_state": "queued", "copy_done": 0, "copy_tries": 0}
        with self._database.write() as connection:
            connection.execute(update(shares).where(c.id == link, c.copy_state == "ready").values(values))

    def find(self, link: str) -> Link | None:
        """The link with that id."""
        with self._database.read() as connection:
            return first(connection, shares.c.id == link)

    def _waits(self) -> ColumnElement[bool]:
        c = shares.c
        return and_(
            c.deidentified, c.copy_state.in_(("queued", "preparing")), c.revoked_at.is_(None),
            c.expires_at > self._clock.now(),
        )  # fmt: skip

    def _wanted(self, link: Link) -> ColumnElement[bool]:
        c = shares.c
        stands = and_(c.revoked_at.is_(None), c.expires_at > self._clock.now())
        return and_(c.id == link.id, c.copy_state == "preparing", stands)

    def _tell(self, connection: Connection, link: Link, outcome: str, files: int, size: int) -> None:
        event = ShareCopied(entity_id=link.id, outcome=outcome, files=files, bytes=size)
        self.trail.record(event, Caller(Identity(link.created_by, "service"), link.id, ""), connection)
