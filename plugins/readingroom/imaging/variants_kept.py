"""Thumbnail and web picture of an asset: made beside the upload, kept as objects, made again where they are missing.

Pictures are made in processes of their own, and waiting for them is bounded: a request holds one of Orthanc's threads.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import structlog
from sqlalchemy import update

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import (
    BrokenPicture,
    NotFound,
    ObjectExists,
    PayloadTooLarge,
    PicturesUnavailable,
    ReadingRoomError,
    TooManyRequests,
    UnsupportedMedia,
)
from readingroom.identity import Caller
from readingroom.identity.lately import Lately
from readingroom.imaging.assets import Asset, is_shown, original_of
from readingroom.imaging.events import VariantsMade
from readingroom.imaging.making import Made, Making
from readingroom.imaging.spool import Spool, fetched
from readingroom.imaging.tables import imaging_asset
from readingroom.metrics import Metrics
from readingroom.objects import ObjectStore, thumb_key, web_key
from readingroom.objects.folder_errors import InOurWords
from readingroom.pictures import Kind, Variants
from readingroom.series.crew import Crew

log = structlog.get_logger(__name__)

UPLOAD_SECONDS = 8.0
"""How long an upload waits for its pictures; later ones come by themselves, and the asset is there meanwhile."""

ASKED_SECONDS = 8.0
"""How long somebody who asks for a missing picture waits before they are told to come again."""

WAITING = 12
"""Requests that wait for missing pictures at a time, of Orthanc's 50 threads."""

RUNS = 4
"""Makers that are asked at a time: the line before their processes (`confined.pool.WAITING`) has room for these and for
a look at each file that is being filed (`filing.AT_ONCE`)."""

JOBS = 32
"""Pictures that wait for one of those; beyond that an upload leaves them for later. Each holds a file of the spool."""

REFUSED_SECONDS = 300.0
"""How long a picture that could not be made is not tried again."""

SLOW_SECONDS = 1.0

PIECE = 256 << 10

ABOUT_THE_FILE = (BrokenPicture, UnsupportedMedia, PayloadTooLarge)
"""Errors that say that the file is bad, whenever it is looked at."""


class PictureMaker(Protocol):
    """What is needed of `readingroom.pictures.Pictures`."""

    def inspect(self, path: Path) -> Kind:
        """What that whole file is; raises what is wrong with it."""
        ...

    def make_variants(self, path: Path, kind: Kind, folder: Path) -> Variants:
        """Both pictures, as files in that folder."""
        ...

    def close(self) -> None:
        """End its processes."""
        ...


class Keys(NamedTuple):
    """Where the two pictures lie."""

    thumb: str
    web: str


class KeptVariants:
    """Pictures of all assets. Safe for many threads."""

    def __init__(
        self, database: Database, clock: Clock, trail: Trail, metrics: Metrics, objects: ObjectStore,
        pictures: PictureMaker, spool: Spool, *, enabled: bool,
    ) -> None:  # fmt: skip
        self.enabled = enabled
        self._database = database
        self._clock = clock
        self._trail = trail
        self._metrics = metrics
        self._objects = objects
        self._pictures = pictures
        self._spool = spool
        self._crew = Crew("variants")
        self._runs = threading.BoundedSemaphore(RUNS)
        self._jobs = threading.BoundedSemaphore(JOBS)
        self._waiting = threading.BoundedSemaphore(WAITING)
        self._lock = threading.Lock()
        self._under_way: dict[int, Future[Keys]] = {}
        self._refused = Lately[int, ReadingRoomError](REFUSED_SECONDS, 1024, clock)

    def start(self, path: Path, kind: Kind) -> Making | None:
        """Begin to make pictures of that file, which may go away meanwhile; None where none are made at present."""
        if not self.enabled or not self._jobs.acquire(blocking=False):
            return None
        with ExitStack() as failing:
            failing.callback(self._jobs.release)
            folder = self._spool.make()
            failing.callback(shutil.rmtree, folder, ignore_errors=True)
            with InOurWords(""):
                _take(path, folder / "original")
            failing.pop_all()
        making = Making(folder)

        def make() -> Made:
            try:
                with self._runs:
                    return self._make(folder / "original", kind, folder)
            finally:
                self._jobs.release()

        self._crew.start(lambda: making.run(make))
        return making

    def keep(self, clinic: int, patient_id: int, study_id: int, asset_id: int, made: Made) -> Keys:
        """Store both pictures under the asset's keys; what lay there before is replaced."""
        place = (clinic, patient_id, study_id, asset_id)
        keys = Keys(thumb_key(*place), web_key(*place))
        for key, path in ((keys.thumb, made.variants.thumb_path), (keys.web, made.variants.web_path)):
            try:
                self._objects.put(key, pieces(path), content_type="image/webp")
            except ObjectExists:  # of an earlier version's making
                self._objects.delete(key)
                self._objects.put(key, pieces(path), content_type="image/webp")
        return keys

    def keep_late(self, asset: Asset, made: Made, caller: Caller, *, again: bool) -> Keys:
        """Store both pictures of an asset that is there already, and say so in its row and in the trail."""
        keys = self.keep(asset.clinic_id, asset.patient_id, asset.study_id, asset.id, made)
        values = {"thumb_key": keys.thumb, "web_key": keys.web, "updated_at": self._clock.now()}
        event = VariantsMade(entity_id=str(asset.id), again=again, milliseconds=round(made.seconds * 1000))
        with self._database.write() as connection:
            found = connection.execute(
                update(imaging_asset).where(imaging_asset.c.id == asset.id, is_shown()).values(values)
            )
            if found.rowcount:
                self._trail.record(event, caller, connection)
        return keys

    def again(self, asset: Asset, caller: Caller) -> Keys:
        """Make the pictures of an asset that has none (any more), once for all who ask.

        Raises NotFound where none are made here, TooManyRequests, PicturesUnavailable when it takes long, and what the
        maker says of a file that has no picture.
        """
        if not self.enabled:
            raise NotFound("No pictures are made of assets here (IMAGING_THUMBS_ENABLED).")
        if (refused := self._refused.get(asset.id)) is not None:
            raise refused.with_traceback(None)
        if not self._waiting.acquire(blocking=False):
            raise TooManyRequests("Many pictures are being made; try again in a moment.", retry_after=2)
        try:
            return self._run_of(asset, caller).result(ASKED_SECONDS)
        except TimeoutError:
            raise PicturesUnavailable("The picture is being made; ask again.", headers={"Retry-After": "3"}) from None
        finally:
            self._waiting.release()

    def _run_of(self, asset: Asset, caller: Caller) -> Future[Keys]:
        with self._lock:
            running = self._under_way.get(asset.id)
            if running is not None:
                return running
            if not self._jobs.acquire(blocking=False):
                raise TooManyRequests("Many pictures are being made; try again in a moment.", retry_after=2)
            mine = self._under_way[asset.id] = Future[Keys]()

        def run() -> None:
            try:
                with self._runs:
                    mine.set_result(self._made_again(asset, caller))
            except BaseException as error:
                if isinstance(error, ABOUT_THE_FILE):
                    self._refused.keep(asset.id, error)
                mine.set_exception(error)
            finally:
                with self._lock:
                    del self._under_way[asset.id]
                self._jobs.release()

        self._crew.start(run)
        return mine

    def _made_again(self, asset: Asset, caller: Caller) -> Keys:
        with self._spool.folder() as folder:
            original = folder / "original"
            with original_of(asset, self._objects) as blob:
                fetched(blob, original)
            made = self._make(original, self._pictures.inspect(original), folder)
            return self.keep_late(asset, made, caller, again=True)

    def _make(self, original: Path, kind: Kind, folder: Path) -> Made:
        began = self._clock.monotonic()
        try:
            variants = self._pictures.make_variants(original, kind, folder)
        except Exception:
            self._metrics.add("imaging_variants_failed_total")
            raise
        seconds = self._clock.monotonic() - began
        self._metrics.add("imaging_variants_total")
        self._metrics.add("imaging_variants_milliseconds_total", round(seconds * 1000))
        if seconds > SLOW_SECONDS:
            log.warning(
                "slow_variants", seconds=round(seconds, 2), mime=kind.mime, width=kind.width, height=kind.height
            )
        return Made(variants, seconds)

    def close(self) -> None:
        """Let threads go."""
        self._crew.close()


def pieces(path: Path) -> Iterator[bytes]:
    """A file's bytes, in pieces that stay in a processor's cache on their way."""
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            yield piece


def _take(path: Path, place: Path) -> None:
    """A second name for the file where the file system has them, else a copy."""
    try:
        os.link(path, place)
    except OSError:
        with suppress(FileNotFoundError):
            place.unlink()
        shutil.copyfile(path, place)
