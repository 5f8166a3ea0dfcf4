"""Stored files come from Orthanc's folder where it is near, else through its API; a wrong one is never passed on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from readingroom.downloads import stored_files
from readingroom.downloads.stored_files import StoredFiles
from readingroom.errors import PacsUnreachable, StoredFileBroken

from tests.fixtures.pacs import MemoryPacs

CONTENT = bytes(range(256)) * 100


@pytest.fixture
def pacs(tmp_path: Path) -> MemoryPacs:
    return MemoryPacs(tmp_path / "storage")


def read(files: StoredFiles, instance: str, attachment: str = "dicom", size: int = len(CONTENT)) -> bytes:
    target = bytearray(size)
    with files.open(instance, attachment, size) as file:
        file.read_into(0, memoryview(target)[: size // 3])
        file.read_into(size // 3, memoryview(target)[size // 3 :])
    return bytes(target)


def test_a_file_in_the_folder_is_read_there_and_looked_up_once(pacs: MemoryPacs) -> None:
    instance = pacs.add(CONTENT)
    files = StoredFiles(pacs, pacs.storage)
    assert read(files, instance) == read(files, instance) == CONTENT
    assert pacs.asked == [f"/instances/{instance}/attachments/dicom/info"]


def test_without_a_folder_all_comes_through_the_api(pacs: MemoryPacs) -> None:
    instance = pacs.add(CONTENT)
    assert read(StoredFiles(pacs, None), instance) == CONTENT


def test_another_attachment_of_the_same_instance_is_another_file(pacs: MemoryPacs) -> None:
    instance = pacs.add(CONTENT)
    pacs.set(instance, "1024", CONTENT[::-1])
    files = StoredFiles(pacs, pacs.storage)
    assert read(files, instance) == CONTENT
    assert read(files, instance, "1024") == CONTENT[::-1]


def test_a_compressed_file_comes_through_the_api(pacs: MemoryPacs) -> None:
    instance = pacs.add(CONTENT)
    pacs.compressed.add((instance, "dicom"))
    pacs.place(instance).write_bytes(b"packed")
    assert read(StoredFiles(pacs, pacs.storage), instance) == CONTENT


def test_a_file_that_was_stored_again_under_another_name_is_found(pacs: MemoryPacs) -> None:
    instance = pacs.add(CONTENT)
    files = StoredFiles(pacs, pacs.storage)
    read(files, instance)
    pacs.place(instance).unlink()
    pacs.set(instance, "dicom", CONTENT)
    assert read(files, instance) == CONTENT
    assert not [path for path in pacs.asked if path.endswith("/data")]


def test_a_file_that_lies_elsewhere_comes_through_the_api(pacs: MemoryPacs) -> None:
    instance = pacs.add(CONTENT)
    pacs.place(instance).unlink()
    assert read(StoredFiles(pacs, pacs.storage), instance) == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x", b""])
@pytest.mark.parametrize("near", [True, False])
def test_a_file_of_another_length_is_broken(pacs: MemoryPacs, content: bytes, near: bool) -> None:
    instance = pacs.add(content)
    with pytest.raises(StoredFileBroken):
        read(StoredFiles(pacs, pacs.storage if near else None), instance)


def test_a_file_that_shrinks_while_it_is_read_is_broken(pacs: MemoryPacs) -> None:
    instance = pacs.add(CONTENT)
    with StoredFiles(pacs, pacs.storage).open(instance, "dicom", len(CONTENT)) as file:
        os.truncate(pacs.place(instance), 100)
        with pytest.raises(StoredFileBroken):
            file.read_into(0, memoryview(bytearray(200)))


def test_a_file_that_nobody_has_is_broken(pacs: MemoryPacs) -> None:
    instance = pacs.add(CONTENT)
    pacs.place(instance).unlink()
    del pacs.attachments[instance, "dicom"]
    for storage in (pacs.storage, None):
        with pytest.raises(StoredFileBroken):
            read(StoredFiles(pacs, storage), instance)


def test_a_folder_in_the_place_of_a_file_is_broken(pacs: MemoryPacs) -> None:
    instance = pacs.add(CONTENT)
    pacs.place(instance).unlink()
    pacs.place(instance).mkdir()
    with pytest.raises(StoredFileBroken):
        read(StoredFiles(pacs, pacs.storage), instance)


def test_what_is_no_uuid_never_becomes_a_path(pacs: MemoryPacs) -> None:
    instance = pacs.add(CONTENT)
    pacs.uuids[instance, "dicom"] = "../../../../etc/passwd"
    assert read(StoredFiles(pacs, pacs.storage), instance) == CONTENT


def test_no_descriptor_is_left_open(pacs: MemoryPacs) -> None:
    instance = pacs.add(CONTENT)
    files = StoredFiles(pacs, pacs.storage)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for size in (len(CONTENT), 5):
        for _ in range(20):
            try:
                read(files, instance, size=size)
            except StoredFileBroken:
                pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_large_file_is_asked_for_range_by_range(pacs: MemoryPacs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_files, "WHOLE_BYTES", 1000)
    instance = pacs.add(CONTENT)
    ranges: list[tuple[str, int, int]] = []

    def ranged(path: str, start: int, stop: int) -> bytes:
        ranges.append((path, start, stop))
        return CONTENT[start:stop]

    assert read(StoredFiles(pacs, None, ranged), instance) == CONTENT
    path, third = f"/instances/{instance}/attachments/dicom/data", len(CONTENT) // 3
    assert ranges == [(path, 0, third), (path, third, len(CONTENT))]
    assert pacs.asked == []


def test_a_header_does_not_cost_the_whole_file(pacs: MemoryPacs) -> None:
    content = bytes(range(256)) * 1000
    instance = pacs.add(content)
    ranges: list[tuple[int, int]] = []

    def ranged(path: str, start: int, stop: int) -> bytes:
        ranges.append((start, stop))
        return content[start:stop]

    target = bytearray(8192)
    with StoredFiles(pacs, None, ranged).open(instance, "dicom", len(content), pieces=True) as reader:
        reader.read_into(300, memoryview(target))
    assert (bytes(target), ranges, pacs.asked) == (content[300:8492], [(300, 8492)], [])


def test_an_orthanc_that_does_not_answer_breaks_the_download(pacs: MemoryPacs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_files, "WHOLE_BYTES", 1000)
    instance = pacs.add(CONTENT)

    def gone(path: str, start: int, stop: int) -> bytes:
        raise PacsUnreachable("Orthanc does not answer")

    with pytest.raises(StoredFileBroken):
        read(StoredFiles(pacs, None, gone), instance)


def test_places_are_forgotten_in_time(pacs: MemoryPacs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_files, "PLACES", 2)
    files = StoredFiles(pacs, pacs.storage)
    instances = [pacs.add(CONTENT) for _ in range(3)]
    for instance in instances:
        read(files, instance)
    read(files, instances[2])
    assert len(pacs.asked) == 3
    read(files, instances[0])
    assert len(pacs.asked) == 4


def test_where_the_files_of_a_series_lie_is_asked_for_together(
    pacs: MemoryPacs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_files, "TOGETHER", 2)
    instances = [pacs.add(CONTENT) for _ in range(5)]
    pacs.set(instances[4], "1024", CONTENT[::-1])
    files = StoredFiles(pacs, pacs.storage, together=True)
    for instance in instances:
        assert read(files, instance) == CONTENT
    assert read(files, instances[4], "1024") == CONTENT[::-1]
    assert pacs.asked == [f"/instances/{instances[0]}", *["/tools/find"] * 3]


def test_a_file_that_was_stored_again_is_asked_for_alone(pacs: MemoryPacs) -> None:
    instances = [pacs.add(CONTENT) for _ in range(3)]
    files = StoredFiles(pacs, pacs.storage, together=True)
    read(files, instances[0])
    pacs.place(instances[1]).unlink()
    pacs.set(instances[1], "dicom", CONTENT)
    asked = len(pacs.asked)
    assert read(files, instances[1]) == CONTENT
    assert pacs.asked[asked:] == [f"/instances/{instances[1]}/attachments/dicom/info"]


def test_an_instance_that_orthanc_does_not_have_is_missing_however_it_is_asked_for(pacs: MemoryPacs) -> None:
    with pytest.raises(StoredFileBroken):
        read(StoredFiles(pacs, pacs.storage, together=True), "0" * 44)
