"""Plans the zips of cases: who may have which, what is in it, and under which names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

from sqlalchemy import Connection, select

from readingroom.cases.download_contents import Folder, folders
from readingroom.cases.tables import clinical_case, exam_type
from readingroom.db import Database
from readingroom.downloads import StoredFiles
from readingroom.downloads.keys import expired
from readingroom.errors import BadRequest, NoDicoms, NotFound, TooManyCases
from readingroom.identity import Identity
from readingroom.identity.standing import capabilities_of
from readingroom.identity.tables import account
from readingroom.recent import Recent
from readingroom.zipstream import Layout, Reader, safe_name

OWNER = "cases"
"""Whose plans these are, in the key of a download."""

MAX_CASES = 50
"""Cases in one download."""

PLANS_BYTES = 96 << 20
"""Memory for plans of downloads under way; one of 30,000 files takes 4 MB."""

BATCH_NAME = "batch_download.zip"

ID_LENGTH = 44
"""Characters of an Orthanc id."""

NS = 1_000_000_000
"""Nanoseconds in a second."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: which cases, in a folder each or one alone, those that students cannot see too or
    not.
    """

    case_ids: tuple[str, ...]
    batch: bool
    all_cases: bool

    @property
    def claims(self) -> dict[str, Any]:
        """The wish as JSON, to be signed."""
        return {"cases": self.case_ids, "batch": self.batch, "all": self.all_cases}

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> Wish:
        """The wish of such claims."""
        return cls(tuple(claims["cases"]), claims["batch"], claims["all"])


@dataclass(frozen=True, slots=True)
class Plan:
    """A zip that can be sent (`downloads.Plan`): its layout, and which stored file stands behind each entry."""

    owner: ClassVar[str] = OWNER

    wish: Wish
    file_name: str
    case_numbers: tuple[int, ...]
    layout: Layout
    instances: str  # Orthanc ids, padded to one length and joined: a third of what 30,000 strings would take
    attachments: dict[int, str]  # of the entries that are not simply the instance's own file
    stored: StoredFiles

    def instance(self, index: int) -> str:
        """Orthanc's id of the instance behind an entry."""
        return self.instances[index * ID_LENGTH : (index + 1) * ID_LENGTH].rstrip()

    @property
    def files(self) -> PlannedFiles:
        """The stored files, as the zip engine opens them."""
        return PlannedFiles(self)

    @property
    def claims(self) -> dict[str, Any]:
        """What these cases are found by again."""
        return self.wish.claims

    @property
    def weight(self) -> int:
        """Bytes of memory, about."""
        return self.layout.weight + len(self.instances) + 100 * len(self.attachments) + 1000


@dataclass(frozen=True, slots=True)
class PlannedFiles:
    """The stored files of a plan, as the zip engine opens them."""

    plan: Plan

    def open(self, index: int, size: int) -> AbstractContextManager[Reader]:
        """Open the stored file behind an entry; raises StoredFileBroken."""
        return self.plan.stored.open(self.plan.instance(index), self.plan.attachments.get(index, "dicom"), size)


@dataclass(frozen=True, slots=True)
class _Case:
    id: str
    number: int
    exam_type: str


def wish_for(case_ids: Sequence[str], *, batch: bool, all_cases: bool) -> Wish:
    """Check the wish by itself: repeated cases become one. Raises BadRequest, TooManyCases."""
    unique = tuple(dict.fromkeys(case_ids))
    if not unique:
        raise BadRequest("Name at least one case.")
    if len(unique) > MAX_CASES:
        raise TooManyCases(
            f"At most {MAX_CASES} cases fit in one download; these are {len(unique)}.", detail={"limit": MAX_CASES}
        )
    return Wish(unique, batch, all_cases)


def plan(connection: Connection, wish: Wish, stored: StoredFiles) -> Plan:
    """Plan the zip of these cases; the same cases in the same state give the same zip, byte for byte.

    Raises NotFound naming a case that is not there or not theirs, NoDicoms naming one without files.
    """
    cases = _cases(connection, wish)
    folders_of: dict[str, list[Folder]] = {}
    for folder in folders(connection, wish.case_ids):
        folders_of.setdefault(folder.case_id, []).append(folder)
    names: list[str] = []
    parts: list[Folder] = []
    for case in cases:
        found = folders_of.get(case.id)
        if not found:
            raise NoDicoms(f"Case {case.number:04d} has no DICOM files.", detail={"caseId": case.id})
        for folder in found:
            prefix = f"{case.number:04d}_{case.exam_type}/" if wish.batch else ""
            if len(found) > 1:
                prefix += f"{folder.exam_type}/"
            names += [prefix + path for path in folder.paths]
        parts += found
    instances = "".join([instance.ljust(ID_LENGTH) for part in parts for instance in part.instances])
    attachments = _special(chain.from_iterable(part.attachments for part in parts))
    layout = Layout(
        names,
        [size for part in parts for size in part.sizes],
        [crc for part in parts for crc in part.crc32s],
        [ns // NS for part in parts for ns in part.mtimes_ns],
        identity=f"{instances}{attachments}",
    )
    numbers = tuple(case.number for case in cases)
    return Plan(wish, _file_name(cases[0], wish.batch), numbers, layout, instances, attachments, stored)


def _special(attachments: Iterable[str]) -> dict[int, str]:
    return {index: name for index, name in enumerate(attachments) if name != "dicom"}


def _file_name(case: _Case, batch: bool) -> str:
    return BATCH_NAME if batch else f"Cas_{case.number:04d}_{safe_name(case.exam_type.replace('/', '_'))}.zip"


def _cases(connection: Connection, wish: Wish) -> list[_Case]:
    found = connection.execute(
        select(
            clinical_case.c.id,
            clinical_case.c.case_number,
            exam_type.c.name,
            clinical_case.c.published,
            clinical_case.c.withdrawn_at,
        )
        .join(exam_type, exam_type.c.id == clinical_case.c.exam_type_id)
        .where(clinical_case.c.id.in_(wish.case_ids))
    )
    seen = {
        row.id: _Case(row.id, row.case_number, row.name)
        for row in found
        if row.withdrawn_at is None and (row.published or wish.all_cases)
    }
    for case_id in wish.case_ids:
        if case_id not in seen:
            raise NotFound(f"There is no case {case_id!r}.", detail={"caseId": case_id})
    # By number, not as asked: so that the same cases are the same zip, whose download can be resumed.
    return sorted(seen.values(), key=lambda case: case.number)


class Plans:
    """Plans of downloads under way, so that a slice costs no look into the database."""

    def __init__(self, database: Database, stored: StoredFiles, capacity: int = PLANS_BYTES) -> None:
        self._database = database
        self._stored = stored
        self._kept = Recent[tuple[Wish, str], Plan](capacity, lambda plan: plan.weight)

    def fresh(self, wish: Wish) -> Plan:
        """The plan of these cases as they are now; raises NotFound, NoDicoms."""
        with self._database.read() as connection:
            made = plan(connection, wish, self._stored)
        self._kept.keep((made.wish, made.layout.etag), made)
        return made

    def same(self, wish: Wish, etag: str) -> Plan | None:
        """The plan that had this ETag, or None when the cases have changed since and it was forgotten.

        Raises NotFound, NoDicoms when it is no longer theirs to have.
        """
        found = self._kept.get((wish, etag))
        if found is not None:
            return found
        again = self.fresh(wish)
        return again if again.layout.etag == etag else None

    def still_allowed(self, wish: Wish, reader: Identity) -> None:
        """Raise NotFound when a case has been taken from this reader's sight since the wish was granted,
        TicketExpired when the account was disabled or lost the right.
        """
        with self._database.read() as connection:
            _cases(connection, wish)
            if reader.kind != "user":
                return  # of who signs in elsewhere there is no account here
            found = select(account.c.roles).where(account.c.name == reader.user, account.c.disabled.is_(False))
            held = capabilities_of(tuple(connection.scalar(found) or ()))
        if ("cases.admin" if wish.all_cases else "cases.read") not in held:
            raise expired()
