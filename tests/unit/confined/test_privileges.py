"""What a confined process may still do where it was started by root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from readingroom.confined import privileges

PLUGINS = Path(privileges.__file__).parents[2]

TRIES = """
import os, resource, signal
from readingroom.confined import landlock, privileges
print(privileges.drop())
print([line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapPrm", "CapEff", "CapInh"))])
resource.setrlimit(resource.RLIMIT_CPU, (5, resource.getrlimit(resource.RLIMIT_CPU)[1]))
for what in (lambda: os.setgroups([]), lambda: os.setuid(1), lambda: os.chroot("/")):
    try:
        what()
    except PermissionError:
        print("refused")
print(landlock.shut())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="who is no root has no privilege to lose")
def test_root_keeps_no_privilege_but_to_read_its_modules() -> None:
    command = [sys.executable, "-P", "-c", TRIES]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(PLUGINS)}, cwd="/", capture_output=True, text=True, check=True
    )
    dropped, sets, *refused, _ = done.stdout.split("\n")[:-1]
    assert dropped == "True"
    assert sets == "['0000000000000000', '0000000000000002', '0000000000000002']"
    assert refused == ["refused"] * 3
