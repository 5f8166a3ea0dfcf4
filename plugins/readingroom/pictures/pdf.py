"""Looks at a PDF, and paints its first page (ISO 32000-2), by PDFium built without JavaScript."""

from __future__ import annotations

import math

import pypdfium2
from PIL import Image

from readingroom.errors import BrokenPicture
from readingroom.pictures.limits import Data, Limits, Looked, cut_short, damaged

ENDING = 4096
"""Bytes at the end of which some are `%%EOF`; readers look into the last 1024, and mailers append a little."""

LARGEST_SIDE = 14_400
"""Points, ISO 32000-1 annex C: 5 metres."""

LARGEST_SCALE = 300 / 72
"""A small page is painted as a scanner of 300 dpi would see it, not larger."""

PASSWORD = 4
"""PDFium's word for a file that only opens with one."""


def look(data: Data, limits: Limits) -> Looked:
    """Raises BrokenPicture, also for one with a password, and PayloadTooLarge. Sizes in points."""
    if b"%%EOF" not in data[-ENDING:]:
        raise cut_short()
    document = _opened(data)
    try:
        pages = len(document)
        limits.of_pages(pages)
        if pages < 1:
            raise BrokenPicture("The document has no page.")
        document.get_page_size(pages - 1)  # as many as the document says, or pages of it are lost
        width, height = document.get_page_size(0)  # a page that is opened is read to its end
    except pypdfium2.PdfiumError:
        raise damaged() from None
    finally:
        document.close()
    if not 0 < width <= LARGEST_SIDE or not 0 < height <= LARGEST_SIDE:
        raise damaged()
    return Looked("application/pdf", math.ceil(width), math.ceil(height), bits=8, pages=pages)


def painted(data: Data, largest: tuple[int, int]) -> Image.Image:
    """The first page, RGB on white, at most so wide and so high; forms as they are filled in."""
    document = _opened(data)
    try:
        document.init_forms()
        page = document[0]
        width, height = page.get_size()
        scale = min(largest[0] / width, largest[1] / height, LARGEST_SCALE)
        bitmap = page.render(scale=scale, fill_color=(255, 255, 255, 255), may_draw_forms=True, rev_byteorder=True)
        image: Image.Image = bitmap.to_pil().convert("RGB")
        return image.crop((0, 0, min(image.width, largest[0]), min(image.height, largest[1])))
    except pypdfium2.PdfiumError:
        raise damaged() from None
    finally:
        document.close()


def _opened(data: Data) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(bytes(data))
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == PASSWORD:
            raise BrokenPicture("The document opens only with a password; send it without one.") from None
        raise damaged() from None
