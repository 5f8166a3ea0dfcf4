"""The settings say which store it is, and what is missing is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from readingroom.errors import SettingsError
from readingroom.objects import from_settings
from readingroom.settings import Settings

S3 = {"imaging_backend": "s3", "imaging_s3_bucket": "tess-imaging"}
KEYS = {"imaging_s3_access_key": "A", "imaging_s3_secret_key": "B"}


def chosen(folder: Path, **given: object) -> str:
    return from_settings(Settings.load(data=folder, **given)).name


def test_without_a_word_it_is_the_folder_in_the_data_folder(tmp_path: Path) -> None:
    store = from_settings(Settings.load(data=tmp_path))
    store.check()
    assert store.name == "nfs"
    assert (tmp_path / "imaging").is_dir()


def test_the_settings_choose(tmp_path: Path) -> None:
    assert chosen(tmp_path, **S3, **KEYS) == "s3"
    assert chosen(tmp_path, **S3) == "s3"
    assert chosen(tmp_path, imaging_nfs_base=tmp_path / "share") == "nfs"


def test_a_move_takes_the_other_one(tmp_path: Path) -> None:
    settings = Settings.load(data=tmp_path, imaging_s3_bucket="b", **KEYS)
    assert from_settings(settings, "s3").name == "s3"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"imaging_backend": "s3"}, "IMAGING_S3_BUCKET"),
        ({**S3, "imaging_s3_access_key": "A"}, "IMAGING_S3_SECRET_ACCESS_KEY"),
        ({**S3, "imaging_s3_secret_key": "B"}, "IMAGING_S3_ACCESS_KEY_ID"),
        ({**S3, **KEYS, "imaging_s3_endpoint": "minio:9000"}, "IMAGING_S3_ENDPOINT"),
        ({"imaging_backend": "ftp"}, "imaging_backend"),
    ],
)
def test_what_is_missing_or_wrong_is_named(tmp_path: Path, given: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        chosen(tmp_path, **given)


def test_a_folder_needs_no_boto3() -> None:
    script = "import sys, readingroom.objects; print('boto3' in sys.modules, 'botocore' in sys.modules)"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert run.stdout.strip() == "False False"
