"""The bucket as a store, where S3 has ways of its own: refusals, lost lines, uploads in parts that nobody ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.auth
import pytest
from readingroom.errors import StorageRefused, StorageUnavailable, StoredFileBroken
from readingroom.objects import original_key, s3, s3_reading, thumb_key
from readingroom.objects.s3 import PART, Bucket, S3Store

from tests.fixtures.lossy_line import LossyLine
from tests.fixtures.s3 import S3Server, client_of, over

KEY = original_key(12, 345, 78, 9001, datetime(2026, 2, 9, tzinfo=UTC), "png")
OTHER = thumb_key(12, 345, 78, 9001)
MB = 1 << 20


@pytest.fixture
def line(s3_rclone: S3Server) -> Iterator[LossyLine]:
    """A line to the server that can be cut."""
    with LossyLine(s3_rclone.host, s3_rclone.port) as line:
        yield line


@pytest.fixture
def far(s3_bucket: Bucket, line: LossyLine) -> S3Store:
    """The bucket at the end of that line."""
    return S3Store(over(s3_bucket, line.port))


def verbs(store: S3Store) -> list[Callable[[], object]]:
    return [
        store.check,
        lambda: store.stat(KEY),
        lambda: store.open(KEY).__enter__(),
        lambda: store.put(KEY, [b"x"]),
        lambda: store.put(KEY, [b"x" * PART, b"x"]),
        lambda: store.delete(KEY),
        lambda: list(store.walk()),
        lambda: store.sweep_unfinished(datetime.now(UTC)),
    ]


def unfinished(bucket: Bucket) -> list[str]:
    client = client_of(bucket)
    try:
        return [upload["Key"] for upload in client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", [])]
    except client.exceptions.NoSuchUpload:  # rclone's word for "none at all"
        return []


# Refusals


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"secret_key": "another"}, "IMAGING_S3_SECRET_ACCESS_KEY"),
        ({"access_key": "NOBODY"}, "IMAGING_S3_ACCESS_KEY_ID"),
        ({"name": "not-there-at-all"}, "IMAGING_S3_BUCKET"),
    ],
)
def test_every_verb_says_what_is_wrong_with_the_settings(s3_bucket: Bucket, wrong: dict[str, Any], named: str) -> None:
    for ask in verbs(S3Store(replace(s3_bucket, **wrong))):
        with pytest.raises(StorageRefused, match=named) as caught:
            ask()
        assert int(caught.value.headers["Retry-After"]) > 0
        for secret in (s3_bucket.secret_key, s3_bucket.name, "another", "not-there-at-all"):
            assert secret not in caught.value.message


def test_a_clock_that_is_wrong_is_named(s3_bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    store = S3Store(s3_bucket)
    now = botocore.auth.get_current_datetime
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *given, **named: now(*given, **named) + timedelta(hours=2)
    )
    for ask in verbs(store):
        with pytest.raises(StorageRefused, match="clock"):
            ask()


def test_keys_stand_in_no_representation(s3_bucket: Bucket) -> None:
    assert s3_bucket.secret_key not in repr(s3_bucket)
    assert s3_bucket.access_key not in repr(s3_bucket)


# Lines


def test_a_server_that_is_not_there_is_unavailable(s3_bucket: Bucket, line: LossyLine) -> None:
    line.go_down()
    for ask in verbs(S3Store(over(s3_bucket, line.port)))[:3]:
        with pytest.raises(StorageUnavailable, match="does not answer") as caught:
            ask()
        assert not isinstance(caught.value, StorageRefused)


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(
    s3_bucket: Bucket, line: LossyLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "READ_SECONDS", 0.5)
    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    store = S3Store(over(s3_bucket, line.port))
    line.stall()
    with pytest.raises(StorageUnavailable, match="does not answer"):
        store.check()


def test_a_read_is_taken_up_where_its_line_broke(far: S3Store, line: LossyLine) -> None:
    data = os.urandom(6 * MB)
    far.put(KEY, [data])
    with far.open(KEY) as blob:
        line.cut_after(2 * MB)
        assert b"".join(blob.read_range(5)) == data[5:]
    assert line.connections > 1


def test_a_read_whose_line_stays_away_ends_in_our_words(
    far: S3Store, line: LossyLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_reading, "TRIES", 1)
    far.put(KEY, [os.urandom(6 * MB)])
    with far.open(KEY) as blob:
        pieces = blob.read_range()
        next(pieces)
        line.go_down()
        with pytest.raises(StorageUnavailable):
            list(pieces)


def test_a_part_whose_line_broke_is_sent_again(far: S3Store, line: LossyLine, s3_bucket: Bucket) -> None:
    data = os.urandom(PART + 3 * MB)

    def chunks() -> Iterator[bytes]:
        yield data[: PART - 1]
        line.cut()
        yield data[PART - 1 : PART + MB]
        line.cut()
        yield data[PART + MB :]

    far.put(KEY, chunks(), expected_size=len(data))
    with far.open(KEY) as blob:
        assert b"".join(blob.read_range()) == data
    assert unfinished(s3_bucket) == []


def test_a_put_whose_server_goes_away_stores_nothing_and_its_parts_are_swept(
    far: S3Store, line: LossyLine, s3_bucket: Bucket
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x" * PART
        yield b"x"
        line.go_down()
        yield b"x" * PART

    with pytest.raises(StorageUnavailable, match="does not answer"):
        far.put(KEY, chunks())
    line.come_back()
    assert far.stat(KEY) is None
    assert unfinished(s3_bucket) == [KEY]
    assert far.sweep_unfinished(datetime.now(UTC) - timedelta(minutes=5)) == 0
    assert far.sweep_unfinished(datetime.now(UTC) + timedelta(minutes=5)) == 1
    assert unfinished(s3_bucket) == []


# Uploads in parts


def test_what_a_killed_writer_left_is_swept(s3_bucket: Bucket) -> None:
    script = (
        "import os, signal\n"
        "from readingroom.objects.s3 import Bucket, PART, S3Store\n"
        "def chunks():\n"
        "    yield b'x' * (PART + 1)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"b = Bucket({s3_bucket.name!r}, 'us-east-1', {s3_bucket.endpoint!r}, {s3_bucket.access_key!r},"
        f" {s3_bucket.secret_key!r})\n"
        f"S3Store(b).put({KEY!r}, chunks())\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert killed.returncode == -9
    store = S3Store(s3_bucket)
    assert store.stat(KEY) is None
    assert list(store.walk()) == []
    assert store.sweep_unfinished(datetime.now(UTC) + timedelta(minutes=5)) == 1
    assert unfinished(s3_bucket) == []


def test_uploads_of_others_in_the_bucket_are_left_alone(s3_bucket: Bucket) -> None:
    client_of(s3_bucket).create_multipart_upload(Bucket=s3_bucket.name, Key="backup/of/something.tar")
    client_of(s3_bucket).put_object(Bucket=s3_bucket.name, Key="backup/list.txt", Body=b"x")
    store = S3Store(s3_bucket)
    assert store.sweep_unfinished(datetime.now(UTC) + timedelta(minutes=5)) == 0
    assert unfinished(s3_bucket) == ["backup/of/something.tar"]
    assert list(store.walk()) == []


def test_a_put_whose_last_answer_was_lost_is_a_put(s3_bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    store = S3Store(s3_bucket)
    complete = client_of_store(store).complete_multipart_upload

    def twice(**given: Any) -> Any:
        complete(**given)
        return complete(**given)

    monkeypatch.setattr(client_of_store(store), "complete_multipart_upload", twice)
    data = os.urandom(PART + 1)
    assert store.put(KEY, [data]).size == len(data)


def test_a_put_holds_one_part_in_memory(s3_bucket: Bucket) -> None:
    script = (
        "import resource\n"
        "from readingroom.objects.s3 import Bucket, S3Store\n"
        f"b = Bucket({s3_bucket.name!r}, 'us-east-1', {s3_bucket.endpoint!r}, {s3_bucket.access_key!r},"
        f" {s3_bucket.secret_key!r})\n"
        "store = S3Store(b)\n"
        f"store.put({OTHER!r}, [b'x'])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"store.put({KEY!r}, (bytes(1 << 18) for _ in range(320)))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert int(run.stdout) < 16 * 1024  # KB


# Reading


def test_the_content_type_is_kept(s3_bucket: Bucket) -> None:
    store = S3Store(s3_bucket)
    for size, key in ((1, KEY), (PART + 1, OTHER)):
        store.put(key, [b"x" * size], content_type="image/x-of-its-own")
        with store.open(key) as blob:
            assert blob.content_type == "image/x-of-its-own"


def test_an_object_that_was_replaced_is_not_read_on(s3_moto: S3Server, s3_rclone: S3Server) -> None:
    for server in (s3_moto, s3_rclone):  # one heeds If-Match, one does not
        bucket = server.new_bucket()
        store = S3Store(bucket)
        store.put(KEY, [b"x" * MB])
        with store.open(KEY) as blob:
            client_of(bucket).put_object(Bucket=bucket.name, Key=KEY, Body=b"y" * MB)
            with pytest.raises(StoredFileBroken):
                list(blob.read_range())


def test_a_listing_goes_on_from_page_to_page(s3_moto: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PAGE", 3)
    store = S3Store(s3_moto.new_bucket())
    keys = [thumb_key(1, 2, 3, number) for number in range(1, 9)]
    for key in keys:
        store.put(key, [b"x"])
    assert [stat.key for stat in store.walk()] == sorted(keys)


def client_of_store(store: S3Store) -> Any:
    return store._client
