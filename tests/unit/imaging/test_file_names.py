"""Names that people give their files are no paths, are shown cleaned, and say the truth about what is saved."""

from __future__ import annotations

import ntpath
import posixpath
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readingroom.errors import BadFileName
from readingroom.imaging.file_names import MAX_BYTES, checked_name, saving_name

from tests.fixtures.file_names import BAD_NAMES, GOOD_NAMES


@pytest.mark.parametrize(
    ("said", "shown"),
    [(name, name) for name in GOOD_NAMES]
    + [
        ("u\u0308.png", "ü.png"),
        ("gnp.\u200fexe.png", "gnp.exe.png"),
        ("a\u200db\ufeff.png", "ab.png"),
        ("  two \u00a0\u2003 words .png ", "two words .png"),
        ("Bildschirmfoto 10.30.00\u202fAM.png", "Bildschirmfoto 10.30.00 AM.png"),
        (".hidden.png", "hidden.png"),
        ("x.png.", "x.png"),
    ],
)
def test_a_good_name_is_shown_without_what_is_not_seen(said: str, shown: str) -> None:
    assert checked_name(said) == shown


@pytest.mark.parametrize(("said", "word"), BAD_NAMES)
def test_a_name_that_is_none_is_refused_and_told_why(said: str, word: str) -> None:
    with pytest.raises(BadFileName) as refused:
        checked_name(said)
    assert word in refused.value.message
    assert refused.value.code == "bad_file_name"


@pytest.mark.parametrize(("letter", "most"), [("x", 251), ("ü", 125), ("口", 83), ("😀", 62)])
def test_a_name_is_as_long_as_a_file_system_takes(letter: str, most: int) -> None:
    longest = letter * most + ".png"
    assert checked_name(longest) == longest
    assert len(longest.encode()) <= MAX_BYTES < len((letter + longest).encode())
    with pytest.raises(BadFileName, match="255 bytes"):
        checked_name(letter + longest)


TRICKS = st.lists(
    st.one_of(
        st.sampled_from(["/", "\\", "..", ".", ":", "C", "%", "2f", "5C", "25", "00", " ", "\0", "\u202e"]),
        st.sampled_from(["%2e", "%252F", "%c0%af", "\u2066", "x.png", "\u200b", "\ud800", "\u2028", "／", "~"]),
        st.characters(),
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(st.one_of(TRICKS, st.text(max_size=400)))
def test_what_is_not_refused_is_one_name_anywhere(said: str) -> None:
    """On POSIX and on Windows, as it is shown and however often its percent signs are read."""
    try:
        shown = checked_name(said)
    except BadFileName:
        return
    assert shown and shown == shown.strip(" .") == checked_name(shown)
    assert len(shown.encode()) <= MAX_BYTES
    for _ in range(3):
        assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in shown)
        assert not set(shown) & set("/\\\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
        assert posixpath.basename(posixpath.normpath(shown)) == shown
        assert ntpath.splitdrive(shown)[0] == "" and ntpath.basename(shown) == shown
        shown = unquote(shown).strip(" .")
        assert shown not in ("", ".", "..")


@pytest.mark.parametrize(
    ("name", "mime", "saved"),
    [
        ("bite.png", "image/png", "bite.png"),
        ("bite.PNG", "image/png", "bite.PNG"),
        ("photo.jpeg", "image/jpeg", "photo.jpeg"),
        ("scan.tiff", "image/tiff", "scan.tiff"),
        ("page.html", "image/png", "page.html.png"),
        ("setup.exe", "application/pdf", "setup.exe.pdf"),
        ("no ending", "image/heic", "no ending.heic"),
        ("", "image/webp", "9001.webp"),
    ],
)
def test_what_is_saved_has_the_ending_of_what_it_is(name: str, mime: str, saved: str) -> None:
    assert saving_name(name, 9001, mime) == saved
