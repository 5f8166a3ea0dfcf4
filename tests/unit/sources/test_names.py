"""Paths stay inside, and every name can be shown and told apart."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as some
from readingroom.errors import SourceNotFound
from readingroom.sources.names import from_printable, inside, is_plain, join, printable

any_text = some.text(some.characters(exclude_categories=()), max_size=40)


@pytest.mark.parametrize(
    ("given_path", "path"),
    [("", ""), ("a", "a"), ("a//b/./c/", "a/b/c"), ("./a", "a"), ("a.b/..c/...", "a.b/..c/...")],
)
def test_a_path_has_one_spelling(given_path: str, path: str) -> None:
    assert inside(given_path) == path


@pytest.mark.parametrize("path", ["..", "../a", "a/../b", "a/..", "/a", "/", "a\0b"])
def test_a_path_that_climbs_is_not_found(path: str) -> None:
    with pytest.raises(SourceNotFound):
        inside(path)


@given(any_text)
def test_printable_text_can_be_stored_anywhere_and_leads_back(path: str) -> None:
    text = printable(path)
    text.encode()  # no surrogate is left
    assert text.isprintable() or all(ord(c) > 0xFFFF for c in text if not c.isprintable())
    assert from_printable(text) == path


@pytest.mark.parametrize("text", ["\\x00", "\\x2f", "\\x7f", "\\x8", "\\xG0", "\\u12", "\\"])
def test_what_printable_never_writes_stays_as_it_is(text: str) -> None:
    assert from_printable(text) == text
    assert from_printable("\\x80\\xff") == "\udc80\udcff"


@given(any_text)
def test_the_path_of_any_text_can_be_named_to_the_system(text: str) -> None:
    plain = "".join(character for character in text if not 0xD800 <= ord(character) < 0xE000)
    if "\\u" not in plain:
        os.fsencode(from_printable(plain))


@given(any_text, any_text)
def test_two_paths_never_look_the_same(one: str, other: str) -> None:
    assert (printable(one) == printable(other)) == (one == other)


def test_what_people_see_is_plain() -> None:
    assert printable("Müller/IM 1.dcm") == "Müller/IM 1.dcm"
    assert printable("M\udcfcller") == "M\\xfcller"
    assert printable("a\nb\x1b[31m") == "a\\u000ab\\u001b[31m"
    assert printable("a\\b") == "a\\\\b"


def test_a_servers_name_for_an_entry_is_one_name() -> None:
    assert is_plain("..a")
    for name in ("", ".", "..", "a/b", "../etc/passwd", "a\0"):
        assert not is_plain(name)
    assert join("", "a") == "a"
    assert join("a", "b") == "a/b"
