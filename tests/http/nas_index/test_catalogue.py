"""The catalogue on both engines: every count right after new, changed, moved, broken and vanished files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from readingroom.clock import FakeClock
from readingroom.db import Database, migrate, open_database
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.header import Header
from readingroom.nas_index.integrity import gaps
from readingroom.nas_index.leaving import Left
from readingroom.nas_index.narrowing import Wanted
from readingroom.nas_index.records import Failed, Found
from readingroom.nas_index.search import Search
from readingroom.nas_index.tables import nas_error, nas_file, nas_folder, nas_series, nas_source
from readingroom.nas_index.visit import Visit
from readingroom.sources.entries import FileEntry
from sqlalchemy import func, select, text

Files = dict[str, Found | Failed]
"""A whole source: what reading each of its files comes to, by path."""


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    return Catalogue(database, FakeClock())


@pytest.fixture
def nas(catalogue: Catalogue) -> int:
    return catalogue.source("archive", "local", "/mnt/archive")


def slice_of(path: str, series: str, number: int | None, *, size: int = 100, mtime: int = 1, **values: str) -> Found:
    """One file of a series; its UIDs follow from the series' name and the number."""
    numbered = {} if number is None else {"InstanceNumber": str(number)}
    header = Header(
        TransferSyntaxUID="1.2.840.10008.1.2.1",
        **{
            "SOPInstanceUID": f"1.2.{series}.{number}",
            "SeriesInstanceUID": f"1.2.{series}",
            "StudyInstanceUID": f"1.2.{series[0]}",
            "PatientName": "Nkosi^Thandi",
            "StudyDate": "20240118",
            "Modality": "CT",
            **numbered,
            **values,
        },
    )
    return Found(path, size, mtime, header, f"key-{series}")


def series(folder: str, name: str, numbers: Iterable[int], **more: Any) -> Files:
    return {f"{folder}/{n:04d}.dcm": slice_of(f"{folder}/{n:04d}.dcm", name, n, **more) for n in numbers}


def junk(path: str, error_type: str = "dicom", size: int = 5, mtime: int = 1) -> Files:
    return {path: Failed(path, size, mtime, error_type, "not_dicom", "The file is not DICOM.")}


def go(
    catalogue: Catalogue,
    source_id: int,
    files: Files,
    *,
    complete: bool = True,
    batch: int = 7,
    run: str = "run",
    below: str = "",
    unreadable: Sequence[str] = (),
    accept_loss: bool = False,
) -> tuple[Visit, Left, list[str]]:
    """One visit to a source that holds these files; answers what had to be read too."""
    visit = catalogue.visit(source_id, run, below)
    entries = [FileEntry(path, each.size, each.mtime_ns) for path, each in files.items()]
    read: list[str] = []
    for i in range(0, len(entries), batch):
        wanted = visit.compare(entries[i : i + batch])
        read += [entry.path for entry in wanted]
        what = [files[entry.path] for entry in wanted]
        visit.store([f for f in what if isinstance(f, Found)], [f for f in what if isinstance(f, Failed)])
    for path in unreadable:
        visit.unreadable(path)
    return visit, visit.finish(complete, accept_loss), read


def check(database: Database) -> None:
    """Every count that is kept equals the one that is counted; the search index has the series that there are."""
    with database.read() as connection:
        counted = connection.execute(
            select(nas_file.c.series_id, func.count(), func.sum(nas_file.c.size))
            .where(nas_file.c.series_id.is_not(None))
            .group_by(nas_file.c.series_id)
        )
        kept = connection.execute(select(nas_series.c.id, nas_series.c.file_count, nas_series.c.size_bytes))
        assert {tuple(map(int, row)) for row in counted} == {tuple(map(int, row)) for row in kept}
        for source in connection.execute(select(nas_source)):
            files = select(func.count(nas_file.c.series_id), func.count(), func.sum(nas_file.c.size)).where(
                nas_file.c.folder_id.in_(select(nas_folder.c.id).where(nas_folder.c.source_id == source.id))
            )
            dicom, whole, _ = connection.execute(files).one()
            assert (source.file_count, source.other_count) == (dicom, whole - dicom)
            of_source = nas_series.c.source_id == source.id
            sums = select(func.count(), func.coalesce(func.sum(nas_series.c.size_bytes), 0)).where(of_source)
            assert (source.series_count, source.size_bytes) == tuple(map(int, connection.execute(sums).one()))
        key = "position" if database.is_postgresql else "rowid"
        table = "readingroom.nas_series_terms" if database.is_postgresql else "nas_series_terms"
        positions = set(connection.scalars(text(f"SELECT {key} FROM {table}")))
        assert positions == set(connection.scalars(select(nas_series.c.position)))
        # Of each series exactly one source's row is shown.
        shown = select(func.count()).where(nas_series.c.is_copy.is_(False)).group_by(nas_series.c.series_key)
        keys = select(func.count(nas_series.c.series_key.distinct()))
        assert [1] * (connection.scalar(keys) or 0) == list(connection.scalars(shown))


def column(database: Database, what: Any) -> list[Any]:
    with database.read() as connection:
        return list(connection.scalars(select(what).order_by(what)))


def test_a_first_visit_stores_every_file_and_series(database: Database, catalogue: Catalogue, nas: int) -> None:
    files = series("a", "1", range(1, 31)) | series("b/c", "2", range(1, 6)) | junk("readme.txt")
    visit, left, read = go(catalogue, nas, files)
    assert (visit.figures.added, visit.figures.failed, left.gone, len(read)) == (35, 1, 0, 36)
    assert column(database, nas_series.c.file_count) == [5, 30]
    assert column(database, nas_series.c.integrity) == ["complete", "complete"]
    check(database)


def test_an_unchanged_tree_is_not_read_again_and_not_written(
    database: Database, catalogue: Catalogue, nas: int
) -> None:
    files = series("a", "1", range(1, 31)) | junk("readme.txt")
    go(catalogue, nas, files)
    before = column(database, nas_series.c.stored_at)
    visit, left, read = go(catalogue, nas, files)
    assert (read, visit.figures.unchanged, left.gone) == ([], 31, 0)
    assert column(database, nas_series.c.stored_at) == before
    check(database)


def test_a_large_folder_that_comes_in_parts_is_compared_file_by_file(catalogue: Catalogue, nas: int) -> None:
    files = series("flat", "1", range(1, 601))
    go(catalogue, nas, files, batch=50)
    _, _, read = go(catalogue, nas, files, batch=3)
    assert read == []


def test_only_what_is_new_or_changed_is_read(database: Database, catalogue: Catalogue, nas: int) -> None:
    files = series("a", "1", range(1, 11))
    go(catalogue, nas, files)
    files |= {"a/0003.dcm": slice_of("a/0003.dcm", "1", 3, size=200, mtime=2)} | series("d", "3", [1])
    visit, _, read = go(catalogue, nas, files)
    assert read == ["a/0003.dcm", "d/0001.dcm"]
    assert (visit.figures.added, visit.figures.changed) == (1, 1)
    assert sorted(column(database, nas_series.c.size_bytes)) == [100, 1100]
    check(database)


def test_a_file_that_now_belongs_to_another_series_changes_both(
    database: Database, catalogue: Catalogue, nas: int
) -> None:
    files = series("a", "1", range(1, 4)) | series("b", "2", [1])
    go(catalogue, nas, files)
    files["b/0001.dcm"] = slice_of("b/0001.dcm", "1", 4, mtime=2)
    go(catalogue, nas, files)
    assert column(database, nas_series.c.file_count) == [4]
    check(database)


def test_a_file_that_moved_is_a_move(database: Database, catalogue: Catalogue, nas: int) -> None:
    files = series("a", "1", range(1, 11)) | series("b", "2", range(1, 31))
    go(catalogue, nas, files)
    moved = series("b", "2", range(1, 31)) | series("archive/a", "1", range(1, 11))
    _, left, read = go(catalogue, nas, moved)
    assert (left.moved, left.gone, len(read)) == (10, 0, 10)
    assert column(database, nas_series.c.file_count) == [10, 30]
    assert column(database, nas_series.c.integrity) == ["complete", "complete"]
    check(database)


def test_only_a_complete_visit_takes_out_what_is_gone(database: Database, catalogue: Catalogue, nas: int) -> None:
    files = series("a", "1", range(1, 31)) | series("b", "2", [1]) | junk("x.txt")
    go(catalogue, nas, files)
    less = series("a", "1", range(1, 30))
    _, left, _ = go(catalogue, nas, less, complete=False)
    assert (left.gone, column(database, nas_series.c.file_count)) == (0, [1, 30])
    _, left, _ = go(catalogue, nas, less)
    assert (left.gone, column(database, nas_series.c.file_count)) == (3, [29])
    assert column(database, nas_error.c.path) == []
    check(database)


@pytest.mark.parametrize("there", [0, 9])
def test_a_source_that_lacks_most_of_its_files_is_a_lost_mount(
    database: Database, catalogue: Catalogue, nas: int, there: int
) -> None:
    files = series("a", "1", range(1, 31))
    go(catalogue, nas, files)
    _, left, _ = go(catalogue, nas, series("a", "1", range(1, there + 1)))
    assert (left.is_lost, left.gone, column(database, nas_series.c.file_count)) == (True, 0, [30])
    _, left, _ = go(catalogue, nas, series("a", "1", range(1, there + 1)), accept_loss=True)
    assert (left.is_lost, left.gone) == (False, 30 - there)
    check(database)


def test_what_lies_below_an_unreadable_folder_is_not_gone(database: Database, catalogue: Catalogue, nas: int) -> None:
    files = series("a", "1", range(1, 31)) | series("b/c", "2", [1]) | series("bc", "3", [1]) | series("e", "4", [1, 2])
    go(catalogue, nas, files)
    _, left, _ = go(catalogue, nas, series("a", "1", range(1, 31)), unreadable=["b", "e/0002.dcm"])
    assert left.gone == 2  # of bc, which only begins with the same letter, and e/0001.dcm
    assert sorted(column(database, nas_series.c.file_count)) == [1, 1, 30]
    check(database)


def test_a_visit_to_a_part_leaves_the_rest_alone(database: Database, catalogue: Catalogue, nas: int) -> None:
    files = series("a", "1", [1, 2]) | series("b/c", "2", [1, 2]) | series("b/d", "3", [1])
    go(catalogue, nas, files)
    _, left, read = go(catalogue, nas, series("b/c", "2", [1]), below="b")
    assert (left.gone, read) == (2, [])
    assert sorted(column(database, nas_series.c.file_count)) == [1, 2]
    check(database)


def test_a_file_that_is_not_dicom_is_read_once_and_a_lost_line_is_tried_again(
    database: Database, catalogue: Catalogue, nas: int
) -> None:
    files = junk("notes.txt") | junk("a/1.dcm", "network")
    _, _, read = go(catalogue, nas, files, run="first")
    assert read == ["notes.txt", "a/1.dcm"]
    assert column(database, nas_error.c.path) == ["a/1.dcm", "notes.txt"]
    _, _, read = go(catalogue, nas, files, run="second")
    assert read == ["a/1.dcm"]
    files = junk("notes.txt") | {"a/1.dcm": slice_of("a/1.dcm", "1", 1)}
    go(catalogue, nas, files, run="third")
    assert column(database, nas_error.c.path) == ["notes.txt"]
    files["notes.txt"] = slice_of("notes.txt", "1", 2, mtime=2)
    go(catalogue, nas, files, run="fourth")
    assert column(database, nas_error.c.path) == []
    assert column(database, nas_series.c.file_count) == [2]
    check(database)


def test_a_dicom_file_that_was_overwritten_with_rubbish_leaves_its_series(
    database: Database, catalogue: Catalogue, nas: int
) -> None:
    files = series("a", "1", [1, 2])
    go(catalogue, nas, files)
    go(catalogue, nas, series("a", "1", [1]) | junk("a/0002.dcm", mtime=9))
    assert column(database, nas_series.c.file_count) == [1]
    check(database)


def test_a_corrected_name_is_the_one_that_is_found(database: Database, catalogue: Catalogue, nas: int) -> None:
    go(catalogue, nas, series("a", "1", [1, 2]))
    corrected = series("a", "1", [1, 2], mtime=2, PatientName="Dube^Sipho", StudyDate="20200101")
    go(catalogue, nas, corrected)
    assert column(database, nas_series.c.patient_name) == ["Dube^Sipho"]
    assert "dube" in column(database, nas_series.c.search_text)[0]
    check(database)


def test_two_sources_may_have_the_same_series_and_one_is_shown(
    database: Database, catalogue: Catalogue, nas: int
) -> None:
    mirror = catalogue.source("mirror", "sftp", "sftp://mirror/dicom")
    files = series("a", "1", [1, 2, 3])
    go(catalogue, nas, files)
    go(catalogue, mirror, series("x", "1", [1, 2]))
    check(database)

    def shown() -> list[int]:
        with database.read() as connection:
            return list(connection.scalars(select(nas_series.c.source_id).where(nas_series.c.is_copy.is_(False))))

    assert shown() == [nas]
    catalogue.offline(nas, "The mount is gone.")
    assert shown() == [mirror]
    assert sorted(column(database, nas_series.c.file_count)) == [2, 3]
    catalogue.online(nas)
    assert shown() == [nas]
    go(catalogue, nas, {}, accept_loss=True)
    assert shown() == [mirror]
    check(database)


def test_gaps_and_duplicates_are_seen(database: Database, catalogue: Catalogue, nas: int) -> None:
    files = series("a", "1", [1, 2, 5, 9]) | series("b", "2", [1, 2]) | series("copy of b", "2", [2])
    files |= {f"d/{n}": slice_of(f"d/{n}", f"4{n}", None, SeriesInstanceUID="1.9") for n in range(1)}
    files |= {f"e/{n}": Found(f"e/{n}", 1, 1, slice_of("", f"e{n}", None).header, "key-e") for n in range(2)}
    go(catalogue, nas, files)
    with database.read() as connection:
        rows = connection.execute(select(nas_series.c.series_key, nas_series.c.integrity)).all()
    assert dict(map(tuple, rows)) == {  # type: ignore[arg-type]
        "key-1": "gaps",
        "key-2": "duplicates",
        "key-40": "complete",  # one file, and nothing says that there were more
        "key-e": "unknown",
    }
    assert gaps([1, 2, 5, 9]) == [(3, 4), (6, 8)]
    assert gaps([]) == []


def test_a_path_that_comes_twice_counts_once(database: Database, catalogue: Catalogue, nas: int) -> None:
    visit = catalogue.visit(nas, "run")
    twice = slice_of("a/1.dcm", "1", 1)
    visit.store([twice, twice])
    visit.store([twice], [Failed("a/2.dcm", 1, 1, "dicom", "x", "y"), Failed("a/2.dcm", 1, 1, "dicom", "x", "y")])
    visit.finish(True)
    assert column(database, nas_series.c.file_count) == [1]
    check(database)


def test_names_that_no_table_takes_are_stored_as_they_can_be_shown(
    database: Database, catalogue: Catalogue, nas: int
) -> None:
    path = "a\\b\udcff/\U0001f600'; DROP TABLE nas_file; --\x07.dcm"
    files: Files = {path: slice_of(path, "1", 1, PatientName="A\0B^\ud800", StudyDescription="x" * 50_000)}
    go(catalogue, nas, files)
    _, _, read = go(catalogue, nas, files)
    assert read == []
    check(database)


def test_a_batch_that_fails_leaves_nothing_behind(database: Database, catalogue: Catalogue, nas: int) -> None:
    go(catalogue, nas, series("a", "1", [1]))

    def fail(_connection: object) -> None:
        raise RuntimeError("the power went")

    visit = catalogue.visit(nas, "run")
    new = series("a", "1", [1, 2, 3]) | series("b", "2", [1])
    with pytest.raises(RuntimeError):
        visit.store([f for f in new.values() if isinstance(f, Found)], [], fail)
    check(database)
    assert column(database, nas_series.c.file_count) == [1]
    _, _, read = go(catalogue, nas, new)
    assert len(read) == 3
    check(database)


def test_a_visit_that_was_broken_off_is_continued_where_it_stood(
    database: Database, catalogue: Catalogue, nas: int
) -> None:
    files = series("a", "1", range(1, 31))
    first = catalogue.visit(nas, "run")
    first.store([f for f in list(files.values())[:20] if isinstance(f, Found)])
    check(database)  # killed here
    _, _, read = go(catalogue, nas, files)
    assert len(read) == 10
    assert column(database, nas_series.c.integrity) == ["complete"]
    check(database)


def test_an_older_sqlite_keeps_an_index_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 40, 1))
    database = open_database(f"sqlite:///{tmp_path / 'old.db'}")
    migrate(database)
    with database.read() as connection:
        made = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'nas_series_terms'"))
    assert "contentless_delete" not in str(made)
    catalogue = Catalogue(database, FakeClock())
    nas = catalogue.source("archive", "local", "/mnt/archive")
    go(catalogue, nas, series("a", "1", range(1, 4)) | series("b", "2", [1]))
    go(catalogue, nas, series("a", "1", range(1, 4), mtime=2, PatientName="Dube^Sipho"))
    check(database)
    assert [each.file_count for each in Search(database, FakeClock()).page(Wanted("dube")).series] == [3]
    database.close()
