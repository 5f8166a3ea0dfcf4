"""Reads a picture file as the pixels of a DICOM image; runs in a process of its own, for the file is a stranger's."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from readingroom.imaging import dicom_jpeg
from readingroom.pictures import tiff_modes
from readingroom.pictures.exif import orientation
from readingroom.pictures.window import window

Array = NDArray[Any]

ORIENTATION = 0x0112
"""Exif's and TIFF's tag."""

TURNED_BY_DECODER = frozenset({"image/tiff", "image/heic"})
"""On the page too."""

WHITE_IS_ZERO = 0
"""TIFF 6.0, PhotometricInterpretation (262)."""

TIFF_LOSSY = frozenset({"jpeg", "tiff_jpeg", "webp"})
FORMATS = {
    "image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/tiff": "TIFF", "image/bmp": "BMP",
    "image/heic": "HEIF",
}  # fmt: skip
"""The one decoder that each type is given to: Pillow is never asked to find out."""

DEEP = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I"})
LARGEST_SIDE = 65535
"""Rows and Columns are unsigned shorts."""

tiff_modes.teach()


class NotAnImage(Exception):
    """It cannot be an image in DICOM; the message says why, and quotes nothing of the file."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """What stands in PixelData and the attributes that describe it (PS3.3 C.7.6.3).

    `data` are raw samples, little endian, or, where `is_jpeg`, one JPEG Baseline picture. `ratio` is that of the
    lossy compression that the file has been through, None for none; `window` is lowest and highest value shown.
    """

    data: bytes
    is_jpeg: bool
    rows: int
    columns: int
    samples: int
    bits: int
    photometric: str
    window: tuple[float, float]
    ratio: float | None
    method: str
    changed: tuple[str, ...]


def read(file: BinaryIO, mime: str, *, grey: bool, deep: bool, max_pixels: int) -> Pixels:
    """The picture upright, as grey values (`grey`) or as it is. Raises NotAnImage.

    16-bit grey is kept to the last bit where the IOD knows it (`deep`: PS3.3 C.8.12.1 does not), colours have 8 bits;
    a baseline JPEG that stands upright is kept as it is, its descriptions left out.
    """
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        kept = _kept_jpeg(file, grey=grey) if mime == "image/jpeg" else None
        if kept is not None:
            return kept
        if mime == "image/heic":
            pillow_heif.register_heif_opener()
        file.seek(0)
        with Image.open(file, formats=[FORMATS[mime]]) as opened:
            return _decoded(opened, file, mime, grey=grey, deep=deep)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise NotAnImage(f"it cannot be decoded ({type(error).__name__})") from None


def _kept_jpeg(original: BinaryIO, *, grey: bool) -> Pixels | None:
    file = original.read()
    try:
        jpeg = dicom_jpeg.read(file)
    except dicom_jpeg.NotJpeg as error:
        raise NotAnImage(f"its JPEG is damaged: {error}") from None
    with Image.open(io.BytesIO(file), formats=["JPEG"]) as opened:
        upright = _orientation(opened) == 1
        opened.draft(None, (16, 16))
        opened.load()  # whether its beginning can be decoded at all
    if not jpeg.is_baseline or not upright or jpeg.components not in ((1,) if grey else (1, 3)):
        return None
    _check_size(jpeg.height, jpeg.width)
    # PS3.5 8.2.1: what is YCbCr inside says so; how finely it is sampled is the JPEG's own affair.
    coloured = "RGB" if jpeg.is_rgb else "YBR_FULL_422"
    photometric = "MONOCHROME2" if jpeg.components == 1 else coloured
    ratio = jpeg.height * jpeg.width * jpeg.components / len(jpeg.data)
    return Pixels(
        jpeg.data, True, jpeg.height, jpeg.width, jpeg.components, 8, photometric, (0, 255), ratio, "ISO_10918_1", ()
    )


def _decoded(opened: Image.Image, file: BinaryIO, mime: str, *, grey: bool, deep: bool) -> Pixels:
    if getattr(opened, "n_frames", 1) > 1:
        raise NotAnImage("it has several pages, and an image in DICOM has one")
    changed = []
    method, size = _lossy_method(opened, mime, file), file.seek(0, os.SEEK_END)
    inverted = mime == "image/tiff" and opened.mode in DEEP and _tiff_tag(opened, 262) == WHITE_IS_ZERO
    if mime not in TURNED_BY_DECODER:
        opened.load()  # a PNG may say it behind its pixels
        opened.getexif()[ORIENTATION] = _orientation(opened)
    if opened.getexif().get(ORIENTATION, 1) not in (0, 1):
        changed.append("turned upright")
    image = ImageOps.exif_transpose(opened)
    _check_size(image.height, image.width)
    if image.mode in DEEP:
        values = _sixteen_bits(image)
        if not deep:
            values = (values // 257).astype("u1")
            values = 255 - values if inverted else values
            changed.append("16 bits to 8")
        samples, bits = 1, values.itemsize * 8
        photometric = "MONOCHROME1" if inverted and deep else "MONOCHROME2"
    else:
        flat = _flat(image, grey=grey)
        if grey and flat.mode != "L":
            flat = flat.convert("L")  # ITU-R 601: where red, green and blue are the same, this value
            changed.append("colours to grey")
        values = np.asarray(flat)
        samples, bits = (1, 8) if flat.mode == "L" else (3, 8)
        photometric = "MONOCHROME2" if samples == 1 else "RGB"
    ratio = values.nbytes / size if method is not None else None
    shown = window(values) if bits == 16 else (0.0, 255.0)
    return Pixels(
        values.tobytes(), False, image.height, image.width, samples, bits, photometric, shown, ratio, method or "",
        tuple(changed),
    )  # fmt: skip


def _orientation(opened: Image.Image) -> int:
    """Exif's word alone, as on the page and in browsers: Pillow would take XMP's where Exif has none."""
    exif = opened.info.get("exif")
    return orientation(exif) if isinstance(exif, bytes) else 1


def _sixteen_bits(image: Image.Image) -> Array:
    values = np.asarray(image)
    if values.dtype.itemsize > 2 and values.size and (values.min() < 0 or values.max() > 0xFFFF):
        raise NotAnImage("its values do not fit into 16 bits")
    return np.ascontiguousarray(values, dtype="<u2")


def _flat(image: Image.Image, *, grey: bool) -> Image.Image:
    """8 bits, grey or RGB in sRGB; what could be seen through lies on black in an X-ray, on white elsewhere."""
    if image.mode == "F":
        raise NotAnImage("its values are floating-point numbers")
    if image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        opaque = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
        layer = image.convert("LA" if opaque == "L" else "RGBA")
        ground = Image.new(opaque, image.size, "black" if grey else "white")
        ground.paste(layer.convert(opaque), mask=layer.getchannel("A"))
        return ground
    if image.mode in ("1", "L"):
        return image.convert("L")
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK"):
        try:
            of_file = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            made = ImageCms.profileToProfile(image, of_file, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if made is not None:
                return made
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that cannot be read says nothing: then the numbers are taken as they are
    return image if image.mode == "RGB" else image.convert("RGB")


def _lossy_method(opened: Image.Image, mime: str, file: BinaryIO) -> str | None:
    """LossyImageCompressionMethod's term (PS3.3 C.7.6.1.1.5.1); "" for a method that has none; None for lossless."""
    match mime:
        case "image/jpeg":
            return "ISO_10918_1"
        case "image/heic":
            return "ISO_23008_2"
        case "image/webp":
            file.seek(0)
            return None if b"VP8L" in file.read(4096) else ""
        case "image/tiff":
            said = str(opened.info.get("compression", ""))
            return ("ISO_10918_1" if "jpeg" in said else "") if said in TIFF_LOSSY else None
    return None


def _tiff_tag(opened: Image.Image, tag: int) -> object:
    tags: Any = getattr(opened, "tag_v2", {})
    return tags.get(tag)


def _check_size(height: int, width: int) -> None:
    if height > LARGEST_SIDE or width > LARGEST_SIDE:
        raise NotAnImage(f"a side is longer than {LARGEST_SIDE} pixels")
