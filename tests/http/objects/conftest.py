"""The stores that the contract is held to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from readingroom.objects import NfsStore, ObjectStore


@pytest.fixture(params=["nfs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    """An empty store of each kind."""
    (tmp_path / "objects").mkdir()
    made = NfsStore(tmp_path / "objects")
    yield made
    made.close()
