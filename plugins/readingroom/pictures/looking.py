"""Says what a whole file is: its type by its content, its size by its header, one thing and nothing behind it."""

from __future__ import annotations

from collections.abc import Callable

from readingroom.errors import PayloadTooLarge, ReadingRoomError
from readingroom.pictures import bmp, heic, jpeg, pdf, png, tiff, webp
from readingroom.pictures.kinds import HEAD_BYTES, recognised
from readingroom.pictures.limits import Data, Limits, Looked, damaged, no_archive

LOOKS: dict[str, Callable[[Data, Limits], Looked]] = {
    "image/png": png.look,
    "image/jpeg": jpeg.look,
    "image/webp": webp.look,
    "image/tiff": tiff.look,
    "image/bmp": bmp.look,
    "image/heic": heic.look,
    "application/pdf": pdf.look,
}


def look(data: Data, limits: Limits) -> Looked:
    """Raises UnsupportedMedia, PayloadTooLarge and BrokenPicture, and nothing else whatever the file is."""
    mime = recognised(data[:HEAD_BYTES])
    try:
        looked = LOOKS[mime](data, limits)
        no_archive(data)
        return looked
    except ReadingRoomError:
        raise
    except MemoryError:
        raise PayloadTooLarge("The file needs more memory than pictures are given.") from None
    except (Exception, RecursionError):  # a malformed file makes a library raise whatever Python has
        raise damaged() from None
