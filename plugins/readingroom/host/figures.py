"""Puts our counters among Orthanc's at /tools/metrics-prometheus."""

from __future__ import annotations

from threading import Event, Thread

from readingroom.host.orthanc_module import Orthanc
from readingroom.metrics import Metrics

EVERY_SECONDS = 5.0


class Figures:
    """A thread that tells Orthanc our counts now and then; the request path only adds to them."""

    def __init__(self, orthanc: Orthanc, metrics: Metrics) -> None:
        self._orthanc = orthanc
        self._metrics = metrics
        self._stop = Event()
        self._thread = Thread(target=self._run, name="readingroom-figures", daemon=True)

    def start(self) -> None:
        """Begin telling."""
        self._thread.start()

    def stop(self) -> None:
        """Tell once more and end."""
        self._stop.set()
        self._thread.join(EVERY_SECONDS)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            self.tell()

    def tell(self) -> None:
        """Hand over every count as it stands."""
        for name, value in self._metrics.snapshot().items():
            self._orthanc.SetMetricsIntegerValue(f"readingroom_{name}", value, self._orthanc.MetricsType.DEFAULT)
