"""Pictures through their processes: kept warm, replaced when they die or hang, and leaving nothing half behind."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from readingroom.confined import privileges
from readingroom.errors import BrokenPicture, PayloadTooLarge, PicturesUnavailable, UnsupportedMedia
from readingroom.pictures import Kind, Pictures, Variants
from readingroom.pictures.worker import memory
from readingroom.settings import Settings

from tests.fixtures.pictures import page, pdf, png, quarters, saved, sixteen

MB = 1 << 20


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(READINGROOM_DATA=tmp_path / "data")


@pytest.fixture
def pictures(settings: Settings) -> Iterator[Pictures]:
    made = Pictures(settings)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "variants"
    made.mkdir()
    return made


def kept(tmp_path: Path, data: bytes, name: str = "original") -> Path:
    place = tmp_path / name
    place.write_bytes(data)
    place.chmod(0o400)
    return place


def child(pictures: Pictures) -> int:
    """The one warm process."""
    (worker,) = pictures._pool._idle
    return worker.pid


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(3000):
        if is_so():
            return
        time.sleep(0.01)
    raise AssertionError("it never became so")


STARTING_SECONDS = 60.0
"""How long a process may take to load its libraries on a busy machine; it is asked within its bounds after that."""


@contextmanager
def patient(pictures: Pictures) -> Iterator[None]:
    """Wait for a process that is started first, and not only as long as for its answer."""
    usual, pictures._seconds = pictures._seconds, STARTING_SECONDS
    try:
        yield
    finally:
        pictures._seconds = usual


def both(pictures: Pictures, place: Path, folder: Path) -> Variants:
    return pictures.make_variants(place, pictures.inspect(place), folder)


def test_a_picture_becomes_two_and_stays_what_it_was(pictures: Pictures, tmp_path: Path, folder: Path) -> None:
    data = saved(quarters(3000, 2000), "JPEG")
    place = kept(tmp_path, data)
    kind = pictures.inspect(place)
    assert kind == Kind("image/jpeg", "jpg", 3000, 2000, 1, 8)
    made = pictures.make_variants(place, kind, folder)
    assert made == Variants(folder / "thumb.webp", folder / "web.webp", 2000, 1333)
    assert sorted(each.name for each in folder.iterdir()) == ["thumb.webp", "web.webp"]
    assert place.read_bytes() == data


def test_one_process_makes_one_picture_after_the_other(pictures: Pictures, tmp_path: Path, folder: Path) -> None:
    both(pictures, kept(tmp_path, saved(quarters(), "PNG")), folder)
    first = child(pictures)
    both(pictures, kept(tmp_path, page(), "document"), folder)
    with pytest.raises(UnsupportedMedia):
        pictures.inspect(kept(tmp_path, b"<html>", "html"))
    with pytest.raises(UnsupportedMedia):
        pictures.inspect(kept(tmp_path, b"", "empty"))
    assert child(pictures) == first


def test_a_refusal_comes_through_with_all_it_says(pictures: Pictures, tmp_path: Path) -> None:
    with pytest.raises(PayloadTooLarge, match="50000 × 50000") as told:
        pictures.inspect(kept(tmp_path, png(50_000, 50_000)))
    assert told.value.detail == {"width": 50_000, "height": 50_000, "maxPixels": 120_000_000}


def test_a_picture_that_is_damaged_leaves_nothing_behind(pictures: Pictures, tmp_path: Path, folder: Path) -> None:
    place = kept(tmp_path, png(3000, 2000))
    kind = pictures.inspect(place)
    with pytest.raises(BrokenPicture):
        pictures.make_variants(place, kind, folder)
    assert list(folder.iterdir()) == []
    both(pictures, kept(tmp_path, saved(quarters(), "PNG"), "good"), folder)


def test_a_file_that_became_another_is_refused(pictures: Pictures, tmp_path: Path, folder: Path) -> None:
    kind = pictures.inspect(kept(tmp_path, saved(quarters(), "PNG"), "one"))
    with pytest.raises(BrokenPicture, match="no longer"):
        pictures.make_variants(kept(tmp_path, saved(quarters(), "JPEG"), "other"), kind, folder)
    assert list(folder.iterdir()) == []


def test_a_file_that_is_gone_and_a_folder_that_is_gone_are_no_fault_of_the_picture(
    pictures: Pictures, tmp_path: Path, folder: Path
) -> None:
    place = kept(tmp_path, saved(quarters(), "PNG"))
    kind = pictures.inspect(place)
    with pytest.raises(PicturesUnavailable):
        pictures.inspect(tmp_path / "nothing")
    with pytest.raises(PicturesUnavailable):
        pictures.make_variants(place, kind, folder / "nothing")
    pictures.make_variants(place, kind, folder)


def test_a_full_disk_is_no_fault_of_the_picture(
    pictures: Pictures, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("this system has no /dev/full to write to")
    place = kept(tmp_path, saved(quarters(), "PNG"))
    kind = pictures.inspect(place)
    open_ = os.open

    def full(path: Path, flags: int, mode: int = 0o777) -> int:
        return open_("/dev/full", os.O_WRONLY) if flags & os.O_CREAT else open_(path, flags, mode)

    with monkeypatch.context() as context:
        context.setattr(os, "open", full)
        with pytest.raises(PicturesUnavailable):
            pictures.make_variants(place, kind, folder)
    assert list(folder.iterdir()) == []
    pictures.make_variants(place, kind, folder)


def test_a_process_that_is_killed_is_replaced(pictures: Pictures, tmp_path: Path, folder: Path) -> None:
    place = kept(tmp_path, sixteen(np.random.default_rng(1).integers(0, 65_535, (4000, 5000))))
    kind = pictures.inspect(place)
    first = child(pictures)
    os.kill(first, signal.SIGKILL)
    until(lambda: Path(f"/proc/{first}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z")
    assert pictures.inspect(place) == kind, "one that died while it waited costs nothing"
    second = child(pictures)
    assert second != first
    killer = threading.Timer(0.15, os.kill, (second, signal.SIGKILL))
    killer.start()
    with pytest.raises(PicturesUnavailable):
        pictures.make_variants(place, kind, folder)
    killer.join()
    assert list(folder.iterdir()) == []
    assert pictures.make_variants(place, kind, folder).width == 2000


def test_a_process_that_cannot_start_is_no_fault_of_the_picture(settings: Settings, tmp_path: Path) -> None:
    unable = Pictures(settings.model_copy(update={"python": "/bin/false"}))
    with pytest.raises(PicturesUnavailable):
        unable.inspect(kept(tmp_path, saved(quarters(), "PNG")))
    unable.close()


def test_a_process_that_hangs_is_ended_and_replaced(settings: Settings, tmp_path: Path) -> None:
    pictures = Pictures(settings, seconds=1)
    place = kept(tmp_path, saved(quarters(), "PNG"))
    with patient(pictures):
        kind = pictures.inspect(place)
    hung = child(pictures)
    os.kill(hung, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(PicturesUnavailable):
        pictures.inspect(place)
    assert 3 < time.monotonic() - began < STARTING_SECONDS
    with pytest.raises(ProcessLookupError):
        os.kill(hung, 0)
    with patient(pictures):
        assert pictures.inspect(place) == kind
    pictures.close()


def laughing(levels: int, times: int) -> bytes:
    """A document whose page paints a form that paints others, so many times each, so many levels deep."""
    forms = []
    for level in range(levels):
        paint = "0 0 1 rg 0 0 9 9 re f " if level == levels - 1 else "/F Do " * times
        inner = "" if level == levels - 1 else f"/Resources << /XObject << /F {6 + level} 0 R >> >>"
        forms.append(
            f"<< /Type /XObject /Subtype /Form /BBox [0 0 99 99] {inner} /Length {len(paint)} >>\n"
            f"stream\n{paint}\nendstream"
        )
    return pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R"
        " /Resources << /XObject << /F 5 0 R >> >> >>",
        "<< /Length 5 >>\nstream\n/F Do\nendstream",
        *forms,
    )


def test_a_page_that_would_take_forever_to_paint_is_given_up(settings: Settings, tmp_path: Path, folder: Path) -> None:
    pictures = Pictures(settings, seconds=2)
    place = kept(tmp_path, laughing(9, 40))
    with patient(pictures):
        kind = pictures.inspect(place)
    with pytest.raises((BrokenPicture, PicturesUnavailable)):  # the second where the clock of a busy machine ends it
        pictures.make_variants(place, kind, folder)
    assert list(folder.iterdir()) == []
    pictures.close()


def test_the_process_knows_no_secret_and_has_its_bounds(
    pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JWT_SECRET", "of the house")
    pictures.inspect(kept(tmp_path, saved(quarters(), "PNG")))
    about = Path(f"/proc/{child(pictures)}")
    assert b"JWT_SECRET" not in (about / "environ").read_bytes()
    limits = {line[:26].strip(): line[26:].split() for line in (about / "limits").read_text().splitlines()}
    assert limits["Max file size"][0] == str(64 * MB)
    assert limits["Max address space"][0] == str(memory(120_000_000))
    assert int(limits["Max cpu time"][0]) <= 60
    status = dict(line.split(":\t", 1) for line in (about / "status").read_text().splitlines())
    assert int(status["CapPrm"], 16) | int(status["CapEff"], 16) in (0, privileges.DAC_OVERRIDE)
    opened = {str(each.readlink()) for each in (about / "fd").iterdir()}
    assert not [each for each in opened if str(tmp_path) in each], "it keeps no picture open"


def test_a_large_picture_within_the_limits_is_made_within_the_memory(
    pictures: Pictures, tmp_path: Path, folder: Path
) -> None:
    width, height = 12_000, 9_900
    lines = (b"\0" + bytes(range(240)) * (width * 4 // 240)) * height
    place = kept(tmp_path, png(width, height, colours=6, pixels=lines))
    del lines
    assert both(pictures, place, folder).width == 2000
    status = Path(f"/proc/{child(pictures)}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmPeak"))
    assert peak * 1024 < memory(120_000_000)


def test_many_who_ask_at_once_are_all_answered(pictures: Pictures, tmp_path: Path) -> None:
    place = kept(tmp_path, saved(quarters(), "PNG"))
    told: list[object] = []
    threads = [threading.Thread(target=lambda: told.append(pictures.inspect(place))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert told == [Kind("image/png", "png", 120, 80, 1, 8)] * 8
    assert 1 <= len(pictures._pool._idle) <= 2
