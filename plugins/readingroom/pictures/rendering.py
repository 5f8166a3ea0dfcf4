"""Paints a picture as a person expects to see it: upright, in sRGB, in its window, and no larger than asked."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Final, cast

import numpy as np
import pillow_heif
from PIL import (
    BmpImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from readingroom.errors import BrokenPicture, PayloadTooLarge, ReadingRoomError
from readingroom.pictures import pdf, png, tiff_modes
from readingroom.pictures.limits import TURNED, Data, Looked
from readingroom.pictures.window import shown

WEB: Final = (2000, 16_000)
"""Pixels wide and high. WebP has no more than 16,383 either way."""

THUMB: Final = (400, 1600)
"""A strip of paper four times as high as wide stays a small picture."""

QUALITY: Final = 80
EFFORT: Final = 4
"""Both are what sharp and cwebp do unless told otherwise."""

PLUGINS: Final[dict[str, Callable[[IO[bytes]], Image.Image]]] = {
    "image/png": PngImagePlugin.PngImageFile,
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
    "image/tiff": TiffImagePlugin.TiffImageFile,
    "image/bmp": BmpImagePlugin.BmpImageFile,
}
"""The one decoder that each type is given to: Pillow is never asked to find out."""

TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what makes it upright (CIPA DC-008, figure 6)."""

SRGB: Final = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
FITTING: Final = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
"""Which colours a profile must be of (ICC.1, 7.2.6), by Pillow's mode."""

COARSE: Final = 2.0
"""How many times larger than asked a picture is before its last, fine reduction (Pillow's `reducing_gap`)."""

ImageFile.LOAD_TRUNCATED_IMAGES = False
tiff_modes.teach()
pillow_heif.options.DECODE_THREADS = 1
pillow_heif.options.THUMBNAILS = pillow_heif.options.DEPTH_IMAGES = pillow_heif.options.AUX_IMAGES = False


@dataclass(frozen=True, slots=True)
class Painted:
    """Two WebP files, and the size of the larger."""

    thumb: bytes
    web: bytes
    width: int
    height: int


def render(data: Data, looked: Looked) -> Painted:
    """Raises BrokenPicture and PayloadTooLarge, and nothing else whatever the file is."""
    try:
        web = _painted(data, looked)
        thumb = web.resize(_within(web.size, THUMB), Image.Resampling.LANCZOS, reducing_gap=COARSE)
        return Painted(_encoded(thumb), _encoded(web), *web.size)
    except ReadingRoomError:
        raise
    except MemoryError:
        raise PayloadTooLarge("The picture needs more memory than pictures are given.") from None
    except (Exception, RecursionError):  # a malformed file makes a library raise whatever Python has
        raise BrokenPicture("The picture is damaged: it cannot be decoded.") from None


def _painted(data: Data, looked: Looked) -> Image.Image:
    if looked.mime == "application/pdf":
        return pdf.painted(data, WEB)
    if looked.mime == "image/heic":
        image = pillow_heif.open_heif(bytes(data), convert_hdr_to_8bit=True).to_pillow()
    else:
        # mmap has all of a file that plugins use.
        image = PLUGINS[looked.mime](io.BytesIO(data) if isinstance(data, bytes) else cast(IO[bytes], data))
    kind = looked.kind
    # Pillow turns a TIFF itself, libheif what it reads.
    orientation = 1 if looked.mime == "image/tiff" else looked.orientation
    is_on_its_side = orientation in TURNED
    if image.size != ((kind.height, kind.width) if is_on_its_side else (kind.width, kind.height)):
        raise BrokenPicture("The picture is damaged: it says two sizes.")
    size = _within((kind.width, kind.height), WEB)
    if is_on_its_side:
        size = size[1], size[0]
    if looked.mime == "image/jpeg":
        image.draft(None, size)  # only as many of its waves as are needed
    image.load()
    if looked.mime == "image/png":
        png.nothing_more(data)
    profile = image.info.get("icc_profile")
    image = _in_eight_bits(image, looked)
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=COARSE)
    image = _in_srgb(_on_white(image), profile)
    turn = TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _within(size: tuple[int, int], largest: tuple[int, int]) -> tuple[int, int]:
    """That size, or as much smaller as is needed."""
    scale = min(largest[0] / size[0], largest[1] / size[1], 1.0)
    return max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)


def _in_eight_bits(image: Image.Image, looked: Looked) -> Image.Image:
    """In a mode that can be reduced and has its alpha beside its colours."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(shown(np.asarray(image), is_negative=looked.is_negative))
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK") and "transparency" not in image.info:
        return image
    if image.mode == "1" or (image.mode == "L" and "transparency" not in image.info):
        return image.convert("L")
    has_alpha = "transparency" in image.info or image.mode in ("PA", "La", "RGBa", "LA")
    return image.convert("RGBA" if has_alpha else "RGB")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image
    opaque = "RGB" if image.mode == "RGBA" else "L"
    white = Image.new(opaque, image.size, "white")
    white.paste(image.convert(opaque), mask=image.getchannel("A"))
    return white


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """Its colours by its own profile, where it has one that fits; L stays L without one."""
    if isinstance(profile, bytes) and profile and image.mode in FITTING:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            about = own.profile
            fits = about.xcolor_space.strip() == FITTING[image.mode]
            if fits and not (about.profile_description or "").startswith("sRGB"):
                made = ImageCms.profileToProfile(image, own, SRGB, outputMode="RGB")
                if made is not None:
                    return made
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a broken profile costs the exact colours, not the picture
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _encoded(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "WEBP", quality=QUALITY, method=EFFORT, icc_profile=b"", exif=b"", xmp=b"")
    return written.getvalue()
