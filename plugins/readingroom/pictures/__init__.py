"""A clinic's pictures: what a file is by its content, within which limits, and its variants for the page.

A file is a stranger's: it is opened, looked at and decoded in processes of their own (`worker`), with a bounded memory
and a bounded time. The original is only ever read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from readingroom.pictures.kinds import ACCEPTED, EXTENSIONS, HEAD_BYTES, Kind, recognised

__all__ = ["ACCEPTED", "EXTENSIONS", "HEAD_BYTES", "Kind", "PictureMaker", "Variants", "recognised"]


@dataclass(frozen=True, slots=True)
class Variants:
    """Two WebP files, sRGB, without metadata; the size is the web variant's, in pixels."""

    thumb_path: Path
    web_path: Path
    width: int
    height: int


class PictureMaker(Protocol):
    """Safe for many threads; `app.py` builds `Pictures(settings)` once and closes it."""

    def inspect(self, path: Path) -> Kind:
        """What that whole file is, without decoding it.

        Raises UnsupportedMedia (415), PayloadTooLarge (413: pixels or pages), BrokenPicture (422: damaged, cut short,
        or something else behind its end), TooManyRequests and PicturesUnavailable.
        """

    def make_variants(self, path: Path, kind: Kind, folder: Path) -> Variants:
        """`thumb.webp` (≤ 400 pixels wide) and `web.webp` (≤ 2000) in that folder, never enlarged.

        Both are there or neither. Raises as `inspect`.
        """

    def close(self) -> None:
        """End the processes."""
