"""Small pictures against pydicom's own pixels and windows, over its sample files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from readingroom.thumbnails.rendering import EDGE, NoPicture, Pixels, render

from tests.factories import ct, deflated, dicom_bytes, implicit, us_multiframe

CLOSE = 6.0
"""Grey levels that the picture may differ from the reference in the mean: WebP is lossy."""


def sample(name: str) -> bytes:
    place = get_testdata_file(name, download=False)
    assert isinstance(place, str), f"pydicom lacks {name}"
    return Path(place).read_bytes()


def drawn(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(render(io.BytesIO(data)))) as image:
        assert image.format == "WEBP"
        assert max(image.size) <= EDGE
        return np.asarray(image.convert("RGB"), dtype=np.float64)


def expected(dataset: Dataset, frame: int = 0) -> Pixels:
    """What pydicom makes of it, in full size."""
    pixels = dataset.pixel_array
    if int(dataset.get("NumberOfFrames") or 1) > 1:
        pixels = pixels[frame]
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        coloured = apply_color_lut(pixels, dataset)
        return coloured / (257 if coloured.dtype.itemsize == 2 else 1)
    if dataset.get("SamplesPerPixel", 1) == 3:
        return pixels / (257 if pixels.dtype.itemsize == 2 else 1)
    values = np.asarray(apply_modality_lut(pixels, dataset), dtype=np.float64)
    if "WindowCenter" in dataset:
        seen = apply_voi_lut(values, dataset)
        center, width = (float(np.atleast_1d(dataset[k].value)[0]) for k in ("WindowCenter", "WindowWidth"))
        ends = apply_voi_lut(np.array([center - width * 2, center + width * 2]), dataset)
        seen = (seen - ends.min()) / (ends.max() - ends.min()) * 255
    else:
        low, high = np.percentile(values, (0.5, 99.5))
        seen = np.clip((values - low) / max(high - low, 1e-6), 0, 1) * 255
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        seen = 255 - seen
    return np.repeat(seen[..., None], 3, axis=2)


def shrunk(pixels: Pixels, like: Pixels) -> Pixels:
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return np.asarray(image.resize((like.shape[1], like.shape[0]), Image.Resampling.LANCZOS), dtype=np.float64)


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm",
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "JPEG2000.dcm",
        "JPGExtended.dcm",
        "JPEG-lossy.dcm",
        "image_dfl.dcm",
        "SC_rgb_rle_16bit.dcm",
        "SC_rgb_jpeg_dcmtk.dcm",
        "SC_rgb_dcmtk_+eb+cr.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
        "examples_palette.dcm",
        "examples_ybr_color.dcm",
        "examples_jpeg2k.dcm",
        "rtdose.dcm",
        "liver_1frame.dcm",
    ],
)
def test_a_picture_looks_as_pydicom_says(name: str) -> None:
    data = sample(name)
    dataset = dcmread(io.BytesIO(data))
    try:
        dataset.pixel_array  # noqa: B018
    except (
        NotImplementedError,
        RuntimeError,
    ):  # no decoder here can do it: then there is no picture, and no other error
        with pytest.raises(NoPicture):
            render(io.BytesIO(data))
        return
    picture = drawn(data)
    frames = int(dataset.get("NumberOfFrames") or 1)
    reference = shrunk(expected(dataset, frames // 2), picture)
    assert np.abs(picture - reference).mean() < CLOSE


def test_monochrome1_is_shown_inverted() -> None:
    normal, inverse = ct(rows=64, columns=64), ct(rows=64, columns=64, PhotometricInterpretation="MONOCHROME1")
    assert np.abs(drawn(dicom_bytes(normal)) + drawn(dicom_bytes(inverse)) - 255).mean() < CLOSE


def test_a_window_decides_what_is_black_and_white() -> None:
    values = np.linspace(0, 4095, 64 * 64).astype("<u2").reshape(64, 64)
    made = ct(rows=64, columns=64, WindowCenter="3000", WindowWidth="2", RescaleSlope="1", RescaleIntercept="0",
              PixelData=values.tobytes())  # fmt: skip
    made.PixelRepresentation = 0
    picture = drawn(dicom_bytes(made))
    assert picture[:40].mean() < 5
    assert picture[50:].mean() > 250


def test_without_a_window_one_hot_pixel_does_not_make_the_rest_black() -> None:
    values = np.tile(np.arange(64, dtype="<u2") * 4, (64, 1))
    values[0, 0] = 65_535
    made = ct(rows=64, columns=64, PixelData=values.tobytes(), RescaleSlope="1", RescaleIntercept="0")
    made.PixelRepresentation = 0
    for keyword in ("WindowCenter", "WindowWidth"):
        if keyword in made:
            del made[keyword]
    assert 100 < drawn(dicom_bytes(made)).mean() < 155


@pytest.mark.parametrize("padding", [{"PixelPaddingValue": 0}, {"PixelPaddingValue": 9, "PixelPaddingRangeLimit": 0}])
def test_padding_decides_nothing_where_there_is_no_window(padding: dict[str, int]) -> None:
    inside = np.linspace(3000, 4000, 64 * 32).astype("<u2").reshape(64, 32)
    outside = np.tile(np.arange(max(padding.values()) + 1, dtype="<u2"), 64 * 32)[: 64 * 32].reshape(64, 32)
    made = ct(rows=64, columns=64, PixelData=np.hstack([inside, outside]).astype("<u2").tobytes(), **padding)
    made.PixelRepresentation = 0
    for keyword in ("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept"):
        del made[keyword]
    picture = drawn(dicom_bytes(made))[:, :28]
    assert picture[:5].mean() < 40 and picture[-5:].mean() > 215


def test_bits_that_do_not_lie_lowest_are_brought_down() -> None:
    values = np.linspace(0, 4095, 64 * 64).astype("<u2")
    fixed = {"rows": 64, "columns": 64, "BitsStored": 12, "PixelRepresentation": 0, "WindowCenter": "1024",
             "WindowWidth": "4096"}  # fmt: skip
    low = drawn(dicom_bytes(ct(PixelData=values.tobytes(), HighBit=11, **fixed)))
    high = drawn(dicom_bytes(ct(PixelData=((values << 4) | 9).astype("<u2").tobytes(), HighBit=15, **fixed)))
    assert np.abs(low - high).mean() < 1
    assert low.max() - low.min() > 200


def test_the_middle_frame_of_many_is_shown() -> None:
    made = us_multiframe()
    frames = int(made.NumberOfFrames)
    reference = expected(dcmread(io.BytesIO(dicom_bytes(made))), frames // 2)
    picture = drawn(dicom_bytes(made))
    assert np.abs(picture - shrunk(reference, picture)).mean() < CLOSE


def test_pixels_that_are_longer_than_broad_are_shown_so() -> None:
    made = ct(rows=64, columns=64, PixelSpacing=["2", "1"])
    assert drawn(dicom_bytes(made)).shape[:2] == (128, 64)


@pytest.mark.parametrize("write", [implicit, deflated])
def test_other_ways_of_writing_a_file_change_nothing(write: object) -> None:
    assert callable(write)
    assert np.abs(drawn(write(ct(rows=64, columns=64))) - drawn(dicom_bytes(ct(rows=64, columns=64)))).mean() < 1


@pytest.mark.parametrize("name", ["test-SR.dcm", "rtplan.dcm", "waveform_ecg.dcm", "MR_truncated.dcm"])
def test_what_is_no_whole_image_is_no_picture(name: str) -> None:
    with pytest.raises(NoPicture):
        render(io.BytesIO(sample(name)))


def test_an_image_that_claims_to_be_enormous_is_refused_before_it_is_decoded() -> None:
    made = ct(rows=64, columns=64)
    made.Rows, made.Columns = 65_535, 65_535
    with pytest.raises(NoPicture, match="too large"):
        render(io.BytesIO(dicom_bytes(made)))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_gives_a_picture_or_none_and_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(dicom_bytes(ct(rows=16, columns=16)))
    for _ in range(data.draw(st.integers(1, 12))):
        whole[data.draw(st.integers(128, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert render(io.BytesIO(whole[: data.draw(st.integers(0, len(whole)))]))[8:12] == b"WEBP"
    except NoPicture as error:
        assert len(str(error)) < 40
