"""Variants by what is to be seen in them: turned upright, in their window, in their colours, never larger."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin
from readingroom.errors import BrokenPicture
from readingroom.pictures.limits import Limits
from readingroom.pictures.looking import look
from readingroom.pictures.rendering import Painted, render

from tests.fixtures.pictures import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    chunk,
    exif,
    grey_tiff,
    page,
    png,
    quarters,
    saved,
    sixteen,
)

LIMITS = Limits(pixels=120_000_000, pages=500)

NEAR = 14
"""As far as WebP's loss and its halved colours take a flat colour from itself."""


def made(data: bytes) -> Painted:
    return render(data, look(data, LIMITS))


def opened(file: bytes) -> Image.Image:
    return Image.open(io.BytesIO(file), formats=["WEBP"])


def web(data: bytes) -> NDArray[Any]:
    return np.asarray(opened(made(data).web).convert("RGB")).astype(int)


def middles(pixels: NDArray[Any]) -> list[tuple[int, ...]]:
    """The colours in the middle of the four quarters, as one reads."""
    height, width = pixels.shape[:2]
    return [tuple(pixels[y * height // 4, x * width // 4]) for y in (1, 3) for x in (1, 3)]


def assert_near(seen: list[tuple[int, ...]], wanted: list[tuple[int, ...]], by: int = NEAR) -> None:
    assert np.abs(np.array(seen) - np.array(wanted)).max() <= by, seen


def passes(width: int, height: int) -> bytes:
    """White lines of an interlaced grey picture (W3C PNG, figure 4.8), counted pixel by pixel."""
    order = "1646264677777777565656567777777736463646777777775656565677777777"
    found = b""
    for step in "1234567":
        lines = ("".join(order[y % 8 * 8 + x % 8] for x in range(width)).count(step) for y in range(height))
        found += b"".join(b"\0" + b"\xff" * columns for columns in lines if columns)
    return found


def interlaced(data: bytes) -> bytes:
    """The same PNG, whose header says so."""
    header = data[12:28] + b"\1"
    return data[:12] + header + zlib.crc32(header).to_bytes(4) + data[33:]


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 1), (1, 5), (8, 8), (9, 17), (31, 6)])
def test_a_picture_has_as_many_pixels_as_it_says(size: tuple[int, int]) -> None:
    """And a line more at most, which no decoder minds: an encoder wrote a byte too many once (image-png, issue 262)."""
    width, height = size
    line = b"\0" + b"\xff" * width
    for whole, draw in (
        (line * height, lambda pixels: png(width, height, pixels=pixels)),
        (passes(width, height), lambda pixels: interlaced(png(width, height, pixels=pixels))),
    ):
        for good in (whole, whole + b"\0", whole + line):
            assert web(draw(good)).min() >= 255 - NEAR
        for bad in (whole + line + b"\0", whole * 3 + line, whole + bytes(50 << 20)):
            with pytest.raises(BrokenPicture, match="more pixels than it says"):
                made(draw(bad))


def test_bytes_behind_the_packed_pixels_are_counted_too() -> None:
    packed = zlib.compress((b"\0" + b"\xff" * 100) * 50)

    def with_pixels(*parts: bytes) -> bytes:
        whole = png(100, 50, pixels=b"")
        at = whole.index(b"IDAT") - 4
        return whole[:at] + b"".join(chunk(b"IDAT", part) for part in parts) + chunk(b"IEND")

    for good in ([packed], [packed + b"x"], [packed[:9], b"", packed[9:]], [packed, b"x" * 101]):
        assert web(with_pixels(*good)).min() >= 255 - NEAR
    for bad in ([packed + b"x" * 102], [packed, b"x" * 102], [packed + b"x" * 60, b"x" * 60]):
        with pytest.raises(BrokenPicture, match="more pixels than it says"):
            made(with_pixels(*bad))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (1001, 403)])
def test_no_picture_of_any_depth_has_too_many_pixels(mode: str, size: tuple[int, int]) -> None:
    assert made(saved(Image.new(mode, size), "PNG")).width == size[0]


UPRIGHT = {
    1: [RED, GREEN, BLUE, YELLOW],
    2: [GREEN, RED, YELLOW, BLUE],
    3: [YELLOW, BLUE, GREEN, RED],
    4: [BLUE, YELLOW, RED, GREEN],
    5: [RED, BLUE, GREEN, YELLOW],
    6: [BLUE, RED, YELLOW, GREEN],
    7: [YELLOW, GREEN, BLUE, RED],
    8: [GREEN, YELLOW, RED, BLUE],
}
"""What is seen of `quarters` for each of EXIF's orientations (CIPA DC-008, 4.6.4 A: place of row 0 and column 0)."""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_stands_upright_whichever_way_the_camera_was_held(kind: str, orientation: int) -> None:
    options: dict[str, Any] = {"exif": exif(orientation)}
    if kind in ("JPEG", "WEBP"):
        options["quality"] = 95
    data = saved(quarters(), kind, **options)
    assert_near(middles(web(data)), UPRIGHT[orientation])
    shown = look(data, LIMITS).kind
    assert (shown.width, shown.height) == ((120, 80) if orientation < 5 else (80, 120))


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_photo_is_reduced_to_the_width_that_is_seen(orientation: int) -> None:
    painted = made(saved(quarters(4000, 3000), "JPEG", exif=exif(orientation)))
    wanted = (2000, 1500) if orientation == 1 else (2000, 2667)
    assert (painted.width, painted.height) == wanted == opened(painted.web).size
    assert opened(painted.thumb).size == ((400, 300) if orientation == 1 else (400, 533))
    assert_near(middles(np.asarray(opened(painted.thumb).convert("RGB"))), UPRIGHT[orientation])


@pytest.mark.parametrize("size", [(1, 1), (399, 20), (400, 400), (401, 3), (2000, 10), (2001, 10)])
def test_a_small_picture_is_never_enlarged(size: tuple[int, int]) -> None:
    painted = made(saved(quarters(*size), "PNG"))
    assert (painted.width, painted.height) == (min(size[0], 2000), size[1])
    thumb = opened(painted.thumb)
    assert thumb.width == min(size[0], 400)
    assert thumb.height <= size[1]


def test_a_strip_of_paper_fits_into_what_webp_can_hold() -> None:
    painted = made(saved(Image.new("L", (300, 40_000), 90), "PNG"))
    assert painted.height == 16_000
    assert opened(painted.thumb).height == 1600


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_nothing_says_where_and_by_whom_a_picture_was_taken(kind: str) -> None:
    more: dict[str, Any] = {}
    if kind == "PNG":
        more["pnginfo"] = PngImagePlugin.PngInfo()
        more["pnginfo"].add_text("Author", "Somebody")
    if kind in ("JPEG", "WEBP"):
        more["xmp"] = b"<x:xmpmeta>Somebody</x:xmpmeta>"
    data = saved(quarters(), kind, exif=exif(6, with_place=True), icc_profile=display_p3(), **more)
    painted = made(data)
    for file in (painted.web, painted.thumb):
        seen = opened(file)
        assert not {"exif", "xmp", "icc_profile"} & seen.info.keys()
        assert not seen.getexif()
        chunks = {file[at : at + 4] for at in webp_chunks(file)}
        assert chunks == {b"VP8 "}
        assert b"Somebody" not in file
        assert b"Maker of the camera" not in file


def webp_chunks(file: bytes) -> list[int]:
    places, at = [], 12
    while at < len(file):
        places.append(at)
        at += 8 + (int.from_bytes(file[at + 4 : at + 8], "little") + 1) // 2 * 2
    return places


def ramp(low: int, high: int, height: int = 200, width: int = 300) -> NDArray[np.uint16]:
    return np.tile(np.linspace(low, high, width), (height, 1)).astype(np.uint16)


@pytest.mark.parametrize(("low", "high"), [(0, 4095), (20_000, 24_000), (100, 65_000), (0, 65_535)])
def test_sixteen_bits_are_windowed_to_what_is_in_them(low: int, high: int) -> None:
    seen = web(sixteen(ramp(low, high)))[100, :, 0]
    assert seen[3] <= 8
    assert seen[-4] >= 247
    assert np.abs(seen - np.linspace(0, 255, 300)).max() <= 8, "a ramp stays a ramp: nothing is clipped"


def test_a_radiograph_with_a_wide_black_border_is_windowed_by_what_is_within() -> None:
    values = np.zeros((400, 600), np.uint16)
    values[100:300, 150:450] = ramp(30_000, 34_000)
    values[0:20, 0:600] = 65_535
    seen = web(sixteen(values))[200, 155:445, 0]
    assert seen[0] <= 15
    assert seen[-1] >= 240


def test_a_turned_collimator_with_noise_beside_it_is_found_too() -> None:
    y, x = np.mgrid[0:600, 0:600]
    inside = np.abs(x - 300) + np.abs(y - 300) < 250
    values = np.where(inside, 20_000 + 10 * x, 0).astype(np.uint16)
    seen = web(sixteen(values))[300, :, 0]
    assert seen[60] < 25
    assert seen[540] > 230


def test_one_hot_pixel_and_a_lead_letter_do_not_make_the_rest_flat() -> None:
    values = ramp(1000, 3000, 500, 500)
    values[250, 250] = 65_535
    values[10:14, 10:40] = 60_000
    seen = web(sixteen(values))[400, :, 0]
    assert seen[-5] - seen[5] > 235


def test_a_smooth_gradient_keeps_its_greys() -> None:
    seen = np.asarray(opened(made(sixteen(ramp(1000, 1255, 256, 256))).web).convert("L"))
    assert len(np.unique(seen)) > 180


@pytest.mark.parametrize("value", [0, 30_000, 65_535])
def test_one_single_grey_is_no_reason_to_fail(value: int) -> None:
    seen = web(sixteen(np.full((50, 60), value)))
    assert abs(int(seen[20, 20, 0]) - value / 257) <= 3


def test_bits_at_the_lower_end_and_sbit_make_no_difference() -> None:
    lower = ramp(0, 4095)
    raised = lower << 4
    of_lower, of_raised = web(sixteen(lower)), web(sixteen(raised))
    assert np.abs(of_lower - of_raised).max() <= 3


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("photometric", [0, 1])
def test_a_tiff_whose_zero_is_white_is_shown_so(photometric: int, order: str) -> None:
    seen = web(grey_tiff(ramp(0, 4000), photometric, order))[100, :, 0]
    assert (seen[3] > 245 and seen[-4] < 10) if photometric == 0 else (seen[3] < 10 and seen[-4] > 245)


def test_eight_bits_are_left_as_they_are() -> None:
    values = np.tile(np.linspace(100, 150, 200), (100, 1)).astype(np.uint8)
    for kind in ("PNG", "TIFF", "BMP"):
        seen = web(saved(Image.fromarray(values), kind))[50, :, 0]
        assert np.abs(seen - values[50]).max() <= 4


def test_a_float_tiff_is_windowed_and_what_is_no_number_is_nothing() -> None:
    values = np.tile(np.linspace(-0.5, 0.5, 300), (200, 1)).astype(np.float32)
    values[0, 0] = np.nan
    seen = web(saved(Image.fromarray(values), "TIFF"))[100, :, 0]
    assert seen[3] <= 8
    assert seen[-4] >= 247


def test_sixteen_bit_colours_and_sixteen_bit_tiffs_are_read() -> None:
    assert_near(middles(web(png(8, 8, bits=16, colours=2, pixels=(b"\0" + b"\xc0\0\x20\0\x40\0" * 8) * 8))),
                [(192, 32, 64)] * 4)  # fmt: skip
    assert web(sixteen(ramp(0, 4000), "TIFF", compression="tiff_lzw"))[100, -4, 0] > 245


@pytest.mark.parametrize("progressive", [False, True])
def test_cmyk_as_adobe_writes_it_has_its_own_colours(progressive: bool) -> None:
    inks = Image.new("CMYK", (120, 80), (0, 255, 255, 0))
    inks.paste((255, 0, 255, 0), (60, 0, 120, 40))
    inks.paste((255, 255, 0, 0), (0, 40, 60, 80))
    inks.paste((0, 0, 0, 0), (60, 40, 120, 80))
    data = saved(inks, "JPEG", quality=95, progressive=progressive)
    assert b"Adobe" in data
    wanted: list[tuple[int, ...]] = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]
    assert_near(middles(web(data)), wanted, by=20)
    assert_near(middles(web(saved(inks, "TIFF"))), wanted, by=20)


def test_a_palette_with_transparency_lies_on_white() -> None:
    image = quarters().quantize(4)
    at = image.getpixel((5, 5))
    assert isinstance(at, int)
    data = saved(image, "PNG", transparency=at)
    assert_near(middles(web(data)), [(255, 255, 255), GREEN, BLUE, YELLOW])
    assert_near(middles(web(saved(image, "PNG"))), [RED, GREEN, BLUE, YELLOW])


def test_transparency_lies_on_white() -> None:
    image = quarters().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 60, 40))
    image.paste((0, 0, 0, 128), (60, 0, 120, 40))
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        assert_near(middles(web(saved(image, kind, **options))), [(255, 255, 255), (127, 127, 127), BLUE, YELLOW])
    grey = Image.new("LA", (40, 40), (0, 0))
    assert web(saved(grey, "PNG")).min() > 250


def test_bilevel_scans_are_black_and_white() -> None:
    image = Image.new("1", (400, 300), 1)
    image.paste(0, (0, 0, 200, 300))
    for data in (saved(image, "TIFF", compression="group4"), saved(image, "PNG"), saved(image, "TIFF")):
        assert_near(middles(web(data)), [(0, 0, 0), (255, 255, 255)] * 2)


def display_p3() -> bytes:
    """A profile of wide colours: sRGB's, with red and green exchanged, so that using it shows."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    profile[red + 4 : red + 8], profile[green + 4 : green + 8] = (
        profile[green + 4 : green + 8],
        profile[red + 4 : red + 8],
    )
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "WIDE".encode("utf-16-be"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_colours_are_taken_by_the_pictures_own_profile(kind: str) -> None:
    data = saved(quarters(), kind, icc_profile=display_p3(), **({"quality": 95} if kind in ("JPEG", "WEBP") else {}))
    exchanged: list[tuple[int, ...]] = [(g, r, b) for r, g, b in (RED, GREEN, BLUE, YELLOW)]
    assert_near(middles(web(data)), exchanged, by=18)


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 128, display_p3()[:300]])
def test_a_broken_profile_costs_the_exact_colours_and_not_the_picture(profile: bytes) -> None:
    assert_near(middles(web(saved(quarters(), "PNG", icc_profile=profile))), [RED, GREEN, BLUE, YELLOW])


def test_of_a_document_the_first_page_is_painted() -> None:
    data = page()
    painted = made(data)
    assert (painted.width, painted.height) == (2000, 2831)
    white: tuple[int, ...] = (255, 255, 255)
    assert_near(middles(web(data)), [white, white, (255, 0, 0), white])


def test_a_small_page_is_painted_as_a_scanner_would_see_it_and_no_larger() -> None:
    painted = made(page(72, 36, "0 g 0 0 72 36 re f"))
    assert (painted.width, painted.height) == (300, 150)


def test_heic_is_read_upright_where_its_wheel_can() -> None:
    out = io.BytesIO()
    pillow_heif.from_pillow(quarters()).save(out, quality=95, exif=exif(6, with_place=True))
    data = out.getvalue()
    kind = look(data, LIMITS).kind
    assert kind.mime == "image/heic"
    seen = web(data)
    assert (kind.width, kind.height) == seen.shape[1::-1]
    assert_near(middles(seen), UPRIGHT[6 if kind.width < kind.height else 1], by=20)
    assert b"Maker of the camera" not in made(data).web


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
def test_pixels_that_are_cut_short_are_no_picture(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 300, 3), dtype=np.uint8))
    whole = saved(noise, kind)
    with pytest.raises(BrokenPicture):
        made(whole[: len(whole) // 2])


def test_of_what_moves_the_first_picture_is_shown() -> None:
    first, second = quarters(), quarters().transpose(Image.Transpose.ROTATE_180)
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        data = saved(first, kind, save_all=True, append_images=[second], **options)
        assert look(data, LIMITS).kind.pages == 2, kind
        assert_near(middles(web(data)), [RED, GREEN, BLUE, YELLOW])
