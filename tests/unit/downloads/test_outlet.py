"""The socket that the gateway takes zips from: whole and ranges, at the client's pace, cut where something breaks."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from readingroom.door import as_ours, error_response
from readingroom.downloads import Outlet
from readingroom.downloads import outlet as outlets
from readingroom.errors import NotFound
from readingroom.identity.forwarded import GATEWAY_HEADER, Forwarded
from readingroom.zipstream import Archive, Layout, Ledger

from tests.unit.downloads.test_sending import READER, Site
from tests.unit.zipstream.stores import MemoryFiles

SECRET = "the gateway's own"
SIZES = (3_000_000, 700_000, 0, 500_001, 12_000_000)


class Place:
    """A site with an outlet, and who asks it."""

    def __init__(self, folder: Path) -> None:
        self.site = Site()
        contents = [bytes([number + 1]) * size for number, size in enumerate(SIZES)]
        self.area = self.site.area
        self.area.files = self.area.plan.files = MemoryFiles(contents)
        self.area.plan.layout = Layout([f"{n}.dcm" for n in range(len(SIZES))], SIZES, [None] * 5, [0] * 5)
        self.socket = folder / "zips.sock"
        self.outlet = Outlet(
            self.socket, self.site.sender, self.site.keys, Forwarded(SECRET), lambda e, i: error_response(as_ours(e), i)
        )
        self.whole = Archive(self.area.plan.layout, MemoryFiles(contents), ledger=Ledger(), download="x").read(
            0, self.area.plan.layout.length
        )

    def key(self) -> str:
        return self.site.keys.key(self.area.plan, READER)[0]

    def asked(self, key: str, *headers: str, method: str = "GET", secret: str = SECRET) -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(60)
        line.connect(str(self.socket))
        question = [f"{method} /_zip/{key} HTTP/1.1", "Host: x", f"{GATEWAY_HEADER}: {secret}", *headers]
        line.sendall(("\r\n".join(question) + "\r\n\r\n").encode())
        return line

    def answer(
        self, key: str, *headers: str, method: str = "GET", secret: str = SECRET
    ) -> tuple[http.client.HTTPResponse, bytes]:
        with self.asked(key, *headers, method=method, secret=secret) as line:
            got = http.client.HTTPResponse(line, method=method)
            got.begin()
            return got, got.read()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    made.outlet.start()
    yield made
    made.outlet.stop()


def wait_until(said: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_download_is_one_answer_of_exact_length(place: Place) -> None:
    head, got = place.answer(place.key())
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(place.whole)))
    assert head.headers["ETag"] == place.area.plan.layout.etag
    assert head.headers["Content-Type"] == "application/zip"
    assert got == place.whole
    wait_until(lambda: sum(told[3] - told[2] for told in place.area.told) == len(place.whole))  # type: ignore[index]  # tuples


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (2_999_990, 3_700_100), (5_000_000, 16_000_000), (16_200_000, 0)])
def test_a_range_is_those_bytes(place: Place, start: int, stop: int) -> None:
    stop = stop or len(place.whole)
    head, got = place.answer(place.key(), f"Range: bytes={start}-{stop - 1}")
    assert (head.status, head.headers["Content-Range"]) == (206, f"bytes {start}-{stop - 1}/{len(place.whole)}")
    assert got == place.whole[start:stop]


def test_a_range_of_another_version_is_the_whole_and_one_past_the_end_is_none(place: Place) -> None:
    etag = place.area.plan.layout.etag
    assert place.answer(place.key(), "Range: bytes=5-", f"If-Range: {etag}")[1] == place.whole[5:]
    assert place.answer(place.key(), "Range: bytes=5-", 'If-Range: "other"')[1] == place.whole
    head, _ = place.answer(place.key(), f"Range: bytes={len(place.whole)}-")
    assert (head.status, head.headers["Content-Range"]) == (416, f"bytes */{len(place.whole)}")


def test_a_question_about_the_zip_reads_none_of_it(place: Place) -> None:
    head, got = place.answer(place.key(), method="HEAD")
    assert (head.status, head.headers["Content-Length"], got) == (200, str(len(place.whole)), b"")
    assert place.area.files.opened == []


def test_who_is_not_the_gateway_or_has_no_key_gets_nothing(place: Place) -> None:
    assert place.answer(place.key(), secret="guessed")[0].status == 404
    assert place.answer("no-key")[0].status == 401
    late = place.key()
    place.site.clock.advance(timedelta(hours=25))
    head, said = place.answer(late)
    assert (head.status, b"ticket_expired" in said) == (401, True)
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(place.socket))
        line.sendall(b"nonsense\r\n\r\n")
        assert line.recv(100) == b""
    assert place.answer(place.key())[1] == place.whole, "and the next one is served"


def test_files_that_changed_before_it_began_are_a_conflict(place: Place) -> None:
    key = place.key()
    place.area.plan.layout = Layout(["other"], [1], [None], [0])
    assert place.answer(key)[0].status == 409


def test_what_breaks_at_the_beginning_is_said_and_later_cuts_the_line(place: Place) -> None:
    place.area.files.files[4].content = b"short"
    with place.asked(place.key()) as line:
        got = http.client.HTTPResponse(line)
        got.begin()
        assert got.status == 200
        with pytest.raises(http.client.IncompleteRead):
            got.read()
    assert place.area.told[0] == ("broken", None, "somebody")
    place.area.files.files[0].content = b"short"
    head, said = place.answer(place.key())
    assert (head.status, b"stored_file_broken" in said) == (500, True)


def test_a_download_that_is_revoked_ends_within_what_was_made(place: Place) -> None:
    with place.asked(place.key()) as line:
        line.recv(1000)
        wait_until(lambda: place.outlet._working == 0)  # all that the client does not take is made
        place.area.is_allowed = False
        place.site.clock.advance(timedelta(seconds=1.1))
        got = 1000
        while found := line.recv(1 << 20):
            got += len(found)
    assert got < 4 << 20


def test_slow_clients_hold_no_thread_and_get_all_of_it_in_the_end(place: Place) -> None:
    slow = [place.asked(place.key()) for _ in range(100)]
    wait_until(lambda: place.outlet._working == 0 and len(place.outlet._lines) == 100)
    assert max(len(line.rest) for line in place.outlet._lines.values()) <= outlets.SMALL + 1000  # the head
    assert place.answer(place.key())[1] == place.whole
    for line in slow[1:]:
        line.close()  # they give up
    last = http.client.HTTPResponse(slow[0])
    last.begin()
    assert last.read() == place.whole
    slow[0].close()
    wait_until(lambda: not place.outlet._lines)


def test_many_at_once_take_turns_and_do_not_mix(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlets, "WORKERS", 2)
    monkeypatch.setattr(outlets, "TURN", 1_000_000)
    wrong: list[int] = []

    def one(start: int) -> None:
        if place.answer(place.key(), f"Range: bytes={start}-")[1] != place.whole[start:]:
            wrong.append(start)

    threads = [threading.Thread(target=one, args=(number * 1_234_567,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("error", [RuntimeError("the database is locked"), NotFound("gone")])
def test_a_download_that_cannot_be_counted_costs_no_thread(
    place: Place, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object) -> None:
        raise error

    whole = place.whole[-1000:]
    with monkeypatch.context() as patch:
        patch.setattr(place.area, "passed", fails)
        for _ in range(3):
            assert place.answer(place.key(), "Range: bytes=-1000")[1] == whole
        wait_until(lambda: not place.outlet._lines and place.outlet._working == 0)
    assert place.answer(place.key(), "Range: bytes=-1000")[1] == whole


def test_where_no_thread_can_be_had_one_is_turned_away_and_the_next_is_served(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(place.outlet._crew, "start", none_left)
        with place.asked(place.key()) as line, suppress(ConnectionResetError):  # its question was not read
            assert line.recv(100) == b""
        assert (place.outlet._working, place.outlet._lines) == (0, {})
    assert place.answer(place.key())[1] == place.whole


def test_a_doorkeeper_that_stumbles_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    stumbled = threading.Event()

    def stumbles(_: object) -> None:
        monkeypatch.undo()
        stumbled.set()
        raise OSError(28, "no more watches")

    monkeypatch.setattr(place.outlet, "_employ", stumbles)
    with place.asked(place.key()):
        assert stumbled.wait(30)
        assert place.answer(place.key())[1] == place.whole


def test_the_end_cuts_what_is_under_way_and_a_new_start_takes_the_place_over(place: Place) -> None:
    with place.asked(place.key()) as line:
        line.recv(1000)
        place.outlet.stop()
        while line.recv(1 << 20):
            pass
    place.socket.touch()  # as one that was killed leaves it behind
    again = Place(place.socket.parent)
    again.outlet.start()
    assert again.answer(again.key())[1] == again.whole
    assert again.socket.stat().st_mode & 0o777 == 0o600
    again.outlet.stop()
    place.outlet.start()  # for the fixture's own end
