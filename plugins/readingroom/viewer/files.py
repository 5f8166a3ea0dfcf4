"""Single files of series, by their handles: who may have which, and where its bytes are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from readingroom.errors import NotFound, PacsNotFound, UnsupportedMedia
from readingroom.headers.errors import HeaderError
from readingroom.headers.json_line import LARGEST_HEADER
from readingroom.headers.json_writer import JsonWriter, NotWritten
from readingroom.identity import Identity
from readingroom.manifests import FramePlace, Plans, SeriesPlan
from readingroom.manifests.file_header import FileReader
from readingroom.manifests.handles import Handle, parsed, place_of
from readingroom.manifests.reading import reading
from readingroom.pacs import Pacs, get_json, segment
from readingroom.recent import Recent
from readingroom.series import FoundSeries, Origins, SeriesFile
from readingroom.series.crew import Crew
from readingroom.viewer.sight import Sight, uid_of

PIECE = 1 << 20
"""Bytes read at a time."""

PARENTS = 16_384
"""Instances of which is remembered what series they are of; an id is a hash of just that."""

INDEXED = 32
"""Series whose files and frames are found without looking through all of them."""

Uids = tuple[str, str]
"""Of study and series."""


@dataclass(frozen=True, slots=True)
class InstanceFile:
    """One file that somebody may have."""

    found: FoundSeries
    index: int
    file: SeriesFile


class Files:
    """Safe for many threads."""

    def __init__(self, sight: Sight, origins: Origins, plans: Plans, pacs: Pacs, json_writer: JsonWriter) -> None:
        self._sight = sight
        self._origins = origins
        self._plans = plans
        self._pacs = pacs
        self._json = json_writer
        self._crew = Crew("viewer-headers")
        self._parents = Recent[str, Uids](PARENTS)
        self._ids = Recent[tuple[str, str], dict[str, int]](INDEXED)
        self._frames = Recent[str, dict[tuple[int, int], FramePlace]](INDEXED)

    def of(self, identity: Identity, handle: str) -> InstanceFile:
        """The file of that handle. Raises NotFound, the same where it is not there and where it may not be had."""
        wanted = parsed(handle)
        if wanted is None:
            raise _no_file()
        for fresh in (False, True):  # it may have come since the series was looked at
            found = self._series(identity, wanted, fresh=fresh)
            files = self._origins.files(found)
            index = self._index(found, files, wanted)
            if index is not None:
                return InstanceFile(found, index, files[index])
        raise _no_file()

    def by_link(self, identity: Identity, file: InstanceFile) -> str:
        """See Sight.by_link."""
        return self._sight.by_link(identity, file.found)

    def frame(self, file: InstanceFile, number: int) -> FramePlace:
        """Where a frame of that file lies. Raises NotFound where it has none of that number that could be shown."""
        plan = self._plans.of(file.found)
        places = self._frames.get(plan.version)
        if places is None:
            places = _by_number(plan)
            self._frames.keep(plan.version, places)
        place = places.get((file.index, number))
        if place is None:
            raise NotFound("There is no such image.")
        return place

    def read(self, file: InstanceFile, start: int, stop: int) -> Iterator[bytes]:
        """Bytes of a file, piece by piece. Raises StoredFileBroken."""
        with self._origins.open(file.found, file.index) as reader:
            for at in range(start, stop, PIECE):
                piece = bytearray(min(PIECE, stop - at))
                reader.read_into(at, memoryview(piece))
                yield bytes(piece)

    def bytes_of(self, file: InstanceFile, place: FramePlace) -> bytes:
        """A frame as it is stored. Raises StoredFileBroken."""
        whole = bytearray(place.length)
        target = memoryview(whole)
        with self._origins.open(file.found, file.index) as reader:
            for offset, length in place.parts:
                reader.read_into(offset, target[:length])
                target = target[length:]
        return bytes(whole)

    def header(self, file: InstanceFile) -> bytes:
        """The DICOM JSON of its header. Raises StoredFileBroken, UnsupportedMedia, TooManyRequests."""
        size = file.file.size

        def looked() -> bytes:
            with self._origins.look(file.found, file.index) as reader:
                try:
                    header = FileReader().read(reading(reader, size), size)
                except HeaderError as error:
                    raise UnsupportedMedia(str(error)) from None
                end = min(size, LARGEST_HEADER)
                if header.pixels is not None and not header.deflated:
                    end = min(end, header.pixels.start - (12 if header.explicit else 8))
                return reading(reader, size)(0, end)

        try:
            return self._json.write(self._crew.run(looked))
        except NotWritten:
            raise UnsupportedMedia("The header of this file cannot be written as JSON.") from None

    def _series(self, identity: Identity, wanted: Handle, *, fresh: bool) -> FoundSeries:
        if wanted.place == "orthanc":
            study_uid, series_uid = self._uids(wanted.id)
        else:
            elsewhere = self._origins.find_in(wanted.place, wanted.id)
            if elsewhere is None:
                raise _no_file()
            study_uid, series_uid = elsewhere.study_uid, uid_of(elsewhere)
        try:
            return self._sight.series(identity, study_uid, series_uid, wanted.place, fresh=fresh)
        except NotFound:
            raise _no_file() from None

    def _uids(self, instance: str) -> Uids:
        known = self._parents.get(instance)
        if known is None:
            try:
                series = get_json(self._pacs, f"/series/{segment(self._parent(instance))}")
                study = get_json(self._pacs, f"/studies/{segment(series['ParentStudy'])}")
            except PacsNotFound:
                raise _no_file() from None
            known = (
                str(study["MainDicomTags"].get("StudyInstanceUID", "")),
                str(series["MainDicomTags"].get("SeriesInstanceUID", "")),
            )
            self._parents.keep(instance, known)
        return known

    def _parent(self, instance: str) -> str:
        return str(get_json(self._pacs, f"/instances/{segment(instance)}")["ParentSeries"])

    def _index(self, found: FoundSeries, files: Sequence[SeriesFile], wanted: Handle) -> int | None:
        if wanted.place != "orthanc":
            return place_of(wanted, files)
        key = (found.id, found.version)
        ids = self._ids.get(key)
        if ids is None:
            ids = {file.id: index for index, file in enumerate(files)}
            self._ids.keep(key, ids)
        return ids.get(wanted.id)


def _by_number(plan: SeriesPlan) -> dict[tuple[int, int], FramePlace]:
    return {(each.file, each.number): each for each in plan.frames}


def _no_file() -> NotFound:
    return NotFound("There is no such file.")
