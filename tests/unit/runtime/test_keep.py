"""Things made once and kept: whole or not at all, one maker at a time, old ones pruned."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from scripts.runtime import keep
from scripts.runtime.ground import Ground, Run
from scripts.runtime.refusal import Refusal


def make(place: Path) -> None:
    place.mkdir()
    (place / "file").write_text("made")


def test_what_is_whole_is_not_made_again(tmp_path: Path) -> None:
    calls: list[Path] = []

    def counted(place: Path) -> None:
        calls.append(place)
        make(place)

    for _ in range(3):
        assert (keep.made(tmp_path / "thing", counted) / "file").read_text() == "made"
    assert len(calls) == 1


@pytest.mark.parametrize("in_place", [False, True])
def test_a_broken_build_is_never_used(tmp_path: Path, in_place: bool) -> None:
    def broken(place: Path) -> None:
        make(place)
        raise Refusal("half-way")

    with pytest.raises(Refusal):
        keep.made(tmp_path / "thing", broken, in_place=in_place)
    assert not (tmp_path / "thing" / keep.WHOLE).exists()

    keep.made(tmp_path / "thing", make, in_place=in_place)
    assert sorted(each.name for each in (tmp_path / "thing").iterdir()) == [keep.WHOLE, "file"]


def test_two_that_start_together_make_it_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=slowly_made, args=(tmp_path,)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(300)
        assert each.exitcode == 0
    assert (tmp_path / "made-by").read_text().count("\n") == 1


def slowly_made(folder: Path) -> None:
    def slowly(place: Path) -> None:
        with (folder / "made-by").open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.5)
        make(place)

    keep.made(folder / "thing", slowly)


def test_a_full_disk_is_told_before_anything_is_begun(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"(?s)nearly full: .*READINGROOM_RUNTIME") as told:
        keep.made(tmp_path / "thing", make, needs_mb=10**9)
    assert str(tmp_path) in str(told.value)
    assert not (tmp_path / "thing").exists()


def test_the_two_used_last_are_kept_and_one_in_use_is_spared(tmp_path: Path) -> None:
    for number in range(5):
        folder = keep.made(tmp_path / f"root-{number}", make)
        os.utime(folder / keep.WHOLE, (number, number))
    with keep.in_use(tmp_path / "root-0"):
        keep.pruned(tmp_path, "root-")
    assert sorted(each.name for each in tmp_path.glob("root-*")) == ["root-0", "root-3", "root-4"]


def test_what_a_command_works_from_is_spared_until_it_ends(tmp_path: Path) -> None:
    for number in range(5):
        folder = keep.made(tmp_path / f"web-{number}", make)
        os.utime(folder / keep.WHOLE, (number, number))
    environment = keep.made(tmp_path / "venv-0", make)
    ground = Ground("inside", "inside", None, environment / "bin" / "python")
    run = Run(ground, ["cat"], used=[tmp_path / "web-0", tmp_path / "no-such"], output=None)
    try:
        keep.pruned(tmp_path, "web-")
        keep.pruned(tmp_path, "venv-", kept=0)
        left = {each.name for each in tmp_path.iterdir()}
    finally:
        run.say(signal.SIGKILL)
        run.wait()
    assert left == {"web-0", "web-3", "web-4", "venv-0", *(name for name in left if name.endswith(".lock"))}
    keep.pruned(tmp_path, "web-")
    assert not (tmp_path / "web-0").exists()


def test_a_key_changes_with_names_and_with_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = keep.key_of_files(tmp_path, [tmp_path / "a"])
    assert before == keep.key_of_files(tmp_path, [tmp_path / "a"])
    (tmp_path / "a").write_text("2")
    changed = keep.key_of_files(tmp_path, [tmp_path / "a"])
    (tmp_path / "a").rename(tmp_path / "b")
    renamed = keep.key_of_files(tmp_path, [tmp_path / "b"])
    assert len({before, changed, renamed}) == 3
