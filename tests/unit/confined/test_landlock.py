"""A process that shut itself in: what it can still read, and what it cannot reach any more."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from readingroom.confined import landlock

PLUGINS = Path(landlock.__file__).parents[2]

TRIES = """
import json, os, socket, sys
from readingroom.confined import landlock
secret, port, parent = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
held = open(secret)
shut = landlock.shut()
def tried(what):
    try:
        what()
    except PermissionError:
        return "refused"
    return "done"
print(json.dumps({
    "shut": shut,
    "read": tried(lambda: open(secret)),
    "list": tried(lambda: os.listdir(os.path.dirname(secret))),
    "write": tried(lambda: open(secret + ".more", "w")),
    "delete": tried(lambda: os.unlink(secret)),
    "connect": tried(lambda: socket.create_connection(("127.0.0.1", port), 5)),
    "signal": tried(lambda: os.kill(parent, 0)),
    "run": tried(lambda: os.execv("/bin/true", ["true"])),
    "import": tried(lambda: __import__("colorsys")),
    "held": held.read(),
}))
"""


def test_it_reads_its_own_modules_and_what_it_holds_and_nothing_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the house")
    with socket.create_server(("127.0.0.1", 0)) as server:
        arguments = [str(secret), str(server.getsockname()[1]), str(os.getpid())]
        command = [sys.executable, "-P", "-c", TRIES, *arguments]
        done = subprocess.run(command, env={"PYTHONPATH": str(PLUGINS)}, cwd="/", capture_output=True, check=True)
    said = json.loads(done.stdout)
    if not said.pop("shut"):
        pytest.skip("this kernel has no Landlock")
    assert said.pop("held") == "of the house"
    assert said.pop("import") == "done"
    if landlock.supported() < 4:
        del said["connect"]
    if landlock.supported() < 6:
        del said["signal"]
    assert set(said.values()) == {"refused"}, said
    assert secret.exists()
