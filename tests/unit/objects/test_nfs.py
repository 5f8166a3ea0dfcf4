"""The folder as a store, where a folder has ways of its own: full disks, killed writers, lost mounts, links."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from readingroom.errors import (
    ObjectExists,
    ObjectNotFound,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
    StoredFileBroken,
)
from readingroom.objects import NfsStore, original_key, thumb_key

KEY = original_key(12, 345, 78, 9001, datetime(2026, 2, 9, tzinfo=UTC), "png")
OTHER = thumb_key(12, 345, 78, 9001)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


@pytest.fixture
def store(base: Path) -> NfsStore:
    return NfsStore(base)


def files(base: Path) -> list[str]:
    return sorted(str(path.relative_to(base)) for path in base.rglob("*") if path.is_file())


def test_a_key_is_the_files_own_path(store: NfsStore, base: Path) -> None:
    store.put(KEY, [b"x"])
    assert files(base) == [KEY]
    assert (base / KEY).stat().st_mode & 0o777 == 0o640 & ~umask()
    assert (base / KEY).stat().st_nlink == 1


def test_a_put_is_synced_before_it_has_its_name_and_its_folder_after(
    store: NfsStore, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    synced, linked = os.fsync, os.link

    def fsync(descriptor: int) -> None:
        order.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        synced(descriptor)

    def link(source: Path, target: Path) -> None:
        order.append("named")
        linked(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "link", link)
    store.put(KEY, [b"x"])
    named = order.index("named")
    assert any("/.incoming/" in each for each in order[:named])
    assert order[-1] == str((base / KEY).parent)
    # Each new folder on the way is in its own folder's synced list.
    assert {str(folder) for folder in list((base / KEY).parents)[1:6]} <= set(order)


def test_a_full_disk_is_said_so_and_nothing_is_left(
    store: NfsStore, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull, match="no room") as caught:
        store.put(KEY, [b"x" * 100])
    assert caught.value.status == 507
    assert caught.value.headers["Retry-After"] == "600"
    assert files(base) == []


def test_what_cannot_fit_is_refused_before_it_is_sent(store: NfsStore) -> None:
    asked = 0

    def endless() -> Iterator[bytes]:
        nonlocal asked
        asked += 1
        yield b"x"

    with pytest.raises(StorageFull):
        store.put(KEY, endless(), expected_size=1 << 60)
    assert asked == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_fills_while_it_is_written_keeps_nothing_of_it(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    script = (
        "import subprocess, sys\n"
        "from pathlib import Path\n"
        "from readingroom.objects import NfsStore\n"
        "from readingroom.errors import StorageFull\n"
        "base = Path(sys.argv[1])\n"
        "subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', str(base)], check=True)\n"
        "store = NfsStore(base)\n"
        f"store.put({OTHER!r}, [b'small'])\n"
        "try:\n"
        f"    store.put({KEY!r}, (b'x' * 65536 for _ in range(1000)))\n"
        "except StorageFull:\n"
        "    print(sorted(str(p.relative_to(base)) for p in base.rglob('*') if p.is_file()))\n"
    )
    run = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", script, str(small)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.stdout.strip() == str([OTHER])


def test_what_a_killed_writer_left_is_swept_and_what_is_being_written_is_not(store: NfsStore, base: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from readingroom.objects import NfsStore\n"
        "def chunks():\n"
        "    yield b'x' * (3 << 20)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"NfsStore(Path(sys.argv[1])).put({KEY!r}, chunks())\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", script, str(base)], env=environment, check=False)
    assert killed.returncode == -9
    assert store.stat(KEY) is None
    assert list(store.walk()) == []
    (left,) = files(base)
    assert left.startswith(".incoming/")

    assert store.sweep_unfinished(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert files(base) == [left]
    assert store.sweep_unfinished(datetime.now(UTC) + timedelta(seconds=5)) == 1
    assert files(base) == []


def test_of_two_that_write_one_key_at_once_one_stays_whole(store: NfsStore) -> None:
    begin = threading.Barrier(2)
    came: list[object] = []

    def write(byte: bytes) -> None:
        def chunks() -> Iterator[bytes]:
            yield byte * 1000
            begin.wait()
            yield byte * 1000

        try:
            came.append(store.put(KEY, chunks()).sha256)
        except ObjectExists as error:
            came.append(error)

    threads = [threading.Thread(target=write, args=(byte,)) for byte in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [isinstance(each, ObjectExists) for each in came].count(True) == 1
    with store.open(KEY) as blob:
        assert b"".join(blob.read_range()) in (b"a" * 2000, b"b" * 2000)


def test_folders_that_a_delete_empties_go_and_puts_beside_it_do_not_mind(store: NfsStore, base: Path) -> None:
    stop = threading.Event()
    failed: list[Exception] = []

    def come_and_go(study: int) -> None:
        key = thumb_key(12, 345, study, 1)
        try:
            while not stop.is_set():
                store.put(key, [b"x"])
                store.delete(key)
        except Exception as error:  # whatever it is: the test names it
            failed.append(error)

    threads = [threading.Thread(target=come_and_go, args=(study,)) for study in (1, 2, 3)]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [path.name for path in base.iterdir()] == [".incoming"]


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_server_without_hard_links_does_it_by_renaming(
    store: NfsStore, base: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    def no_links(_: Path, __: Path) -> None:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(os, "link", no_links)
    store.put(KEY, [b"x"])
    assert files(base) == [KEY]
    with pytest.raises(ObjectExists):
        store.put(KEY, [b"y"])


def test_a_link_whose_answer_was_lost_is_no_conflict(store: NfsStore, monkeypatch: pytest.MonkeyPatch) -> None:
    linked = os.link

    def forgetful(source: Path, target: Path) -> None:
        linked(source, target)
        raise FileExistsError(errno.EEXIST, "File exists")

    monkeypatch.setattr(os, "link", forgetful)
    assert store.put(KEY, [b"x"]).size == 1


def test_links_and_pipes_are_no_objects(store: NfsStore, base: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    place = base / KEY
    place.parent.mkdir(parents=True)
    place.symlink_to(secret)
    with pytest.raises(StorageUnavailable), store.open(KEY):
        pass
    assert list(store.walk()) == []
    place.unlink()
    os.mkfifo(place)
    with pytest.raises(ObjectNotFound), store.open(KEY):
        pass
    assert list(store.walk()) == []


def test_a_file_that_was_cut_short_is_not_passed_on_as_whole(store: NfsStore, base: Path) -> None:
    store.put(KEY, [b"x" * 3_000_000])
    with store.open(KEY) as blob:
        pieces = blob.read_range()
        next(pieces)
        os.truncate(base / KEY, 1_500_000)
        with pytest.raises(StoredFileBroken):
            list(pieces)


def test_a_reader_is_not_disturbed_by_a_delete(store: NfsStore) -> None:
    store.put(KEY, [b"x" * 3_000_000])
    with store.open(KEY) as blob:
        store.delete(KEY)
        assert sum(map(len, blob.read_range())) == 3_000_000


@pytest.mark.parametrize(
    ("number", "kind", "status"),
    [
        (errno.EACCES, StorageRefused, 503),
        (errno.EROFS, StorageRefused, 503),
        (errno.EDQUOT, StorageFull, 507),
        (errno.ESTALE, StorageUnavailable, 503),
        (errno.EIO, StorageUnavailable, 503),
        (errno.EHOSTDOWN, StorageUnavailable, 503),
    ],
)
def test_what_the_kernel_says_comes_out_in_our_words(
    store: NfsStore,
    base: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[StorageUnavailable],
    status: int,
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number), str(base))

    monkeypatch.setattr(os, "fsync", refuse)
    for ask in (store.check, lambda: store.put(KEY, [b"x"])):
        with pytest.raises(kind) as caught:
            ask()
        assert type(caught.value) is kind
        assert caught.value.status == status
        assert int(caught.value.headers["Retry-After"]) > 0
        assert str(base) not in caught.value.message


# Mounts


def test_a_share_that_is_not_mounted_is_no_store_without_objects(base: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    store = NfsStore(base, data)
    store.put(KEY, [b"x"])
    base.rename(tmp_path / "away")
    for _ in ("no folder", "an empty one"):
        for again in (store, NfsStore(base, data)):
            for ask in (
                again.check,
                lambda again=again: again.stat(KEY),
                lambda again=again: list(again.walk()),
                lambda again=again: again.delete(KEY),
                lambda again=again: again.put(OTHER, [b"x"]),
                lambda again=again: again.open(KEY).__enter__(),
                lambda again=again: again.sweep_unfinished(datetime.now(UTC)),
            ):
                with pytest.raises(StorageUnavailable, match="is its share mounted"):
                    ask()
        base.mkdir(exist_ok=True)
    assert files(base) == []
    base.rmdir()
    (tmp_path / "away").rename(base)
    assert store.stat(KEY) is not None


def test_another_share_in_its_place_is_not_written_to_until_somebody_says_so(base: Path, tmp_path: Path) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    for folder in (data, other, tmp_path / "data2"):
        folder.mkdir()
    NfsStore(base, data).check()
    NfsStore(other, tmp_path / "data2").check()
    base.rename(tmp_path / "away")
    other.rename(base)
    with pytest.raises(StorageUnavailable, match="not the one it was"):
        NfsStore(base, data).check()
    (data / "imaging-folder.json").unlink()
    NfsStore(base, data).check()


def test_a_folder_that_another_instance_uses_already_is_taken_as_it_is(base: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        NfsStore(base, tmp_path / name).put(KEY, [b"x"])
    assert NfsStore(base, tmp_path / "one").stat(KEY) is not None


def test_the_folder_inside_the_data_folder_is_made_and_carries_no_mark(tmp_path: Path) -> None:
    store = NfsStore(tmp_path / "imaging", tmp_path)
    store.check()
    store.put(KEY, [b"x"])
    assert files(tmp_path) == [f"imaging/{KEY}"]


def test_a_share_in_place_of_the_folder_inside_the_data_folder_is_known_again(base: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "imaging").symlink_to(base)
    NfsStore(data / "imaging", data).put(KEY, [b"x"])
    (data / "imaging").unlink()
    (data / "imaging").mkdir()
    with pytest.raises(StorageUnavailable, match="is its share mounted"):
        NfsStore(data / "imaging", data).stat(KEY)


def umask() -> int:
    present = os.umask(0)
    os.umask(present)
    return present
