"""Makes frames that do not leave as they are stored: once for all who ask, and kept for the next time."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from functools import partial

import structlog

from readingroom.errors import ReadingRoomError, TooManyRequests
from readingroom.frames import reading
from readingroom.frames.form import Frame
from readingroom.frames.kept import KeptFrames
from readingroom.frames.maker import Maker, NotMade, NotNow
from readingroom.frames.reading import Unreadable, unreadable
from readingroom.frames.shape import Shape
from readingroom.manifests import FramePlace, SeriesPlan
from readingroom.metrics import Metrics
from readingroom.series import Origin
from readingroom.zipstream import Reader

log = structlog.get_logger(__name__)


class Making:
    """Safe for many threads."""

    def __init__(self, origin: Origin, kept: KeptFrames, maker: Maker, metrics: Metrics) -> None:
        self._origin = origin
        self._kept = kept
        self._maker = maker
        self._metrics = metrics
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, str], Future[Frame]] = {}

    def kept(self, plan: SeriesPlan, place: FramePlace, encoding: str) -> Frame | None:
        """The frame in that form, where it was made before; greys that JPEG-LS makes no smaller are kept raw."""
        found = self._kept.get(plan.version, _name(place, encoding))
        if found is not None:
            self._metrics.add("frames_kept_hits")
        return found

    def made(self, plan: SeriesPlan, place: FramePlace, encoding: str, shape: Shape) -> Frame:
        """The frame in that form, "raw" or "jpls". Raises Unreadable."""
        key = plan.version, _name(place, encoding)
        with self._lock:
            others = self._under_way.get(key)
            if others is None:
                mine = self._under_way[key] = Future[Frame]()
        if others is not None:
            return others.result()
        try:
            # It may have come between the look of who asks and their turn.
            frame = self.kept(plan, place, encoding)
            if frame is None:
                frame = self._anew(plan, place, encoding, shape)
                self._kept.put(*key, frame)
            mine.set_result(frame)
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._under_way[key]
        return frame

    def close(self) -> None:
        """End the processes."""
        self._maker.close()

    def _anew(self, plan: SeriesPlan, place: FramePlace, encoding: str, shape: Shape) -> Frame:
        try:
            if place.decode or place.encoding != "raw":
                pixels: bytes | bytearray = self._decoded(plan, place, shape)
            else:
                pixels = reading.read(self._origin, plan.found, place)
            self._metrics.add("frames_transcoded")
            if encoding == "raw":
                return Frame("raw", pixels)
            smaller = self._maker.encode(pixels, shape)
        except NotMade as error:
            log.info("no frame", why=str(error), syntax=place.syntax)
            raise Unreadable(422, "not_decodable", "This image is damaged, or stored in a form unknown here.") from None
        except (TooManyRequests, NotNow):
            raise Unreadable(503, "busy", "Too much is being decoded at the moment.") from None
        return Frame("jpls", smaller) if len(smaller) < len(pixels) else Frame("raw", pixels)

    def _decoded(self, plan: SeriesPlan, place: FramePlace, shape: Shape) -> bytes:
        try:
            files = self._origin.files(plan.found)
            if place.file >= len(files):
                raise Unreadable(404, "not_found", "This image is no longer where it was.")
            with self._origin.open(plan.found, place.file) as file:
                return self._maker.decode(place, shape, files[place.file].size, partial(_read, file))
        except TooManyRequests:
            raise
        except (ReadingRoomError, OSError) as error:
            raise unreadable(error) from None


def _name(place: FramePlace, encoding: str) -> str:
    return f"{place.file}-{place.number}.{encoding}"


def _read(file: Reader, offset: int, length: int) -> bytes:
    target = bytearray(length)
    file.read_into(offset, memoryview(target))
    return bytes(target)
