"""Writes what was done with links, beside the requests: a refusal takes as long whatever it leaves behind."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, Full, Queue
from typing import Any

import structlog
from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionToSpare

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.identity import Caller
from readingroom.metrics import Metrics
from readingroom.shares.events import ShareRefused
from readingroom.shares.rules import address_key
from readingroom.shares.tables import share_access_log, shares

log = structlog.get_logger(__name__)

WAITING = 5_000
"""Entries that wait to be written; what comes beyond, in a flood, is counted among the figures and not kept."""

REFUSALS_A_MINUTE = 10
"""Refusals kept of one link and address, or IPv6 household, in a minute: whoever holds a dead link must not fill the
disk with it."""

QUESTIONS = {"landing": 60, "info": 60, "unlock": 60, "thumbnail": 60, "view": 1}
"""The same of each kind of question that gives no file of the series. Whoever looks through it asks many times."""

AWAY = (OperationalError, InterfaceError, NoConnectionToSpare)

WAITS = (0.5, 2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds between tries to write while the database is away; what comes in meanwhile waits as well."""

LINGER_SECONDS = 0.2
"""What comes in within this is written in one transaction."""

AGENT_LENGTH = 300

COUNTED = frozenset({"landing", "zip", "file"})
"""What counts as an access of its own: the page's own questions after its landing do not."""


@dataclass(frozen=True, slots=True)
class Access:
    """Something that was done with a link, or refused; without a link where there is none."""

    link: str
    what: str  # landing info unlock zip file thumbnail view refused
    success: bool
    at: datetime
    agent: str
    caller: Caller
    bytes: int = 0

    @property
    def row(self) -> dict[str, object]:
        """As the table has it."""
        return {
            "share_id": self.link,
            "accessed_at": self.at,
            "ip_address": self.caller.ip,
            "user_agent": plain(self.agent),
            "what": self.what,
            "bytes": self.bytes,
            "success": self.success,
        }


@dataclass(frozen=True, slots=True)
class Passed:
    """Bytes of a download that were handed on, of a row that stands already."""

    row: int
    bytes: int


class AccessLog:
    """One thread writes, in order; it begins with the first entry."""

    def __init__(self, database: Database, clock: Clock, trail: Trail, metrics: Metrics) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail
        self._metrics = metrics
        self._waiting: Queue[Access | Passed] = Queue(WAITING)
        self._noted = self._settled = 0  # entries that were taken, and those of them that are done with
        self._changed = threading.Condition()
        self._lately: Counter[tuple[str, str, str]] = Counter()
        self._lately_since = clock.now()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def note(self, link: str, what: str, caller: Caller, agent: str, *, success: bool = True, size: int = 0) -> None:
        """Write this soon."""
        self._put(Access(link, what, success, self._clock.now(), agent, caller, size))

    def passed(self, row: int, size: int) -> None:
        """Add bytes to a row soon."""
        self._put(Passed(row, size))

    def settle(self, seconds: float = 2.0) -> None:
        """Wait until what was noted so far is written, but not for ever; what comes in meanwhile is not waited for."""
        with self._changed:
            noted = self._noted
            self._changed.wait_for(lambda: self._settled >= noted, seconds)

    def stop(self) -> None:
        """Write what waits, and end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(10)

    def _put(self, entry: Access | Passed) -> None:
        try:
            with self._changed:
                self._waiting.put_nowait(entry)
                self._noted += 1
        except Full:
            self._metrics.add("share_log_entries_lost_total")
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="readingroom-share-log", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._waiting.empty()):
            try:
                batch = [self._waiting.get(timeout=LINGER_SECONDS)]
            except Empty:
                continue
            while len(batch) < 500:
                try:
                    batch.append(self._waiting.get_nowait())
                except Empty:
                    break
            try:
                self._write_in_the_end(batch)
                self._tell(batch)
            except Exception:
                self._metrics.add("share_log_entries_lost_total", len(batch))
                log.exception("share_log_failed", entries=len(batch))
            finally:
                with self._changed:
                    self._settled += len(batch)
                    self._changed.notify_all()
            self._stopping.wait(LINGER_SECONDS)

    def _write_in_the_end(self, batch: Sequence[Access | Passed]) -> None:
        """Write it, as often as it takes a database that is away to come back."""
        kept = [entry for entry in batch if isinstance(entry, Access) and entry.link and self._keeps(entry)]
        for wait in (*WAITS, None):
            try:
                self._write(batch, kept)
                break
            except AWAY:
                if wait is None or self._stopping.wait(wait):
                    raise
                log.warning("share_log_waits", entries=len(batch))

    def _write(self, batch: Sequence[Access | Passed], kept: Sequence[Access]) -> None:
        sizes: Counter[int] = Counter()
        for entry in batch:
            if isinstance(entry, Passed):
                sizes[entry.row] += entry.bytes
        if kept or sizes:
            with self._database.write() as connection:
                if kept:
                    connection.execute(insert(share_access_log), [entry.row for entry in kept])
                _count(connection, kept)
                for row, size in sizes.items():
                    c = share_access_log.c
                    connection.execute(update(share_access_log).where(c.id == row).values(bytes=c.bytes + size))

    def _tell(self, batch: Sequence[Access | Passed]) -> None:
        for entry in batch:
            if isinstance(entry, Access) and not entry.success:
                self._trail.record(ShareRefused(entity_id=entry.link), entry.caller)

    def _keeps(self, entry: Access) -> bool:
        if entry.success and entry.what not in QUESTIONS:
            return True
        if entry.at - self._lately_since > timedelta(minutes=1):
            self._lately.clear()
            self._lately_since = entry.at
        same = (entry.link, address_key(entry.caller.ip), entry.what)
        self._lately[same] += 1
        return self._lately[same] <= (QUESTIONS[entry.what] if entry.success else REFUSALS_A_MINUTE)


def _count(connection: Connection, entries: Sequence[Access]) -> None:
    counted = Counter(entry.link for entry in entries if entry.success and entry.what in COUNTED)
    latest = {entry.link: entry.at for entry in entries if entry.success}
    for link, at in latest.items():
        values = {"access_count": shares.c.access_count + counted[link], "last_accessed": at}
        connection.execute(update(shares).where(shares.c.id == link).values(values))


def read(connection: Connection, link: str, limit: int, offset: int) -> tuple[list[Row[Any]], int]:
    """One page of a link's rows, the newest first, and how many there are."""
    c = share_access_log.c
    total = connection.scalar(select(func.count()).select_from(share_access_log).where(c.share_id == link)) or 0
    found = select(share_access_log).where(c.share_id == link).order_by(c.accessed_at.desc(), c.id.desc())
    return list(connection.execute(found.limit(limit).offset(offset))), total


def plain(agent: str) -> str:
    """A User-Agent as it is kept: 300 printable characters."""
    return "".join(letter for letter in agent[:AGENT_LENGTH] if letter.isprintable())
