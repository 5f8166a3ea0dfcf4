"""Lists of files as PowerShell, robocopy, find and people write them; robocopy's lines follow what it prints."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from readingroom.errors import SettingsError, SourceNotFound
from readingroom.nas_index.list_walk import ListWalk
from readingroom.nas_index.lists import Unlisted, parse_line, read_list
from readingroom.nas_index.path_map import PathMap, parse_path_map

FIRST = r"\\nas\images\2024\Müller, Jörg\IM 1.dcm"
SECOND = r"\\nas\images\2024\山田\IM2"
LINES = [FIRST, SECOND]

DEFAULT_ROBOCOPY = "\r\n".join(
    [
        "",
        "\t  New Dir          2\t\\\\nas\\images\\2024\\",
        f"\t    New File  \t\t  526542\t{FIRST}",
        f"  0%\r 50%\r100%\r\t    New File  \t\t   1.2 m\t{SECOND}",
        "100%  ",
        "\t  New Dir          0\t\\\\nas\\images\\empty\\",
        "\t*EXTRA File \t\t     512\tC:\\Temp\\readingroom-empty\\left.dcm",
        "2025/09/18 10:21:33 ERROR 5 (0x00000005) Accessing Source Directory \\\\nas\\images\\private\\",
        "Access is denied.",
        "",
    ]
)
OURS_ROBOCOPY = "\r\n".join([f"\t\t\t  526542\t{FIRST}", f"\t\t\t 1258291\t{SECOND}", ""])
WITH_HEADER = "\r\n".join(
    [
        "-------------------------------------------------------------------------------",
        "   ROBOCOPY     ::     Robust File Copy for Windows                              ",
        "-------------------------------------------------------------------------------",
        "",
        "  Started : Thursday, 18 September 2025 10:20:11",
        "   Source : \\\\nas\\images\\",
        "     Dest : C:\\Temp\\nowhere\\",
        "    Files : *.*",
        "  Options : *.* /FP /L /S /DCOPY:DA /COPY:DAT /R:1 /W:1 ",
        "------------------------------------------------------------------------------",
        f"\t    New File  \t\t  526542\t{FIRST}",
        "------------------------------------------------------------------------------",
        "               Total    Copied   Skipped  Mismatch    FAILED    Extras",
        "    Dirs :         1         1         0         0         0         0",
        "   Bytes :   514.2 k   514.2 k         0         0         0         0",
        "   Ended : Thursday, 18 September 2025 10:20:12",
    ]
)


def written(folder: Path, data: bytes) -> Path:
    place = folder / "nas_dicom_files.txt"
    place.write_bytes(data)
    return place


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
    ],
)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("last", [True, False])
def test_every_encoding_and_line_end_gives_the_same_paths(
    tmp_path: Path, encoding: str, mark: bytes, end: str, last: bool
) -> None:
    text = end.join(LINES) + (end if last else "")
    assert list(read_list(written(tmp_path, mark + text.encode(encoding)))) == LINES


def test_the_ansi_code_page_of_old_powershell_is_understood(tmp_path: Path) -> None:
    place = written(tmp_path, f"{FIRST}\r\n".encode("cp1252"))
    assert list(read_list(place)) == [FIRST]


def test_a_unix_name_that_is_not_utf8_is_kept_byte_for_byte(tmp_path: Path) -> None:
    (found,) = read_list(written(tmp_path, b"/mnt/nas/M\xfcller/1.dcm\n"))
    assert isinstance(found, str)
    assert found.encode("utf-8", "surrogateescape") == b"/mnt/nas/M\xfcller/1.dcm"


def test_robocopys_default_output_gives_files_and_tells_what_it_could_not_read(tmp_path: Path) -> None:
    found = list(read_list(written(tmp_path, codecs.BOM_UTF16_LE + DEFAULT_ROBOCOPY.encode("utf-16-le"))))
    assert [each for each in found if isinstance(each, str)] == LINES
    (unlisted,) = [each for each in found if isinstance(each, Unlisted)]
    assert unlisted.path == r"\\nas\images\private"
    assert "error 5" in unlisted.reason


@pytest.mark.parametrize("text", [OURS_ROBOCOPY, WITH_HEADER])
def test_robocopys_other_forms_give_files_alone(tmp_path: Path, text: str) -> None:
    found = list(read_list(written(tmp_path, text.encode())))
    assert found == [each for each in LINES if each in text]


def test_a_column_of_select_object_and_quoted_csv_lose_their_headings() -> None:
    lines = ["FullName", "--------", f"{FIRST}   ", f'"{SECOND}"', '"Z:\\a ""b"".dcm"', ""]
    assert [found for line in lines if (found := parse_line(line))] == [FIRST, SECOND, 'Z:\\a "b".dcm']


def test_a_unix_path_keeps_its_blanks_and_tabs() -> None:
    assert parse_line("/mnt/a b\t c.dcm ") == "/mnt/a b\t c.dcm "


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    place = written(tmp_path, b"x" * 3_000_000 + b"\n/mnt/nas/1.dcm\n")
    assert list(read_list(place))[-1] == "/mnt/nas/1.dcm"


def test_a_list_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound) as raised:
        list(read_list(tmp_path / "none.txt"))
    assert "scripts/windows" in raised.value.suggestion


def test_the_longest_prefix_wins_in_any_case_and_with_either_slash() -> None:
    paths = PathMap({r"\\NAS\images": "/mnt/images", r"\\nas\images\old": "/mnt/old/", "Z:\\": "/mnt/z"})
    assert paths.mapped(r"\\nas\Images\2024\A.dcm") == "/mnt/images/2024/A.dcm"
    assert paths.mapped("//nas/images/OLD/A.dcm") == "/mnt/old/A.dcm"
    assert paths.mapped(r"z:\a\b.dcm") == "/mnt/z/a/b.dcm"
    assert paths.mapped(r"\\?\UNC\nas\images\x") == "/mnt/images/x"
    assert paths.mapped(r"\\?\Z:\x") == "/mnt/z/x"
    assert paths.mapped(r"\\nas\images2\x") is None
    assert paths.mapped("/already/here.dcm") == "/already/here.dcm"
    assert paths.unmapped("/mnt/images/2024/A.dcm") == r"\\NAS\images\2024\A.dcm"


def test_a_path_map_is_read_from_pairs_and_from_json() -> None:
    assert parse_path_map(r"\\nas\a=/mnt/a; Z:=/mnt/z").mapped(r"Z:\1") == "/mnt/z/1"
    assert parse_path_map(r'{"\\\\nas\\a": "/mnt/a"}').mapped(r"\\nas\a\1") == "/mnt/a/1"
    for wrong in ("nonsense", r"\\nas\a=relative", "{not json"):
        with pytest.raises(SettingsError):
            parse_path_map(wrong)


def test_a_walk_over_a_list_keeps_inside_its_roots_and_tells_of_paths_without_a_mount(tmp_path: Path) -> None:
    place = tmp_path / "list.txt"
    place.write_text("\n".join([r"\\nas\a\1.dcm", r"\\other\b\2.dcm", "/etc/passwd", "sub/../3.dcm", "../escaped"]))
    walk = ListWalk(place, PathMap({r"\\nas\a": "/mnt/a"}), ["/mnt/a", str(tmp_path)])
    parts = list(walk.parts())
    paths = [f"/{part.folder}/{each.name}" for part in parts for each in part.files]
    assert paths == ["/mnt/a/1.dcm", f"{tmp_path}/3.dcm"]
    refused = [each.path for part in parts for each in part.unreadable]
    assert refused == [r"\\other\b\2.dcm", "etc/passwd", f"{tmp_path.parent}/escaped".lstrip("/")]
