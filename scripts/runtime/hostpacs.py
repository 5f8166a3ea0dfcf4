"""Whether this machine's own Orthanc and nginx will do, where no sandbox works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.runtime import host, roots

FLOOR = (1, 12, 7)
"""The oldest Orthanc that the plugin is tested with."""

PYTHON_FLOOR = (3, 13)
PLUGIN_FOLDERS = (Path("/usr/share/orthanc/plugins"), Path("/usr/lib/orthanc"))


def missing() -> str:
    """What this machine lacks, in words; empty when its own programs will do. Installs them where it can."""
    lacking = _lacking()
    if lacking and host.is_root():
        host.apt_install(*(each for each in roots.packages("trixie", "serve")))
        lacking = _lacking()
    return lacking


def _lacking() -> str:
    orthanc = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin")
    if not orthanc:
        return "Orthanc is not installed"
    said = subprocess.run([orthanc, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    if not found or tuple(int(part) for part in found.groups()) < FLOOR:
        return f"Orthanc {found.group(0) if found else '?'} is older than {'.'.join(map(str, FLOOR))}"
    if not any(folder.glob("libOrthancPython.so*") for folder in PLUGIN_FOLDERS if folder.is_dir()):
        return "Orthanc's Python plugin is not installed"
    if not shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"):
        return "nginx is not installed"
    if sys.version_info < PYTHON_FLOOR:
        return (
            f"Python {sys.version_info.major}.{sys.version_info.minor} is older than {'.'.join(map(str, PYTHON_FLOOR))}"
        )
    return ""
