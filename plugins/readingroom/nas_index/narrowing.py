"""What a search asks for, in the words of a person and as both engines understand it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from readingroom.nas_index import positions
from readingroom.nas_index.tables import nas_source
from readingroom.nas_index.words import Asked, asked, tag

MAX_TERMS = 40
"""Terms that one search looks up; more would cost time and leave no fewer candidates."""

UID = re.compile(r"\d+(\.\d+){3,}|2\.25\.\d+")
"""Four parts and more, or a UUID as a UID (PS3.5 annex B.2); what is shorter is a date or a number."""

PROPERTIES = ("modality", "medical_aid", "hospital", "hospital_group")
"""Columns of nas_series that a list is narrowed by."""


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
    """What each series must fulfil."""

    begin: int  # positions, both included
    end: int
    has_dates: bool
    source_id: int | None
    properties: dict[str, str]
    words: tuple[Asked, ...]
    uid: str  # of a series or a study; then there are no words

    @property
    def groups(self) -> list[frozenset[int]]:
        """The terms that every match has, by word and by property."""
        found = [frozenset([tag(kind, value)]) for kind, value in self.properties.items()]
        if self.source_id is not None:
            found.append(frozenset([tag("source", self.source_id)]))
        return found + [word.terms for word in self.words]


def narrow(connection: Connection, wanted: Wanted) -> Conditions | None:
    """The conditions of a search; None when nothing can fulfil them."""
    source_id = None
    if wanted.source:
        source_id = connection.scalar(select(nas_source.c.id).where(nas_source.c.name == wanted.source))
        if source_id is None:
            return None
    query = wanted.words.strip()
    is_uid = UID.fullmatch(query) is not None
    words = [] if is_uid else asked(query)
    if query and not words and not is_uid:
        return None  # nothing but punctuation
    begin, end = positions.between(wanted.first, wanted.last)
    return Conditions(
        begin=begin,
        end=end,
        has_dates=wanted.first is not None or wanted.last is not None,
        source_id=source_id,
        properties={kind: value for kind in PROPERTIES if (value := getattr(wanted, kind))},
        words=tuple(words),
        uid=query if is_uid else "",
    )
