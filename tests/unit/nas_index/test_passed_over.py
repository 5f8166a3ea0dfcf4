"""What is not indexed is told, each with what a person can do about it, and however much of it there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from readingroom.nas_index import pipeline
from readingroom.nas_index.list_walk import NO_MOUNT, ListWalk
from readingroom.nas_index.listing import Folder, Part
from readingroom.nas_index.path_map import PathMap
from readingroom.nas_index.records import Failed, Found
from readingroom.nas_index.told import passed_over
from readingroom.sources import Unreadable

from tests.unit.nas_index.test_pipeline import Kept, Run


def test_each_line_of_a_list_that_is_not_indexed_says_why(tmp_path: Path) -> None:
    place = tmp_path / "list.txt"
    lines = [r"\\other\b\2.dcm", "/etc/passwd", r"\\nas\a\a long na...", "-a----  01.01.2024  10:00  17 3.dcm"]
    place.write_text("\n".join([*lines, f"{tmp_path}/1.dcm"]))
    walk = ListWalk(place, PathMap({r"\\nas\a": "/mnt/a"}), ["/mnt/a", str(tmp_path)])
    told = [told for part in walk.parts() for each in part.unreadable if (told := passed_over(each))]
    codes = [each.error_code for each in told]
    assert codes == ["unmapped_path", "outside_roots", "unusable_line", "unusable_line"]
    assert ["NAS_PATH_MAP" in each.suggestion for each in told] == [True, True, False, False]


def test_a_name_that_a_server_cannot_mean_is_no_matter_of_mounts() -> None:
    told = passed_over(Unreadable("a/b", "a name that no file can have", "name"))
    assert told is not None
    assert (told.error_code, told.suggestion) == ("unreadable_name", "Rename it at the NAS.")


def test_however_much_cannot_be_listed_it_is_stored_some_at_a_time(tmp_path: Path) -> None:
    """Of a list of a million paths whose mount nobody named each is an error, and few of them wait."""

    class Unmapped:
        def start(self) -> Folder:
            return Folder("")

        def listed(self, folder: Folder) -> Iterator[Part]:
            for number in range(40):
                yield Part("", unreadable=[Unreadable(rf"\\nas\{number}\{n}", NO_MOUNT, "name") for n in range(1000)])

    at_once: list[int] = []

    class Counting(Kept):
        def store(self, found: Sequence[Found], failed: Sequence[Failed] = ()) -> None:
            super().store(found, failed)
            at_once.append(len(failed))

    run = Run(tmp_path, Counting())
    run.lister = Unmapped()  # type: ignore[assignment]
    assert run().errors == sum(at_once) == len(run.kept.failed) == 40_000
    assert max(at_once) <= pipeline.STORED
    assert run.kept.unread == []  # nothing below such a path can be known
