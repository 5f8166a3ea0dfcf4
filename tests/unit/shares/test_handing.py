"""Large files on their way to the gateway: whole in any portions, counted once, fetched once and soon."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Response
from readingroom.downloads import handing
from readingroom.downloads.handing import Handing
from readingroom.errors import NotFound
from readingroom.identity import ANONYMOUS, Caller
from readingroom.shares.file_flow import FileFlow

DATA = bytes(range(256)) * 40
NOBODY = Caller(ANONYMOUS, "", "")


class Source:
    """Pieces of DATA as a file gives them, and what became of the flow."""

    def __init__(self, piece: int = 1000) -> None:
        self.is_closed = False
        self.told: list[int] = []
        self._pieces = [DATA[at : at + piece] for at in range(0, len(DATA), piece)]
        self.flow = FileFlow(Response(), len(DATA), self._pieces[0], self._others(), self.told.append)

    def _others(self) -> Iterator[bytes]:
        try:
            yield from self._pieces[1:]
        finally:
            self.is_closed = True


@pytest.mark.parametrize("room", [1, 999, 1000, 1001, 20_000])
@pytest.mark.parametrize("piece", [1000, 20_000])
def test_all_of_it_comes_in_rooms_of_any_size(piece: int, room: int) -> None:
    source, got = Source(piece), b""
    target = memoryview(bytearray(room))
    while not source.flow.is_over:
        got += target[: source.flow.take(target)]
    assert (got, source.flow.take(target), source.flow.taken) == (DATA, 0, len(DATA))
    source.flow.close()
    source.flow.close()
    assert source.told == [len(DATA)]


def test_wsgi_takes_the_same_and_ends_it() -> None:
    source = Source()
    assert b"".join(source.flow) == DATA
    assert (source.told, source.is_closed) == ([len(DATA)], True)


def test_what_is_given_up_tells_how_much_was_taken_and_lets_the_file_go() -> None:
    source = Source()
    source.flow.take(memoryview(bytearray(600)))
    source.flow.take(memoryview(bytearray(2000)))
    source.flow.take(memoryview(bytearray(2000)))
    source.flow.close()
    assert (source.told, source.is_closed) == ([2000], True)


def test_a_key_is_good_once() -> None:
    kept, source = Handing[FileFlow]("/_files/"), Source()
    place = kept.keep(source.flow)
    key = place.removeprefix("/_files/")
    assert key != place
    assert kept.flow(key, NOBODY, {}) is source.flow
    for unknown in (key, "", "x"):
        with pytest.raises(NotFound):
            kept.flow(unknown, NOBODY, {})


def test_what_the_gateway_never_comes_for_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing, "FETCHED_WITHIN", -1.0)
    kept, source = Handing[FileFlow]("/_files/"), Source()
    place = kept.keep(source.flow)
    kept.keep(Source().flow)
    assert source.told == [0]
    with pytest.raises(NotFound):
        kept.flow(place.removeprefix("/_files/"), NOBODY, {})
