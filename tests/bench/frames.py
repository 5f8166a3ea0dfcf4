"""What frame streams cost the servers: raw, compressed for the first time and again, and thirty at once."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests
from pydicom import dcmread

from scripts.runtime.report import Report
from tests.bench.viewing.spent import tree_seconds
from tests.factories import ct_slices
from tests.fixtures.frame_places import records
from tests.fixtures.instance import Client, LiveInstance, running
from tests.fixtures.live_cases import store

COUNT = 400
EDGE = 512
FRAME = EDGE * EDGE * 2
SETS = 5
"""Series, so that each compression is a first one."""
VIEWERS = 30
RUNS = 3


def run(report: Report) -> None:
    """Fill an instance with CTs of 400 slices, and load them in every way."""
    with running(report.scratch / "data", FRAME_STREAMS_EACH="64") as live:
        series = [_stored(live, f"bench {n}") for n in range(SETS)]
        loading = Loading(live)
        table = report.table(
            f"{COUNT} frames of {EDGE}×{EDGE}×16 bits ({COUNT * FRAME / 1e6:.0f} MB), {RUNS} runs: "
            "processor time of Orthanc, gateway and workers",
            "CPU s",
        )
        wall = report.table("The same by the clock, on the same machine as its client", "s")
        ways: dict[str, Callable[[int], int]] = {
            "one stream, raw": lambda _: loading.stream(series[0], "fast"),
            "one stream, JPEG-LS, made for the first time": lambda n: loading.stream(series[1 + n], "slow"),
            "one stream, JPEG-LS, kept": lambda _: loading.stream(series[1], "slow"),
            "one request a frame, DICOMweb": lambda _: loading.dicomweb(series[0]),
        }
        for what, way in ways.items():
            spent, took, size = zip(*(loading.measured(way, n) for n in range(RUNS)), strict=True)
            note = f"{size[0] / 1e6:.0f} MB, {size[0] / 1e6 / sorted(took)[RUNS // 2]:.0f} MB/s"
            table.add(what, *spent, against=what.endswith("DICOMweb"))
            wall.add(what, *took, note=note)
        ratio = table.ratio("one stream, raw", "one request a frame, DICOMweb")
        table.aim(
            f"a stream takes at most a quarter of the processor time of one request a frame: {ratio:.2f}", ratio <= 0.25
        )
        _crowd(report, loading, series)


class Loading:
    """Loads whole series."""

    def __init__(self, live: LiveInstance) -> None:
        self.live = live
        self.pid = live.pid
        self._token = live.admin.token()  # once: a password is checked slowly on purpose

    def client(self) -> Client:
        """Somebody who is signed in already."""
        made = Client(self.live.url)
        made.headers["Authorization"] = f"Bearer {self._token}"
        return made

    def measured(self, way: Callable[[int], int], run_: int) -> tuple[float, float, int]:
        """Processor seconds, seconds, bytes."""
        before, began = tree_seconds(self.pid), time.monotonic()
        size = way(run_)
        took = time.monotonic() - began
        time.sleep(0.1)
        return tree_seconds(self.pid) - before, took, size

    def stream(self, of: tuple[str, str], line: str) -> int:
        """All frames by one request; bytes."""
        client = self.client()
        plan = client.get(f"/api/pacs/studies/{of[0]}/series/{of[1]}/manifest").json()
        body = {"studyUid": of[0], "seriesUid": of[1], "version": plan["version"], "frames": [[0, COUNT - 1]]}
        answer = client.post("/api/pacs/frames", json={**body, "accept": ["raw", "jpls"], "line": line}, timeout=300)
        assert answer.status_code == 200, answer.text
        found = records(answer.content)
        assert [each.status for each in found] == [200] * COUNT
        return len(answer.content)

    def dicomweb(self, of: tuple[str, str]) -> int:
        """One request a frame, six at a time, as a stock loader does; bytes."""
        instances = self.client().get(f"/dicom-web/studies/{of[0]}/series/{of[1]}/instances").json()
        uids = iter([each["00080018"]["Value"][0] for each in instances])
        lock, sizes = threading.Lock(), []

        def some() -> None:
            client = self.client()
            for uid in _shared(uids, lock):
                where = f"/dicom-web/studies/{of[0]}/series/{of[1]}/instances/{uid}/frames/1"
                answer = client.get(where, headers={"Accept": "multipart/related; type=application/octet-stream"})
                assert answer.status_code == 200, answer.text
                sizes.append(len(answer.content))

        _at_once([some] * 6)
        assert len(sizes) == COUNT
        return sum(sizes)


def _crowd(report: Report, loading: Loading, series: list[tuple[str, str]]) -> None:
    table = report.table(f"{VIEWERS} at once, {COUNT} raw frames each, by one request each", "s")
    alone = loading.measured(lambda _: loading.stream(series[0], "fast"), 0)[1]
    before = tree_seconds(loading.pid)
    took: list[float] = []

    def one(n: int) -> None:
        began = time.monotonic()
        loading.stream(series[n % SETS], "fast")
        took.append(time.monotonic() - began)

    began = time.monotonic()
    _at_once([lambda n=n: one(n) for n in range(VIEWERS)])
    whole = time.monotonic() - began
    spent = tree_seconds(loading.pid) - before
    table.add("one alone", alone)
    table.add(
        "each of them", *took, note=f"{spent:.1f} CPU s for all, {VIEWERS * COUNT * FRAME / 1e6 / whole:.0f} MB/s"
    )
    answers = [_asked(loading.live) for _ in range(20)]
    table.add("another route right after", *answers)
    table.aim(f"all had every frame; the server spent {spent / VIEWERS:.2f} CPU s on each", len(took) == VIEWERS)


def _asked(live: LiveInstance) -> float:
    began = time.monotonic()
    assert requests.get(f"{live.url}/health", timeout=30).status_code == 200
    return time.monotonic() - began


def _at_once(jobs: list[Callable[[], Any]]) -> None:
    threads = [threading.Thread(target=each) for each in jobs]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def _shared(uids: Iterator[str], lock: threading.Lock) -> Iterator[str]:
    while True:
        with lock:
            uid = next(uids, None)
        if uid is None:
            return
        yield uid


def _stored(live: LiveInstance, name: str) -> tuple[str, str]:
    files = list(ct_slices(COUNT, EDGE, EDGE, name=name))
    store(live, ((str(n), data) for n, data in enumerate(files)), workers=2)
    header = dcmread(io.BytesIO(files[0]), stop_before_pixels=True)
    return str(header.StudyInstanceUID), str(header.SeriesInstanceUID)
