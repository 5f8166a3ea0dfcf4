"""Names that people give their files are shown cleaned, and say the truth about what is saved."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readingroom.imaging.file_names import MAX_NAME, saving_name, shown_name


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("bite.png", "bite.png"),
        ("Bißflügel rechts.png", "Bißflügel rechts.png"),
        ("u\u0308.png", "ü.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Bilder\\links.png", "links.png"),
        ("a/b/", ""),
        ("..", ""),
        ("", ""),
        (None, ""),
        ("gnp.\u202eexe.png", "gnp.exe.png"),
        ("a\x00b\r\nc.png", "abc.png"),
        ("  two \u00a0\u2003 words .png ", "two words .png"),
    ],
)
def test_a_name_is_its_last_part_without_what_is_not_seen(said: str | None, shown: str) -> None:
    assert shown_name(said) == shown


@given(st.text(max_size=400))
def test_no_name_holds_more_or_other_than_can_be_shown(said: str) -> None:
    shown = shown_name(said)
    assert len(shown) <= MAX_NAME and shown == shown.strip(" .")[:MAX_NAME]
    assert not {"/", "\\"} & set(shown)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown)


def test_a_long_name_keeps_its_ending() -> None:
    shown = shown_name("x" * 300 + ".jpeg")
    assert (len(shown), shown[-6:]) == (MAX_NAME, "x.jpeg")


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
