"""The relay that stands for distance: it delays, loses nothing, and does not limit."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.fixtures.delay import Delay


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says everything again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    while data := client.recv(1 << 16):
                        client.sendall(data)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_a_question_takes_the_round_trip_that_was_asked_for(echo: int, delayed: Callable[..., Delay]) -> None:
    line = delayed("127.0.0.1", echo, round_trip_ms=20)
    spent = []
    with socket.create_connection((line.host, line.port)) as client:
        for _ in range(30):
            began = time.perf_counter()
            client.sendall(b"?")
            assert client.recv(1) == b"?"
            spent.append(time.perf_counter() - began)
    # The quickest tells what the line adds; the others, how busy the machine is.
    assert 0.020 <= min(spent) < 0.040


def test_every_byte_arrives_in_order_and_the_end_after_it(echo: int, delayed: Callable[..., Delay]) -> None:
    line = delayed("127.0.0.1", echo, round_trip_ms=4)
    sent = bytes(range(256)) * 100_000
    with socket.create_connection((line.host, line.port)) as client:

        def send() -> None:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)

        threading.Thread(target=send).start()
        received = bytearray()
        while data := client.recv(1 << 18):
            received += data
    assert received == sent


def test_a_server_that_is_not_there_closes_the_line(delayed: Callable[..., Delay]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    line = delayed("127.0.0.1", port)
    with socket.create_connection((line.host, line.port)) as client:
        assert client.recv(1) == b""
