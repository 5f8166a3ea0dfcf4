"""What a search asks for, in the words of a person and in those of the database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from readingroom.db.engine import SCHEMA
from readingroom.nas_index import positions
from readingroom.nas_index.tables import nas_source
from readingroom.nas_index.words import asked, tag

MAX_TERMS = 40
"""Terms that one search looks up; more would cost time and leave no fewer candidates."""

UID = re.compile(r"\d+(\.\d+){3,}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for; an empty field narrows nothing. Dates are study dates, both included."""

    words: str = ""
    modality: str = ""
    first: date | None = None
    last: date | None = None
    medical_aid: str = ""
    hospital: str = ""
    hospital_group: str = ""
    source: str = ""
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Conditions:
    """What each series `s` must fulfil, and what the search index knows of those that do."""

    where: str
    values: dict[str, Any]
    groups: tuple[frozenset[int], ...]  # terms of each word, and of each property
    has_uid: bool
    has_dates: bool

    @property
    def terms(self) -> list[int]:
        """Terms that every match has."""
        found = dict.fromkeys(term for group in self.groups for term in sorted(group))
        return list(found)[:MAX_TERMS]


def narrow(connection: Connection, wanted: Wanted) -> Conditions | None:
    """The conditions of a search; None when nothing can fulfil them."""
    where = ["s.position BETWEEN :begin AND :end"]
    begin, end = positions.between(wanted.first, wanted.last)
    values: dict[str, Any] = {"begin": begin, "end": end}
    groups: list[frozenset[int]] = []
    if wanted.source:
        source_id = connection.scalar(select(nas_source.c.id).where(nas_source.c.name == wanted.source))
        if source_id is None:
            return None
        where.append("s.source_id = :source")
        values["source"] = source_id
        groups.append(frozenset([tag("source", source_id)]))
    else:
        where.append("NOT s.is_copy")
    for kind in ("modality", "medical_aid", "hospital", "hospital_group"):
        if value := getattr(wanted, kind):
            where.append(f"s.{kind} = :{kind}")
            values[kind] = value
            groups.append(frozenset([tag(kind, value)]))
    query = wanted.words.strip()
    is_uid = UID.fullmatch(query) is not None
    if is_uid:
        where.append(f"s.id IN ({_with_uid(connection)})")
        values["uid"] = query
    else:
        words = asked(query)
        if query and not words:
            return None  # nothing but punctuation
        groups += [word.terms for word in words]
        function = "strpos" if connection.dialect.name == "postgresql" else "instr"
        for number, word in enumerate(words):
            where.append(f"{function}(s.search_text, :word{number}) > 0")
            values[f"word{number}"] = word.within
    has_dates = wanted.first is not None or wanted.last is not None
    return Conditions(" AND ".join(where), values, tuple(groups), is_uid, has_dates)


def _with_uid(connection: Connection) -> str:
    # By two indexes; an OR would make SQLite walk through the whole list.
    table = f"{SCHEMA}.nas_series" if connection.dialect.name == "postgresql" else "nas_series"
    columns = ("series_instance_uid", "study_instance_uid")
    return " UNION ALL ".join(f"SELECT id FROM {table} WHERE {column} = :uid" for column in columns)  # noqa: S608
