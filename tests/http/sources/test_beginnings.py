"""The beginnings of many files at a time: the same bytes as one by one, and each file's own error beside them."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest
from readingroom.errors import SourceError, SourceForbidden, SourceNotFound, SourceUnreachable
from readingroom.sources import Beginning, FileEntry

from tests.http.sources.test_contract import write

if TYPE_CHECKING:
    from tests.http.sources.conftest import Place


def test_each_file_gives_its_first_bytes_in_the_order_asked_for(place: Place) -> None:
    fixed = random.Random(7)
    for number in range(300):
        write(place.root, f"{number % 9}/{number}.dcm", fixed.randbytes(fixed.choice([1, 50, 4095, 4096, 4097, 9000])))
    with place.open() as source:
        entries = [entry for entry in source.walk() if isinstance(entry, FileEntry)]
        fixed.shuffle(entries)
        begins = source.beginnings(entries, 4096)
    expected = [(each.size, each.mtime_ns, (place.root / each.path).read_bytes()[:4096]) for each in entries]
    assert begins == [Beginning(*each) for each in expected]


def test_odd_names_begin_as_they_do(place: Place) -> None:
    names = ["-rf", "~", "a'b $(touch x) `id` ; & .dcm", " lead", "日本語/画像.dcm", "-/x", "x" * 200]
    if place.kind != "smb":  # Windows has no such names: Samba shows short ones instead
        names += [
            "new\nline\n.dcm",
            "tab\t",
            "back\\slash",
            "*/[a]?",
            'q"u|o>t<e',
            os.fsdecode(b"latin-\xfc\x81\x82\x88.dcm"),
        ]
    for name in names:
        write(place.root, name, name.encode("utf-8", "surrogateescape") * 3)
    with place.open() as source:
        entries = [entry for entry in source.walk() if isinstance(entry, FileEntry)]
        begins = source.beginnings(entries, 4096)
    assert len(entries) == len(names)
    for entry, beginning in zip(entries, begins, strict=True):
        assert isinstance(beginning, Beginning), (entry, beginning)
        assert beginning.data == entry.path.encode("utf-8", "surrogateescape") * 3


def test_an_error_is_that_files_alone(place: Place) -> None:
    for number in range(200):
        write(place.root, f"a/{number}", bytes(100))
    secret = write(place.root, "a/secret", bytes(100))
    with place.open() as source:
        entries = [entry for entry in source.walk() if isinstance(entry, FileEntry)]
        secret.chmod(0)
        (place.root / "a/77").unlink()
        (place.root / "a/78").unlink()
        (place.root / "a/78").mkdir()
        with place.as_reader():
            begins = {entry.path: each for entry, each in zip(entries, source.beginnings(entries, 64), strict=True)}
    failed = {path: each for path, each in begins.items() if isinstance(each, SourceError)}
    assert set(failed) == {"a/secret", "a/77", "a/78"}
    assert isinstance(failed["a/secret"], SourceForbidden)
    assert isinstance(failed["a/77"], SourceNotFound)
    assert isinstance(failed["a/78"], SourceNotFound | SourceForbidden)


def test_a_file_that_grew_or_shrank_gives_what_it_is_now(place: Place) -> None:
    if place.kind == "local":
        pytest.skip("one by one, a file's size is the listing's: it is read anew when the next listing shows another")
    for name in ("before", "grown", "shrunk", "emptied", "after"):
        write(place.root, name, name.encode() * 500)
    with place.open() as source:
        entries = [entry for entry in source.walk() if isinstance(entry, FileEntry)]
        for name, size in (("grown", 9000), ("shrunk", 10), ("emptied", 0)):
            write(place.root, name, name.encode() * size)
        begins = source.beginnings(entries, 4096)
    for entry, beginning in zip(entries, begins, strict=True):
        now = (place.root / entry.path).read_bytes()
        assert (beginning.size, beginning.data) == (len(now), now[:4096]), entry  # type: ignore[union-attr]


def test_a_link_is_followed_inside_and_never_outside(place: Place) -> None:
    if place.kind == "smb":
        pytest.skip("there the server decides where links lead")
    write(place.root, "real/a", b"inside")
    outside = write(place.root.parent, f"{place.root.name}-outside/secret", b"outside")
    (place.root / "link").symlink_to("real/a")
    (place.root / "folder").symlink_to("real")
    (place.root / "away").symlink_to(outside)
    (place.root / "out").symlink_to(outside.parent)
    paths = ["link", "folder/a", "away", "out/secret", "real/a"]
    with place.open() as source:
        begins = source.beginnings([FileEntry(path, 6, 0) for path in paths], 64)
    said = [each.data if isinstance(each, Beginning) else type(each) for each in begins]
    assert said == [b"inside", b"inside", SourceForbidden, SourceForbidden, b"inside"]


def test_no_path_climbs_out(place: Place) -> None:
    write(place.root, "a", b"x")
    with place.open() as source:
        for path in ("../a", "/etc/passwd", "b/../../a", "a\0b"):
            with pytest.raises(SourceNotFound):
                source.beginnings([FileEntry("a", 1, 0), FileEntry(path, 1, 0)], 64)


def test_a_lost_line_is_replaced_and_a_dead_one_is_told(place: Place) -> None:
    if place.server is None:
        pytest.skip("a folder has no line")
    for number in range(100):
        write(place.root, f"{number}", bytes(4096))
    with place.line() as line, place.open_over(line, retries=2) as source:
        entries = [entry for entry in source.walk() if isinstance(entry, FileEntry)]
        line.cut_after(50_000)
        assert all(isinstance(each, Beginning) for each in source.beginnings(entries, 4096))
        line.go_down()
        with pytest.raises(SourceUnreachable):
            source.beginnings(entries, 4096)
