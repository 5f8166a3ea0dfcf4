"""A real nginx before the plugin's socket: frames arrive whole, at the client's pace, and stop when it goes."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask, Response, request
from readingroom.door import as_ours, error_response
from readingroom.downloads import Outlet
from readingroom.errors import NotFound, TooManyRequests
from readingroom.frames import stream as one_stream
from readingroom.frames.record import END, HEAD, MIME
from readingroom.frames.streams import Streams
from readingroom.frames.wanted import wanted
from readingroom.identity.forwarded import Forwarded
from readingroom.metrics import Metrics
from readingroom.settings import Settings
from werkzeug.serving import make_server

from tests.fixtures.frame_places import MemorySeries, records
from tests.fixtures.gateway import SECRET, Gateway, gateways
from tests.unit.downloads.test_sending import Site

FRAME = 512 * 512 * 2
COUNT = 400


class Place:
    """The plugin's side of frame streams behind a real gateway; `series` tells what was read."""

    def __init__(self, folder: Path, socket_: Path | None, gateway: Callable[..., Gateway], port: int) -> None:
        self.series = MemorySeries([bytes([n % 251]) * FRAME for n in range(COUNT)])
        self.metrics = Metrics()
        settings = Settings.load(READINGROOM_DATA=folder, READINGROOM_ZIP_SOCKET=socket_, FRAME_STREAMS_EACH=40)
        self.streams = Streams(settings, self.series, self.metrics)
        self.forwarded = Forwarded(SECRET)
        self.is_allowed = True
        self.gateway = gateway(orthanc_port=port, **({"zip_socket": str(socket_)} if socket_ else {}))

    def answer(self) -> Response:
        caller = self.forwarded.stranger(request.headers.get, "")
        asked = request.get_json(force=True)
        of = wanted([tuple(each) if isinstance(each, list) else each for each in asked], COUNT, ["raw"], "fast")
        try:
            return self.streams.open(self.series.plan, "v1", of, caller, self.allowed)
        except TooManyRequests as error:  # as host/wsgi.py has to say it
            told = {"X-Accel-Redirect": "/_too_many_requests", **error.headers}
            return Response(status=503, headers=told)

    def allowed(self) -> None:
        if not self.is_allowed:
            raise NotFound("revoked")

    def post(self, frames: list[object], **options: object) -> requests.Response:
        return requests.post(f"{self.gateway.url}/api/pacs/frames", json=frames, timeout=60, **options)  # type: ignore[arg-type]  # a test names what it needs

    def begun(self, frames: list[object], taken: int) -> socket.socket:
        """A connection that asked for these, and took so many bytes of the answer."""
        line = socket.create_connection(("127.0.0.1", self.gateway.port))
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        body = json.dumps(frames).encode()
        head = f"POST /api/pacs/frames HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        line.sendall(head.encode() + body)
        while taken > 0:
            got = line.recv(min(taken, 65536))
            assert got
            taken -= len(got)
        return line


@pytest.fixture(params=["by the socket", "by Orthanc"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Once as it is served on one machine, and once with a gateway that cannot reach the plugin's socket."""
    app = Flask("stand-in")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    socket_ = tmp_path / "zips.sock" if request.param == "by the socket" else None
    with gateways(tmp_path) as start:
        made = Place(tmp_path / "data", socket_, start, server.server_port)
        app.add_url_rule("/api/pacs/frames", view_func=made.answer, methods=["POST"])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        outlet = None
        if socket_ is not None:
            site = Site()
            outlet = Outlet(socket_, site.sender, site.keys, made.forwarded, lambda e, i: error_response(as_ours(e), i))
            outlet.serve("/_frames/", made.streams.flow)
            outlet.start()
        yield made
        if outlet is not None:
            outlet.stop()
        server.shutdown()


def wait_until(said: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < end
        time.sleep(0.02)


def settled(count: Callable[[], int], seconds: float = 1.0) -> int:
    """What is counted, when it has not changed for so long: what lies between us and the client is full."""
    found, since = count(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.02)
        if (now := count()) != found:
            found, since = now, time.monotonic()
    return found


def open_streams(place: Place) -> int:
    return place.metrics.snapshot()["frame_streams_open"]


def test_four_hundred_frames_come_in_one_answer(place: Place) -> None:
    answer = place.post([[399, 200], [0, 199]])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, MIME)
    assert "Content-Encoding" not in answer.headers
    found = records(answer.content)
    assert [each.frame for each in found] == [*range(399, 199, -1), *range(200)]
    assert all(each.payload == bytes([each.frame % 251]) * FRAME for each in found)
    wait_until(lambda: open_streams(place) == 0)
    told = place.metrics.snapshot()
    assert (told["frames_sent"], told["frame_bytes_sent"]) == (400, 400 * (FRAME + HEAD.size) + len(END))


def test_who_goes_stops_the_reading_within_a_few_frames(place: Place) -> None:
    line = place.begun([[0, 399]], 10 * FRAME)
    before = settled(lambda: len(place.series.opened))
    line.close()
    wait_until(lambda: open_streams(place) == 0)
    assert len(place.series.opened) <= before + 2
    held = (
        24 if place.streams._has_socket else 48
    )  # sockets on the way grow to 4 MB each, and there are two more of them
    assert before <= 10 + held


def test_thirty_slow_viewers_hold_no_thread_and_a_quick_one_is_served(place: Place) -> None:
    if place.streams._has_socket is False:
        pytest.skip("without the socket a stream holds a thread of Orthanc, and DIRECT_AT_ONCE bounds them")
    slow = [place.begun([[0, 399]], 1000) for _ in range(30)]
    assert len(records(place.post([[0, 99]]).content)) == 100
    wait_until(lambda: open_streams(place) == 30)  # theirs, which nobody reads to the end
    for line in slow:
        line.close()
    wait_until(lambda: open_streams(place) == 0)


def test_a_stream_that_may_no_longer_be_had_is_cut(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_stream, "ASK_EVERY", 0.1)
    line = place.begun([[0, 399]], 5 * FRAME)
    place.is_allowed = False
    settled(lambda: len(place.series.opened))
    rest = bytearray()
    while got := line.recv(1 << 20):
        rest += got
    assert len(rest) < 30 * FRAME
    assert not rest.endswith(END)


def test_too_many_are_told_when_to_come_again(place: Place) -> None:
    limit = 40 if place.streams._has_socket else 16
    lines = [place.begun([[0, 399]], 100) for _ in range(limit)]
    answer = place.post([0])
    assert (answer.status_code, answer.json()["error"]) == (429, "too_many_requests")
    assert int(answer.headers["Retry-After"]) > 0
    lines[0].close()
    wait_until(lambda: place.post([0]).status_code == 200)
    for line in lines:
        line.close()


def test_a_key_is_good_once_and_for_the_gateway_alone(place: Place) -> None:
    assert requests.get(f"{place.gateway.url}/_frames/anything", timeout=10).status_code == 404
