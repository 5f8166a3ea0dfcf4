"""Viewers without a browser: each asks for a manifest and for all frames in one stream, over a line of its own."""

from __future__ import annotations

import json
import socket
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.bench.viewing.ground import Series
from tests.fixtures.instance import Client

HEAD = 20
MAGIC = b"RRF1"
END = 0xFFFFFFFF
EVERYTHING = ["raw", "jpeg", "jpegll", "jpls", "jp2", "htj2k", "rle"]
PIECE = 256 * 1024
PATIENCE = 180.0


@dataclass(frozen=True, slots=True)
class Came:
    """When a viewer had what: seconds from its first question."""

    first: float
    all: float
    bytes: int


def many(
    url: str, token: str, series: list[Series], *, mbits: float = 0, line: str = "fast", check: bool = False
) -> list[Came]:
    """All these at once, one viewer each, from an address each; `mbits` is the rate of each one's line, 0 for none."""
    ready = threading.Barrier(len(series))

    def view(number: int) -> Came:
        ready.wait(PATIENCE)
        return one(url, token, series[number], number, mbits=mbits, line=line, check=check)

    with ThreadPoolExecutor(len(series)) as crew:
        return list(crew.map(view, range(len(series))))


def one(
    url: str, token: str, series: Series, number: int = 0, *, mbits: float = 0, line: str = "fast", check: bool = False
) -> Came:
    """One viewer: manifest, then the frames in display order."""
    home = (f"127.9.{number // 250}.{number % 250 + 1}", 0)
    began = time.monotonic()
    version = _manifest(url, token, series, home)
    wanted = {
        "studyUid": series.study,
        "seriesUid": series.series,
        "version": version,
        "frames": [[0, series.count - 1]],
        "accept": EVERYTHING,
        "line": line,
    }
    with _asked(url, token, "POST", "/api/pacs/frames", json.dumps(wanted).encode(), home) as answer:
        counter = _Records(check)
        while size := answer.take():
            if counter.add(answer.view[:size]) and not counter.first:
                counter.first = time.monotonic()
            if mbits:
                wait = began + counter.bytes / (mbits * 125_000) - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
    assert counter.ended, f"the stream was cut after {counter.frames} frames"
    assert counter.frames == series.count, counter.frames
    return Came(counter.first - began, time.monotonic() - began, counter.bytes)


def _manifest(url: str, token: str, series: Series, home: tuple[str, int]) -> str:
    with _asked(url, token, "GET", f"{series.api}/manifest", b"", home) as answer:
        body = bytearray()
        while size := answer.take():
            body += answer.view[:size]
    said = json.loads(zlib.decompress(body, 47) if body[:2] == b"\x1f\x8b" else body)
    assert said["frameCount"] == series.count, said["frameCount"]
    version: str = said["version"]
    return version


class _Answer:
    """The body of an answer, up to the connection's end."""

    def __init__(self, line: socket.socket, early: bytes) -> None:
        self._line, self._early = line, early
        self.view = memoryview(bytearray(PIECE))

    def take(self) -> int:
        """How many bytes came into `view`; 0 at the end."""
        if self._early:
            size = len(self._early)
            self.view[:size] = self._early
            self._early = b""
            return size
        return self._line.recv_into(self.view)

    def __enter__(self) -> _Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()


def _asked(url: str, token: str, method: str, path: str, body: bytes, home: tuple[str, int]) -> _Answer:
    """By HTTP/1.0: the answer is not cut into chunks, and its end is the connection's."""
    place = urlsplit(url)
    line = socket.create_connection((str(place.hostname), int(place.port or 80)), PATIENCE, source_address=home)
    line.sendall(
        f"{method} {path} HTTP/1.0\r\nHost: {place.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    got = b""
    while b"\r\n\r\n" not in got:
        piece = line.recv(65_536)
        assert piece, got[:500]
        got += piece
    head, _, early = got.partition(b"\r\n\r\n")
    assert head.split()[1] == b"200", got[:600]
    return _Answer(line, early)


class _Records:
    """Counts the records of a stream as they pass; with `check`, their checksums too."""

    def __init__(self, check: bool) -> None:
        self.bytes = 0
        self.frames = 0
        self.first = 0.0
        self.ended = False
        self._check = check
        self._head = bytearray()
        self._left = 0
        self._crc = self._wanted = 0

    def add(self, piece: memoryview) -> bool:
        """Whether a frame was completed by this piece."""
        self.bytes += len(piece)
        before, at = self.frames, 0
        while at < len(piece):
            if self._left:
                size = min(self._left, len(piece) - at)
                if self._check:
                    self._crc = zlib.crc32(piece[at : at + size], self._crc)
                self._left -= size
                at += size
                if not self._left:
                    assert not self._check or self._crc == self._wanted, f"frame {self.frames} is damaged"
                    self.frames += 1
                continue
            size = min(HEAD - len(self._head), len(piece) - at)
            self._head += piece[at : at + size]
            at += size
            if len(self._head) == HEAD:
                self._begin()
        return self.frames > before

    def _begin(self) -> None:
        head, self._head = bytes(self._head), bytearray()
        assert head[:4] == MAGIC, head
        index, status = int.from_bytes(head[4:8], "little"), int.from_bytes(head[10:12], "little")
        self._left, self._wanted = int.from_bytes(head[12:16], "little"), int.from_bytes(head[16:20], "little")
        self._crc = 0
        if index == END:
            assert head[9] & 1, head
            self.ended = True
        else:
            assert status == 200, (index, status)


def thumbnails(client: Client, series: list[Series], at_once: int = 4) -> tuple[float, int]:
    """Seconds until every series' small picture has come, a few at a time, and their bytes."""
    headers = {"Authorization": f"Bearer {client.token()}"}

    def fetch(each: Series) -> int:
        answer = Client(client.base).get(f"{each.api}/thumbnail", headers=headers)
        assert answer.status_code == 200, answer.text
        return len(answer.content)

    began = time.monotonic()
    with ThreadPoolExecutor(at_once) as crew:
        size = sum(crew.map(fetch, series))
    return time.monotonic() - began, size
