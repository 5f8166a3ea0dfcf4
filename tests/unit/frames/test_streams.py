"""Streams as they are counted: what the gateway never fetched is given up."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from readingroom.downloads import handing
from readingroom.errors import NotFound
from readingroom.frames import streams
from readingroom.frames.streams import Streams
from readingroom.frames.wanted import wanted
from readingroom.identity import Caller
from readingroom.metrics import Metrics
from readingroom.settings import Settings

from tests.fixtures.frame_places import MemorySeries

WHO = cast(Caller, SimpleNamespace(identity=SimpleNamespace(user="somebody"), through_gateway=True))


def test_a_stream_that_nobody_fetches_does_not_keep_new_series_from_being_compressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "FETCHED_WITHIN", 0.5)
    settings = Settings.load(READINGROOM_DATA=tmp_path, READINGROOM_ZIP_SOCKET=tmp_path / "socket")
    series, metrics = MemorySeries([b"x" * 100]), Metrics()
    made = Streams(settings, series, metrics)
    quiet: list[float] = []
    monkeypatch.setattr(streams, "Beforehand", lambda *parts: quiet.append(parts[-1]()) or parts[-1])
    asked = wanted([0], 1, ["raw"], "fast")
    answer = made.open(series.plan, "v1", asked, WHO, lambda: None)
    key = answer.headers["X-Accel-Redirect"].removeprefix("/_frames/")
    is_quiet: Any = made.beforehand(lambda _: None)
    assert quiet == [0.0] and metrics.snapshot()["frame_streams_open"] == 1
    end = time.monotonic() + 30
    while not is_quiet() and time.monotonic() < end:
        time.sleep(0.05)
    assert is_quiet() > 0 and metrics.snapshot()["frame_streams_open"] == 0
    with pytest.raises(NotFound):
        made.flow(key, WHO, {})
    made.close()
