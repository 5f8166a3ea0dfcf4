"""Takes the file system, the network and other processes away from this one, by Linux's Landlock (landlock(7)).

What is open stays open. Kernels before 5.13, and those that have it turned off, do without: the other bounds hold.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Numbers of the system calls, the same on every architecture that has been added to since 2019."""

VERSION: Final = 1
PATH_BENEATH: Final = 1
NO_NEW_PRIVILEGES: Final = 38
"""prctl's, without which nobody but root may restrict itself."""

READ_FILE, READ_DIRECTORY = 1 << 2, 1 << 3
FILES: Final = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""What can be refused of files since which version: all to begin with, then renaming elsewhere, truncating, ioctl."""

CONNECTING: Final = 0b11
"""Binding and connecting by TCP, since version 4."""

SCOPED: Final = 0b11
"""Abstract sockets and signals to processes outside, since version 6."""

LIBRARIES: Final = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts")
"""What imports and decoders load when they need it, fonts too."""


def shut() -> bool:
    """Leave this process nothing but reading what Python and libraries are made of; whether the kernel can."""
    version = supported()
    if version < 1:
        return False
    files = sum(bits for since, bits in FILES.items() if version >= since)
    wanted = struct.pack("<QQQ", files, CONNECTING, SCOPED)[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = _call(CREATE_RULESET, wanted, len(wanted), 0)
    if rules < 0:
        return False
    try:
        for path in dict.fromkeys(_readable()):
            _allow(rules, path)
        prctl = ctypes.CDLL(None).prctl
        return prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and _call(RESTRICT_SELF, rules, 0) == 0
    finally:
        os.close(rules)


def supported() -> int:
    """The version that this kernel has; 0 or less: none."""
    return _call(CREATE_RULESET, None, 0, VERSION)


def _readable() -> Iterator[str]:
    yield from LIBRARIES
    yield from (path for path in sys.path if path)
    yield from (sys.prefix, sys.base_prefix)


def _allow(rules: int, path: str) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not every system has each
    try:
        rights = READ_FILE | READ_DIRECTORY if Path(path).is_dir() else READ_FILE
        _call(ADD_RULE, rules, PATH_BENEATH, struct.pack("<Qi", rights, place), 0)
    finally:
        os.close(place)


def _call(number: int, *arguments: int | bytes | None) -> int:
    given = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return int(ctypes.CDLL(None).syscall(ctypes.c_long(number), *given))
