"""JPEG files by their segments: the picture stays as it is, what describes it goes."""

from __future__ import annotations

import io

import numpy
import pytest
from PIL import Image
from readingroom.imaging.dicom_jpeg import NotJpeg, read

PIXELS = numpy.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype="u1")
PICTURE = Image.fromarray(PIXELS)
GPS, GPS_LATITUDE = 0x8825, 2
PLACE = b"Exif\0\0"


def jpeg(image: Image.Image = PICTURE, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def pixels(file: bytes) -> bytes:
    return Image.open(io.BytesIO(file)).tobytes()


def with_place() -> bytes:
    exif = Image.Exif()
    exif.get_ifd(GPS)[GPS_LATITUDE] = (52.0, 31.0, 12.0)
    return jpeg(exif=exif, comment=b"taken at home")


def test_a_baseline_picture_keeps_every_pixel_and_loses_place_and_comment() -> None:
    file = with_place()
    assert PLACE in file
    found = read(file)
    assert (found.is_baseline, found.components, found.width, found.height) == (True, 3, 60, 40)
    assert pixels(found.data) == pixels(file)
    assert PLACE not in found.data
    assert b"home" not in found.data


def test_what_a_phone_appends_behind_the_picture_is_left_out() -> None:
    file = jpeg()
    found = read(file + jpeg() + b"PK\x03\x04")
    assert found.data == read(file).data
    assert found.data.endswith(b"\xff\xd9")


def test_restart_markers_are_part_of_the_picture() -> None:
    file = jpeg(restart_marker_blocks=2)
    assert b"\xff\xd0" in file
    assert pixels(read(file).data) == pixels(file)


def test_a_progressive_picture_is_not_baseline_and_is_read_whole() -> None:
    file = jpeg(progressive=True)
    found = read(file)
    assert not found.is_baseline
    assert pixels(found.data) == pixels(file)


def test_grey_and_four_inks_are_told_apart() -> None:
    assert read(jpeg(PICTURE.convert("L"))).components == 1
    inks = read(jpeg(PICTURE.convert("CMYK")))
    assert (inks.components, inks.is_rgb) == (4, False)


ADOBE_RGB = b"\xff\xee\0\x0eAdobe\0d\0\0\0\0\0"
JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"


@pytest.mark.parametrize("has_jfif", [False, True])
@pytest.mark.parametrize("has_adobe", [False, True])
@pytest.mark.parametrize("names", [b"RGB", b"\1\2\3"])
def test_its_colours_are_those_that_libjpeg_reads(names: bytes, *, has_adobe: bool, has_jfif: bool) -> None:
    """Three marks say what is inside, and may contradict each other; the picture on the page is libjpeg's."""
    coded = bytearray(jpeg(keep_rgb=True, quality=100))
    assert coded.count(ADOBE_RGB) == 1 and JFIF[2:9] not in coded
    frame, scan = coded.index(b"\xff\xc0"), coded.index(b"\xff\xda")
    assert coded[frame + 10 : frame + 19 : 3] == coded[scan + 5 : scan + 11 : 2] == b"RGB"
    coded[frame + 10 : frame + 19 : 3] = coded[scan + 5 : scan + 11 : 2] = names
    marks = JFIF * has_jfif + ADOBE_RGB * has_adobe
    file = bytes(coded[:2] + marks + coded[2:].replace(ADOBE_RGB, b""))
    shown = numpy.asarray(Image.open(io.BytesIO(file))).astype(int)
    is_as_coded = bool(abs(shown - PIXELS).max() <= 4)
    assert read(file).is_rgb == is_as_coded
    assert is_as_coded == (not has_jfif and (has_adobe or names == b"RGB"))


def test_fill_bytes_may_stand_before_any_marker() -> None:
    file = jpeg()
    filled = file[:2] + b"\xff\xff\xff" + file[2:-2] + b"\xff" + file[-2:]
    assert pixels(read(filled).data) == pixels(file)


def test_colours_keep_their_profile() -> None:
    assert b"ICC_PROFILE" in read(jpeg(icc_profile=b"p" * 200)).data


@pytest.mark.parametrize("length", [0, 1, 2, 3, 10, 100, 400, 700, -2, -1])
def test_a_picture_cut_anywhere_is_none(length: int) -> None:
    with pytest.raises(NotJpeg):
        read(jpeg()[:length])


def test_no_bytes_whatever_make_it_raise_anything_else() -> None:
    file = bytearray(jpeg())
    random = numpy.random.default_rng(2)
    for _ in range(400):
        spoiled = bytearray(file)
        for at in random.integers(2, len(file), 3):
            spoiled[at] = int(random.integers(0, 256))
        try:
            assert read(bytes(spoiled)).data.startswith(b"\xff\xd8")
        except NotJpeg:
            continue
