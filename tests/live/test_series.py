"""Series as they lie in a real Orthanc: found by UID and key, listed in one question, read byte for byte."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator

import pydicom
import pytest
from readingroom.clock import FakeClock, SystemClock
from readingroom.db import open_database
from readingroom.downloads import StoredFiles
from readingroom.errors import StoredFileBroken
from readingroom.pacs_http import HttpPacs
from readingroom.series import FoundSeries, key_of
from readingroom.series.crcs import KeptCrcs
from readingroom.series.in_orthanc import OrthancOrigin
from readingroom.series.model import FACTS
from readingroom.zipstream import Archive, Layout, Learnt, Ledger

from tests.factories import ct_slices
from tests.fixtures.instance import LiveInstance
from tests.fixtures.live_cases import store

COUNT = 40


class Stored:
    """A series in Orthanc, and an origin that looks at it from outside, as another node would."""

    def __init__(self, live: LiveInstance, name: str) -> None:
        self.live = live
        self.files = list(ct_slices(COUNT, 32, 32, name=name, PatientName="Doe^Jane", InstitutionName="Ward 7"))
        # The last one first: the order that things were stored in is not the order of a series.
        store(live, ((str(i), data) for i, data in reversed(list(enumerate(self.files)))), workers=1)
        self.token = live.admin.token()
        self.uid = str(pydicom.dcmread(io.BytesIO(self.files[0])).SeriesInstanceUID)
        self.database = open_database(f"sqlite:///{live.data / 'readingroom.db'}")
        self.clock = FakeClock()

    def origin(self, *, near: bool = True) -> OrthancOrigin:
        pacs = HttpPacs(self.live.orthanc_url, lambda: f"Bearer {self.token}")
        storage = self.live.data / "orthanc" / "storage" if near else None
        return OrthancOrigin(pacs, StoredFiles(pacs, storage), KeptCrcs(self.database, SystemClock()), self.clock)

    def found(self, origin: OrthancOrigin) -> FoundSeries:
        series = origin.find(self.uid)
        assert series is not None
        return series


@pytest.fixture(scope="module")
def stored(instance: LiveInstance) -> Iterator[Stored]:
    made = Stored(instance, "series in orthanc")
    yield made
    made.database.close()


def read(origin: OrthancOrigin, series: FoundSeries, index: int, size: int) -> bytes:
    target = bytearray(size)
    with origin.open(series, index) as reader:
        reader.read_into(0, memoryview(target))
    return bytes(target)


def zipped(origin: OrthancOrigin, series: FoundSeries) -> bytes:
    files = origin.files(series)
    known = {i: each.crc32 for i, each in enumerate(files) if each.crc32 is not None}
    layout = Layout(
        [each.name for each in files], [each.size for each in files], [None] * len(files), [0] * len(files),
        identity=series.version, learnt=Learnt(known, lambda crcs: origin.keep_crcs(series, crcs)),
    )  # fmt: skip

    class Files:
        def open(self, index: int, size: int) -> object:
            return origin.open(series, index)

    archive = Archive(layout, Files(), ledger=Ledger(), download="d")  # type: ignore[arg-type]  # a context manager
    return b"".join(archive.stream())


def test_a_series_is_found_by_its_uid_and_by_its_key(stored: Stored) -> None:
    origin = stored.origin()
    series = stored.found(origin)
    assert series == origin.find(key_of(stored.uid)) == stored.origin().find(stored.uid)
    assert (series.origin, series.where, series.key) == ("orthanc", "", key_of(stored.uid))
    assert (series.file_count, series.size_bytes) == (COUNT, sum(map(len, stored.files)))
    assert tuple(series.facts) == FACTS
    assert (series.facts["PatientName"], series.facts["InstitutionName"]) == ("Doe^Jane", "Ward 7")
    assert series.study_uid == str(pydicom.dcmread(io.BytesIO(stored.files[0])).StudyInstanceUID)


@pytest.mark.parametrize("key", ["1.2.3.4", "f" * 40, "*", "1.2\\3", "", "' OR 1=1", "1" * 40, "no such thing"])
def test_what_is_not_there_is_not_found(stored: Stored, key: str) -> None:
    assert stored.origin().find(key) is None


def test_all_series_are_gone_through_for_a_key_at_most_once_a_minute(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = stored.origin()
    asked: list[str] = []
    post = HttpPacs.post

    def counted(pacs: HttpPacs, path: str, *more: object) -> bytes:
        asked.append(path)
        return post(pacs, path, *more)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(HttpPacs, "post", counted)
    for _ in range(3):
        assert origin.find("0" * 40) is None
    assert asked == ["/tools/find"]


@pytest.mark.parametrize("near", [True, False])
def test_its_files_come_in_order_and_byte_for_byte(stored: Stored, near: bool) -> None:
    origin = stored.origin(near=near)
    series = stored.found(origin)
    files = origin.files(series)
    assert [each.instance_number for each in files] == list(range(1, COUNT + 1))
    assert [read(origin, series, i, each.size) for i, each in enumerate(files)] == stored.files
    assert all(re.fullmatch(r"[0-9.]+\.dcm", each.name) for each in files)
    assert all(each.mtime_ns > 1_500_000_000_000_000_000 for each in files)


def test_crcs_that_were_learnt_are_known_to_every_node_from_then_on(instance: LiveInstance) -> None:
    stored = Stored(instance, "learnt in orthanc")
    origin = stored.origin()
    first = zipped(origin, stored.found(origin))
    other = stored.origin()
    files = other.files(stored.found(other))
    assert [each.crc32 for each in files] == [zlib.crc32(data) for data in stored.files]
    assert hashlib.sha256(zipped(other, stored.found(other))).digest() == hashlib.sha256(first).digest()
    with zipfile.ZipFile(io.BytesIO(first)) as read_back:
        assert read_back.testzip() is None
        assert [read_back.read(name) for name in read_back.namelist()] == stored.files
    stored.database.close()


def test_another_image_makes_another_version_and_a_lost_one_breaks(instance: LiveInstance) -> None:
    stored = Stored(instance, "changing in orthanc")
    origin = stored.origin()
    before = stored.found(origin)
    files = origin.files(before)
    last = instance.admin.post("/tools/lookup", data=files[-1].sop_instance_uid).json()[0]["ID"]
    assert instance.admin.delete(f"/instances/{last}").status_code == 200
    after = stored.found(origin)
    assert (after.file_count, after.version != before.version) == (COUNT - 1, True)
    with pytest.raises(StoredFileBroken):
        read(origin, before, COUNT - 1, files[-1].size)
    assert read(origin, after, 0, files[0].size) == stored.files[0]
    stored.database.close()
