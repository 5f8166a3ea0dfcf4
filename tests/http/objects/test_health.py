"""/health says what is wrong with the store, and stays up without it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from readingroom.app import build
from readingroom.clock import SystemClock
from readingroom.db import migrate, open_database
from readingroom.objects import NfsStore, ObjectStore
from readingroom.objects.s3 import Bucket, S3Store
from readingroom.settings import Settings

from tests.http.conftest import SilentPacs


def health(data: Path, objects: ObjectStore) -> tuple[int, dict[str, Any]]:
    settings = Settings.load(data=data)
    database = open_database(settings.database_url)
    migrate(database)
    room = build(settings, SilentPacs(), SystemClock(), database, objects)
    try:
        answer = room.app.test_client().get("/health")
        return answer.status_code, answer.get_json()
    finally:
        room.stop()


def test_a_store_that_is_well(tmp_path: Path, s3_bucket: Bucket) -> None:
    status, said = health(tmp_path, S3Store(s3_bucket))
    assert (status, said["ok"], said["backend"], said["storage"]) == (200, True, "s3", "ok")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"secret_key": "another"}, "The S3 server refuses the secret key; look at IMAGING_S3_SECRET_ACCESS_KEY"),
        ({"name": "not-there"}, "The bucket is not there; create it, or look at IMAGING_S3_BUCKET"),
        ({"endpoint": "http://127.0.0.1:9"}, "The S3 server does not answer; look at IMAGING_S3_ENDPOINT"),
    ],
)
def test_a_bucket_that_cannot_be_used(tmp_path: Path, s3_bucket: Bucket, wrong: dict[str, str], words: str) -> None:
    objects = S3Store(replace(s3_bucket, **wrong))  # type: ignore[arg-type]  # names of fields that are text
    status, said = health(tmp_path, objects)
    assert (status, said["ok"]) == (200, True)
    if said["storage"] != "The store of pictures does not answer":  # a refused connection is tried again for a while
        assert said["storage"] == words
    else:
        assert "endpoint" in wrong


def test_a_share_that_is_not_mounted(tmp_path: Path) -> None:
    status, said = health(tmp_path, NfsStore(tmp_path / "not-there"))
    assert status == 200
    assert said["storage"] == "The folder where pictures are stored is not there; is its share mounted?"
