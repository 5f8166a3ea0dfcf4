"""Our figures reach Orthanc, by whatever its Python plugin takes them, and go on after one that failed."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from readingroom.host import figures
from readingroom.host.figures import Figures
from readingroom.metrics import Metrics

PATIENCE = 60.0


class Told:
    """An Orthanc whose Python plugin takes figures by this name alone."""

    MetricsType = SimpleNamespace(DEFAULT=1)

    def __init__(self, by: str, failures: int = 0) -> None:
        self.figures: dict[str, int] = {}
        self.come = threading.Event()
        self._failures = failures
        setattr(self, by, self._take)

    def _take(self, name: str, value: int, kind: int) -> None:
        assert kind == 1
        if self._failures:
            self._failures -= 1
            raise RuntimeError("not now")
        self.figures[name] = value
        self.come.set()


def counted() -> Metrics:
    metrics = Metrics()
    metrics.add("requests_total", 7)
    return metrics


@pytest.mark.parametrize("by", ["SetMetricsIntegerValue", "SetMetricsValue"])
def test_both_plugins_are_told_in_their_own_words(by: str) -> None:
    orthanc: Any = Told(by)
    Figures(orthanc, counted()).tell()
    assert orthanc.figures == {"readingroom_requests_total": 7}


def test_a_figure_that_was_not_taken_does_not_end_the_telling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "EVERY_SECONDS", 0.01)
    orthanc: Any = Told("SetMetricsIntegerValue", failures=3)
    telling = Figures(orthanc, counted())
    telling.start()
    try:
        assert orthanc.come.wait(PATIENCE)
    finally:
        telling.stop()


def test_what_was_never_begun_can_be_ended() -> None:
    orthanc: Any = Told("SetMetricsValue")
    Figures(orthanc, counted()).stop()
