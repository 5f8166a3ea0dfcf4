"""Orthanc, in the version that is installed, knows every option we set: an unknown one it ignores without a word."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.fixtures.gateway import render_module

OF_PLUGINS = {"DicomWeb", "Python", "PythonScript", "PythonVerbose"}
SINCE_1_12_11 = {"HttpBindAddresses"}
"""Before, RemoteAccessAllowed alone keeps others out; it is set as well."""


def test_every_option_is_one_that_this_orthanc_knows(tmp_path: Path) -> None:
    values = {"gateway_secret": "s", "web_root": "/w", "plugin_script": "/p.py", "data": str(tmp_path), "gdcm": True}
    render_module().render(values, tmp_path / "run")
    ours = set(json.loads((tmp_path / "run" / "orthanc.json").read_text()))
    asks = subprocess.run(["Orthanc", "--help"], capture_output=True, text=True, check=False).stdout
    known: set[str] = set()
    for option in ("--config", "--advanced-config"):  # two files since 1.13, all in the first before
        if option in asks:
            sample = tmp_path / "sample.json"
            subprocess.run(["Orthanc", f"{option}={sample}"], capture_output=True, check=True, timeout=20)
            known |= set(re.findall(r'"(\w+)"\s*:', sample.read_text()))
    assert ours - known - OF_PLUGINS - SINCE_1_12_11 == set()
