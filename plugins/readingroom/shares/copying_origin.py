"""De-identified copies as a place where series lie (`series.Origin`): known by their link's id, or by their new UID."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from readingroom.downloads.stored_files import LocalFile
from readingroom.errors import StoredFileBroken
from readingroom.series import FoundSeries, SeriesFile, key_of
from readingroom.shares.copying_places import LINK_ID, CopiedSeries, CopyPlaces, file_name, shown_name
from readingroom.zipstream import Reader

LISTS_KEPT = 64


class CopyOrigin:
    """Safe for many threads. Whether a link still stands is asked by whoever lets its holder in."""

    def __init__(self, data: Path) -> None:
        self._places = CopyPlaces(data)
        self._lock = threading.Lock()
        self._lists: OrderedDict[tuple[str, str], list[SeriesFile]] = OrderedDict()
        self._links: dict[str, str] = {}
        self._looked_at: int | None = None

    def find(self, key: str) -> FoundSeries | None:
        """The copy of the link with that id, or the one whose SeriesKey or SeriesInstanceUID that is."""
        link = key if LINK_ID.fullmatch(key) else self._link(key)
        copied = self._places.series(link) if link else None
        return None if copied is None else _found(link, copied)

    def files(self, found: FoundSeries) -> Sequence[SeriesFile]:
        """Its files in the order of the original; no name tells of anything but that."""
        key = (found.id, found.version)
        with self._lock:
            if (kept := self._lists.get(key)) is not None:
                self._lists.move_to_end(key)
                return kept
        copied = self._places.series(found.id)
        if copied is None or copied.version != found.version:
            raise StoredFileBroken("The copy is no longer there.")
        listed = [
            SeriesFile(
                shown_name(index), each.size, copied.made_ns, each.crc32, each.sop_instance_uid, each.instance_number
            )
            for index, each in enumerate(self._places.files(found.id))
        ]
        with self._lock:
            self._lists[key] = listed
            if len(self._lists) > LISTS_KEPT:
                self._lists.popitem(last=False)
        return listed

    @contextmanager
    def open(self, found: FoundSeries, index: int) -> Iterator[Reader]:
        """Open one of its files; raises StoredFileBroken."""
        listed = self.files(found)
        try:
            place = self._places.whole(found.id) / file_name(index)
            descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise StoredFileBroken("A file of the copy cannot be read.", detail={"file": index}) from error
        try:
            if index >= len(listed) or os.fstat(descriptor).st_size != listed[index].size:
                raise StoredFileBroken("A file of the copy has another length.", detail={"file": index})
            yield LocalFile(descriptor, found.id)
        finally:
            os.close(descriptor)

    def keep_crcs(self, found: FoundSeries, crcs: Mapping[int, int]) -> None:
        """Nothing: they are known since the copy was made."""

    def _link(self, key: str) -> str:
        try:
            changed = self._places.root.stat().st_mtime_ns  # a copy comes and goes by a rename in this folder
        except OSError:
            return ""
        with self._lock:
            if changed != self._looked_at:
                self._links = {}
                for link in self._places.links():
                    if (copied := self._places.series(link)) is not None:
                        self._links[copied.series_uid] = self._links[key_of(copied.series_uid)] = link
                self._looked_at = changed
            return self._links.get(key, "")


def _found(link: str, copied: CopiedSeries) -> FoundSeries:
    return FoundSeries(
        key=key_of(copied.series_uid),
        series_uid=copied.series_uid,
        study_uid=copied.study_uid,
        origin="copy",
        where="",
        facts=copied.facts,
        file_count=copied.file_count,
        size_bytes=copied.size_bytes,
        version=copied.version,
        id=link,
    )
