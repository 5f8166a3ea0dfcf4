"""What other programs make of our zips: Info-ZIP, 7-Zip, libarchive, Java."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.zipstream.stores import ArchiveFile, archive_of, whole, zeros_archive

FILES = {
    "plain.dcm": b"pixels" * 1000,
    "empty.dcm": b"",
    "0042_CT/nested/é 日本.dcm": b"\x00\xff" * 500,
    "0042_CT/nested/E\u0301 日本.dcm": b"another one that only composition and case tell apart",
    "../escape.dcm": b"stays inside",
    "C:/CON": b"no device",
    **{f"series/IM{i:04d}": bytes([i % 256]) * i for i in range(300)},
}

JAVA = """
import java.io.*; import java.util.zip.*;
public class ReadZip { public static void main(String[] a) throws Exception {
  long n = 0, bytes = 0; byte[] b = new byte[65536];
  try (ZipInputStream z = new ZipInputStream(new BufferedInputStream(new FileInputStream(a[0])))) {
    while (z.getNextEntry() != null) { n++; for (int r; (r = z.read(b)) > 0; ) bytes += r; } }
  System.out.println(n + " " + bytes); } }
"""


@pytest.fixture(scope="module")
def archive_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zip") / "whole.zip"
    path.write_bytes(whole(archive_of(FILES)))
    return path


def program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    assert found, f"{names[0]} is missing; the test root of scripts/test has it"
    return found


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


@pytest.mark.skipif(not shutil.which("java"), reason="Java is tried where it is; it is too large for the test root")
def test_java_reads_it_as_a_stream(archive_path: Path, tmp_path: Path) -> None:
    source = tmp_path / "ReadZip.java"
    source.write_text(JAVA)
    ran = subprocess.run([program("java"), source, archive_path], check=True, capture_output=True, text=True)
    assert ran.stdout.split() == [str(len(FILES)), str(sum(map(len, FILES.values())))]


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


def test_7zip_and_unzip_read_a_sparse_zip64_archive_of_more_than_4_gib(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    archive = zeros_archive([(1 << 32) + 99, 1234])
    source = ArchiveFile(archive)
    with path.open("wb") as file:
        file.truncate(archive.layout.length)
        for index in range(2):
            # All is zeros but the headers; the file system need not hold the zeros.
            entry = archive.layout.entry(index)
            file.seek(entry.offset)
            source.seek(entry.offset)
            file.write(source.read(entry.data - entry.offset))
        file.seek(archive.layout.directory_start)
        source.seek(archive.layout.directory_start)
        file.write(source.read())
    for command in (
        [program("7z", "7zz"), "l", "-slt"],
        [program("bsdtar"), "-tvf"],
        [program("unzip"), "-l"],
    ):
        listed = subprocess.run([*command, path], check=True, capture_output=True, text=True).stdout
        assert str((1 << 32) + 99) in listed
        assert "1234" in listed
    ran = subprocess.run([program("unzip"), "-p", path, "00001.dcm"], check=True, capture_output=True)
    assert ran.stdout == bytes(1234)
