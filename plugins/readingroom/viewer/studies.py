"""The series of a study, wherever they lie, for somebody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from readingroom.errors import NotFound
from readingroom.identity import Identity
from readingroom.manifests import SeriesPlan
from readingroom.manifests.handles import handle
from readingroom.recent import Recent
from readingroom.series import Origins, key_of
from readingroom.series.model import ListedSeries, Place, is_key
from readingroom.viewer.sight import Sight, uid_of

OfStudy = Callable[[str], Sequence[ListedSeries]]
"""Lists the series of a study that lie in one place."""

COUNTED = 4096


@dataclass(frozen=True, slots=True)
class StudySeries:
    """One series in the list of a study; `first` is the handle of its first file, "" where it has none."""

    uid: str
    place: Place
    where: str
    modality: str
    number: int | None
    description: str
    file_count: int
    image_count: int
    version: str
    first: str


class Studies:
    """Safe for many threads. `places` list the series of a study; where one lies in several, the first one counts."""

    def __init__(self, sight: Sight, origins: Origins, places: Mapping[Place, OfStudy]) -> None:
        self._sight = sight
        self._origins = origins
        self._places = places
        self._counted = Recent[tuple[Place, str, int], int](COUNTED)

    def listed(self, identity: Identity, study_uid: str) -> list[StudySeries]:
        """Its series that this identity may see, by number.

        Raises NotFound where there is none, the same where none may be seen.
        """
        found: dict[str, StudySeries] = {}
        for place in self._sight.places(identity, study_uid):
            if place in self._places:
                for each in self._places[place](study_uid):
                    found.setdefault(each.uid, self._one(each))
        for link in identity.shares:
            if link.study_uid == study_uid and link.series_uid not in found:
                self._add_linked(found, identity, study_uid, link.series_uid)
        if not found:
            raise NotFound("There is no such study.")
        return sorted(found.values(), key=_in_order)

    def learn(self, plan: SeriesPlan) -> None:
        """Take from a plan how many images its series has: headers know what lists do not."""
        series = plan.found
        self._counted.keep((series.origin, uid_of(series), series.file_count), len(plan.frames))

    def _one(self, each: ListedSeries) -> StudySeries:
        key = each.uid if is_key(each.uid) else key_of(each.uid)
        counted = self._counted.get((each.place, each.uid, each.file_count))
        return StudySeries(
            uid=each.uid,
            place=each.place,
            where=each.where,
            modality=each.modality,
            number=each.number,
            description=each.description,
            file_count=each.file_count,
            image_count=each.image_count if counted is None else counted,
            version=each.state,
            first="" if each.first is None else handle(each.place, key, 0, each.first),
        )

    def _add_linked(self, found: dict[str, StudySeries], identity: Identity, study_uid: str, series_uid: str) -> None:
        try:
            series = self._sight.series(identity, study_uid, series_uid)
        except NotFound:
            return
        files = self._origins.files(series)
        number = series.facts.get("SeriesNumber", "")
        found[series_uid] = self._one(
            ListedSeries(
                uid=series_uid,
                place=series.origin,
                where="",  # a link tells nobody what the sites' sources are called
                modality=series.facts.get("Modality", ""),
                number=int(number) if number.lstrip("-").isdecimal() else None,
                description=series.facts.get("SeriesDescription", ""),
                file_count=series.file_count,
                image_count=len(files),
                state=series.version,
                first=files[0] if files else None,
            )
        )


def _in_order(series: StudySeries) -> tuple[bool, int, str]:
    return series.number is None, series.number or 0, series.uid
