"""ZIP64 stands exactly where the format asks for it; sizes are faked by files of zeros."""

from __future__ import annotations

import struct
import zipfile

import pytest
from readingroom.zipstream import Layout, records
from readingroom.zipstream.stamps import dos_stamp

from tests.unit.zipstream.stores import ArchiveFile, archive_of, whole, zeros_archive

GIB4 = 1 << 32
LARGEST_32 = 0xFFFFFFFE


def has_zip64_end(data: bytes) -> bool:
    return b"PK\x06\x06" in data and b"PK\x06\x07" in data


@pytest.mark.parametrize(("size", "wide"), [(LARGEST_32, False), (LARGEST_32 + 1, True), (GIB4 + 5, True)])
def test_a_file_past_the_32_bit_limit_is_zip64_and_one_below_is_not(size: int, wide: bool) -> None:
    layout = Layout(["a"], [size], [1], [0])
    local = b"".join(p for p in layout.pieces(0, layout.entry(0).data) if isinstance(p, bytes))
    central = bytes(b"".join(p for p in layout.pieces(layout.directory_start, layout.length) if isinstance(p, bytes)))
    assert (len(local) == 31 + 20) == wide
    assert struct.unpack_from("<H", local, 4)[0] == (45 if wide else 20)
    assert (struct.unpack_from("<I", central, 20)[0] == 0xFFFFFFFF) == wide
    # The directory begins behind the file: past the limit as soon as the file and its header are.
    assert has_zip64_end(central)


def test_a_small_archive_carries_no_zip64_at_all() -> None:
    data = whole(archive_of({f"{i}.dcm": b"x" for i in range(10)}))
    assert not has_zip64_end(data)
    assert data[-22:-18] == b"PK\x05\x06"


@pytest.mark.parametrize(("count", "wide"), [(0xFFFE, False), (0xFFFF, True), (70_000, True)])
def test_more_than_65534_files_need_the_zip64_end(count: int, wide: bool) -> None:
    archive = zeros_archive([0] * count)
    data = whole(archive)
    assert has_zip64_end(data[archive.layout.directory_end :]) == wide
    with zipfile.ZipFile(ArchiveFile(archive)) as read:  # type: ignore[call-overload]
        assert len(read.infolist()) == count


def test_python_reads_a_file_of_more_than_4_gib_and_one_that_begins_after_it() -> None:
    archive = zeros_archive([GIB4 + 12345, 777])
    with zipfile.ZipFile(ArchiveFile(archive)) as read:  # type: ignore[call-overload]
        first, second = read.infolist()
        assert first.file_size == GIB4 + 12345
        assert second.header_offset > GIB4
        assert read.read(second) == bytes(777)
        with read.open(first) as file:
            assert file.read(1000) == bytes(1000)


def test_only_the_values_that_are_too_wide_stand_in_the_extra_field() -> None:
    def central(size: int, packed: int, offset: int) -> int:
        return len(records.central_header(b"n", size, packed, 1, 0, offset))

    assert central(5, 5, GIB4) == 47 + 4 + 8
    assert central(GIB4, GIB4, 5) == 47 + 4 + 16
    assert central(GIB4, GIB4, GIB4) == 47 + 4 + 24
    for packed, offset in ((5, 5), (5, GIB4), (GIB4, 5), (GIB4, GIB4)):
        for size in (packed, packed - 5):
            assert central(size, packed, offset) == records.central_length(1, packed, offset)


def test_a_plan_of_30000_files_stays_small() -> None:
    layout = Layout([f"0042_CT/IM{i:06d}.dcm" for i in range(30_000)], [1 << 19] * 30_000, [1] * 30_000, [0] * 30_000)
    assert layout.weight < 3 << 20
    assert layout.length > 15_000_000_000


def test_times_are_clamped_to_what_the_format_knows_and_written_in_utc() -> None:
    first, ordinary, last = dos_stamp(-5), dos_stamp(1_700_000_001), dos_stamp(1 << 40)
    assert first == (1 << 5 | 1) << 16
    # 2023-11-14 22:13:21 UTC; the format counts in steps of two seconds.
    assert ordinary == ((2023 - 1980) << 9 | 11 << 5 | 14) << 16 | 22 << 11 | 13 << 5 | 10
    assert last == (127 << 9 | 12 << 5 | 31) << 16 | 23 << 11 | 59 << 5 | 29
