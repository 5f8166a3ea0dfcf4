"""The zip format's numbers, each with its place in PKWARE's APPNOTE 6.3.10."""

from __future__ import annotations

LOCAL_SIGNATURE = 0x04034B50
"""Local file header, APPNOTE 4.3.7."""

CENTRAL_SIGNATURE = 0x02014B50
"""Central directory file header, APPNOTE 4.3.12."""

END64_SIGNATURE = 0x06064B50
"""ZIP64 end of central directory record, APPNOTE 4.3.14."""

LOCATOR64_SIGNATURE = 0x07064B50
"""ZIP64 end of central directory locator, APPNOTE 4.3.15."""

END_SIGNATURE = 0x06054B50
"""End of central directory record, APPNOTE 4.3.16."""

LOCAL_SIZE = 30
"""Bytes of a local file header before its name, APPNOTE 4.3.7."""

CENTRAL_SIZE = 46
"""Bytes of a central directory header before its name, APPNOTE 4.3.12."""

END64_SIZE = 56
"""Bytes of the ZIP64 end record without extensible data, APPNOTE 4.3.14."""

SENTINEL_16 = 0xFFFF
"""In a 16-bit field: "look in the ZIP64 record"; the largest value that fits is one less (4.4.1.4)."""

SENTINEL_32 = 0xFFFFFFFF
"""The same for a 32-bit field (4.4.1.4)."""

MAX_NAME_BYTES = 0xFFFF
"""The name's length is a 16-bit field, APPNOTE 4.4.10."""

ZIP64_TAG = 0x0001
"""Header id of the ZIP64 extended information extra field, APPNOTE 4.5.3."""

LOCAL64_EXTRA_SIZE = 20
"""Tag, length and both sizes: in a local header both must be there, APPNOTE 4.5.3."""

METHOD_STORED = 0
"""Not compressed, APPNOTE 4.4.5."""

METHOD_DEFLATED = 8
"""Deflated (RFC 1951), APPNOTE 4.4.5; what we write so is stored all the same, see `blocks`."""

FLAG_DESCRIPTOR = 1 << 3
"""CRC and sizes stand behind the file, in a data descriptor, APPNOTE 4.4.4 bit 3."""

DESCRIPTOR_SIGNATURE = 0x08074B50
"""Data descriptor, APPNOTE 4.3.9.3."""

DESCRIPTOR_SIZE = 16
"""Bytes of a data descriptor with its signature, APPNOTE 4.3.9."""

DESCRIPTOR64_SIZE = 24
"""The same of an entry whose local header has a ZIP64 field, APPNOTE 4.3.9.2."""

FLAG_UTF8 = 1 << 11
"""The name is UTF-8, APPNOTE 4.4.4 bit 11 and appendix D."""

VERSION_DEFAULT = 20
"""Version 2.0 needed to extract: what every reader of the last thirty years knows, APPNOTE 4.4.3.2."""

VERSION_ZIP64 = 45
"""Version 4.5 needed to extract: ZIP64, APPNOTE 4.4.3.2."""

MADE_BY = 3 << 8 | VERSION_ZIP64
"""Made on UNIX (so that the mode below counts) by a program that knows version 4.5, APPNOTE 4.4.2."""

MODE_FILE = 0o100644 << 16
"""External attributes: a regular file that its owner writes and everybody reads, APPNOTE 4.4.15."""
