"""A maker of pictures that does as it is told: at once, late, or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

from PIL import Image
from readingroom.errors import BrokenPicture
from readingroom.pictures import EXTENSIONS, HEAD_BYTES, Kind, Variants, recognised


class PicturesOnDemand:
    """Draws within this process; `error` is raised instead, `gate` is waited for before."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.made = 0

    def inspect(self, path: Path) -> Kind:
        """By its first bytes, and Pillow's header."""
        with path.open("rb") as file:
            mime = recognised(file.read(HEAD_BYTES))
        if mime == "application/pdf":
            return Kind(mime, "pdf", 595, 842, 1, 8)
        try:
            with Image.open(path) as image:
                return Kind(mime, EXTENSIONS[mime], image.width, image.height, 1, 8)
        except OSError:
            raise BrokenPicture("This picture is damaged.") from None

    def make_variants(self, path: Path, kind: Kind, folder: Path) -> Variants:
        """Both pictures, when the gate is open."""
        assert self.gate.wait(300)
        if self.error is not None:
            raise self.error
        self.made += 1
        with Image.new("L", (1, 1)) if kind.mime == "application/pdf" else Image.open(path) as image:
            places = folder / "thumb.webp", folder / "web.webp"
            for place, width in zip(places, (400, 2000), strict=True):
                copy = image.convert("RGB")
                copy.thumbnail((width, 10_000))
                copy.save(place, "WEBP")
        return Variants(*places, kind.width, kind.height)

    def close(self) -> None:
        """There is no process."""
