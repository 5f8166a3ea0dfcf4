"""What the tests of the NAS index share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.nas import Nas


@pytest.fixture(params=["sqlite", "postgresql"])
def nas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Nas]:
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else ""
    made = Nas(tmp_path, url)
    yield made
    made.room.stop()
