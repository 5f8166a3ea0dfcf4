"""Files whose times are beyond what a table can hold: a clock that was wrong costs nobody an index."""

from __future__ import annotations

import os

import pytest

from tests.fixtures.nas import Nas
from tests.fixtures.nas_trees import make_tree

FAR = 13_569_465_600 * 1_000_000_000
"""The year 2400: more nanoseconds since 1970 than 63 bits count."""


def test_a_file_from_the_year_2400_is_indexed_like_any_other(nas: Nas) -> None:
    make_tree(nas.root, 20, 10, junk_of=1000)
    files = sorted(nas.root.rglob("IM*.dcm"))
    os.utime(files[3], ns=(FAR, FAR))
    (nas.root / "broken.dcm").write_bytes(b"no DICOM")
    os.utime(nas.root / "broken.dcm", ns=(FAR, FAR))
    if files[3].stat().st_mtime_ns != FAR:
        pytest.skip("the file system here ends before the year 2400; then it has no such files either")
    status = nas.indexed()
    assert status["added"] == 20
    assert "broken.dcm" in [each["file_path"] for each in status["recent_errors"]]
    again = nas.indexed()
    assert (again["unchanged"], again["added"], again["changed"]) == (again["enumerated_files"], 0, 0)
