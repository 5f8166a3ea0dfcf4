"""The sample cases' folder: whole, the same each time, and nothing fetched for it."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import pytest
from pydicom import dcmread
from readingroom.cases.demo_cases import SAMPLE_CASES, write_folder
from readingroom.cases.numbering import padded
from readingroom.deidentify import identifying


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place: Path = tmp_path_factory.mktemp("demo")
    write_folder(place)
    return place


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_case_has_its_folder_and_all_but_one_have_images(folder: Path) -> None:
    empty = []
    for case in SAMPLE_CASES:
        place = folder / case.exam_type / padded(case.number)
        assert place.is_dir()
        found = [path for path in place.rglob("*") if path.is_file()]
        for path in found:
            assert dcmread(path, stop_before_pixels=True).SOPInstanceUID
        empty += [case.number] * (not found)
    assert empty == [7]


def test_writing_it_again_touches_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files_of(folder)

    def refuse(*_: object) -> None:
        raise AssertionError("the demonstration opens no connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    write_folder(folder)

    assert files_of(folder) == before


def test_only_what_stays_hidden_or_is_cleaned_has_a_name_in_its_header() -> None:
    for case in SAMPLE_CASES:
        for path, data in case.files():
            flags = identifying(dcmread(io.BytesIO(data), stop_before_pixels=True))
            assert not any(flags) or case.deidentify or not case.published, (case.number, path)
