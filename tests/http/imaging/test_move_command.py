"""`scripts/admin assets move`, as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from readingroom.admin_cli import app
from readingroom.db import migrate, open_database
from readingroom.objects import NfsStore
from readingroom.objects.s3 import Bucket, S3Store
from typer.testing import CliRunner

from tests.http.imaging.test_moving import Place, content, held, key, keys


class Operator:
    """An instance with three assets in its folder, and a bucket to move to."""

    def __init__(self, data: Path, bucket: Bucket) -> None:
        self.folder, self.bucket = NfsStore(data / "imaging", data), S3Store(bucket)
        self.folder.check()
        database = open_database(f"sqlite:///{data / 'readingroom.db'}")
        migrate(database)
        self.place = Place(database, self.folder, self.bucket, assets=3)
        self.environment = {
            "READINGROOM_DATA": str(data), "IMAGING_STORAGE_BACKEND": "nfs", "IMAGING_S3_BUCKET": bucket.name,
            "IMAGING_S3_ENDPOINT": bucket.endpoint, "IMAGING_S3_ACCESS_KEY_ID": bucket.access_key,
            "IMAGING_S3_SECRET_ACCESS_KEY": bucket.secret_key,
        }  # fmt: skip

    def types(self, *words: str, **environment: str) -> Result:
        return CliRunner().invoke(app, ["assets", "move", *words], env=self.environment | environment)


@pytest.fixture
def operator(tmp_path: Path, s3_bucket: Bucket) -> Operator:
    return Operator(tmp_path, s3_bucket)


def test_there_and_back_again(operator: Operator) -> None:
    before = keys(operator.folder)
    done = operator.types("--to", "s3")
    assert (done.exit_code, done.stdout) == (0, "3 assets: 3 moved to s3 (9 objects, 0.0 MB).\n")
    done = operator.types("--to", "s3", "--delete-source", IMAGING_STORAGE_BACKEND="s3")
    assert (done.exit_code, done.stdout) == (
        0,
        "3 assets: 0 moved to s3 (0 objects, 0.0 MB), 9 taken out of the old store.\n",
    )
    assert (keys(operator.folder), keys(operator.bucket)) == ([], before)
    done = operator.types("--to", "nfs", "--delete-source")
    assert done.exit_code == 0
    assert (keys(operator.folder), keys(operator.bucket)) == (before, [])
    assert operator.place.backends() == ["nfs"] * 3
    assert held(operator.folder, key(1)) == content(1)


def test_the_store_that_is_read_from_is_not_emptied(operator: Operator) -> None:
    done = operator.types("--to", "s3", "--delete-source")
    assert done.exit_code == 1
    assert "IMAGING_STORAGE_BACKEND is nfs" in done.stderr
    assert keys(operator.bucket) == []
    assert operator.types("--to", "s3", "--delete-source", "--dry-run").exit_code == 0


def test_a_dry_run_says_so(operator: Operator) -> None:
    done = operator.types("--to", "s3", "--dry-run")
    assert (done.exit_code, done.stdout) == (0, "3 assets: 3 would move to s3 (9 objects, 0.0 MB).\n")
    assert keys(operator.bucket) == []


def test_what_stays_is_told_and_is_a_failure(operator: Operator) -> None:
    operator.folder.delete(key(2))
    done = operator.types("--to", "s3")
    assert done.exit_code == 1
    assert f"STAYS\tasset 2\t{key(2)}\tits original is in neither store" in done.stdout
    told = json.loads(operator.types("--to", "s3", "--json").stdout)
    assert (told["total"], told["failed"]) == (1, 1)
    assert told["told"] == [{"asset": 2, "key": key(2), "why": "missing"}]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"IMAGING_S3_BUCKET": ""}, "IMAGING_S3_BUCKET is not set"),
        ({"IMAGING_S3_BUCKET": "not-there"}, "The bucket is not there"),
        ({"IMAGING_S3_SECRET_ACCESS_KEY": "wrong"}, "refuses the secret key"),
        ({"IMAGING_NFS_BASE_DIR": "/not/there"}, "is its share mounted"),
    ],
)
def test_what_is_wrong_with_a_store_is_one_sentence(operator: Operator, environment: dict[str, str], said: str) -> None:
    done = operator.types("--to", "s3", **environment)
    assert done.exit_code == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
