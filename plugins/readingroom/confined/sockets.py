"""Takes the making of sockets away from this process, by Linux's seccomp(2): Landlock leaves it UDP and other programs'
sockets in the file system. The one that it was handed goes on.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from typing import Final

NO_NEW_PRIVILEGES: Final = 38
SET_SECCOMP: Final = 22
FILTER: Final = 2
"""prctl's words."""

SOCKET: Final = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""What audit calls the machine, and the number of socket(2) there (linux/audit.h, asm/unistd.h)."""

IO_URING_SETUP: Final = 425
"""The same on every machine: a ring makes sockets too, past this filter."""

X32: Final = 0x40000000
"""Where the numbers of x86-64's other calls begin, which the same kernel may know."""

LOAD, EQUAL, AT_LEAST, ANSWER = 0x20, 0x15, 0x35, 0x06
"""Instructions of a filter (linux/filter.h): load a word, compare and skip, end."""

NUMBER_AT, MACHINE_AT = 0, 4
"""Where a call's number and machine stand in what a filter sees (struct seccomp_data)."""

ALLOWED: Final = 0x7FFF0000
REFUSED: Final = 0x00050000 | errno.EPERM


def shut() -> bool:
    """Leave this process the sockets that it has, and no way to others; whether it worked. Its threads so far go on."""
    machine = SOCKET.get(platform.machine())
    if machine is None:
        return False
    audited, number = machine
    # An instruction, how many are skipped where the comparison holds and where it does not, and with what it compares.
    # Every way to a refusal is the same last line.
    lines = [
        (LOAD, 0, 0, MACHINE_AT),
        (EQUAL, 0, 5, audited),  # calls of another machine (32 bits) have other numbers
        (LOAD, 0, 0, NUMBER_AT),
        (AT_LEAST, 3, 0, X32),
        (EQUAL, 2, 0, number),
        (EQUAL, 1, 0, IO_URING_SETUP),
        (ANSWER, 0, 0, ALLOWED),
        (ANSWER, 0, 0, REFUSED),
    ]
    program = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *line) for line in lines))
    told = struct.pack("@HP", len(lines), ctypes.addressof(program))  # struct sock_fprog
    prctl = ctypes.CDLL(None).prctl
    if prctl(NO_NEW_PRIVILEGES, *map(ctypes.c_ulong, (1, 0, 0, 0))) != 0:
        return False
    return int(prctl(SET_SECCOMP, ctypes.c_ulong(FILTER), told, ctypes.c_ulong(0), ctypes.c_ulong(0))) == 0
