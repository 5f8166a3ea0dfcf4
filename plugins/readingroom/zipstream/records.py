"""The bytes of a zip around its files: headers, directory, end records; ZIP64 exactly where needed."""

from __future__ import annotations

import struct

from readingroom.zipstream import limits as z

_LOCAL = struct.Struct("<IHHHIIIIHH")
_CENTRAL = struct.Struct("<IHHHHIIIIHHHHHII")
_EXTRA = struct.Struct("<HH")
_LOCAL64 = struct.Struct("<HHQQ")
_DESCRIPTOR = struct.Struct("<IIII")
_DESCRIPTOR64 = struct.Struct("<IIQQ")
_END64 = struct.Struct("<IQHHIIQQQQ")
_LOCATOR64 = struct.Struct("<IIQI")
_END = struct.Struct("<IHHHHIIH")


def local_length(name_length: int, packed: int) -> int:
    """Bytes of a local header; `packed` are the bytes that the file takes in the archive."""
    return z.LOCAL_SIZE + name_length + (z.LOCAL64_EXTRA_SIZE if packed >= z.SENTINEL_32 else 0)


def local_header(name: bytes, size: int, crc32: int, stamp: int) -> bytes:
    """The header in front of a stored file; size and CRC are known, so no data descriptor follows (4.3.7)."""
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


def open_header(name: bytes, packed: int, stamp: int) -> bytes:
    """The header in front of a file whose CRC is told behind it; so are its sizes, as bit 3 asks (4.4.4)."""
    flags = z.FLAG_UTF8 | z.FLAG_DESCRIPTOR
    if packed < z.SENTINEL_32:
        fixed = _LOCAL.pack(
            z.LOCAL_SIGNATURE, z.VERSION_DEFAULT, flags, z.METHOD_DEFLATED, stamp, 0, 0, 0, len(name), 0
        )
        return fixed + name
    # The field says by being there that the descriptor's sizes have eight bytes (4.3.9.2).
    fixed = _LOCAL.pack(
        z.LOCAL_SIGNATURE, z.VERSION_ZIP64, flags, z.METHOD_DEFLATED, stamp, 0,
        z.SENTINEL_32, z.SENTINEL_32, len(name), z.LOCAL64_EXTRA_SIZE,
    )  # fmt: skip
    return fixed + name + _LOCAL64.pack(z.ZIP64_TAG, 16, 0, 0)


def descriptor_length(packed: int) -> int:
    """Bytes of the data descriptor behind a file that takes `packed` bytes in the archive."""
    return z.DESCRIPTOR_SIZE if packed < z.SENTINEL_32 else z.DESCRIPTOR64_SIZE


def descriptor(size: int, packed: int, crc32: int) -> bytes:
    """What stands behind a file that passed (4.3.9)."""
    form = _DESCRIPTOR if packed < z.SENTINEL_32 else _DESCRIPTOR64
    return form.pack(z.DESCRIPTOR_SIGNATURE, crc32, packed, size)


def central_length(name_length: int, packed: int, offset: int) -> int:
    """Bytes of a central directory header."""
    wide = (16 if packed >= z.SENTINEL_32 else 0) + (8 if offset >= z.SENTINEL_32 else 0)
    return z.CENTRAL_SIZE + name_length + (wide + _EXTRA.size if wide else 0)


def central_header(name: bytes, size: int, packed: int, crc32: int, stamp: int, offset: int) -> bytes:
    """A file's entry in the central directory; its extra field holds just the values too wide (4.5.3).

    A file that takes more than its size was written behind an open header.
    """
    wide = b""
    said_size, said_packed, said_offset = size, packed, offset
    if packed >= z.SENTINEL_32:
        # Both, even where the size alone would fit: some readers expect them together.
        wide += struct.pack("<QQ", size, packed)
        said_size = said_packed = z.SENTINEL_32
    if offset >= z.SENTINEL_32:
        wide += struct.pack("<Q", offset)
        said_offset = z.SENTINEL_32
    extra = _EXTRA.pack(z.ZIP64_TAG, len(wide)) + wide if wide else b""
    is_open = packed != size
    fixed = _CENTRAL.pack(
        z.CENTRAL_SIGNATURE, z.MADE_BY, z.VERSION_ZIP64 if wide else z.VERSION_DEFAULT,
        z.FLAG_UTF8 | (z.FLAG_DESCRIPTOR if is_open else 0), z.METHOD_DEFLATED if is_open else z.METHOD_STORED,
        stamp, crc32, said_packed, said_size, len(name), len(extra), 0, 0, 0, z.MODE_FILE, said_offset,
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
