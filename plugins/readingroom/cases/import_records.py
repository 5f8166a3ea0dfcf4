"""What the database knows of imported files, asked and written many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from readingroom.audit import Trail
from readingroom.audit.events import FileImported
from readingroom.cases import private_map, publishing
from readingroom.cases.catalogue import Catalogue
from readingroom.cases.import_plan import Recorded, Slot
from readingroom.cases.import_upload import Brought, Stored
from readingroom.cases.tables import case_file, clinical_case, import_item
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.identity import Caller

CHUNK = 500
"""Values in one statement: far below the limits of SQLite and PostgreSQL, and one round trip for many files."""


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case as an import meets it."""

    id: str
    withdrawn: bool
    deidentified: bool
    """Some of its files were de-identified: then all of them are, whatever a later run was asked for."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a run's report."""

    path: str
    outcome: str
    reason: str = ""


class Records:
    """Reads and writes `case_file` for one source's import."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        trail: Trail,
        catalogue: Catalogue,
        caller: Caller,
        source: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail
        self._catalogue = catalogue
        self._caller = caller
        self._source = source

    def last_row(self) -> int:
        """The highest row at this moment: what comes after it was not there to be missed."""
        with self._database.read() as connection:
            return connection.scalar(select(func.max(case_file.c.id))) or 0

    def cases(self, numbers: Iterable[int]) -> dict[int, KnownCase]:
        """The cases under these numbers."""
        wanted, found = sorted(set(numbers)), {}
        changed = select(case_file.c.id).where(
            case_file.c.case_id == clinical_case.c.id, case_file.c.sha256 != case_file.c.source_sha256
        )
        columns = select(
            clinical_case.c.id,
            clinical_case.c.case_number,
            clinical_case.c.withdrawn_at,
            changed.exists().label("deidentified"),
        )
        with self._database.read() as connection:
            for start in range(0, len(wanted), CHUNK):
                chunk = clinical_case.c.case_number.in_(wanted[start : start + CHUNK])
                for row in connection.execute(columns.where(chunk)):
                    found[row.case_number] = KnownCase(row.id, row.withdrawn_at is not None, bool(row.deidentified))
        return found

    def known(self, slots: list[Slot], cases: dict[int, KnownCase]) -> dict[Slot, Recorded]:
        """What is recorded of these places; those that were never imported are left out."""
        numbers = {cases[slot.case_number].id: slot.case_number for slot in slots if slot.case_number in cases}
        if not numbers:
            return {}
        files, found = case_file.c, {}
        columns = select(files.exam_type, files.relative_path, *_recorded_columns())
        with self._database.read() as connection:
            for start in range(0, len(slots), CHUNK):
                paths = [slot.relative_path for slot in slots[start : start + CHUNK]]
                rows = connection.execute(
                    columns.where(files.case_id.in_(list(numbers)), files.relative_path.in_(paths))
                )
                for exam_type, path, *rest in rows:
                    recorded = Recorded(*rest)
                    found[Slot(exam_type, numbers[recorded.case_id], path)] = recorded
        return found

    def from_here(self, last_row: int, cases: frozenset[int]) -> Iterator[list[tuple[int, bool, str]]]:
        """Files that came from this source, cases withdrawn since left out: (row, missing, path), in chunks.

        `cases` narrows it to these numbers; empty means all.
        """
        files, after = case_file.c, 0
        columns = select(
            files.id, files.missing_at_source, files.exam_type, clinical_case.c.case_number, files.relative_path
        ).join(clinical_case)
        conditions = [files.source == self._source, clinical_case.c.withdrawn_at.is_(None), files.id <= last_row]
        if cases:
            conditions.append(clinical_case.c.case_number.in_(sorted(cases)))
        while True:
            with self._database.read() as connection:
                rows = connection.execute(
                    columns.where(*conditions, files.id > after).order_by(files.id).limit(10 * CHUNK)
                ).all()
            if not rows:
                return
            yield [
                (row.id, row.missing_at_source, f"{row.exam_type}/{row.case_number:04d}/{row.relative_path}")
                for row in rows
            ]
            after = rows[-1].id

    def ensure_cases(self, brought: Iterable[Brought], known: dict[int, str | None]) -> None:
        """Make the cases that these files need; `known` gains their ids, None for one withdrawn."""
        wanted = {
            b.task.slot.case_number: b.task.slot.exam_type
            for b in sorted(brought, key=lambda b: b.task.entry.path, reverse=True)
            if b.stored and b.task.slot.case_number not in known
        }
        if not wanted:
            return
        with self._database.write() as connection:
            for number, exam_type in wanted.items():
                case = self._catalogue.ensure(connection, self._caller, number, exam_type)
                known[number] = None if case.withdrawn else case.id

    def write(self, connection: Connection, brought: list[Brought], known: dict[int, str | None]) -> None:
        """Record stored files; published cases that now identify somebody leave the students' sight."""
        rows, identifying = [], set()
        counts: dict[str, tuple[int, int]] = {}
        for each in brought:
            case_id = known.get(each.task.slot.case_number)
            if each.stored is None or case_id is None:
                continue
            row = self._row(case_id, each, each.stored)
            private_map.remember(connection, case_id, each.stored.replacements)
            rows.append(row)
            files, size = counts.get(case_id, (0, 0))
            counts[case_id] = (files + 1, size + each.stored.size)
            if row["has_patient_name"] or row["has_birth_date"] or row["burned_in"]:
                identifying.add(case_id)
        if not rows:
            return
        connection.execute(upsert(self._database.is_postgresql), rows)
        publishing.hide_identifying(connection, self._clock, self._trail, self._caller, identifying)
        for case_id, (files, size) in counts.items():
            event = FileImported(entity_id=case_id, files=files, bytes=size)
            self._trail.record(event, self._caller, connection)

    def _row(self, case_id: str, brought: Brought, stored: Stored) -> dict[str, Any]:
        task, header = brought.task, stored.header
        return {
            "case_id": case_id,
            "exam_type": task.slot.exam_type,
            "relative_path": task.slot.relative_path,
            "size": stored.size,
            "crc32": stored.crc32,
            "sha256": stored.sha256,
            "source": self._source,
            "source_size": task.entry.size,
            "source_mtime_ns": task.entry.mtime_ns,
            "source_sha256": stored.source_sha256,
            "missing_at_source": False,
            "orthanc_id": stored.orthanc_id,
            "attachment": stored.attachment,
            "sop_instance_uid": header.sop_instance_uid,
            "series_instance_uid": header.series_instance_uid,
            "study_instance_uid": header.study_instance_uid,
            **header.flags._asdict(),
            "imported_at": self._clock.now(),
        }

    def relist(self, connection: Connection, listed: list[tuple[int, int, int]]) -> None:
        """Note for (row, size, mtime) that the file lies at this source with the bytes that are stored."""
        if listed:
            connection.execute(
                update(case_file)
                .where(case_file.c.id == bindparam("row"))
                .values(
                    source=self._source,
                    source_size=bindparam("listed_size"),
                    source_mtime_ns=bindparam("listed_mtime"),
                    missing_at_source=False,
                ),
                [{"row": row, "listed_size": size, "listed_mtime": mtime} for row, size, mtime in listed],
            )

    @staticmethod
    def flag_missing(connection: Connection, rows: list[int]) -> None:
        """Note that these files no longer lie at the source; they stay stored."""
        for start in range(0, len(rows), CHUNK):
            chunk = case_file.c.id.in_(rows[start : start + CHUNK])
            connection.execute(update(case_file).where(chunk).values(missing_at_source=True))

    @staticmethod
    def report(connection: Connection, run_id: str, items: list[Item]) -> None:
        """Add lines to a run's report."""
        if items:
            lines = [{"run_id": run_id, "path": i.path, "outcome": i.outcome, "reason": i.reason} for i in items]
            connection.execute(insert(import_item), lines)


def _recorded_columns() -> list[Any]:
    """The columns of `Recorded`, in its order."""
    files = case_file.c
    return [
        files.id,
        files.case_id,
        files.source,
        files.source_size,
        files.source_mtime_ns,
        files.source_sha256,
        files.sha256,
        files.missing_at_source,
        files.orthanc_id,
        files.attachment,
        files.study_instance_uid,
        files.size,
    ]


def upsert(on_postgresql: bool) -> Any:
    """The statement that records files of cases, or records them anew."""
    statement = (postgresql.insert if on_postgresql else sqlite.insert)(case_file)
    place = ("case_id", "exam_type", "relative_path")
    values = {
        column.name: statement.excluded[column.name]
        for column in case_file.columns
        if column.name not in (*place, "id")
    }
    return statement.on_conflict_do_update(index_elements=place, set_=values)
