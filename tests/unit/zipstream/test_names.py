"""Hostile and unlucky file names come out safe, different and always the same."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readingroom.zipstream import safe_name, safe_names

SAFE = {
    "": "unnamed",
    ".": "unnamed",
    "../..": "unnamed",
    "/etc/passwd": "etc/passwd",
    "//server/share/x": "server/share/x",
    "../../x.dcm": "x.dcm",
    "a/../b/./c": "a/b/c",
    "..\\..\\evil": ".._.._evil",
    "C:\\Windows\\x": "C__Windows_x",
    "C:/x": "C_/x",
    "nul": "_nul",
    "NUL.dcm": "_NUL.dcm",
    "sub/Con.tar.gz": "sub/_Con.tar.gz",
    "COM¹": "_COM¹",
    "lpt9 .txt": "_lpt9 .txt",
    "contrast/auxiliary.dcm": "contrast/auxiliary.dcm",
    "name. ": "name",
    "...": "_",
    "a\x00b\nc\x7f": "a_b_c_",
    "exe.\u202emcd": "exe._mcd",
    "bad\udce9byte": "bad_byte",
    'a<b>c"d|e?f*g': "a_b_c_d_e_f_g",
    "é/日本.dcm": "é/日本.dcm",
    "1.2.840.10008.5": "1.2.840.10008.5",
    ".hidden": ".hidden",
}


@pytest.mark.parametrize("raw", SAFE)
def test_a_name_is_made_safe(raw: str) -> None:
    assert safe_name(raw) == SAFE[raw]
    assert safe_names([raw]) == [SAFE[raw]]


@given(st.lists(st.text(alphabet=st.characters() | st.sampled_from("./\\: \nCONcon"), max_size=20), max_size=12))
def test_no_name_escapes_and_no_two_collide(raw: list[str]) -> None:
    names = safe_names(raw)
    assert len(names) == len(raw)
    assert names == safe_names(raw)
    assert len({unicodedata.normalize("NFC", name.casefold()) for name in names}) == len(names)
    for name in names:
        name.encode()
        parts = name.split("/")
        assert all(parts)
        assert not {".", ".."} & set(parts)
        assert not any(part[-1] in ". " for part in parts)
        assert all(c.isprintable() or unicodedata.category(c) in ("Zs", "Co", "Cn") for c in name)
        assert not PurePosixPath(name).is_absolute()
        windows = PureWindowsPath(name)
        assert not windows.is_absolute()
        assert not windows.drive


@given(st.lists(st.text(alphabet=st.sampled_from("ab./ \n:éCON1"), max_size=6), max_size=6))
def test_looking_at_all_names_at_once_gives_what_looking_at_each_gives(raw: list[str]) -> None:
    together = safe_names(raw)
    each = [safe_name(name) for name in raw]
    assert together == safe_names(each)


def test_a_name_never_collides_with_one_that_was_made_for_another() -> None:
    assert safe_names(["a.dcm", "A.dcm", "a (2).dcm", "a.DCM"]) == [
        "a.dcm",
        "A (3).dcm",
        "a (2).dcm",
        "a (4).DCM",
    ]


def test_names_that_differ_by_composition_alone_are_alike() -> None:
    composed, decomposed = "é.dcm", unicodedata.normalize("NFD", "é.dcm")
    assert safe_names([composed, decomposed]) == [composed, unicodedata.normalize("NFD", "é (2).dcm")]


def test_a_file_never_takes_the_name_of_a_folder() -> None:
    assert safe_names(["a", "A/b", "a (2)"]) == ["a (3)", "A/b", "a (2)"]


def test_a_long_name_is_cut_before_its_extension() -> None:
    name = safe_name("é" * 300 + ".dcm")
    assert len(name.encode()) == 254
    assert name.endswith("é.dcm")
    twice = safe_names(["x" * 300 + ".dcm"] * 2)
    assert [len(n) for n in twice] == [255, 255]
    assert twice[1].endswith(" (2).dcm")


def test_a_path_too_long_for_the_format_loses_its_outer_folders() -> None:
    name = safe_name("/".join(["folder" * 40] * 400) + "/last.dcm")
    assert len(name.encode()) <= 0xFFFF
    assert name.endswith("/last.dcm")
