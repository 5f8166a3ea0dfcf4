"""What other programs make of our zips: Info-ZIP, 7-Zip, libarchive."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.unit.zipstream.readers import FILES, GIB4, KINDS, program
from tests.unit.zipstream.stores import ArchiveFile, whole, zeros_archive


@pytest.fixture(scope="module", params=KINDS)
def archive_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zip") / "whole.zip"
    path.write_bytes(whole(KINDS[request.param]()))
    return path


def unpacked(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_unzip_finds_no_fault(archive_path: Path) -> None:
    subprocess.run([program("unzip"), "-tq", archive_path], check=True, stdout=subprocess.DEVNULL)


def test_7zip_unpacks_every_byte(archive_path: Path, tmp_path: Path) -> None:
    subprocess.run(
        [program("7z", "7zz"), "x", f"-o{tmp_path}", "-bd", archive_path],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert unpacked(tmp_path) == sorted(FILES.values())


def test_libarchive_unpacks_every_byte(archive_path: Path, tmp_path: Path) -> None:
    subprocess.run([program("bsdtar"), "-xf", archive_path, "-C", tmp_path], check=True, env={"LC_ALL": "C.UTF-8"})
    assert unpacked(tmp_path) == sorted(FILES.values())


def test_nothing_is_written_outside_the_folder(archive_path: Path, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    subprocess.run([program("unzip"), "-q", archive_path, "-d", inside], check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert unpacked(inside) == sorted(FILES.values())


def test_7zip_and_libarchive_list_a_zip64_archive_of_many_files(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    path.write_bytes(whole(zeros_archive([0] * 66_000)))
    for command in (
        [program("7z", "7zz"), "t", "-bd"],
        [program("bsdtar"), "-tf"],
        [program("unzip"), "-tqq"],
    ):
        subprocess.run([*command, path], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("late", [False, True])
def test_7zip_and_unzip_read_a_sparse_zip64_archive_of_more_than_4_gib(tmp_path: Path, late: bool) -> None:
    path = tmp_path / "large.zip"
    archive = zeros_archive([GIB4 + 99, 1234], late=late)
    source = ArchiveFile(archive)
    with path.open("wb") as file:
        file.truncate(archive.layout.length)
        # All of the first file is zeros, but for headers; the file system need not hold them.
        first, second = archive.layout.entry(0), archive.layout.entry(1)
        for start, stop in ((0, first.data), (second.offset, archive.layout.length)):
            file.seek(start)
            source.seek(start)
            file.write(source.read(stop - start))
    for command in (
        [program("7z", "7zz"), "l", "-slt"],
        [program("bsdtar"), "-tvf"],
        [program("unzip"), "-l"],
    ):
        listed = subprocess.run([*command, path], check=True, capture_output=True, text=True).stdout
        assert str(GIB4 + 99) in listed
        assert "1234" in listed
    ran = subprocess.run([program("unzip"), "-p", path, "00001.dcm"], check=True, capture_output=True)
    assert ran.stdout == bytes(1234)
