"""How frequent the terms of a search are, by PostgreSQL's own statistics."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Connection, text

from readingroom.clock import Clock
from readingroom.db.engine import SCHEMA
from readingroom.nas_index.tables import SEARCH_TABLE

KEPT = timedelta(seconds=60)
"""The statistics change with each ANALYZE, some times a day; reading them takes some milliseconds."""

_STATISTICS = text(
    "SELECT most_common_elems::text::integer[] AS terms, most_common_elem_freqs AS shares "
    "FROM pg_stats WHERE schemaname = :schema AND tablename = :name AND attname = 'terms'"
)
_SIZE = text("SELECT reltuples FROM pg_class WHERE oid = to_regclass(:name)")


class Frequencies:
    """Remembers the statistics for a while; threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: tuple[float, dict[int, float], float, float] | None = None

    def expected(self, connection: Connection, groups: Iterable[Iterable[int]]) -> tuple[float, float]:
        """The share of all series that have all these terms, and how many series there are.

        Terms of one group hang together (three letters in a row of one word): the rarest counts. Groups do not, unless
        one has all terms of another: who is called Petersen fits whoever asks for Peter.
        """
        shares, rest, series = self._statistics(connection)
        whole = 1.0
        counted: set[int] = set()
        ranked = [(min((shares.get(term, rest) for term in group), default=1.0), frozenset(group)) for group in groups]
        for share, group in sorted(ranked, key=lambda each: each[0]):
            if not group <= counted:
                whole *= share
            counted |= group
        return whole, series

    def rarest(self, connection: Connection, groups: Iterable[Iterable[int]], many: int) -> list[int]:
        """The rarest terms of each group, at most so many of each."""
        shares, rest, _ = self._statistics(connection)
        found: set[int] = set()
        for group in groups:
            found.update(sorted(group, key=lambda term: (shares.get(term, rest), term))[:many])
        return sorted(found)

    def _statistics(self, connection: Connection) -> tuple[dict[int, float], float, float]:
        now = self._clock.monotonic()
        known = self._known
        if known is None or now - known[0] > KEPT.total_seconds():
            row = connection.execute(_STATISTICS, {"schema": SCHEMA, "name": SEARCH_TABLE}).first()
            series = max(0.0, float(connection.scalar(_SIZE, {"name": f"{SCHEMA}.{SEARCH_TABLE}"}) or 0))
            shares: dict[int, float] = {}
            rest = 0.0
            if row is not None and row.terms:
                # Behind the shares stand the least, the greatest and that of rows without elements.
                shares = dict(zip(row.terms, row.shares, strict=False))
                rest = float(row.shares[len(row.terms)])
            known = self._known = (now, shares, rest, series)
        return known[1], known[2], known[3]
