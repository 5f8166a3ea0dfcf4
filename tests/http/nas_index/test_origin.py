"""Series on a NAS as the rest of the house sees them: found, listed, opened, their CRCs kept."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from readingroom.clock import FakeClock
from readingroom.db import Database
from readingroom.errors import StoredFileBroken
from readingroom.nas_index.origin import NasOrigin
from readingroom.nas_index.series_files import SeriesFiles, SeriesReader
from readingroom.series import FoundSeries, key_of
from readingroom.series.crcs import KeptCrcs
from readingroom.series.model import FACTS
from readingroom.settings import Settings
from readingroom.sources import open_source

from tests.fixtures.catalogued import SERIES, catalogue_source, configure, write_series


class Nas:
    """One folder that is catalogued, and what lies in it."""

    def __init__(self, root: Path, settings: Settings, database: Database) -> None:
        self.root = root
        self.database = database
        self.clock = FakeClock()
        self.made = write_series(root / "ward 7", 12)
        configure(settings, {"name": "archive", "type": "local", "path": str(root)})
        self.files = SeriesFiles(settings, database)
        self.catalogue()

    def catalogue(self) -> None:
        with open_source(str(self.root)) as source:
            catalogue_source(self.database, "archive", "local", source)

    def origin(self) -> NasOrigin:
        """As after a restart."""
        return NasOrigin(self.database, self.files, KeptCrcs(self.database, self.clock))

    def place(self, name: str) -> Path:
        return self.root / "ward 7" / name


@pytest.fixture
def nas(tmp_path: Path, sqlite_database: Database) -> Iterator[Nas]:
    settings = Settings.load(READINGROOM_DATA=tmp_path / "data", NAS_ALLOWED_ROOTS=str(tmp_path / "nas"))
    made = Nas(tmp_path / "nas", settings, sqlite_database)
    yield made
    made.files.close()


def found(origin: NasOrigin) -> FoundSeries:
    series = origin.find(SERIES)
    assert series is not None
    return series


def read(origin: NasOrigin, series: FoundSeries, index: int, size: int) -> bytes:
    target = bytearray(size)
    with origin.open(series, index) as reader:
        reader.read_into(0, memoryview(target))
    return bytes(target)


def test_a_series_is_found_by_key_and_by_uid_with_what_is_told_of_it(nas: Nas) -> None:
    origin = nas.origin()
    series = found(origin)
    assert series == origin.find(key_of(SERIES))
    assert (series.origin, series.where, series.series_uid) == ("nas", "archive", SERIES)
    assert (series.file_count, series.size_bytes) == (12, sum(map(len, nas.made.values())))
    assert tuple(series.facts) == FACTS
    assert origin.find("1.2.3") is None


def test_its_files_come_in_order_under_their_own_names_and_byte_for_byte(nas: Nas) -> None:
    origin = nas.origin()
    series = found(origin)
    files = origin.files(series)
    assert [each.instance_number for each in files] == list(range(1, 13))
    assert {each.name for each in files} == {path.name for path in (nas.root / "ward 7").iterdir()}
    read_back = {each.sop_instance_uid: read(origin, series, i, each.size) for i, each in enumerate(files)}
    assert read_back == nas.made


def test_a_crc_is_kept_until_its_file_is_indexed_as_another(nas: Nas) -> None:
    origin = nas.origin()
    series = found(origin)
    assert {each.crc32 for each in origin.files(series)} == {None}
    crcs = {i: zlib.crc32(read(origin, series, i, each.size)) for i, each in enumerate(origin.files(series))}
    origin.keep_crcs(series, crcs)
    origin.keep_crcs(series, crcs)  # as two downloads at once do
    again = nas.origin()
    assert found(again) == series, "what is kept is no other version"
    assert [each.crc32 for each in again.files(series)] == list(crcs.values())

    place = nas.place(origin.files(series)[0].name)
    os.utime(place, (place.stat().st_atime, place.stat().st_mtime + 5))
    nas.catalogue()
    changed = found(again)
    assert changed.version != series.version
    assert [each.crc32 for each in again.files(changed)] == [None, *list(crcs.values())[1:]]


def test_what_was_kept_long_ago_is_learnt_again(nas: Nas) -> None:
    origin = nas.origin()
    series = found(origin)
    origin.keep_crcs(series, {0: 7})
    nas.clock.advance(timedelta(days=91))
    origin.keep_crcs(series, {1: 8})
    assert [each.crc32 for each in origin.files(series)][:3] == [None, 8, None]


def test_a_file_that_is_gone_or_changed_is_a_broken_one_that_names_no_path(nas: Nas) -> None:
    origin = nas.origin()
    series = found(origin)
    files = origin.files(series)
    nas.place(files[3].name).unlink()
    nas.place(files[4].name).write_bytes(b"another")
    for index, code in ((3, "source_not_found"), (4, "source_changed")):
        for opening in (origin.open, origin.look):
            with pytest.raises(StoredFileBroken) as told, opening(series, index) as reader:
                reader.read_into(0, memoryview(bytearray(files[index].size)))
            assert told.value.detail == {"file": index, "code": code}
            assert files[index].name not in told.value.message


def test_a_file_that_is_written_to_while_it_is_read_is_a_broken_one(nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = nas.origin()
    series = found(origin)
    file = origin.files(series)[0]
    read_into = SeriesReader.read_into

    def meanwhile(reader: SeriesReader, offset: int, target: memoryview) -> None:
        read_into(reader, offset, target)
        nas.place(file.name).write_bytes(b"x" * file.size)

    monkeypatch.setattr(SeriesReader, "read_into", meanwhile)
    with pytest.raises(StoredFileBroken):
        read(origin, series, 0, file.size)


def test_a_series_that_was_indexed_as_another_meanwhile_is_not_read_as_the_old_one(nas: Nas) -> None:
    series = found(nas.origin())
    nas.place("another.dcm").write_bytes(next(iter(nas.made.values())))
    nas.catalogue()
    assert found(nas.origin()).version != series.version
    with pytest.raises(StoredFileBroken):
        nas.origin().files(series)
