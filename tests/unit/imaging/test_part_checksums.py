"""Checksums of a part, in both ways of saying them."""

from __future__ import annotations

import base64
import hashlib

import pytest
from readingroom.errors import BadRequest, ChunkDamaged
from readingroom.imaging.part_checksums import check

DATA = b"a part of a picture"


def digest(algorithm: str, data: bytes = DATA) -> str:
    return base64.b64encode(hashlib.new(algorithm, data).digest()).decode()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Chunk-SHA256": hashlib.sha256(DATA).hexdigest()},
        {"X-Chunk-SHA256": hashlib.sha256(DATA).hexdigest().upper()},
        {"Content-Digest": f"sha-256=:{digest('sha256')}:"},
        {"Content-Digest": f"sha-512=:{digest('sha512')}:, sha-256=:{digest('sha256')}:"},
        {"Content-Digest": f"md5=:{digest('md5', b'other')}:"},  # not to be used any more: left aside
    ],
)
def test_right_ones_and_none_are_taken(headers: dict[str, str]) -> None:
    check(headers, DATA)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Chunk-SHA256": hashlib.sha256(b"other").hexdigest()},
        {"Content-Digest": f"sha-256=:{digest('sha256', b'other')}:"},
        {"Content-Digest": f"sha-256=:{digest('sha256')}:, sha-512=:{digest('sha512', b'other')}:"},
        {"Content-Digest": "sha-256=::"},
    ],
)
def test_wrong_ones_are_not(headers: dict[str, str]) -> None:
    with pytest.raises(ChunkDamaged):
        check(headers, DATA)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Chunk-SHA256": "abc"},
        {"X-Chunk-SHA256": ""},
        {"Content-Digest": ""},
        {"Content-Digest": "sha-256=abc"},
        {"Content-Digest": "sha-256=:a:"},
    ],
)
def test_what_says_no_checksum_is_refused_as_such(headers: dict[str, str]) -> None:
    with pytest.raises(BadRequest) as refused:
        check(headers, DATA)
    assert not isinstance(refused.value, ChunkDamaged)


def test_an_algorithm_that_is_named_often_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong, right = digest("sha256", b"other"), digest("sha256")
    header = ", ".join(f"sha-256=:{each}:" for each in [wrong] + 250 * [right])  # the last one counts
    asked: list[str] = []
    new = hashlib.new
    monkeypatch.setattr(hashlib, "new", lambda name, data: (asked.append(name), new(name, data))[1])
    check({"Content-Digest": header}, DATA)
    assert asked == ["sha256"]
