"""Files whose CRC-32 nobody knows beforehand: as blocks, with a descriptor behind, in any range and after a restart."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readingroom.errors import StoredFileBroken
from readingroom.zipstream import Archive, Learnt, Ledger, blocks, checks

from tests.unit.zipstream.stores import (
    ArchiveFile,
    MemoryFile,
    MemoryFiles,
    late_archive_of,
    late_layout_of,
    layout_of,
    whole,
    zeros_archive,
)

GIB4 = 1 << 32
# Sizes around the edges of a block, and of several.
content = st.binary(max_size=60) | st.builds(
    lambda blocks, more, fill: bytes([fill]) * max(0, blocks * 65_535 + more),
    st.integers(0, 3), st.integers(-6, 6), st.integers(0, 255),
)  # fmt: skip
mixed = st.dictionaries(st.text(max_size=8), st.tuples(content, st.booleans()), max_size=5)


def made(files: dict[str, tuple[bytes, bool]]) -> tuple[dict[str, bytes], set[str]]:
    return {name: data for name, (data, _) in files.items()}, {name for name, (_, late) in files.items() if late}


@given(mixed)
def test_python_reads_every_file_back(files: dict[str, tuple[bytes, bool]]) -> None:
    contents, late = made(files)
    archive = late_archive_of(contents, late)
    complete = whole(archive)
    assert len(complete) == archive.layout.length
    with zipfile.ZipFile(io.BytesIO(complete)) as read:
        assert read.testzip() is None
        assert [read.read(info) for info in read.infolist()] == list(contents.values())
        assert [info.compress_type == zipfile.ZIP_DEFLATED for info in read.infolist()] == [n in late for n in contents]


@given(mixed, st.data())
def test_any_range_equals_the_slice_of_the_whole(files: dict[str, tuple[bytes, bool]], data: st.DataObject) -> None:
    complete = whole(late_archive_of(*made(files)))
    # One that has seen nothing yet, as after a restart.
    archive = late_archive_of(*made(files))
    start = data.draw(st.integers(0, len(complete)))
    stop = data.draw(st.integers(start, len(complete)))
    assert archive.read(start, stop) == complete[start:stop]


@given(mixed, st.integers(1, 70_000))
@settings(max_examples=40, deadline=None)
def test_slices_in_any_order_without_memory_of_each_other_join(files: dict[str, tuple[bytes, bool]], size: int) -> None:
    complete = whole(late_archive_of(*made(files)))
    size = max(size, len(complete) // 20)
    starts = range(0, len(complete), size)
    found = {s: late_archive_of(*made(files)).read(s, min(s + size, len(complete))) for s in reversed(starts)}
    assert b"".join(found[s] for s in starts) == complete


@given(st.integers(0, 4 * 65_535), st.data())
def test_blocks_inflate_to_the_file_whichever_part_of_them_is_made(size: int, data: st.DataObject) -> None:
    content = bytes(i % 251 for i in range(size))
    length = blocks.packed_length(size)

    def part(start: int, stop: int) -> bytes:
        target = bytearray(stop - start)
        carried = content[blocks.content_before(start) : blocks.content_before(stop)]
        target[len(target) - len(carried) :] = carried
        blocks.spread(memoryview(target), start, size)
        return bytes(target)

    stream = part(0, length)
    inflating = zlib.decompressobj(-15)
    assert inflating.decompress(stream) == content
    assert inflating.eof
    assert inflating.unused_data == b""
    start = data.draw(st.integers(0, length))
    stop = data.draw(st.integers(start, length))
    assert part(start, stop) == stream[start:stop]


def test_slices_in_order_read_each_byte_once() -> None:
    files = {"a": bytes(range(256)) * 700, "b": b"x" * 7000, "empty": b""}
    stored = MemoryFiles(list(files.values()))
    archive = Archive(late_layout_of(files), stored, ledger=Ledger(), download="d")
    for start in range(0, archive.layout.length, 5000):
        archive.read(start, min(start + 5000, archive.layout.length))
    assert stored.bytes_read == sum(map(len, files.values()))


def test_the_directory_alone_reads_the_files_once_where_nothing_passed_yet() -> None:
    files = {"a": b"x" * 3000, "b": b"y" * 70}
    complete = whole(late_archive_of(files))
    stored = MemoryFiles(list(files.values()))
    layout = late_layout_of(files)
    for _ in range(2):
        archive = Archive(layout, stored, ledger=Ledger(), download="resumed")
        assert archive.read(layout.directory_start, layout.length) == complete[layout.directory_start :]
    assert stored.bytes_read == 3070


def test_crcs_that_are_known_from_elsewhere_spare_that_and_are_held_against_what_passes() -> None:
    files = {"a": b"x" * 3000, "b": b"y" * 70}
    stored = MemoryFiles(list(files.values()))
    layout = late_layout_of(files, learnt=Learnt({i: zlib.crc32(c) for i, c in enumerate(files.values())}))
    Archive(layout, stored, ledger=Ledger(), download="d").read(layout.directory_start, layout.length)
    assert stored.opened == []
    stored.files[0].content = b"X" + files["a"][1:]
    archive = Archive(layout, stored, ledger=Ledger(), download="d")
    sent = bytearray()
    with pytest.raises(StoredFileBroken):
        for piece in archive.stream(piece=1000):
            sent += piece
    assert len(sent) < layout.entry(0).data + layout.entry(0).packed


def test_two_downloads_of_one_plan_cannot_be_sent_different_bytes_of_a_file() -> None:
    layout = late_layout_of({"a": b"first"})
    stored = MemoryFiles([b"first"])
    assert whole(Archive(layout, stored, ledger=Ledger(), download="one"))
    stored.files[0].content = b"other"
    with pytest.raises(StoredFileBroken):
        whole(Archive(layout, stored, ledger=Ledger(), download="two"))


def test_what_is_learnt_is_handed_over_together_and_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"{i}": bytes([i]) * 1000 for i in range(20)}
    kept: list[dict[int, int]] = []
    now = 0.0
    monkeypatch.setattr(checks, "time", type("Clock", (), {"monotonic": staticmethod(lambda: now)}))
    layout = late_layout_of(files, learnt=Learnt(keep=lambda fresh: kept.append(dict(fresh))))
    archive = Archive(layout, MemoryFiles(list(files.values())), ledger=Ledger(), download="d")
    archive.read(0, layout.entry(5).offset)
    assert kept == []
    now = 5.0
    archive.read(layout.entry(5).offset, layout.entry(6).offset)
    assert [set(each) for each in kept] == [{0, 1, 2, 3, 4, 5}]
    archive.read(layout.entry(6).offset, layout.length)
    assert {index: crc for each in kept for index, crc in each.items()} == {
        i: zlib.crc32(content) for i, content in enumerate(files.values())
    }


def test_a_file_that_is_found_changed_when_it_is_closed_ends_the_download() -> None:
    class Changing(MemoryFiles):
        @contextmanager
        def open(self, index: int, size: int) -> Iterator[MemoryFile]:
            yield self.files[index]
            if index == 1:
                raise StoredFileBroken("it was written to")

    files = {"a": b"x" * 100, "b": b"y" * 100}
    layout = late_layout_of(files)
    archive = Archive(layout, Changing(list(files.values())), ledger=Ledger(), download="d")
    archive.read(0, layout.entry(1).offset)
    with pytest.raises(StoredFileBroken):
        archive.read(layout.entry(1).offset, layout.length)


def test_the_etag_tells_forms_apart() -> None:
    files = {"a": b"1", "b": b"2"}
    etags = {late_layout_of(files, late).etag for late in ((), ("a",), ("b",), ("a", "b"))}
    assert len(etags) == 4
    assert late_layout_of(files, ()).etag == layout_of(files).etag
    assert late_layout_of({"a": b"1"}).etag == late_layout_of({"a": b"2"}).etag, "it does not wait for the bytes"


# The file's blocks take more than its size: the form changes a little below 4 GiB of it.
BLOCKS_OF_4_GIB = -(-GIB4 // 65_540)
LARGEST_NARROW = GIB4 - 2 - 5 * BLOCKS_OF_4_GIB


@pytest.mark.parametrize(("size", "wide"), [(LARGEST_NARROW, False), (LARGEST_NARROW + 1, True), (GIB4 + 5, True)])
def test_header_descriptor_and_directory_are_zip64_as_soon_as_the_blocks_need_it(size: int, wide: bool) -> None:
    packed = blocks.packed_length(size)
    assert (packed >= 0xFFFFFFFF) == wide
    archive = zeros_archive([size], late=True)
    layout = archive.layout
    entry = layout.entry(0)
    local = archive.read(0, entry.data)
    version, flags, method = struct.unpack_from("<HHH", local, 4)
    assert (version, flags, method) == (45 if wide else 20, 0x808, 8)
    assert len(local) == 30 + len(entry.name) + (20 if wide else 0)
    tail = archive.read(entry.data + entry.packed, layout.length)
    said = struct.unpack_from("<IIQQ" if wide else "<IIII", tail)
    assert said[0] == 0x08074B50
    assert said[2:] == (packed, size)
    with zipfile.ZipFile(ArchiveFile(archive)) as read:  # type: ignore[call-overload]
        info = read.infolist()[0]
        assert (info.file_size, info.compress_size) == (size, packed)
        with read.open(info) as file:
            assert file.read(100_000) == bytes(100_000)
