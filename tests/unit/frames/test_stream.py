"""One stream: every frame in its order, as it is stored; errors in their places; little read that nobody takes."""

from __future__ import annotations

import json
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readingroom.errors import NotFound, PacsUnreachable, SourceNotFound, SourceUnreachable, StoredFileBroken
from readingroom.frames import ahead, stream
from readingroom.frames.ahead import Budget
from readingroom.frames.record import HEAD
from readingroom.frames.stream import Tally
from readingroom.frames.wanted import Span

from tests.fixtures.frame_places import MemorySeries, all_of, records

SIZES = (524_288, 10, 1, 70_000, 2_100_000, 33, 524_288, 128)


def frames_of(sizes: tuple[int, ...] = SIZES) -> list[bytes]:
    return [random.Random(i).randbytes(size) for i, size in enumerate(sizes)]


@pytest.mark.parametrize("origin", ["orthanc", "nas"])
@pytest.mark.parametrize("room", [64, 256 << 10, 2 << 20])
def test_frames_come_as_they_are_stored_in_the_order_asked_for(origin: str, room: int) -> None:
    frames = frames_of()
    series = MemorySeries(frames, origin)
    found = records(all_of(series.stream(3, (7, 4), 0, (1, 2)), room))
    assert [(each.frame, each.encoding, each.status) for each in found] == [
        (i, "raw", 200) for i in (3, 7, 6, 5, 4, 0, 1, 2)
    ]
    assert all(each.payload == frames[each.frame] for each in found)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 5_000), min_size=1, max_size=12),
    st.data(),
    st.integers(1, 9_000),
    st.sampled_from(["orthanc", "nas"]),
)
def test_any_request_through_any_room_gives_those_frames(
    sizes: list[int], data: st.DataObject, room: int, origin: str
) -> None:
    frames = frames_of(tuple(sizes))
    one = st.integers(0, len(frames) - 1)
    spans: list[Span] = data.draw(st.lists(st.one_of(one, st.tuples(one, one)), min_size=1, max_size=6))
    series = MemorySeries(frames, origin)
    flow = series.stream(*spans)
    got = records(all_of(flow, room))
    assert [each.payload for each in got] == [frames[each.frame] for each in got]
    assert flow.taken == sum(HEAD.size + len(each.payload) for each in got) + HEAD.size


def test_fragments_are_put_together() -> None:
    series = MemorySeries([b"abcdefgh"])
    place = series.places[0]
    series.places[0] = type(place)(0, 1, ((130, 2), (134, 3)), place.syntax, "jp2", False)
    (found,) = records(all_of(series.stream(0, accept=["jp2"])))
    assert (found.encoding, found.payload) == ("jp2", b"abefg")


@pytest.mark.parametrize("origin", ["orthanc", "nas"])
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StoredFileBroken("missing", detail={"instance": "x"}), 422, "frame_broken"),
        (StoredFileBroken("nas", detail={"file": 1, "code": "source_changed"}), 404, "source_changed"),
        (StoredFileBroken("nas", detail={"file": 1, "code": "source_unreachable"}), 503, "source_unreachable"),
        (SourceNotFound("/nas/doe^jane.dcm is gone"), 404, "source_not_found"),
        (PacsUnreachable("no answer"), 503, "pacs_unreachable"),
        (OSError("input/output error on /data/doe^jane"), 422, "frame_broken"),
    ],
)
def test_a_frame_that_cannot_be_read_is_an_error_in_its_place_and_the_rest_goes_on(
    origin: str, error: Exception, status: int, code: str
) -> None:
    frames = frames_of()
    series = MemorySeries(frames, origin)
    series.broken[1] = error
    told: list[Tally] = []
    found = records(all_of(series.stream((0, 3), ended=told.append)))
    assert [each.status for each in found] == [200, status, 200, 200]
    said = json.loads(found[1].payload)
    assert (found[1].encoding, said["error"]) == ("error", code)
    assert "jane" not in said["message"], "no file's name reaches the browser"
    assert [found[i].payload for i in (0, 2, 3)] == [frames[i] for i in (0, 2, 3)]
    assert [(each.frames, each.failed) for each in told] == [(3, 1)]


def test_a_file_that_is_too_short_is_an_error_and_not_half_a_frame() -> None:
    series = MemorySeries(frames_of())
    series.contents[0] = series.contents[0][:1000]
    found = records(all_of(series.stream(0, 1)))
    assert [each.status for each in found] == [422, 200]


def test_a_nas_that_is_lost_is_not_waited_for_frame_by_frame() -> None:
    series = MemorySeries([b"x"] * 300, "nas", seconds=0.05)
    series.broken = dict.fromkeys(range(300), SourceUnreachable("down"))
    found = records(all_of(series.stream((0, 299))))
    assert [each.status for each in found] == [503] * 300
    assert len(series.opened) <= ahead.DEPTH + 2


def test_a_frame_that_takes_too_long_gives_its_place_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead.Ahead.next, "__defaults__", (0.05,))
    series = MemorySeries([b"x"] * 9, "nas")
    series.gate.clear()
    found = records(all_of(series.stream((0, 8))))
    series.gate.set()
    assert [each.status for each in found] == [503] * 9
    assert json.loads(found[0].payload)["error"] == "timeout"


def test_what_is_far_away_is_read_several_files_at_once_and_never_more_than_eight_ahead() -> None:
    series = MemorySeries([b"x" * 1000] * 40, "nas", seconds=0.03)
    flow = series.stream((0, 39))
    room = memoryview(bytearray(1020))
    for taken in range(1, 41):
        assert flow.take(room) == 1020
        assert len(series.opened) <= taken + ahead.DEPTH
    assert series.most >= 4
    flow.take(room)
    assert flow.is_over
    assert series.opened == sorted(series.opened) or sorted(series.opened) == list(range(40))


def test_of_what_is_near_nothing_is_read_ahead() -> None:
    series = MemorySeries([b"x" * 1000] * 40)
    flow = series.stream((0, 39))
    assert flow.take(memoryview(bytearray(5_000))) == 4 * 1020
    flow.close()
    assert len(series.opened) == 4
    assert series.read == 4_000


def test_a_slow_disk_is_noticed_and_read_ahead() -> None:
    series = MemorySeries([b"x" * 1000] * 30, seconds=0.04)
    assert len(records(all_of(series.stream((0, 29)), 2_000))) == 30
    assert series.most >= 4


def test_large_frames_are_not_read_ahead_by_eights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "BYTES", 2_500)
    series = MemorySeries([b"x" * 1000] * 20, "nas", seconds=0.005)
    assert len(records(all_of(series.stream((0, 19)), 1_020))) == 20
    assert series.most <= 2


def test_all_streams_together_have_a_bound() -> None:
    budget = Budget(3)
    series = MemorySeries([b"x" * 100] * 20, "nas", seconds=0.005)
    flows = [series.stream((0, 19), budget=budget) for _ in range(4)]
    room = memoryview(bytearray(120))
    while not all(flow.is_over for flow in flows):
        for flow in flows:
            flow.take(room)
    assert series.most <= 4 + 3
    assert budget.room.acquire(blocking=False), "all was given back"


@pytest.mark.parametrize("origin", ["orthanc", "nas"])
def test_who_goes_has_no_more_than_a_few_frames_read_for_nothing(origin: str) -> None:
    series = MemorySeries([b"x" * 1000] * 400, origin, seconds=0.001)
    flow = series.stream((0, 399))
    for _ in range(20):
        flow.take(memoryview(bytearray(1_020)))
    flow.close()
    time.sleep(0.1)
    assert len(series.opened) <= 20 + ahead.DEPTH


def test_a_stream_that_may_no_longer_be_had_ends_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    def allowed() -> None:
        raise NotFound("revoked")

    series = MemorySeries([b"x" * 1000] * 400)
    flow = series.stream((0, 399), allowed=allowed)
    room = memoryview(bytearray(1_020))
    monkeypatch.setattr(stream, "ASK_EVERY", 3600.0)
    assert flow.take(room) == 1_020
    monkeypatch.setattr(stream, "ASK_EVERY", 0.0)
    with pytest.raises(NotFound):
        flow.take(room)


def test_its_end_is_told_once() -> None:
    told: list[Tally] = []
    flow = MemorySeries([b"abc"]).stream(0, ended=told.append)
    all_of(flow)
    flow.close()
    assert told == [Tally(1, 0, 43)]
