"""Has pictures looked at and variants made by processes that are kept warm, ended when one hangs, and started again."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from readingroom.confined.line import receive
from readingroom.confined.pool import Pool, Worker
from readingroom.errors import (
    BrokenPicture,
    PayloadTooLarge,
    PicturesUnavailable,
    ReadingRoomError,
    UnsupportedMedia,
)
from readingroom.pictures import line
from readingroom.pictures.kinds import EXTENSIONS, Kind, Variants

if TYPE_CHECKING:  # the process imports this too, and would start a third later
    from readingroom.settings import Settings

log = structlog.get_logger(__name__)

SECONDS: Final = 30
"""Of the processor for one picture: most take a third of one, 120 million pixels three to ten."""

COULD_NOT_START: Final = 1
"""Python's status where a library is missing; what goes wrong later ends otherwise (`confined.process.FAILED`)."""

AGAIN: Final = {"Retry-After": "30"}

REFUSALS: Final = {each.code: each for each in (BrokenPicture, PayloadTooLarge, UnsupportedMedia)}


class Pictures:
    """The PictureMaker of the house; no more than two pictures are made at a time."""

    def __init__(self, settings: Settings, seconds: int = SECONDS) -> None:
        limits = (settings.imaging_max_pixels, settings.imaging_max_pages, seconds)
        self._pool = Pool(settings, "readingroom.pictures.worker", *map(str, limits))
        # The process ends itself sooner, unless it is stopped.
        self._seconds = line.CLOCK * seconds + 2.0

    def inspect(self, path: Path) -> Kind:
        """See PictureMaker."""
        with ExitStack() as opened:
            return _kind(self._asked(line.LOOK, line.LOOKED, [_open(opened, path, os.O_RDONLY)]))

    def make_variants(self, path: Path, kind: Kind, folder: Path) -> Variants:
        """See PictureMaker. The process looks anew; a file that is no longer of that kind is a BrokenPicture."""
        places = [folder / "thumb.webp", folder / "web.webp"]
        parts = [place.with_name(f".{place.name}.{secrets.token_hex(4)}") for place in places]
        try:
            with ExitStack() as opened:
                files = [_open(opened, path, os.O_RDONLY)]
                files += [_open(opened, part, os.O_WRONLY | os.O_CREAT | os.O_EXCL) for part in parts]
                said = self._asked(line.MAKE, line.MADE, files)
                for file in files[1:]:
                    os.fsync(file)
            if _kind(said[: line.KIND.size]) != kind:
                raise BrokenPicture("The file is no longer what it was.")
            if len(said) != line.KIND.size + line.SIZES.size or not all(_is_webp(part) for part in parts):
                raise BrokenPicture("The picture cannot be decoded.")
            for part, place in zip(parts, places, strict=True):
                part.replace(place)
        except OSError as error:
            raise PicturesUnavailable(f"The variants cannot be kept: {error.strerror}.", headers=AGAIN) from error
        finally:
            for part in parts:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
        width, height = line.SIZES.unpack_from(said, line.KIND.size)
        return Variants(places[0], places[1], width, height)

    def close(self) -> None:
        """End the processes."""
        self._pool.close()

    def _asked(self, question: bytes, expected: bytes, files: Sequence[int]) -> bytes:
        try:
            with self._pool.worker() as worker:
                return _conversation(worker, question, expected, files, self._seconds)
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("no process for pictures", error=type(error).__name__)
            raise PicturesUnavailable("No picture can be looked at just now.", headers=AGAIN) from error


def _conversation(worker: Worker, question: bytes, expected: bytes, files: Sequence[int], seconds: float) -> bytes:
    worker.is_between = False
    try:
        worker.line.settimeout(seconds)
        socket.send_fds(worker.line, [question], files)
        kind, length = line.ANSWER.unpack(receive(worker.line, line.ANSWER.size))
        if length > line.LARGEST_ANSWER or kind not in (expected, line.REFUSED):
            raise BrokenPicture("The picture cannot be decoded.")
        said = receive(worker.line, length)
    except TimeoutError:
        log.warning("a picture took too long; its process was ended", seconds=seconds)
        raise _unavailable() from None
    except (EOFError, ConnectionError):
        raise _ended(worker.status()) from None
    worker.is_between = True
    if kind == line.REFUSED:
        raise _refusal(said)
    return said


def _ended(status: int) -> ReadingRoomError:
    log.warning("a picture ended its process", status=status)
    if status == -signal.SIGXCPU:
        return BrokenPicture("The picture takes too long to be decoded.")
    if status in (COULD_NOT_START, -signal.SIGALRM, -signal.SIGKILL, -signal.SIGTERM):
        return _unavailable()
    return BrokenPicture("The picture cannot be decoded.")


def _unavailable() -> PicturesUnavailable:
    """To raise where it is no fault of the picture: the machine is busy, or an operator or want of memory ended it."""
    return PicturesUnavailable("The picture could not be looked at; try again in a moment.", headers=AGAIN)


def _refusal(said: bytes) -> ReadingRoomError:
    code, _, rest = said.decode("utf-8", "replace").partition("\0")
    message, _, detail = rest.partition("\0")
    if code not in REFUSALS:
        return PicturesUnavailable(message or "No picture can be made just now.", headers=AGAIN)
    try:
        about = json.loads(detail) if detail else None
    except (ValueError, RecursionError):
        about = None
    return REFUSALS[code](message, detail=about)


def _kind(said: bytes) -> Kind:
    if len(said) != line.KIND.size:
        raise BrokenPicture("The picture cannot be decoded.")
    name, *numbers = line.KIND.unpack(said)
    mime = name.rstrip(b"\0").decode("ascii", "replace")
    if mime not in EXTENSIONS or not all(numbers):
        raise BrokenPicture("The picture cannot be decoded.")
    return Kind(mime, EXTENSIONS[mime], *numbers)


def _open(opened: ExitStack, path: Path, flags: int) -> int:
    """A descriptor that the stack closes. Raises PicturesUnavailable."""
    try:
        file = os.open(path, flags | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PicturesUnavailable(f"The file cannot be opened: {error.strerror}.", headers=AGAIN) from error
    opened.callback(os.close, file)
    return file


def _is_webp(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(12)
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"
