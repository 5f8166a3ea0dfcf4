"""The bytes of a catalogued series: from a folder, a list, sshd and smbd, and only as they were indexed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from readingroom.db import Database
from readingroom.errors import NotFound, SourceChanged, SourceError, SourceNotFound
from readingroom.nas_index.series_files import CataloguedFile, SeriesFiles, instances, same_moment
from readingroom.settings import Settings
from readingroom.sources import SourceSettings, open_source

from tests.fixtures.catalogued import SERIES, catalogue_source, configure, write_series
from tests.fixtures.smbd import Smbd
from tests.fixtures.sshd import Sshd


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(READINGROOM_DATA=tmp_path / "data", NAS_ALLOWED_ROOTS=str(tmp_path / "nas"))


@pytest.fixture
def files(settings: Settings, sqlite_database: Database) -> Iterator[SeriesFiles]:
    opened = SeriesFiles(settings, sqlite_database)
    yield opened
    opened.close()


@pytest.fixture
def made(tmp_path: Path, settings: Settings, sqlite_database: Database) -> dict[str, bytes]:
    """A series of 12 in a folder that is configured and catalogued as `archive`."""
    root = tmp_path / "nas"
    found = write_series(root / "a b" / "ÄÖ", 12)
    configure(settings, {"name": "archive", "type": "local", "path": str(root)})
    with open_source(str(root)) as source:
        catalogue_source(sqlite_database, "archive", "local", source)
    return found


def read_all(files: SeriesFiles, listed: list[CataloguedFile]) -> dict[str, bytes]:
    return {each.sop_instance_uid: files.read(each) for each in listed}


def test_the_files_of_a_series_come_by_instance_number_and_byte_for_byte(
    files: SeriesFiles, made: dict[str, bytes]
) -> None:
    listed = files.of(SERIES)
    assert [each.instance_number for each in listed] == list(range(1, 13))
    assert read_all(files, listed) == made
    with pytest.raises(NotFound):
        files.of("1.2.3.4")


def test_ranges_are_those_that_were_asked_for(files: SeriesFiles, made: dict[str, bytes]) -> None:
    file = files.of(SERIES)[0]
    data = made[file.sop_instance_uid]
    assert files.read_range(file, 128, 4) == b"DICM"
    assert files.read_range(file, len(data) - 3, 100) == data[-3:]
    assert files.read_range(file, len(data) + 5, 100) == b""
    with pytest.raises(ValueError, match="from zero"):
        files.read_range(file, -1, 5)


def test_a_file_that_was_written_to_is_told_from_one_that_is_gone(
    files: SeriesFiles, made: dict[str, bytes], tmp_path: Path
) -> None:
    first, second, third = files.of(SERIES)[:3]
    place = tmp_path / "nas" / first.path
    place.write_bytes(place.read_bytes() + b"\0")
    seen = (tmp_path / "nas" / second.path).stat()
    os.utime(tmp_path / "nas" / second.path, ns=(seen.st_atime_ns, seen.st_mtime_ns + 5_000_000_000))
    (tmp_path / "nas" / third.path).unlink()
    with pytest.raises(SourceChanged, match="another size"):
        files.read(first)
    with pytest.raises(SourceChanged, match="written to"):
        files.read(second)
    with pytest.raises(SourceNotFound):
        files.read(third)


def test_no_path_leads_out_of_the_source(files: SeriesFiles, made: dict[str, bytes], tmp_path: Path) -> None:
    outside = tmp_path / "secret.dcm"
    outside.write_bytes(b"not yours")
    (tmp_path / "nas" / "link.dcm").symlink_to(outside)
    seen = outside.stat()
    for path in ("../secret.dcm", "a b/../../secret.dcm", str(outside), "link.dcm", "a\\u0000b"):
        with pytest.raises(SourceError):
            files.read(CataloguedFile("archive", path, seen.st_size, seen.st_mtime_ns, "1", 1))


def test_a_source_that_is_no_longer_configured_says_so(
    files: SeriesFiles, made: dict[str, bytes], settings: Settings
) -> None:
    file = files.of(SERIES)[0]
    files.read(file)
    configure(settings, {"name": "another", "type": "local", "path": "/srv"})
    with pytest.raises(SourceError, match="no longer configured"):
        files.read(file)


def test_a_list_gives_only_what_lies_in_its_roots(
    files: SeriesFiles, settings: Settings, sqlite_database: Database, tmp_path: Path
) -> None:
    root = tmp_path / "nas"
    found = write_series(root / "x", 3)
    write_series(tmp_path / "elsewhere", 1, SERIES + ".9")
    (tmp_path / "lists").mkdir()
    listing = tmp_path / "lists" / "list.txt"
    listing.write_text("")
    configure(settings, {"name": "listed", "type": "list", "path": str(listing)})
    for name, folder in (("listed", root), ("strange", tmp_path / "elsewhere")):
        with open_source(str(folder)) as source:
            catalogue_source(sqlite_database, name, "list", source, f"{str(folder).lstrip('/')}/")
    assert read_all(files, files.of(SERIES)) == found
    (other,) = files.of(SERIES + ".9")
    with pytest.raises(SourceNotFound, match="outside"):
        files.read(CataloguedFile("listed", other.path, other.size, other.mtime_ns, "1", 1))


def test_copies_of_one_instance_are_one_group(
    files: SeriesFiles, settings: Settings, sqlite_database: Database, tmp_path: Path
) -> None:
    root = tmp_path / "nas"
    write_series(root / "a", 2)
    write_series(root / "b", 2)
    configure(settings, {"name": "archive", "type": "local", "path": str(root)})
    with open_source(str(root)) as source:
        catalogue_source(sqlite_database, "archive", "local", source)
    listed = files.of(SERIES)
    assert len(listed) == 4
    assert [[each.path[:1] for each in group] for group in instances(listed)] == [["a", "b"], ["a", "b"]]


def test_many_threads_share_one_connection_that_closes_when_idle(
    settings: Settings, sqlite_database: Database, made: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []

    def counted(*arguments: Any) -> Any:
        time.sleep(0.05)
        opened.append(open_source(*arguments))
        return opened[-1]

    monkeypatch.setattr("readingroom.nas_index.series_files.open_source", counted)
    files = SeriesFiles(settings, sqlite_database, idle_seconds=0.2)
    listed = files.of(SERIES)
    wrong: list[str] = []

    def work() -> None:
        for _ in range(5):
            if read_all(files, listed) != made:
                wrong.append("other bytes")

    threads = [threading.Thread(target=work) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong
    assert len(opened) == 1
    end = time.monotonic() + 30
    while len(files._pool) and time.monotonic() < end:
        time.sleep(0.05)
    assert len(files._pool) == 0, "an idle source was not closed"
    assert files.read(listed[0]) == made[listed[0].sop_instance_uid], "it is opened again when it is wanted"
    assert len(opened) == 2
    files.close()
    with pytest.raises(SourceError, match="closed"):
        files.read(listed[0])


def test_times_are_compared_as_finely_as_both_sides_tell_them() -> None:
    assert same_moment(1_700_000_000_123_456_789, 1_700_000_000_000_000_000), "whole seconds by SFTP"
    assert same_moment(1_700_000_000_123_456_789, 1_700_000_000_123_456_000), "microseconds by SMB"
    assert not same_moment(1_700_000_000_123_456_789, 1_700_000_000_123_999_000)
    assert not same_moment(1_700_000_001_000_000_000, 1_700_000_000_000_000_000)


def test_series_are_read_over_sftp(
    files: SeriesFiles, settings: Settings, sqlite_database: Database, sshd: Sshd
) -> None:
    folder = sshd.root / "series_files"
    found = write_series(folder, 5)
    folder.chmod(0o755)
    config = {
        "name": "ssh", "type": "sftp", "host": sshd.host, "port": sshd.port, "username": sshd.user,
        "password": sshd.password, "path": str(folder), "host_fingerprint": sshd.host_key_fingerprint,
    }  # fmt: skip
    configure(settings, config)
    reached = SourceSettings(sftp_password=sshd.password, sftp_host_fingerprint=sshd.host_key_fingerprint)
    with open_source(f"{sshd.url}/series_files", reached) as source:
        catalogue_source(sqlite_database, "ssh", "sftp", source)
    assert read_all(files, files.of(SERIES)) == found


def test_series_are_read_over_smb(
    files: SeriesFiles, settings: Settings, sqlite_database: Database, smbd: Smbd
) -> None:
    found = write_series(smbd.root / "series_files", 5)
    config = {
        "name": "smb", "type": "smb", "host": smbd.host, "port": smbd.port, "username": smbd.user,
        "password": smbd.password, "share": smbd.share, "path": "series_files",
    }  # fmt: skip
    configure(settings, config)
    url = f"smb://{smbd.user}@{smbd.host}:{smbd.port}/{smbd.share}/series_files"
    with open_source(url, SourceSettings(smb_password=smbd.password)) as source:
        catalogue_source(sqlite_database, "smb", "smb", source)
    assert read_all(files, files.of(SERIES)) == found
