"""What is given to other programs to read."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from readingroom.zipstream import Archive

from tests.unit.zipstream.stores import archive_of, late_archive_of

FILES = {
    "plain.dcm": b"pixels" * 1000,
    "empty.dcm": b"",
    "0042_CT/nested/é 日本.dcm": b"\x00\xff" * 500,
    "0042_CT/nested/E\u0301 日本.dcm": b"another one that only composition and case tell apart",
    "../escape.dcm": b"stays inside",
    "C:/CON": b"no device",
    **{f"series/IM{i:04d}": bytes([i % 256]) * i for i in range(300)},
}

GIB4 = 1 << 32
KINDS: dict[str, Callable[[], Archive]] = {
    "CRCs known": lambda: archive_of(FILES),
    "CRCs learnt": lambda: late_archive_of(FILES),
    "some known": lambda: late_archive_of(FILES, list(FILES)[::2]),
}


def program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    assert found, f"{names[0]} is missing; the test root of scripts/test has it"
    return found
