"""The plan of a series: remembered, kept in the data folder, or made, once for all who ask."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import Future
from typing import Final

import structlog

from readingroom.clock import Clock
from readingroom.errors import TooManyRequests
from readingroom.identity.lately import Lately
from readingroom.kept import KeptFiles
from readingroom.manifests.document import Instance, document
from readingroom.manifests.handles import handle
from readingroom.manifests.keeping import packed, unpacked
from readingroom.manifests.model import SeriesPlan
from readingroom.manifests.ordering import ordered
from readingroom.manifests.reading import UNREADABLE, HeaderCrew, Looked
from readingroom.recent import Recent
from readingroom.series import FoundSeries, Origins
from readingroom.settings import Settings

log = structlog.get_logger(__name__)

LOOK: Final = "2"
"""Another one when manifests come to say something else, so that the kept ones no longer count."""

LARGEST: Final = 512 << 20
"""Bytes of all kept ones: of 2,000 slices each has some 90 KB, so about 5,000 such series."""

REMEMBERED: Final = 64 << 20
"""Bytes of those in memory."""

PLACE_BYTES: Final = 350
"""What Python takes to know a frame's place."""

LOST_SECONDS: Final = 30.0
"""How long a plan counts that files are missing from which may only be out of reach."""

AT_ONCE: Final = 6
"""Series whose headers are read at a time: the others wait, and Orthanc's processors have other work too."""

WAITING: Final = 40
"""Requests that wait: each holds one of Orthanc's 50 threads; thirty viewers who open a series each are let in."""


class KeptPlans:
    """Safe for many threads; several processes may share the folder."""

    def __init__(self, settings: Settings, origins: Origins, clock: Clock) -> None:
        self._origins = origins
        self._crew = HeaderCrew()
        self._kept = KeptFiles(settings.data / "cache" / "manifests", LARGEST, ".plan")
        self._remembered = Recent[str, SeriesPlan](REMEMBERED, _weight)
        self._incomplete = Lately[str, SeriesPlan](LOST_SECONDS, 16, clock)
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[SeriesPlan]] = {}
        self._making = threading.BoundedSemaphore(AT_ONCE)
        self._waiting = threading.BoundedSemaphore(WAITING)

    def of(self, found: FoundSeries) -> SeriesPlan:
        """The plan of a series as it is now. See `model.Plans` for what it raises."""
        version = version_of(found)
        known = self._known(version, found)
        return known or self._once(version, found)

    def close(self) -> None:
        """Let the threads go."""
        self._crew.close()

    def _known(self, version: str, found: FoundSeries) -> SeriesPlan | None:
        known = self._remembered.get(version) or self._incomplete.get(version)
        if known is None and (data := self._kept.get(version)):
            known = unpacked(data, found, version)
            if known is None:
                log.warning("a kept manifest is damaged; it is made again")
            else:
                self._remembered.keep(version, known)
        return known

    def _once(self, version: str, found: FoundSeries) -> SeriesPlan:
        with self._lock:
            others = self._under_way.get(version)
            if others is None:
                mine = self._under_way[version] = Future[SeriesPlan]()
        try:
            if not self._waiting.acquire(blocking=False):
                raise TooManyRequests("Too many series are being opened; try again in a moment.", retry_after=2)
            try:
                if others is not None:
                    return others.result()
                with self._making:
                    plan = self._known(version, found) or self._made(version, found)
            finally:
                self._waiting.release()
            mine.set_result(plan)
        except BaseException as error:
            if others is None:
                mine.set_exception(error)
            raise
        finally:
            if others is None:
                with self._lock:
                    del self._under_way[version]
        return plan

    def _made(self, name: str, found: FoundSeries) -> SeriesPlan:
        version = name
        began = time.monotonic()
        files = self._origins.files(found)
        looked = self._crew.look(self._origins, found, files)
        if looked.lost is not None and not looked.frames:
            raise looked.lost
        frames, groups = ordered([frame for index in sorted(looked.frames) for frame in looked.frames[index]])
        instances = [
            Instance(each.sop_instance_uid, handle(found.origin, found.key, index, each), each.instance_number)
            for index, each in enumerate(files)
        ]
        if looked.lost is not None:  # with all of its files it will be another one
            lost = [index for index, why in looked.unshown.items() if why == UNREADABLE]
            version = hashlib.sha256(f"{version}\0{sorted(lost)}".encode()).hexdigest()[:32]
        manifest = document(found, version, looked.values, instances, frames, groups, looked.unshown)
        plan = SeriesPlan(found, version, manifest, [frame.place for frame in frames])
        self._keep(name, plan, looked)
        log.info("manifest made", place=found.origin, files=len(files), frames=len(frames),
                 unshown=len(looked.unshown), ms=round((time.monotonic() - began) * 1000))  # fmt: skip
        return plan

    def _keep(self, name: str, plan: SeriesPlan, looked: Looked) -> None:
        if looked.lost is not None:
            self._incomplete.keep(name, plan)
            return
        self._remembered.keep(name, plan)
        self._kept.put(name, packed(plan))


def version_of(found: FoundSeries) -> str:
    """What stands for the plan of a series as it is: 32 hex digits, others when its files are others."""
    said = f"{LOOK}\0{found.origin}\0{found.where}\0{found.key}\0{found.id}\0{found.version}"
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _weight(plan: SeriesPlan) -> int:
    return len(plan.manifest) + PLACE_BYTES * len(plan.frames)
