"""A clinic's pictures: what a file is by its content, within which limits, and its variants for the page.

A file is a stranger's: it is opened, looked at and decoded in processes of their own (`worker`), with a bounded memory
and a bounded time. The original is only ever read.
"""

from __future__ import annotations

from readingroom.pictures.kinds import ACCEPTED, EXTENSIONS, HEAD_BYTES, Kind, PictureMaker, Variants, recognised
from readingroom.pictures.making import Pictures

__all__ = ["ACCEPTED", "EXTENSIONS", "HEAD_BYTES", "Kind", "PictureMaker", "Pictures", "Variants", "recognised"]
