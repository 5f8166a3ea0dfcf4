"""The small picture of a series, wherever it lies: found among the kept ones, or made, once for all who ask."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple

import structlog

from readingroom.errors import NoThumbnail, StoredFileBroken, TooManyRequests
from readingroom.kept import KeptFiles
from readingroom.series import FoundSeries, Origin
from readingroom.settings import Settings
from readingroom.thumbnails.maker import Maker, NotMade
from readingroom.zipstream import Reader

log = structlog.get_logger(__name__)

LOOK = "2"
"""Another one when pictures come to look different, so that the kept ones no longer count."""

PLACES = (0.5, 0.25, 0.75)
"""Where in the series a picture is looked for: a report among the images, or one broken file, is passed over."""

WAITING = 12
"""Requests that wait for a picture that another one has made: each holds one of Orthanc's 50 threads, for a minute
where the NAS is slow, and whoever holds a link may send as many as they like."""

MIME = "image/webp"


class Thumbnail(NamedTuple):
    """A picture; `etag` in its quotes, as HTTP has it."""

    etag: str
    mime: str
    bytes: bytes


class Thumbnails:
    """Safe for many threads."""

    def __init__(self, settings: Settings, maker: Maker | None = None) -> None:
        self._kept = KeptFiles(settings.data / "cache" / "thumbnails")
        self._maker = maker or Maker(settings)
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[bytes]] = {}
        self._waiting = threading.BoundedSemaphore(WAITING)

    def of(self, found: FoundSeries, origin: Origin) -> Thumbnail:
        """The picture of that series.

        Raises NoThumbnail where there is none, TooManyRequests, and StoredFileBroken where its files cannot be read.
        """
        name = hashlib.sha256(f"{LOOK}\0{found.origin}\0{found.key}\0{found.version}".encode()).hexdigest()[:40]
        data = self._kept.get(name)
        if data is None:
            data = self._once(name, found, origin)
        if not data:
            raise NoThumbnail("There is no picture of this series.")
        return Thumbnail(f'"{name}"', MIME, data)

    def close(self) -> None:
        """End the processes that make pictures."""
        self._maker.close()

    def _once(self, name: str, found: FoundSeries, origin: Origin) -> bytes:
        with self._lock:
            others = self._under_way.get(name)
            if others is None:
                mine = self._under_way[name] = Future[bytes]()
        if others is not None:
            if not self._waiting.acquire(blocking=False):
                raise TooManyRequests("Too many ask for this picture; try again in a moment.", retry_after=2)
            try:
                return others.result()
            finally:
                self._waiting.release()
        try:
            # It may have come between our look and our turn.
            data = self._kept.get(name)
            if data is None:
                data = self._made(found, origin)
                self._kept.put(name, data)
            mine.set_result(data)
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._under_way[name]
        return data

    def _made(self, found: FoundSeries, origin: Origin) -> bytes:
        """The picture, or b"" where there is none, nor will there be while these are the files."""
        files = origin.files(found)
        why: list[str] = []
        broken: StoredFileBroken | None = None
        for index in _places(len(files)):
            try:
                with origin.open(found, index) as file:
                    return self._maker.make(files[index].size, partial(_read, file))
            except StoredFileBroken as error:
                broken = error
            except NotMade as error:
                why.append(str(error))
                if not error.is_final:
                    raise NoThumbnail("The picture of this series could not be made in time.") from None
        if broken is not None:
            raise broken
        log.info("no thumbnail", series=found.key, why=why)
        return b""


def _read(file: Reader, offset: int, length: int) -> bytes:
    target = bytearray(length)
    file.read_into(offset, memoryview(target))
    return bytes(target)


def _places(count: int) -> Iterator[int]:
    yield from dict.fromkeys(min(int(count * place), count - 1) for place in PLACES if count)
