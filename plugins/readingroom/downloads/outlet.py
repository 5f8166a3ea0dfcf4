"""Hands zips and frame streams to the gateway on a socket of our own, as fast as the client takes them.

Through Orthanc's HTTP server a part of a file can leave only whole and from memory, and whoever sends it holds one of
50 threads. Here a download is one answer, made piece by piece in memory that is warm, and no thread waits for a slow
client: what it did not take yet, at most a piece, waits with the socket.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from flask import Response

from readingroom.downloads.giving import Flow, Giver
from readingroom.downloads.keys import Keys
from readingroom.downloads.sending import Sender
from readingroom.errors import BadRequest, NotFound, ReadingRoomError
from readingroom.identity.forwarded import Forwarded
from readingroom.series.crew import Crew

log = structlog.get_logger(__name__)

PIECE = 2 << 20
"""Bytes made at a time for a client that keeps pace: some files whole, and still warm when they are sent."""

IN_STEP = 8 << 20
"""Bytes after which a client that was never waited for keeps pace: more than sockets on the way take without it."""

SMALL = 256 << 10
"""The same for one that does not, and to begin with: what 500 slow clients did not take yet is 128 MB at most."""

PATIENCE = 0.1
"""Seconds that a thread waits for a client before it leaves it to the doorkeeper."""

WORKERS = 96
"""Threads that make pieces, begun as they are needed. Links' downloads are 32 at most (the gateway's `share_streams`),
and a frame waits no longer than 20 s for a NAS: one that hangs under all of them leaves threads to others."""

TURN = 64 << 20
"""Bytes after which a download lets another one that waits have its thread."""

QUESTION_BYTES = 64 << 10
"""A request with all its headers; nginx sends 32 KB at most."""

Refused = Callable[[Exception, str], Response]
"""What an error is answered with, for the request of that id."""


@dataclass(slots=True, eq=False)
class _Line:
    """One connection of the gateway: one question, one answer."""

    socket: socket.socket
    heard: bytearray = field(default_factory=bytearray)
    flow: Flow | None = None
    request_id: str = ""
    kind: str = "answer"  # what it is, for the log
    rest: bytes = b""  # made, and not taken yet
    in_step: int = 0  # bytes that it took since it was waited for last
    began: float = field(default_factory=time.monotonic)


class Outlet:
    """Answers `GET /_zip/KEY`, and what else it is told to, on a Unix socket, to whoever shows the gateway's secret."""

    def __init__(self, place: Path, sender: Sender, keys: Keys, forwarded: Forwarded, refused: Refused) -> None:
        self._place = place
        self._givers: dict[str, Giver] = {
            "/_zip/": lambda key, caller, headers: sender.flow(
                keys.unlock(key), caller, headers.get("range", ""), headers.get("if-range", "")
            )
        }
        self._forwarded = forwarded
        self._refused = refused
        self._crew = Crew("zip-outlet")
        self._lock = threading.Lock()
        self._ready: deque[_Line] = deque()
        self._working = 0
        self._rooms: deque[memoryview] = deque(maxlen=4)
        self._lines: dict[int, _Line] = {}
        self._ended = False

    def serve(self, below: str, giver: Giver) -> None:
        """Answer `GET {below}KEY` by this; `below` ends in a slash."""
        self._givers[below] = giver

    def start(self) -> None:
        """Listen; raises OSError where the socket cannot be."""
        self._place.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.setblocking(False)
        self._listener.bind(os.fspath(self._place))
        self._place.chmod(0o600)
        self._listener.listen(1024)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._doorkeeper = threading.Thread(target=self._watch, name="zip-doorkeeper", daemon=True)
        self._doorkeeper.start()

    def stop(self) -> None:
        """End, and every download under way with it."""
        self._ended = True
        os.eventfd_write(self._wake, 1)
        self._doorkeeper.join(5)
        self._listener.close()
        self._place.unlink(missing_ok=True)
        for line in list(self._lines.values()):
            try:
                line.socket.shutdown(socket.SHUT_RDWR)  # whoever works on it sees that, and closes it
            except OSError:
                continue
        self._crew.close()

    def _watch(self) -> None:
        """Take connections; give those that can go on to a thread. None is watched while one works on it."""
        while not self._ended:
            for number, _ in self._epoll.poll():
                try:
                    if number == self._listener.fileno():
                        self._accept()
                    elif number != self._wake:
                        self._employ(self._lines[number])
                except Exception:  # without a doorkeeper nothing would be sent any more
                    log.exception("doorkeeper_stumbled", lines=len(self._lines))
                    time.sleep(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError:
                # Too many files are open: who is there goes on; who asks, waits a moment.
                log.warning("zip_outlet_full", lines=len(self._lines))
                time.sleep(PATIENCE)
                return
            accepted.settimeout(PATIENCE)
            self._lines[accepted.fileno()] = _Line(accepted)
            self._epoll.register(accepted, select.EPOLLIN | select.EPOLLONESHOT)

    def _employ(self, line: _Line) -> None:
        with self._lock:
            self._ready.append(line)
            if self._working == WORKERS:
                return
            self._working += 1
        try:
            self._crew.start(self._work)
        except RuntimeError:  # a limit of threads or memory
            with self._lock:
                self._working -= 1
                if self._working or line not in self._ready:
                    return  # somebody else comes to it
                self._ready.remove(line)
            log.warning("no_thread", lines=len(self._lines))
            self._close(line)

    def _work(self) -> None:
        with self._lock:
            kept = self._rooms.pop() if self._rooms else None
        room = kept or memoryview(bytearray(PIECE))
        while True:
            with self._lock:
                if not self._ready:
                    self._working -= 1
                    self._rooms.append(room)
                    return
                line = self._ready.popleft()
            if self._is_done(line, room):
                self._close(line)

    def _is_done(self, line: _Line, room: memoryview) -> bool:
        """Do what can be done for a line now; False where it goes on later."""
        try:
            return self._answered(line, room)
        except ConnectionError:
            log.info("client_gone", request_id=line.request_id)
        except ReadingRoomError as error:
            # Bytes have left already: the gateway sees the line cut, and so does its client.
            log.warning(f"{line.kind}_cut", error=error.code, request_id=line.request_id)
        except Exception:
            log.exception(f"{line.kind}_broke", request_id=line.request_id)
        return True

    def _answered(self, line: _Line, room: memoryview) -> bool:
        if not line.rest and line.flow is None:
            line.heard += line.socket.recv(QUESTION_BYTES) or b"\r\n\r\n"  # nobody there: an empty question
            if b"\r\n\r\n" not in line.heard:
                if len(line.heard) > QUESTION_BYTES:
                    return True
                self._later(line, select.EPOLLIN)
                return False
            self._begin(line, room)
        poured = 0
        while True:
            if line.rest:
                made = memoryview(line.rest)
            elif line.flow is None or line.flow.is_over:
                return True
            else:
                made = room[: line.flow.take(room[: PIECE if line.in_step >= IN_STEP else SMALL])]
            sent = self._sent(line.socket, made)
            poured += sent
            if sent < len(made):
                line.rest, line.in_step = bytes(made[sent:]), 0
                self._later(line, select.EPOLLOUT)
                return False
            line.in_step += sent
            line.rest = b""
            if self._ended:
                return True
            if poured >= TURN and self._ready:
                self._employ(line)
                return False

    def _begin(self, line: _Line, room: memoryview) -> None:
        """Understand the question; make the head of the answer, and the first piece behind it."""
        method, path, headers = understood(bytes(line.heard))
        line.heard.clear()
        caller = self._forwarded.stranger(lambda name: headers.get(name.lower()), "")
        line.request_id = caller.request_id
        flow = None
        try:
            at = path.rfind("/") + 1
            giver = self._givers.get(path[:at])
            if not caller.through_gateway or giver is None:
                raise NotFound("There is nothing at this address.")
            line.kind = path[:at].strip("/_")
            flow = giver(path[at:], caller, headers)
            head, content = flow.head(), b""
            if method != "HEAD":
                # Made before the status line leaves: what is wrong there can still be said in words.
                content = bytes(room[: flow.take(room[:SMALL])])
                line.flow = flow
        except Exception as error:
            head = self._refused(error, caller.request_id)
            content = head.get_data()
            head.headers["Content-Length"] = str(len(content))
            if head.status_code >= 500:
                log.error("failed", request_id=caller.request_id, exc_info=error)
        if flow is not None and line.flow is None:
            flow.close()
        line.rest = said(head) + content

    def _sent(self, line: socket.socket, made: memoryview) -> int:
        """Send it, as far as the client takes it; how far."""
        at = 0
        try:
            while at < len(made):
                at += line.send(made[at:])
        except TimeoutError:
            pass
        return at

    def _later(self, line: _Line, event: int) -> None:
        self._epoll.modify(line.socket, event | select.EPOLLONESHOT)

    def _close(self, line: _Line) -> None:
        del self._lines[line.socket.fileno()]
        line.socket.close()
        if line.flow is not None:
            try:
                line.flow.close()
            except Exception:  # of whoever counts what passed; the thread goes on to the next line
                log.exception(f"{line.kind}_not_counted", request_id=line.request_id)
            log.info(f"{line.kind}_sent", request_id=line.request_id, size=line.flow.taken,
                     whole=line.flow.is_over, seconds=round(time.monotonic() - line.began, 3))  # fmt: skip


def understood(question: bytes) -> tuple[str, str, Mapping[str, str]]:
    """Method, path and headers, by their names in small letters, of a request that nginx made. Raises BadRequest."""
    first, *lines = question.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    try:
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, value in (each.split(":", 1) for each in lines)}
    except ValueError:
        raise BadRequest("This is no request.") from None
    return method, path, headers


def said(head: Response) -> bytes:
    """An answer's status and headers as they go over the line; it is the last one on it."""
    lines = [f"HTTP/1.1 {head.status}", *(f"{name}: {value}" for name, value in head.headers), "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
