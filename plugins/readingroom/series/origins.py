"""Asks the places where a series may lie, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from readingroom.series.model import FoundSeries, Glances, Origin, Place, SeriesFile, is_key
from readingroom.zipstream import Reader


class Origins:
    """Orthanc, then the NAS, then whatever else was handed in; an Origin itself.

    `app.py` puts them together; what is added later is asked later.
    """

    def __init__(self, orthanc: Origin, nas: Origin) -> None:
        self._places: dict[Place, Origin] = {"orthanc": orthanc, "nas": nas}

    def add(self, name: Place, place: Origin) -> None:
        """Ask this place too, after the others."""
        self._places[name] = place

    def find(self, key: str) -> FoundSeries | None:
        """The series with that SeriesKey or SeriesInstanceUID, from the first place that has it."""
        # Orthanc knows UIDs; which of them has a key is known at once where the series was indexed.
        elsewhere = self._places["nas"].find(key) if is_key(key) else None
        uid = elsewhere.series_uid if elsewhere is not None else ""
        here = self._places["orthanc"].find(uid or key)
        if here is not None or elsewhere is not None:
            return here or elsewhere
        others = (place for name, place in self._places.items() if name != "orthanc")
        return next((found for place in others if (found := place.find(key)) is not None), None)

    def find_in(self, place: Place, key: str) -> FoundSeries | None:
        """The series as it lies in that place and no other."""
        return self._places[place].find(key)

    def files(self, found: FoundSeries) -> Sequence[SeriesFile]:
        """See Origin."""
        return self._places[found.origin].files(found)

    def open(self, found: FoundSeries, index: int) -> AbstractContextManager[Reader]:
        """See Origin."""
        return self._places[found.origin].open(found, index)

    def look(self, found: FoundSeries, index: int) -> AbstractContextManager[Reader]:
        """Open a file for a few bytes here and there, a header say: nothing is read ahead. Raises StoredFileBroken."""
        place = self._places[found.origin]
        return place.look(found, index) if isinstance(place, Glances) else place.open(found, index)

    def keep_crcs(self, found: FoundSeries, crcs: Mapping[int, int]) -> None:
        """See Origin."""
        self._places[found.origin].keep_crcs(found, crcs)
