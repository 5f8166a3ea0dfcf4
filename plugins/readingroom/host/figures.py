"""Puts our counters among Orthanc's at /tools/metrics-prometheus."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import structlog

from readingroom.host.orthanc_module import Orthanc
from readingroom.metrics import Metrics

EVERY_SECONDS = 5.0

log = structlog.get_logger(__name__)


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
        """End; also where it was never begun."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(EVERY_SECONDS)

    def _run(self) -> None:
        failed = False
        while not self._stop.wait(EVERY_SECONDS):
            try:
                self.tell()
            except Exception:  # whatever it is: the next time may be better, and one line of it is enough
                if not failed:
                    log.exception("figures_not_told")
                failed = True
            else:
                failed = False

    def tell(self) -> None:
        """Hand over every count as it stands."""
        tell = telling(self._orthanc)
        for name, value in self._metrics.snapshot().items():
            tell(f"readingroom_{name}", value, self._orthanc.MetricsType.DEFAULT)


def telling(orthanc: Orthanc) -> Callable[[str, int, Any], None]:
    """What takes a figure: whole numbers from Python plugin 7 on; plugin 5 knows only 32-bit floats, exact to 2^24."""
    return getattr(orthanc, "SetMetricsIntegerValue", None) or orthanc.SetMetricsValue
