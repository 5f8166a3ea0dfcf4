"""Lists as Windows' own tools write them, in several languages and encodings: every file, and nothing else."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import pytest
from readingroom.nas_index.list_walk import ListWalk
from readingroom.nas_index.lists import SHORTENED, USELESS, Unlisted, read_list
from readingroom.nas_index.path_map import PathMap
from readingroom.nas_index.told import passed_over

from tests.fixtures import windows_lists as windows
from tests.fixtures.windows_lists import FILE, LONG, OTHER


def read(folder: Path, data: bytes) -> tuple[list[str], list[Unlisted]]:
    place = folder / "nas_dicom_files.txt"
    place.write_bytes(data)
    found = list(read_list(place))
    return [each for each in found if isinstance(each, str)], [each for each in found if isinstance(each, Unlisted)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["ENGLISH", "CONSOLE", "FRENCH", "GERMAN", "TIMES"])
def test_robocopys_files_are_found_in_any_language(tmp_path: Path, name: str, encoding: str) -> None:
    text = getattr(windows, name).replace("\r\n", "\n").replace("\n", "\r\n")
    files, unlisted = read(tmp_path, text.encode(encoding))
    assert files == [FILE, OTHER]
    assert [each.path for each in unlisted] == ([r"\\nas\images\privat"] if name == "GERMAN" else [])


def test_what_our_robocopy_writes_is_read_with_long_paths_too(tmp_path: Path) -> None:
    text = "".join(f"\t\t\t{size:>8}\t{path}\r\n" for size, path in ((526542, FILE), (0, OTHER), (17, LONG)))
    assert read(tmp_path, codecs.BOM_UTF16_LE + text.encode("utf-16-le")) == ([FILE, OTHER, LONG], [])


@pytest.mark.parametrize("line", windows.ERRORS)
def test_a_folder_that_robocopy_could_not_read_is_told_in_any_language(tmp_path: Path, line: str) -> None:
    files, (unlisted,) = read(tmp_path, f"{line.strip()}\r\nZugriff verweigert\r\n\t\t\t 12\t{FILE}\r\n".encode())
    assert files == [FILE]
    assert unlisted.path == r"\\nas\images\privat"
    assert "error 5" in unlisted.reason


def test_a_list_without_full_paths_says_so_instead_of_being_empty(tmp_path: Path) -> None:
    for text, names in ((windows.NO_FULL_PATHS, ["IM1.dcm"]), (windows.TABLE, ["IM 1.dcm", "IM2"])):
        files, unlisted = read(tmp_path, text.encode("utf-16"))
        assert files == []
        assert [(each.path, each.reason) for each in unlisted] == [(name, USELESS) for name in names]


def test_a_path_that_a_table_cut_is_told_and_not_looked_for(tmp_path: Path) -> None:
    files, unlisted = read(tmp_path, windows.COLUMN.encode("utf-16"))
    assert files == [FILE]
    assert [each.reason for each in unlisted] == [SHORTENED, SHORTENED]


def test_what_powershell_says_of_a_folder_that_it_may_not_read_is_told(tmp_path: Path) -> None:
    files, (unlisted,) = read(tmp_path, f"{FILE}\r\n{windows.DENIED}{OTHER}\r\n".encode("utf-16"))
    assert files == [FILE, OTHER]
    assert unlisted.path == r"\\nas\images\privat"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_full_names_by_get_childitem_are_read_in_every_encoding_of_powershell(tmp_path: Path, encoding: str) -> None:
    paths = [FILE, r"Z:\a\b 1.2.840.5", r"\\nas\images\x..y\v1.0"]
    plain = "\r\n".join(paths)
    as_list = "\r\n".join(f"\r\nFullName : {path}\r\n" for path in paths)
    for text in (plain, as_list):
        assert read(tmp_path, text.encode(encoding)) == (paths, [])


def test_lines_that_say_too_little_become_errors_with_advice(tmp_path: Path) -> None:
    place = tmp_path / "list.txt"
    place.write_bytes((windows.NO_FULL_PATHS + windows.COLUMN).encode())
    walk = ListWalk(place, PathMap({r"\\nas\images": "/mnt/images"}))
    records = [passed_over(each) for part in walk.parts() for each in part.unreadable]
    assert [each.error_code for each in records if each] == ["unusable_line"] * 3
    assert all("scripts/windows" in each.suggestion for each in records if each)


def test_both_scripts_list_and_can_do_nothing_else() -> None:
    scripts = Path(__file__).resolve().parents[3] / "scripts" / "windows"
    robocopy = (scripts / "enum_robocopy.ps1").read_text()
    call = robocopy[robocopy.index("& robocopy.exe") : robocopy.index("Out-Null", robocopy.index("& robocopy.exe"))]
    flags = {word.strip("'\"`").split(":")[0] for word in call.split() if word.strip("'\"").startswith("/")}
    assert flags == {
        "/L", "/S", "/FP", "/NJH", "/NJS", "/NDL", "/NC", "/BYTES", "/NP", "/XJ", "/R", "/W", "/MT", "/UNILOG"
    }  # fmt: skip
    listing = (scripts / "enum_getchilditem.ps1").read_text()
    assert "Get-ChildItem -LiteralPath $Path -Recurse -File" in listing
    # What they make, move and remove is their own: the list itself, and the empty folder that robocopy insists on.
    for text, own in ((robocopy, {"$nowhere", "$fresh"}), (listing, {"$fresh"})):
        acts = re.findall(r"\b(?:Remove|Move|Copy|Set|Clear|Rename)-\w+ (?:-LiteralPath )?(\S+)", text)
        assert set(acts) == own
