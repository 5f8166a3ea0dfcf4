"""Addresses of sources: read as people type them, shown without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from readingroom.errors import BadRequest
from readingroom.sources.location import parse_location


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("/data/bestof", "/data/bestof"),
        ("/data/a b#c?d", "/data/a b#c?d"),
        ("file:///data/best%20of", "/data/best of"),
        ("sftp://bob@nas.example/data/bestof", "sftp://bob@nas.example/data/bestof"),
        ("SFTP://nas.example:22/", "sftp://nas.example/"),
        ("sftp://bob@nas.example:2222/a b/#1?/", "sftp://bob@nas.example:2222/a%20b/%231%3F"),
        ("sftp://bob@nas.example/~/cases", "sftp://bob@nas.example/~/cases"),
        ("sftp://bob@[2001:db8::1]:2222/x", "sftp://bob@[2001:db8::1]:2222/x"),
        ("smb://bob@nas/share", "smb://bob@nas/share"),
        ("smb://CLINIC;bob@nas/share/a/b", "smb://CLINIC;bob@nas/share/a/b"),
        ("\\\\nas\\share\\a b", "smb://nas/share/a%20b"),
        ("//not-a-share", "//not-a-share"),
    ],
)
def test_an_address_is_read_and_written(text: str, url: str) -> None:
    place = parse_location(text)
    assert place.url == url
    assert parse_location(place.url).url == url


def test_parts_are_taken_apart() -> None:
    place = parse_location("smb://CLINIC;b%40b@nas:4450/Best%20of/MRI/0001")
    assert (place.domain, place.user, place.host, place.port) == ("CLINIC", "b@b", "nas", 4450)
    assert (place.share, place.path) == ("Best of", "MRI/0001")
    assert parse_location("sftp://nas/data").path == "/data"
    assert parse_location("sftp://nas/~/data").path == "~/data"
    assert parse_location("sftp://nas/~bob").path == "/~bob"


def test_a_folder_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_location("cases").path == str(tmp_path / "cases")


def test_a_password_in_the_address_is_kept_apart() -> None:
    place = parse_location("sftp://bob:s%65cret@nas/data")
    assert place.password == "secret"
    assert "secret" not in f"{place.url} {place!r} {place}"


@pytest.mark.parametrize(
    "text",
    ["", "   ", "ftp://nas/x", "sftp:///x", "sftp://nas:port/x", "sftp://nas:99999/x", "smb://nas", "smb://nas/",
     "sftp://nas/a/../../b", "~nobody-of-that-name/x", "/a\0b", "file:///a%00b", "sftp://nas/a%00b", "smb://nas/s/a%00b"],
)  # fmt: skip
def test_an_address_that_makes_no_sense_says_why(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_location(text)
    assert caught.value.message


def test_an_error_never_repeats_the_password() -> None:
    for text in ("sftp://bob:hush-hush@:22/x", "ftp://bob:hush-hush@nas/x", "smb://bob:hush-hush@nas"):
        with pytest.raises(BadRequest) as caught:
            parse_location(text)
        assert "hush-hush" not in caught.value.message
