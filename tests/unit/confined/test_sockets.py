"""A process that makes no sockets any more: what it tries in vain, and that the one it holds goes on."""

from __future__ import annotations

import json
import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from readingroom.confined import sockets

PLUGINS = Path(sockets.__file__).parents[2]
IS_KNOWN = platform.machine() in sockets.SOCKET

TRIES = """
import ctypes, json, os, socket, sys, threading
from readingroom.confined import landlock, sockets
line = socket.socket(fileno=os.dup(0))
landlock.shut()
shut = sockets.shut()
def tried(family, kind):
    try:
        socket.socket(family, kind)
    except PermissionError:
        return "refused"
    return "done"
ring = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(sockets.IO_URING_SETUP), ctypes.c_long(1), None)
heard = []
later = threading.Thread(target=lambda: heard.append(tried(socket.AF_INET, socket.SOCK_DGRAM)))
later.start()
said = {
    "shut": shut,
    "unix": tried(socket.AF_UNIX, socket.SOCK_STREAM),
    "udp": tried(socket.AF_INET, socket.SOCK_DGRAM),
    "udp6": tried(socket.AF_INET6, socket.SOCK_DGRAM),
    "tcp": tried(socket.AF_INET, socket.SOCK_STREAM),
    "netlink": tried(socket.AF_NETLINK, socket.SOCK_RAW),
    "ring": os.strerror(ctypes.get_errno()) if ring < 0 else "done",
    "read": open(os.__file__).read(6),
}
later.join()
line.sendall(json.dumps(said | {"thread": heard[0], "asked": line.recv(20).decode()}).encode())
"""


@pytest.mark.skipif(not IS_KNOWN, reason="the numbers of this machine's calls are not known")
def test_no_socket_is_made_any_more_and_the_one_that_is_held_goes_on() -> None:
    ours, its = socket.socketpair()
    ours.settimeout(60)
    with ours, its:
        ours.sendall(b"a question")
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", TRIES], stdin=its.fileno(), env={"PYTHONPATH": str(PLUGINS)}, cwd="/"
        )
        its.close()
        said = json.loads(ours.recv(4096))
        assert process.wait(60) == 0
    assert said.pop("shut")
    assert (said.pop("asked"), said.pop("read")) == ("a question", 'r"""OS')
    assert said.pop("ring") == "Operation not permitted"
    assert said == dict.fromkeys(("unix", "udp", "udp6", "tcp", "netlink", "thread"), "refused")


def test_what_a_confined_process_is_made_of_takes_sockets_away() -> None:
    """As it is served, and not by its parts alone."""
    script = (
        "import socket\n"
        "from readingroom.confined.process import serve\n"
        "def answer(line):\n"
        "    line.recv(1)\n"
        "    try:\n"
        "        socket.socket(socket.AF_UNIX)\n"
        "    except PermissionError:\n"
        "        line.sendall(b'refused')\n"
        "    else:\n"
        "        line.sendall(b'made')\n"
        "serve(answer, memory=4 << 30, seconds=10)\n"
    )
    ours, its = socket.socketpair()
    ours.settimeout(60)
    with ours, its:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", script], stdin=its.fileno(), env={"PYTHONPATH": str(PLUGINS)}, cwd="/"
        )
        its.close()
        ours.sendall(b"?")
        assert ours.recv(100) == (b"refused" if IS_KNOWN else b"made")
        ours.close()
        assert process.wait(60) == 0
