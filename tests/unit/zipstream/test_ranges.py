"""Any byte range of an archive is the slice of the whole."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readingroom.zipstream import Archive, Ledger

from tests.unit.zipstream.stores import MemoryFiles, archive_of, layout_of, whole

contents = st.dictionaries(st.text(max_size=12), st.binary(max_size=400), max_size=8)


@given(contents, st.data())
def test_any_range_equals_the_slice_of_the_whole(files: dict[str, bytes], data: st.DataObject) -> None:
    archive = archive_of(files)
    complete = whole(archive)
    start = data.draw(st.integers(0, len(complete)))
    stop = data.draw(st.integers(start, len(complete)))
    assert archive.read(start, stop) == complete[start:stop]


@given(contents, st.integers(1, 300))
def test_pieces_of_any_size_join_to_the_same_archive(files: dict[str, bytes], piece: int) -> None:
    archive = archive_of(files)
    complete = whole(archive)
    assert len(complete) == archive.layout.length
    assert whole(archive, piece=piece) == complete


@given(contents)
def test_python_reads_every_file_back(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(whole(archive_of(files)))) as read:
        assert read.testzip() is None
        assert [read.read(info) for info in read.infolist()] == list(files.values())


@given(contents, st.integers(1, 300))
@settings(max_examples=40)
def test_slices_in_any_order_and_without_memory_of_each_other_join_too(files: dict[str, bytes], size: int) -> None:
    complete = whole(archive_of(files))
    starts = range(0, len(complete), size)
    found = {s: archive_of(files).read(s, min(s + size, len(complete))) for s in reversed(starts)}
    assert b"".join(found[s] for s in starts) == complete


def test_slices_in_order_read_each_byte_once() -> None:
    files = {"a": bytes(range(256)) * 40, "b": b"x" * 7000}
    stored = MemoryFiles(list(files.values()))
    archive = Archive(layout_of(files), stored, ledger=Ledger(), download="d")
    for start in range(0, archive.layout.length, 500):
        archive.read(start, min(start + 500, archive.layout.length))
    assert stored.bytes_read == sum(map(len, files.values()))


def test_a_range_of_headers_alone_opens_no_file() -> None:
    files = {f"{i}.dcm": bytes(100) for i in range(50)}
    stored = MemoryFiles(list(files.values()))
    archive = Archive(layout_of(files), stored, ledger=Ledger(), download="d")
    archive.read(archive.layout.directory_start, archive.layout.length)
    assert stored.opened == []


def test_a_range_outside_the_archive_is_refused() -> None:
    archive = archive_of({"a": b"1"})
    with pytest.raises(ValueError, match="outside"):
        archive.read(0, archive.layout.length + 1)


def test_the_etag_tells_archives_apart() -> None:
    one = layout_of({"a": b"1", "b": b"2"})
    assert one.etag == layout_of({"a": b"1", "b": b"2"}).etag
    others = [
        layout_of({"a": b"1", "b": b"3"}),
        layout_of({"a": b"1", "c": b"2"}),
        layout_of({"ab": b"1", "": b"2"}),
        layout_of({"a": b"1", "b": b"2"}, identity="later"),
    ]
    assert len({layout.etag for layout in [one, *others]}) == 5
