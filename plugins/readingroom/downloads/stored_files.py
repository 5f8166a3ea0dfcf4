"""Reads the bytes that Orthanc keeps of an instance: from its storage folder where that is near, else through
its API.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from readingroom.errors import PacsError, StoredFileBroken
from readingroom.pacs import Pacs, get_json, segment
from readingroom.zipstream import Reader

PLACES = 65_536
"""Storage names remembered, the least recently used forgotten first: about 16 MB."""

WHOLE_BYTES = 8 << 20
"""A file up to this size is asked of Orthanc in one piece; a larger one range by range, so that none is ever
held whole.
"""

TOGETHER = 2_000
"""Instances that one question is about: 40 ms and 1 MB (Orthanc 1.13 on SQLite), where each by itself takes 0.9 ms."""

FEW_BYTES = 64 << 10
"""Where a file is opened for pieces of it, up to so many are asked for by themselves: a header must not cost the
whole."""

RANGED_AT_ONCE = 8
"""Ranged reads go through Orthanc's own HTTP server: they must never take all of its 50 threads, on which
they wait.
"""

Ranged = Callable[[str, int, int], bytes]
"""Asks Orthanc over HTTP for bytes `start` up to `stop` of what is at a path (RFC 9110 section 14)."""

DICOM = 1
"""ContentType of the attachment that is the instance's own file (OrthancCPlugin.h)."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class StoredFiles:
    """Opens attachments of instances; used by many threads at once.

    `storage` is Orthanc's storage folder when it lies on this machine and holds plain files; else all goes
    through the API. A file that is not in the folder is asked of the API before it counts as lost. With `together`,
    where a file lies is asked for all of its series at once: for downloads, which take series whole.
    """

    def __init__(
        self, pacs: Pacs, storage: Path | None, ranged: Ranged | None = None, *, together: bool = False
    ) -> None:
        self._pacs = pacs
        self._storage = storage
        self._ranged = ranged
        self._together = together
        self._ranged_slots = threading.BoundedSemaphore(RANGED_AT_ONCE)
        self._places: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def open(self, instance: str, attachment: str, size: int, *, pieces: bool = False) -> Iterator[Reader]:
        """Open the attachment (`dicom`, or a number) of an instance; `pieces`: for a few bytes of it here and there.

        Raises StoredFileBroken when it is missing, unreadable, or not `size` bytes long.
        """
        descriptor = self._descriptor(instance, attachment)
        if descriptor is None:
            yield ApiFile(partial(self._read_api, instance, attachment, size, pieces), instance)
            return
        try:
            if os.fstat(descriptor).st_size != size:
                raise StoredFileBroken(
                    "A stored file has another length than was imported.", detail={"instance": instance}
                )
            yield LocalFile(descriptor, instance)
        finally:
            os.close(descriptor)

    def _descriptor(self, instance: str, attachment: str) -> int | None:
        if self._storage is None:
            return None
        for known in (True, False):
            place = self._place(instance, attachment, known)
            if not place:
                return None
            try:
                # As text: a Path costs more than opening the file.
                return os.open(f"{self._storage}/{place}", os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                # Deleted and stored again under another name since we looked; or kept somewhere else
                # altogether.
                continue
            except OSError as error:
                raise StoredFileBroken("A stored file cannot be read.", detail={"instance": instance}) from error
        return None

    def _place(self, instance: str, attachment: str, known: bool) -> str:
        """Where below the storage folder the file lies: `aa/bb/aabb…`; empty when it is no plain file."""
        key = (instance, attachment)
        if known:
            with self._lock:
                found = self._places.get(key)
                if found is not None:
                    self._places.move_to_end(key)
                    return found
        if known and self._together:
            self._learn_series(instance)
            with self._lock:
                if (found := self._places.get(key)) is not None:
                    return found
        try:
            info = get_json(self._pacs, f"{_path(instance, attachment)}/info")
        except PacsError:
            return ""  # asking for the bytes will say whether Orthanc has them
        return self._learn(key, info)

    def _learn_series(self, instance: str) -> None:
        """Learn where all files of an instance's series lie; what goes wrong here is told by asking for one file."""
        try:
            series = get_json(self._pacs, f"/instances/{segment(instance)}")["ParentSeries"]
            question = {
                "Level": "Instance", "Query": {}, "ParentSeries": series, "ResponseContent": ["Attachments"],
                "Limit": TOGETHER,
            }  # fmt: skip
            found = range(TOGETHER)
            since = 0
            while len(found) == TOGETHER and since < PLACES:
                asked = json.dumps({**question, "Since": since}).encode()
                found = json.loads(self._pacs.post("/tools/find", asked))
                for each in found:
                    self.learn(each["ID"], each["Attachments"])
                since += TOGETHER
        except PacsError:
            return

    def learn(self, instance: str, attachments: Iterable[Mapping[str, Any]]) -> None:
        """Take what Orthanc tells of an instance's attachments (`/tools/find`, ResponseContent Attachments)."""
        for each in attachments:
            number = each["ContentType"]
            self._learn((instance, "dicom" if number == DICOM else str(number)), each)

    def _learn(self, key: tuple[str, str], info: Mapping[str, Any]) -> str:
        uuid = str(info.get("Uuid", ""))
        compressed = any(info.get(f"Compressed{what}") != info.get(f"Uncompressed{what}") for what in ("MD5", "Size"))
        # The name becomes a path: only what is a UUID may.
        place = "" if compressed or not _UUID.fullmatch(uuid) else f"{uuid[:2]}/{uuid[2:4]}/{uuid}"
        with self._lock:
            self._places[key] = place
            self._places.move_to_end(key)
            if len(self._places) > PLACES:
                self._places.popitem(last=False)
        return place

    def _read_api(
        self, instance: str, attachment: str, size: int, pieces: bool, start: int, stop: int
    ) -> bytes:  # fmt: skip
        path = _path(instance, attachment)
        try:
            few = pieces and stop - start <= FEW_BYTES < size
            if self._ranged is None or (size <= WHOLE_BYTES and not few):
                whole = self._pacs.get(f"{path}/data")
                if len(whole) != size:
                    raise StoredFileBroken(
                        "A stored file has another length than was imported.", detail={"instance": instance}
                    )
                return whole[start:stop]
            with self._ranged_slots:
                return self._ranged(f"{path}/data", start, stop)
        except PacsError as error:
            raise StoredFileBroken("Orthanc cannot read a stored file.", detail={"instance": instance}) from error


class LocalFile:
    """An open file of Orthanc's storage folder."""

    __slots__ = ("_descriptor", "_instance")

    def __init__(self, descriptor: int, instance: str) -> None:
        self._descriptor = descriptor
        self._instance = instance

    def read_into(self, offset: int, target: memoryview) -> None:
        """Fill `target` with the file's bytes from `offset` on; other threads run meanwhile."""
        try:
            while target:
                count = os.preadv(self._descriptor, [target], offset)
                if count == 0:
                    raise StoredFileBroken("A stored file is too short.", detail={"instance": self._instance})
                offset += count
                target = target[count:]
        except OSError as error:
            raise StoredFileBroken("A stored file cannot be read.", detail={"instance": self._instance}) from error


class ApiFile:
    """A file that Orthanc reads for us."""

    __slots__ = ("_instance", "_read")

    def __init__(self, read: Callable[[int, int], bytes], instance: str) -> None:
        self._read = read
        self._instance = instance

    def read_into(self, offset: int, target: memoryview) -> None:
        """Fill `target` with the file's bytes from `offset` on."""
        found = self._read(offset, offset + len(target))
        if len(found) != len(target):
            raise StoredFileBroken("A stored file is too short.", detail={"instance": self._instance})
        target[:] = found


def _path(instance: str, attachment: str) -> str:
    return f"/instances/{segment(instance)}/attachments/{segment(attachment)}"
