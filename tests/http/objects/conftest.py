"""The stores that the contract is held to: a folder, and a bucket at each of two real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from readingroom.objects import NfsStore, ObjectStore
from readingroom.objects.s3 import S3Store

from tests.fixtures.s3 import S3Server


@pytest.fixture(params=["nfs", "moto", "rclone"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    """An empty store of each kind."""
    made: ObjectStore
    if request.param == "nfs":
        (tmp_path / "objects").mkdir()
        made = NfsStore(tmp_path / "objects")
    else:
        server: S3Server = request.getfixturevalue(f"s3_{request.param}")
        made = S3Store(server.new_bucket())
    yield made
    made.close()
