"""A stored file that changed ends the download; what was sent never passes for a whole zip."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readingroom.errors import StoredFileBroken
from readingroom.zipstream import Archive, Layout, Ledger

from tests.unit.zipstream.stores import MemoryFile, MemoryFiles, layout_of

FILES = {"a.dcm": b"first file " * 50, "b.dcm": b"second file " * 50, "c.dcm": b"third file " * 50}


def sent_until_it_ends(archive: Archive, piece: int) -> bytes:
    sent = bytearray()
    with pytest.raises(StoredFileBroken):
        for part in archive.stream(piece=piece):
            sent += part
    return bytes(sent)


@given(st.integers(0, len(FILES["b.dcm"]) - 1), st.integers(1, 700))
def test_one_changed_byte_anywhere_ends_the_download_before_that_file_does(where: int, piece: int) -> None:
    broken = bytearray(FILES["b.dcm"])
    broken[where] ^= 0x40
    layout = layout_of(FILES)
    stored = MemoryFiles([FILES["a.dcm"], bytes(broken), FILES["c.dcm"]])
    sent = sent_until_it_ends(Archive(layout, stored, ledger=Ledger(), download="d"), piece)
    entry = layout.entry(1)
    assert len(sent) < entry.data + entry.size
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(sent))


@given(st.integers(1, 600), st.data())
def test_a_resumed_download_never_gets_the_end_of_a_changed_file(piece: int, data: st.DataObject) -> None:
    broken = bytearray(FILES["b.dcm"])
    broken[3] ^= 1
    layout = layout_of(FILES)
    stored = MemoryFiles([FILES["a.dcm"], bytes(broken), FILES["c.dcm"]])
    archive = Archive(layout, stored, ledger=Ledger(), download="resumed")
    entry = layout.entry(1)
    resumed_at = data.draw(st.integers(entry.data, entry.data + entry.size - 1))
    got = resumed_at
    with pytest.raises(StoredFileBroken):
        for part in archive.stream(resumed_at, piece=piece):
            got += len(part)
    assert got < entry.data + entry.size


def test_a_file_that_changes_under_one_download_does_not_pass_by_what_another_has_seen() -> None:
    content = bytes(range(256)) * 8
    layout = layout_of({"a": content})
    stored = MemoryFiles([content])
    ledger = Ledger()
    first = Archive(layout, stored, ledger=ledger, download="first")
    second = Archive(layout, stored, ledger=ledger, download="second")
    middle = layout.entry(0).data + 1000
    first.read(0, middle)
    stored.files[0].content = b"\xff" + content[1:]
    second.read(0, middle)
    stored.files[0].content = content
    assert first.read(middle, layout.length)
    with pytest.raises(StoredFileBroken):
        second.read(middle, layout.length)


def test_a_short_file_ends_the_download() -> None:
    layout = layout_of(FILES)
    stored = MemoryFiles([FILES["a.dcm"], FILES["b.dcm"][:-1], FILES["c.dcm"]])
    sent_until_it_ends(Archive(layout, stored, ledger=Ledger(), download="d"), 64)


def test_a_missing_empty_file_is_noticed() -> None:
    class Nothing:
        @contextmanager
        def open(self, index: int, size: int) -> Iterator[MemoryFile]:
            raise StoredFileBroken("gone")
            yield

    layout = Layout(["empty"], [0], [0], [0])
    with pytest.raises(StoredFileBroken):
        Archive(layout, Nothing(), ledger=Ledger(), download="d").read(0, layout.length)


def test_an_empty_file_with_a_crc_of_something_is_broken() -> None:
    layout = Layout(["empty"], [0], [zlib.crc32(b"x")], [0])
    with pytest.raises(StoredFileBroken):
        Archive(layout, MemoryFiles([b""]), ledger=Ledger(), download="d").read(0, layout.length)


def test_the_ledger_forgets_the_oldest_downloads_and_boundaries() -> None:
    ledger = Ledger(downloads=2)
    for offset in range(1, 7):
        ledger.remember("one", 0, offset, offset * 11)
    assert [ledger.recall("one", 0, offset) for offset in range(1, 7)] == [None, None, 33, 44, 55, 66]
    ledger.remember("two", 0, 1, 1)
    ledger.remember("three", 0, 1, 1)
    assert ledger.recall("one", 0, 6) is None
    assert ledger.recall("two", 0, 1) == 1
