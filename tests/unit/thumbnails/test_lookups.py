"""Small pictures of files that have lookup tables, against what pydicom makes of them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from readingroom.thumbnails.rendering import Pixels, render, shown

from tests.factories import big_endian, ct, dataset, deflated, dicom_bytes, implicit, lut
from tests.fixtures.manifests import enhanced

DARK = np.round(4095 * np.linspace(0, 1, 4096) ** 3)
"""A table that makes most of a picture much darker than a plain window does."""


def radiograph(**keywords: Any) -> Dataset:
    ramp = np.linspace(0, 4095, 64 * 64).astype("<u2").tobytes()
    fixed = {"Modality": "DX", "PixelRepresentation": 0, "BitsStored": 12, "HighBit": 11, "PixelData": ramp}
    made = ct("radiograph", rows=64, columns=64, **(fixed | keywords))
    for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType", "WindowCenter", "WindowWidth"):
        if keyword not in keywords:
            delattr(made, keyword)
    return made


def grey(content: bytes) -> Pixels:
    read = dcmread(io.BytesIO(content))
    return shown(read.pixel_array, read)


def said_by_pydicom(content: bytes, bits: int = 12) -> NDArray[Any]:
    read = dcmread(io.BytesIO(content))
    return np.asarray(apply_voi_lut(apply_modality_lut(read.pixel_array, read), read)) * (255 / (2**bits - 1))


def assert_alike(one: NDArray[Any], other: NDArray[Any]) -> None:
    assert np.abs(one.astype(np.float64) - other).max() <= 1


@pytest.mark.parametrize("write", [dicom_bytes, implicit, deflated])
def test_a_picture_is_shown_through_its_tables(write: Any) -> None:
    voi = write(radiograph(VOILUTSequence=[lut(DARK, 0, 12)], WindowCenter="2000", WindowWidth="4000"))
    assert_alike(grey(voi), said_by_pydicom(voi))
    both = write(radiograph(ModalityLUTSequence=[lut(DARK * 16)], VOILUTSequence=[lut(DARK, 9000, 12)]))
    assert_alike(grey(both), said_by_pydicom(both))


def test_the_picture_itself_is_made_through_them() -> None:
    content = dicom_bytes(radiograph(VOILUTSequence=[lut(DARK, 0, 12)]))
    with Image.open(io.BytesIO(render(io.BytesIO(content)))) as image:
        picture = np.asarray(image.convert("L"), dtype=np.float64)
    assert np.abs(picture - said_by_pydicom(content)).mean() < 6
    assert picture.mean() < 90, "without its table it has a mean of 127"


def test_tables_of_big_endian_files_are_read_as_such() -> None:
    little = dicom_bytes(radiograph(VOILUTSequence=[lut(DARK, 0, 12)]))
    item = lut(DARK, 0, 12)
    item.LUTData = np.frombuffer(item.LUTData, "<u2").astype(">u2").tobytes()
    assert_alike(grey(big_endian(radiograph(VOILUTSequence=[item]))), said_by_pydicom(little))


def test_entries_of_8_bits_may_lie_in_bytes() -> None:
    entries = np.arange(256)[::-1]
    wide, packed = (
        grey(dicom_bytes(radiograph(VOILUTSequence=[lut(entries, 500, 8, words=words)]))) for words in (True, False)
    )
    np.testing.assert_array_equal(wide, packed)
    assert wide[0, 0] == 255 and wide[-1, -1] == 0


def test_a_broken_table_leaves_the_next_one_or_the_window() -> None:
    broken = lut(DARK, 0, 12)
    broken.LUTData = broken.LUTData[:200]
    sound = grey(dicom_bytes(radiograph(VOILUTSequence=[lut(DARK, 0, 12)])))
    np.testing.assert_array_equal(grey(dicom_bytes(radiograph(VOILUTSequence=[broken, lut(DARK, 0, 12)]))), sound)
    window = {"WindowCenter": "1000", "WindowWidth": "500"}
    plain = grey(dicom_bytes(radiograph(**window)))
    np.testing.assert_array_equal(grey(dicom_bytes(radiograph(VOILUTSequence=[broken], **window))), plain)


def test_without_its_modality_s_table_a_picture_is_shown_from_its_darkest_to_its_brightest() -> None:
    broken = lut(DARK, 0, 12)
    del broken.LUTData
    made = radiograph(ModalityLUTSequence=[broken], WindowCenter="60000", WindowWidth="10")
    np.testing.assert_array_equal(grey(dicom_bytes(made)), grey(dicom_bytes(radiograph())))


def test_a_frame_has_the_table_of_its_group() -> None:
    def groups_of(n: int) -> Dataset:
        return dataset(FrameVOILUTSequence=[dataset(VOILUTSequence=[lut([0, 255] if n else [255, 0], 500, 8)])])

    made = enhanced(2, groups_of, WindowCenter="40", WindowWidth="400", RescaleSlope="1", RescaleIntercept="0")
    read = dcmread(io.BytesIO(dicom_bytes(made)))
    picture = np.asarray([[0, 400], [600, 4000]], dtype=np.uint16)
    assert shown(picture, read, 0).tolist() == [[255, 255], [0, 0]]
    assert shown(picture, read, 1).tolist() == [[0, 0], [255, 255]]
