"""Turns the bytes of a header's values into text, by the file's character set (PS3.5 section 6.1)."""

from __future__ import annotations

import warnings
from functools import lru_cache

# Its warnings about character sets come once for each damaged file of a NAS, and may quote what they could not decode.
warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom\.(charset|valuerep)")

PADDING = " \0"
ESCAPE = 0x1B
"""Begins a code extension."""

TEXT_DELIMITERS = {0x0D, 0x0A, 0x09, 0x0C}
"""After these a code extension falls back to the first character set (PS3.5 section 6.1.2.5.3)."""

GB2312_ESCAPE = "\x1b$)A"
"""Of ISO 2022 IR 58 (PS3.5 section K.2): pydicom 3.0 decodes what follows it rightly, and leaves it in the text."""

REMEMBERED_BYTES = 64
"""Values up to this length are decoded once: a series repeats them from file to file, and so many stay under 2 MB."""

DIRECT = {"": "latin-1", "ISO_IR 6": "latin-1", "ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8"}
"""Sets without code extensions; files that name none and hold more than ASCII are Latin-1 far more often than not."""


@lru_cache(maxsize=4096)  # the files of a series share most of them
def uid(raw: bytes) -> str:
    """A unique identifier without its padding; '' when it holds anything that no UID holds."""
    said = raw.decode("latin-1").strip(PADDING)
    return said if said.replace(".", "").isalnum() and said.isascii() and len(said) <= 128 else ""


def text(raw: bytes, charset: str, *, is_name: bool = False) -> str:
    """A value as text, without padding; bytes that the character set does not have become U+FFFD."""
    return (_remembered if len(raw) <= REMEMBERED_BYTES else _text)(raw, charset, is_name)


def _text(raw: bytes, charset: str, is_name: bool) -> str:
    said = _decoded(raw, charset, is_name=is_name).strip(PADDING)
    return said.rstrip("=").rstrip() if is_name else said


_remembered = lru_cache(maxsize=8192)(_text)


def _decoded(raw: bytes, charset: str, *, is_name: bool) -> str:
    if raw.isascii() and ESCAPE not in raw:
        return raw.decode("ascii")
    direct = DIRECT.get(charset)
    if direct is not None and ESCAPE not in raw:
        return raw.decode(direct, "replace")
    return _by_extensions(raw, charset, is_name=is_name)


def _by_extensions(raw: bytes, charset: str, *, is_name: bool) -> str:
    # pydicom takes 45 MB and 0.3 s: a process that meets only Latin and UTF-8 does without.
    from pydicom.charset import decode_bytes  # noqa: PLC0415
    from pydicom.valuerep import PersonName  # noqa: PLC0415

    encodings = _encodings(charset)
    try:
        if is_name:
            said = str(PersonName(raw.rstrip(b" \0"), encodings))
        else:
            said = decode_bytes(raw, encodings, TEXT_DELIMITERS)
    except (UnicodeError, LookupError, ValueError, AttributeError, IndexError):
        return raw.decode("latin-1")
    return said.replace(GB2312_ESCAPE, "")


@lru_cache(maxsize=256)
def _encodings(charset: str) -> list[str]:
    from pydicom.charset import convert_encodings  # noqa: PLC0415  # see above

    try:
        return list(convert_encodings(charset.split("\\")))
    except (LookupError, ValueError, AttributeError):
        return ["latin-1"]
