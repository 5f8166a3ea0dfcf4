"""A walk tells what is gone from what only seemed so while a source was away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from readingroom.errors import SourceError, SourceNotFound, SourceUnreachable
from readingroom.nas_index.list_local import LocalLister
from readingroom.nas_index.listing import File, Folder, Part
from readingroom.nas_index.walks import patiently
from readingroom.nas_index.watch import SourceOffline, Watch

Said = Part | SourceError
GONE, AWAY = SourceNotFound("it is not there"), SourceUnreachable("the line is down")


class Lister:
    """Says of one folder what it is told to, listing by listing."""

    def __init__(self, *listings: Said) -> None:
        self._listings = list(listings)

    def start(self) -> Folder:
        """That folder."""
        return Folder("series")

    def listed(self, _folder: Folder) -> Iterator[Part]:
        """The next of them."""
        said = self._listings.pop(0)
        if isinstance(said, SourceError):
            raise said
        yield said


def watch(*answers: SourceError | None, patience: float = 5) -> Watch:
    """Of a source that answers so, one look after the other, and is there ever after."""
    left = list(answers)

    def probe() -> None:
        if left and (said := left.pop(0)) is not None:
            raise said

    return Watch(probe, patience=patience, first_pause=0.01, stopping=threading.Event())


def part(*names: str, vanished: tuple[str, ...] = ()) -> Part:
    """Files of the folder, and such as vanished while it was listed."""
    return Part("series", [File(name, 1, 1) for name in names], vanished=list(vanished))


def walked(lister: Lister, over: Watch) -> tuple[list[str], list[str]]:
    """Names of the files, and what was passed over and why."""
    parts = list(patiently(lister, lister.start(), over))
    return [file.name for each in parts for file in each.files], [x.why for each in parts for x in each.unreadable]


def test_a_folder_that_is_gone_once_is_looked_for_again() -> None:
    assert walked(Lister(GONE, part("a")), watch()) == (["a"], [])
    assert walked(Lister(GONE, GONE), watch()) == ([], ["gone"])


def test_a_folder_of_a_source_that_is_away_is_listed_when_that_is_back() -> None:
    assert walked(Lister(GONE, part("a")), watch(AWAY, AWAY, None)) == (["a"], [])
    assert walked(Lister(AWAY, AWAY, part("a")), watch(AWAY, None)) == (["a"], [])
    with pytest.raises(SourceOffline):
        walked(Lister(AWAY), watch(*[AWAY] * 100, patience=0.05))


def test_an_empty_folder_counts_only_while_the_source_is_there() -> None:
    assert walked(Lister(part(), part("a")), watch(AWAY, None)) == (["a"], [])
    assert walked(Lister(part()), watch()) == ([], [])


def test_files_that_vanish_while_a_folder_is_listed_are_looked_for_once_more() -> None:
    assert walked(Lister(part("a", vanished=("b", "c")), part("a", "b", vanished=("c",))), watch()) == (["a", "b"], [])
    back = Lister(part("a", vanished=("b",)), part("a", "b"))
    assert walked(back, watch(AWAY, AWAY, None)) == (["a", "b"], [])


def test_a_folder_on_this_machine_says_what_vanished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ab":
        (tmp_path / name).touch()
    lister = LocalLister(str(tmp_path))

    class Entry:
        def __init__(self, name: str) -> None:
            self.name, self.path = name, str(tmp_path / name)

        def is_file(self, **_: bool) -> bool:
            return True

        def stat(self, **_: bool) -> object:
            return Path(self.path).stat()

    class Scan(list[Entry]):
        def __enter__(self) -> Scan:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("os.scandir", lambda _: Scan([Entry("a"), Entry("never")]))
    (said,) = lister.listed(lister.start())
    assert [each.name for each in said.files] == ["a"]
    assert said.vanished == ["never"]
