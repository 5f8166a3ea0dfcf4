"""Who may look at which series, and the series itself: one rule for every route of the viewer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from readingroom.clock import Clock
from readingroom.errors import NotFound
from readingroom.identity import Access, Identity, any_of, or_shared
from readingroom.identity.lately import Lately
from readingroom.series import FoundSeries, Origins
from readingroom.series.model import Place

SEES = or_shared(any_of("pacs.read", "index.search", "cases.read"))
"""What the viewer's routes declare. The door lets these in; which series each may see is decided here."""

SAME_SECONDS = 2.0
"""How long a series that was found counts as found: a page asks for its images one after the other."""

KEPT = 512

PLACES: tuple[Place, ...] = ("orthanc", "nas", "copy")
"""Where a series is looked for; the first that has it counts."""

_PLAUSIBLE = re.compile(r"[!-~]{0,128}")
"""What a UID of a file may be, wrong ones too; a database need not be asked for anything else."""


def uid_of(found: FoundSeries) -> str:
    """The series' UID in addresses; its SeriesKey where the files have none."""
    return found.series_uid or found.key


class Sight:
    """Finds series for somebody; safe for many threads.

    Series in Orthanc are for `pacs.read`, and for `cases.read` where the study belongs to a published case; those on
    the NAS for `index.search`; copies of links for `pacs.read`; and each for whoever holds a link to that very series.
    """

    def __init__(self, origins: Origins, access: Access, clock: Clock, looked: Callable[[str], None]) -> None:
        """`looked` is told the id of a link each time that a series is seen by that link alone."""
        self._looked = looked
        self._origins = origins
        self._access = access
        self._found = Lately[tuple[Place, str], FoundSeries](SAME_SECONDS, KEPT, clock)

    def series(
        self, identity: Identity, study_uid: str, series_uid: str, only: Place | None = None, *, fresh: bool = True
    ) -> FoundSeries:
        """That series of that study, from the first place where it may be seen: Orthanc, NAS, copies; or from one.

        Where it need not be `fresh`, what was found a moment ago will do: images may have come since. Raises NotFound,
        the same where it is not there and where it may not be seen.
        """
        for place in self.places(identity, study_uid, series_uid):
            if only not in (None, place):
                continue
            found = self._of(place, series_uid, fresh)
            if found is not None and found.study_uid == study_uid and uid_of(found) == series_uid:
                if link := self.by_link(identity, found):
                    self._looked(link)
                return found
        raise NotFound("There is no such series.")

    def places(self, identity: Identity, study_uid: str, series_uid: str = "") -> Iterator[Place]:
        """Where this identity may see series of that study; with a link, the one series that it gives."""
        if not all(_PLAUSIBLE.fullmatch(each) for each in (study_uid, series_uid)):
            return
        linked = _link_to(identity, study_uid, series_uid) != ""
        for place in PLACES:
            if linked or self._reads(identity, study_uid, place):
                yield place

    def by_link(self, identity: Identity, found: FoundSeries) -> str:
        """The id of the link by which alone this identity sees that series; "" where it needs none."""
        link = _link_to(identity, found.study_uid, uid_of(found))
        return "" if link and self._reads(identity, found.study_uid, found.origin) else link

    def _reads(self, identity: Identity, study_uid: str, place: Place) -> bool:
        if place == "orthanc":
            return self._access.reads_study(identity, study_uid)
        return identity.can("index.search" if place == "nas" else "pacs.read")

    def _of(self, place: Place, series_uid: str, fresh: bool) -> FoundSeries | None:
        known = None if fresh else self._found.get((place, series_uid))
        if known is not None:
            return known
        found = self._origins.find_in(place, series_uid)
        return None if found is None else self._found.keep((place, series_uid), found)


def _link_to(identity: Identity, study_uid: str, series_uid: str) -> str:
    """The first link of this identity that gives that very series; "" where none does."""
    fits = (each.link for each in identity.shares if (each.study_uid, each.series_uid) == (study_uid, series_uid))
    return next(fits, "") if series_uid else ""
