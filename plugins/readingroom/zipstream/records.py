"""The bytes of a zip around its files: headers, directory, end records; ZIP64 exactly where needed."""

from __future__ import annotations

import struct

from readingroom.zipstream import limits as z

_LOCAL = struct.Struct("<IHHHIIIIHH")
_CENTRAL = struct.Struct("<IHHHHIIIIHHHHHII")
_EXTRA = struct.Struct("<HH")
_LOCAL64 = struct.Struct("<HHQQ")
_END64 = struct.Struct("<IQHHIIQQQQ")
_LOCATOR64 = struct.Struct("<IIQI")
_END = struct.Struct("<IHHHHIIH")


def local_length(name_length: int, size: int) -> int:
    """Bytes of a local header."""
    return z.LOCAL_SIZE + name_length + (z.LOCAL64_EXTRA_SIZE if size >= z.SENTINEL_32 else 0)


def local_header(name: bytes, size: int, crc32: int, stamp: int) -> bytes:
    """The header in front of a file; sizes and CRC are known, so no data descriptor follows (4.3.7)."""
    if size < z.SENTINEL_32:
        fixed = _LOCAL.pack(
            z.LOCAL_SIGNATURE, z.VERSION_DEFAULT, z.FLAG_UTF8, z.METHOD_STORED, stamp, crc32,
            size, size, len(name), 0,
        )  # fmt: skip
        return fixed + name
    fixed = _LOCAL.pack(
        z.LOCAL_SIGNATURE, z.VERSION_ZIP64, z.FLAG_UTF8, z.METHOD_STORED, stamp, crc32,
        z.SENTINEL_32, z.SENTINEL_32, len(name), z.LOCAL64_EXTRA_SIZE,
    )  # fmt: skip
    return fixed + name + _LOCAL64.pack(z.ZIP64_TAG, 16, size, size)


def central_length(name_length: int, size: int, offset: int) -> int:
    """Bytes of a central directory header."""
    wide = (16 if size >= z.SENTINEL_32 else 0) + (8 if offset >= z.SENTINEL_32 else 0)
    return z.CENTRAL_SIZE + name_length + (wide + _EXTRA.size if wide else 0)


def central_header(name: bytes, size: int, crc32: int, stamp: int, offset: int) -> bytes:
    """A file's entry in the central directory; its extra field holds just the values too wide (4.5.3)."""
    wide = b""
    said_size, said_offset = size, offset
    if size >= z.SENTINEL_32:
        wide += struct.pack("<QQ", size, size)
        said_size = z.SENTINEL_32
    if offset >= z.SENTINEL_32:
        wide += struct.pack("<Q", offset)
        said_offset = z.SENTINEL_32
    extra = _EXTRA.pack(z.ZIP64_TAG, len(wide)) + wide if wide else b""
    fixed = _CENTRAL.pack(
        z.CENTRAL_SIGNATURE, z.MADE_BY, z.VERSION_ZIP64 if wide else z.VERSION_DEFAULT, z.FLAG_UTF8,
        z.METHOD_STORED, stamp, crc32, said_size, said_size, len(name), len(extra), 0, 0, 0, z.MODE_FILE,
        said_offset,
    )  # fmt: skip
    return fixed + name + extra


def end_records(count: int, directory_start: int, directory_length: int) -> bytes:
    """What closes the archive; with ZIP64 record and locator when a value does not fit (4.3.14 to 4.3.16)."""
    wide = count >= z.SENTINEL_16 or directory_start >= z.SENTINEL_32 or directory_length >= z.SENTINEL_32
    records = b""
    if wide:
        # The record's own size leaves out its signature and that size field: 12 bytes (APPNOTE 4.3.14.1).
        records = _END64.pack(
            z.END64_SIGNATURE, z.END64_SIZE - 12, z.MADE_BY, z.VERSION_ZIP64, 0, 0,
            count, count, directory_length, directory_start,
        )  # fmt: skip
        records += _LOCATOR64.pack(z.LOCATOR64_SIGNATURE, 0, directory_start + directory_length, 1)
    said_count = min(count, z.SENTINEL_16)
    return records + _END.pack(
        z.END_SIGNATURE, 0, 0, said_count, said_count,
        min(directory_length, z.SENTINEL_32), min(directory_start, z.SENTINEL_32), 0,
    )  # fmt: skip
