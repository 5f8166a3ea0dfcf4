"""What every kind of source promises: walking, reading, names, links, refusals."""

from __future__ import annotations

import os
import random
import threading
import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from readingroom.errors import SourceChanged, SourceForbidden, SourceNotFound
from readingroom.sources import FileEntry, Unreadable, printable

if TYPE_CHECKING:
    from tests.http.sources.conftest import Place


def write(root: Path, path: str, content: bytes = b"DICM") -> Path:
    """A file at the source, its folders made."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def files(entries: Iterable[FileEntry | Unreadable]) -> list[str]:
    """Paths of the readable files of a walk."""
    return [entry.path for entry in entries if isinstance(entry, FileEntry)]


def passed_over(entries: Iterable[FileEntry | Unreadable]) -> dict[str, str]:
    """Paths and reasons of what a walk could not read."""
    return {entry.path: entry.why for entry in entries if isinstance(entry, Unreadable)}


def test_a_walk_gives_every_file_in_the_order_of_names_with_size_and_time(place: Place) -> None:
    for path in ("MRI/0001/b.dcm", "MRI/0001/a.dcm", "CT/0003/deep/er/still/x", "CT/0003/y", "top"):
        write(place.root, path, path.encode())
    os.utime(place.root / "top", (1_600_000_000, 1_600_000_000))
    with place.open() as source:
        entries = list(source.walk())
    expected = ["CT/0003/deep/er/still/x", "CT/0003/y", "MRI/0001/a.dcm", "MRI/0001/b.dcm", "top"]
    assert [entry.path for entry in entries] == expected
    assert [entry.size for entry in entries] == [len(path) for path in expected]
    assert entries[-1].mtime_ns == 1_600_000_000 * 10**9


def test_walking_twice_and_asking_for_one_file_say_the_same(place: Place) -> None:
    for number in range(30):
        write(place.root, f"{number % 7}/{number}.dcm", bytes(number))
    with place.open() as source:
        first, second = list(source.walk()), list(source.walk())
        assert first == second
        assert [source.stat(entry.path) for entry in first] == first


def test_a_walk_can_start_below(place: Place) -> None:
    write(place.root, "MRI/0001/a")
    write(place.root, "CT/0001/b")
    with place.open() as source:
        assert files(source.walk("CT")) == ["CT/0001/b"]
        assert files(source.walk("MRI/0001")) == ["MRI/0001/a"]


def test_a_folder_with_thousands_of_files_is_walked_whole(place: Place) -> None:
    for number in range(3000):
        (place.root / f"IM{number:05d}-with-a-name-of-some-length.dcm").touch()
    with place.open() as source:
        assert len(files(source.walk())) == 3000


def test_odd_names_are_listed_and_open_what_they_name(place: Place) -> None:
    names = [
        "Müller, Jörg.dcm", "日本語/画像 1.dcm", " leading and trailing ", "#1 50%25 [a] {b} ~ ' & ; $HOME.dcm",
        unicodedata.normalize("NFD", "é-decomposed"), "é-composed", "-rf", "x" * 200, "emoji 🩻.dcm",
    ]  # fmt: skip
    if place.kind == "smb":
        names.remove(" leading and trailing ")  # Windows has no trailing space: Samba shows a short name instead
    else:
        names += ["back\\slash", "new\nline", 'quote"', "a?b*c:d|e<f>"]
    for name in names:
        write(place.root, name, name.encode())
    with place.open() as source:
        assert sorted(files(source.walk())) == sorted(names)
        for name in names:
            with source.open(name) as file:
                assert file.read() == name.encode()


def test_a_name_that_is_no_utf8_survives_and_can_be_shown(place: Place) -> None:
    (Path(os.fsdecode(os.fsencode(place.root) + b"/M\xfcller.dcm"))).write_bytes(b"latin-1")
    write(place.root, "z", b"after it")
    with place.open() as source:
        found = files(source.walk())
        if place.kind == "smb":
            assert found == ["z"]  # SMB names are Unicode: Samba itself leaves such a file out
            return
        assert found == ["M\udcfcller.dcm", "z"]
        assert printable(found[0]) == "M\\xfcller.dcm"
        with source.open(found[0]) as file:
            assert file.read() == b"latin-1"


def test_an_empty_file_is_a_file_of_no_bytes(place: Place) -> None:
    write(place.root, "empty", b"")
    with place.open() as source:
        assert source.stat("empty").size == 0
        with source.open("empty") as file:
            assert file.read() == b""
        assert source.read_range("empty", 0, 100) == b""


def test_a_large_file_comes_out_byte_for_byte(place: Place) -> None:
    content = random.Random(1).randbytes(64 * 1024 * 1024 + 17)
    write(place.root, "large", content)
    with place.open() as source:
        with source.open("large") as file:
            assert file.entry.size == len(content)
            assert file.read() == content
        with source.open("large") as file:
            got = bytearray()
            while piece := file.read(1_000_003):
                got += piece
    assert got == content


def test_any_range_can_be_read_and_ends_with_the_file(place: Place) -> None:
    content = random.Random(2).randbytes(3_000_000)
    write(place.root, "file", content)
    ranges = [(0, 1), (0, 132), (1_234_567, 65_536), (2_999_990, 100), (3_000_000, 5), (9_000_000, 5)]
    with place.open() as source:
        for offset, size in [*ranges, (0, 3_000_000), (77, 0)]:
            assert source.read_range("file", offset, size) == content[offset : offset + size]
        with pytest.raises(ValueError, match="zero"):
            source.read_range("file", -1, 5)


def test_an_open_file_can_be_sought_in(place: Place) -> None:
    content = random.Random(3).randbytes(2_000_000)
    write(place.root, "file", content)
    chance = random.Random(4)
    with place.open() as source, source.open("file") as file:
        for _ in range(40):
            offset, size = chance.randrange(2_000_000), chance.randrange(1, 300_000)
            file.seek(offset)
            assert file.read(size) == content[offset : offset + size]
        assert file.seek(-10, os.SEEK_END) == 1_999_990
        assert file.read() == content[-10:]


def test_what_is_not_there_is_not_found(place: Place) -> None:
    write(place.root, "folder/file")
    with place.open() as source:
        for path in ("missing", "folder/missing", "missing/file", "folder/file/below", "folder", ""):
            with pytest.raises(SourceNotFound):
                source.open(path)
            with pytest.raises(SourceNotFound):
                source.stat(path)
        for path in ("missing", "folder/file"):
            with pytest.raises(SourceNotFound):
                source.walk(path)


def test_a_source_whose_folder_is_missing_or_a_file_does_not_open(place: Place) -> None:
    write(place.root, "file")
    url = place.url
    for below in ("missing", "file"):
        place.url = f"{url}/{below}"
        with pytest.raises(SourceNotFound) as caught:
            place.open()
        assert caught.value.suggestion


def test_no_path_climbs_out(place: Place) -> None:
    secret = place.root.parent / f"secret-{place.root.name}"
    secret.write_text("secret")
    secret.chmod(0o644)
    try:
        with place.open() as source:
            climbs = [f"../{secret.name}", f"a/../../{secret.name}", "/etc/passwd", str(secret), "..", "a\0b"]
            if place.kind == "smb":
                climbs.append(f"..\\{secret.name}")
            for path in climbs:
                with pytest.raises(SourceNotFound):
                    source.open(path)
                with pytest.raises(SourceNotFound):
                    source.stat(path)
                with pytest.raises(SourceNotFound):
                    source.walk(path)
    finally:
        secret.unlink()


def test_what_may_not_be_read_is_reported_and_the_rest_is_walked(place: Place) -> None:
    write(place.root, "a/file")
    write(place.root, "closed/file")
    write(place.root, "z/file")
    write(place.root, "z/unreadable").chmod(0)
    (place.root / "closed").chmod(0o700)
    with place.as_reader(), place.open() as source:
        entries = list(source.walk())
        assert files(entries) == ["a/file", "z/file", "z/unreadable"]
        assert passed_over(entries) == {"closed": "forbidden"}
        with pytest.raises(SourceForbidden) as caught:
            source.open("z/unreadable")
        assert caught.value.suggestion
        assert str(place.root) not in caught.value.message
        with pytest.raises(SourceForbidden):
            source.open("closed/file")


def test_links_in_circles_are_survived_and_links_inside_are_followed(place: Place) -> None:
    write(place.root, "pool/study/a.dcm", b"one")
    (place.root / "pool" / "up").symlink_to("..")
    (place.root / "pool" / "study" / "round").symlink_to("../study")
    (place.root / "self").symlink_to("self")
    (place.root / "dangling").symlink_to("nothing")
    (place.root / "MRI").mkdir()
    (place.root / "MRI" / "0001").symlink_to("../pool/study")
    (place.root / "MRI" / "file").symlink_to("../pool/study/a.dcm")
    with place.open() as source:
        entries = list(source.walk())
        assert files(entries) == ["MRI/0001/a.dcm", "MRI/file", "pool/study/a.dcm"]
        loops = {path for path, why in passed_over(entries).items() if why == "loop"}
        assert {"MRI/0001/round", "pool/study/round", "pool/up"} <= loops
        with source.open("MRI/0001/a.dcm") as file:
            assert file.read() == b"one"


def test_a_link_that_leaves_the_source_leads_nowhere(place: Place, open_tmp: Path) -> None:
    outside = open_tmp / "outside"
    write(outside, "secret", b"secret")
    write(place.root, "a")
    (place.root / "folder").symlink_to(outside)
    (place.root / "file").symlink_to(outside / "secret")
    with place.open() as source:
        entries = list(source.walk())
        assert files(entries) == ["a"]
        if place.kind != "smb":  # Samba does not even list them
            assert passed_over(entries) == {"file": "outside", "folder": "outside"}
        for path in ("file", "folder/secret"):
            with pytest.raises((SourceForbidden, SourceNotFound)):
                source.open(path)
    if place.kind != "smb":
        with place.open(follow_links_outside=True) as source:
            assert files(source.walk()) == ["a", "file", "folder/secret"]


def test_a_pipe_is_passed_over_and_blocks_nobody(place: Place) -> None:
    if place.kind == "smb":
        pytest.skip("Samba shows a pipe as an empty file")
    os.mkfifo(place.root / "pipe")
    write(place.root, "z")
    with place.open() as source:
        entries = list(source.walk())
        assert files(entries) == ["z"]
        assert passed_over(entries) == {"pipe": "special"}
        with pytest.raises(SourceForbidden):
            source.open("pipe")


def test_eight_threads_read_at_once_and_each_gets_its_own_bytes(place: Place) -> None:
    contents = {f"{n}": random.Random(n).randbytes(1_500_000 + n) for n in range(24)}
    for name, content in contents.items():
        write(place.root, name, content)
    with place.open() as source, ThreadPoolExecutor(8) as pool:

        def read(name: str) -> bytes:
            with source.open(name) as file:
                return file.read()

        for name, got in zip(contents, pool.map(read, contents), strict=True):
            assert got == contents[name]


def test_many_files_stay_open_over_few_connections(place: Place) -> None:
    contents = [random.Random(n).randbytes(700_000) for n in range(12)]
    for number, content in enumerate(contents):
        write(place.root, str(number), content)
    with place.open(connections=2) as source:
        opened = [source.open(str(number)) for number in range(12)]
        halves = [file.read(350_000) for file in opened]
        assert len(files(source.walk())) == 12
        for file, half, content in zip(opened, halves, contents, strict=True):
            assert half + file.read() == content
            file.close()


def test_a_file_cut_short_while_it_is_read_is_an_error_and_never_a_short_file(place: Place) -> None:
    path = write(place.root, "file", bytes(10_000_000))
    with place.open() as source, source.open("file") as file:
        file.read(100)
        os.truncate(path, 1_000_000)
        with pytest.raises(SourceChanged):
            file.read()


def test_nothing_is_read_after_the_source_is_closed(place: Place) -> None:
    write(place.root, "file", bytes(5_000_000))
    source = place.open()
    source.close()
    with pytest.raises(Exception, match="closed"):
        source.open("file")


def test_closing_leaves_no_thread_behind(place: Place) -> None:
    write(place.root, "file", bytes(100_000))
    before = set(threading.enumerate())
    with place.open() as source, source.open("file") as file:
        file.read()
    left = [t for t in threading.enumerate() if t not in before]
    for thread in left:
        thread.join(5)
    assert not [t for t in left if t.is_alive()]
