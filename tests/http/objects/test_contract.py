"""One contract, held to every store: what is said in store.py is what happens."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from readingroom.errors import BadKey, ObjectExists, ObjectIncomplete, ObjectNotFound
from readingroom.objects import ObjectStore, original_key, thumb_key, web_key

MOMENT = datetime(2026, 2, 9, 15, 30, 12, tzinfo=UTC)
KEY = original_key(12, 345, 78, 9001, MOMENT, "png")
MB = 1 << 20


@cache
def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def pieces(data: bytes, size: int = 70_001) -> Iterator[bytes]:
    """As a gateway gives them: of no round size."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def held(store: ObjectStore, key: str) -> bytes:
    with store.open(key) as blob:
        return b"".join(blob.read_range())


@pytest.mark.parametrize("size", [0, 1, 70_001, 5 * MB, 8 * MB, 8 * MB + 1, 20 * MB + 7])
def test_what_is_put_is_what_is_read(store: ObjectStore, size: int) -> None:
    data = noise(size)
    before = datetime.now(UTC) - timedelta(seconds=5)
    put = store.put(KEY, pieces(data), expected_size=size, content_type="image/png")
    assert (put.size, put.sha256) == (size, hashlib.sha256(data).hexdigest())
    with store.open(KEY) as blob:
        assert b"".join(blob.read_range()) == data
        assert (blob.size, blob.etag, blob.content_type) == (size, put.etag, "image/png")
    stat = store.stat(KEY)
    assert stat is not None
    assert (stat.key, stat.size, stat.etag) == (KEY, size, put.etag)
    assert before < stat.modified < datetime.now(UTC) + timedelta(seconds=5)


def test_any_range_of_it_is_read(store: ObjectStore) -> None:
    data = noise(3 * MB)
    store.put(KEY, pieces(data))
    with store.open(KEY) as blob:
        for start, stop in [(0, 1), (0, 0), (len(data) - 1, None), (len(data), None), (1, 2 * MB + 5), (7, 8)]:
            got = list(blob.read_range(start, stop))
            assert b"".join(got) == data[start:stop]
            assert all(0 < len(piece) <= MB for piece in got)
        for start, stop in [(-1, None), (5, 4), (0, len(data) + 1), (len(data) + 1, None)]:
            with pytest.raises(ValueError, match="no range"):
                blob.read_range(start, stop)


def test_a_range_that_nobody_reads_to_its_end_holds_nothing_up(store: ObjectStore) -> None:
    store.put(KEY, pieces(noise(4 * MB)))
    for _ in range(20):
        with store.open(KEY) as blob:
            next(blob.read_range())
    assert held(store, KEY) == noise(4 * MB)


def test_what_is_not_there_is_said_so(store: ObjectStore) -> None:
    assert store.stat(KEY) is None
    with pytest.raises(ObjectNotFound), store.open(KEY):
        pass
    store.delete(KEY)
    assert list(store.walk()) == []


def test_what_is_deleted_is_gone_and_may_be_deleted_again(store: ObjectStore) -> None:
    store.put(KEY, [b"one"])
    store.delete(KEY)
    store.delete(KEY)
    assert store.stat(KEY) is None
    store.put(KEY, [b"two"])
    assert held(store, KEY) == b"two"


@pytest.mark.parametrize("size", [3, 9 * MB])
def test_the_same_bytes_may_be_put_again(store: ObjectStore, size: int) -> None:
    first = store.put(KEY, pieces(noise(size)))
    assert store.put(KEY, pieces(noise(size), 1 << 16)) == first


@pytest.mark.parametrize("size", [3, 9 * MB])
def test_other_bytes_never_take_the_place_of_what_is_there(store: ObjectStore, size: int) -> None:
    store.put(KEY, pieces(noise(size, 1)))
    for other in (noise(size, 2), noise(size, 1)[:-1], noise(size, 1) + b"x"):
        with pytest.raises(ObjectExists):
            store.put(KEY, pieces(other))
    assert held(store, KEY) == noise(size, 1)


@pytest.mark.parametrize("size", [10, 9 * MB])
def test_of_two_that_write_one_key_the_first_to_end_stays(store: ObjectStore, size: int) -> None:
    def slow() -> Iterator[bytes]:
        yield from pieces(noise(size, 2)[:-1])
        store.put(KEY, pieces(noise(size, 1)))
        yield noise(size, 2)[-1:]

    with pytest.raises(ObjectExists):
        store.put(KEY, slow())
    assert held(store, KEY) == noise(size, 1)
    store.delete(KEY)
    assert_nothing_is_left(store)


@pytest.mark.parametrize("size", [10, 9 * MB])
@pytest.mark.parametrize("off", [-1, 1])
def test_what_is_not_as_long_as_announced_is_not_kept(store: ObjectStore, size: int, off: int) -> None:
    with pytest.raises(ObjectIncomplete):
        store.put(KEY, pieces(noise(size)), expected_size=size + off)
    assert_nothing_is_left(store)


@pytest.mark.parametrize("size", [10, 9 * MB])
def test_what_has_another_hash_than_announced_is_not_kept(store: ObjectStore, size: int) -> None:
    digest = hashlib.sha256(noise(size)).hexdigest()
    with pytest.raises(ObjectIncomplete):
        store.put(KEY, pieces(noise(size, 2)), expected_sha256=digest)
    assert_nothing_is_left(store)
    assert store.put(KEY, pieces(noise(size)), expected_sha256=digest.upper()).sha256 == digest


@pytest.mark.parametrize("size", [10, 9 * MB])
def test_a_sender_who_breaks_off_leaves_nothing_and_keeps_his_error(store: ObjectStore, size: int) -> None:
    def broken() -> Iterator[bytes]:
        yield from pieces(noise(size))
        raise ConnectionResetError("the browser went away")

    with pytest.raises(ConnectionResetError, match="the browser went away"):
        store.put(KEY, broken())
    assert_nothing_is_left(store)


def test_keys_are_listed_in_their_order_below_any_folder(store: ObjectStore) -> None:
    keys = [original_key(12, 345, study, 1, MOMENT, "png") for study in (7, 70, 8)]
    keys += [thumb_key(12, 345, 7, 1), web_key(12, 345, 7, 1), thumb_key(12, 34, 7, 1), thumb_key(1, 345, 7, 1)]
    for key in keys:
        store.put(key, [key.encode()])
    assert [stat.key for stat in store.walk()] == sorted(keys)
    assert [stat.size for stat in store.walk()] == [len(key) for key in sorted(keys)]
    below = "clinic_12/patients/345/studies/7"
    assert [stat.key for stat in store.walk(below)] == sorted(key for key in keys if key.startswith(below + "/"))
    assert list(store.walk(below + "/")) == list(store.walk(below))
    assert [stat.key for stat in store.walk("clinic_1")] == [thumb_key(1, 345, 7, 1)]
    assert list(store.walk("clinic_2")) == []


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "../x", "clinic_1/x", KEY + "/", "/" + KEY, KEY.replace("originals", "others"),
     KEY.replace("9001", "../9001"), KEY.replace("9001", "a/b"), KEY.replace("12", "1 2", 1), KEY + "\n",
     KEY.replace("9001", "é"), KEY.replace("9001", "a..b"), KEY.replace("9001", ".a"), KEY.replace("9001", "9" * 600),
     KEY.replace("345", "٣٤٥"), KEY.replace("9001", "a\0b"), KEY.replace("/", "\\")],
)  # fmt: skip
def test_a_name_that_is_no_key_reaches_no_store(store: ObjectStore, key: str) -> None:
    with pytest.raises(BadKey):
        store.put(key, [b"x"])
    with pytest.raises(BadKey), store.open(key):
        pass
    with pytest.raises(BadKey):
        store.stat(key)
    with pytest.raises(BadKey):
        store.delete(key)
    assert_nothing_is_left(store)


@pytest.mark.parametrize("prefix", ["..", "/", "clinic_", "clinic_1/..", "clinic_1//patients", KEY, "x"])
def test_no_listing_leaves_the_store(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(BadKey):
        list(store.walk(prefix))


def test_a_store_that_is_well_says_nothing(store: ObjectStore) -> None:
    store.check()
    assert_nothing_is_left(store)


def assert_nothing_is_left(store: ObjectStore) -> None:
    assert list(store.walk()) == []
    assert store.sweep_unfinished(datetime.now(UTC) + timedelta(minutes=5)) == 0
