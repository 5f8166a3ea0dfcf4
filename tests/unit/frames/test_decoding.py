"""Frames that are made at the server hold what pydicom finds, for every one of its samples; JPEG-LS gives it back."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from imagecodecs import jpegls_decode
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.pixels import apply_color_lut
from readingroom.frames.ahead import Budget
from readingroom.frames.kept import KeptFrames
from readingroom.frames.maker import Maker
from readingroom.frames.making import Making
from readingroom.frames.record import Record
from readingroom.frames.shape import Shape, Shapes
from readingroom.frames.stream import Stream
from readingroom.frames.supply import Supply
from readingroom.frames.wanted import Line, wanted
from readingroom.headers.errors import HeaderError
from readingroom.manifests.frames import Unshown
from readingroom.metrics import Metrics
from readingroom.settings import Settings

from tests.factories import big_endian, ct, deflated, dicom_bytes, implicit
from tests.fixtures.frame_places import all_of, records
from tests.fixtures.manifests import Site, frames_in

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

ROOT = Path(pydicom.__file__).parent / "data" / "test_files"
SAMPLES = sorted(ROOT.glob("*.dcm"))


def _is_shown(path: Path) -> bool:
    try:
        return bool(frames_in(path.read_bytes()))
    except (Unshown, HeaderError):
        return False


SHOWN = [path for path in SAMPLES if _is_shown(path)]

BEYOND_PYDICOM = {
    "JPEG-lossy": "12 bits said, 8 found",
    "JPEG2000-embedded-sequence-delimiter": "its codestream is nonsense behind the delimiter",
    "badVR": "an IS that is no number",
}
"""Samples whose pixels pydicom itself cannot tell."""


class Lab:
    """Makes streams of one file with a real process behind them."""

    def __init__(self, folder: Path) -> None:
        self.maker = Maker(Settings.load(READINGROOM_DATA=folder))
        self.metrics = Metrics()
        self.folder = folder
        self.count = 0

    def shown(self, content: bytes, accept: list[str], line: Line = "fast") -> tuple[list[Record], list[Shape]]:
        """The frames in their order in the file, and what they are."""
        self.count += 1
        site = Site(self.folder / str(self.count), [content])
        site.origin.place = "orthanc"
        plan = site.plans.of(site.found)
        kept = KeptFrames(site.settings.data / "cache" / "frames", 1 << 30)
        making = Making(site.origin, kept, self.maker, self.metrics)
        asked = wanted([(0, len(plan.frames) - 1)], len(plan.frames), accept, line)
        flow = Stream(
            Supply(site.origin, plan, asked, making), asked, Budget(), allowed=lambda: None, ended=lambda tally: None
        )
        shapes, found = Shapes(plan.manifest), records(all_of(flow))
        in_file = sorted(range(len(plan.frames)), key=lambda index: plan.frames[index].number)
        return [found[index] for index in in_file], [shapes.of(index) for index in in_file]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("decoding"))
    yield made
    made.maker.close()


def as_pydicom_has_them(content: bytes) -> list[NDArray[Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = dcmread(io.BytesIO(content), force=True)
        pixels = read.pixel_array
        if read.PhotometricInterpretation == "PALETTE COLOR":
            pixels = apply_color_lut(pixels, read)
            pixels = (pixels >> 8).astype("u1") if pixels.dtype.itemsize == 2 else pixels
        count = int(read.get("NumberOfFrames") or 1)
    return list(pixels) if count > 1 else [pixels]


def unpacked(payload: bytes, shape: Shape) -> NDArray[Any]:
    kind = "f" if shape.floating else "i" if shape.signed else "u"
    plain = np.frombuffer(payload, f"<{kind}{shape.bits // 8}")
    return plain.reshape((shape.rows, shape.columns, *((3,) if shape.samples == 3 else ())))


LOSSY = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
"""Decoders of these may round otherwise from one run to the next (ISO/IEC 10918-1, A.3.3)."""


def compare(got: NDArray[Any], pixels: NDArray[Any], apart: int = 0) -> None:
    if got.ndim == 3 and pixels.dtype.itemsize > 1:
        pixels = (pixels * (255.0 / (256.0**pixels.dtype.itemsize - 1))).round()
    assert np.abs(got.astype("f8") - pixels.astype("f8")).max() <= (1 if got.ndim == 3 else apart)


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.stem)
def test_what_is_decoded_here_is_what_pydicom_finds(lab: Lab, path: Path) -> None:
    content = path.read_bytes()
    found, shapes = lab.shown(content, ["raw"])
    syntax = frames_in(content)[0].place.syntax
    try:
        expected = as_pydicom_has_them(content)
    except Exception:
        assert path.stem in BEYOND_PYDICOM
        assert {each.status for each in found} <= {200, 422}
        return
    assert {(each.status, each.encoding) for each in found} == {(200, "raw")}, found[0].payload[:200]
    for each, shape, pixels in zip(found, shapes, expected[: len(found)], strict=True):
        compare(unpacked(each.payload, shape), pixels, apart=1 if syntax in LOSSY else 0)


def test_the_samples_hold_what_has_to_be_decoded() -> None:
    """A list of samples that shrank would make the test above an empty one."""
    kinds = {frames_in(path.read_bytes())[0].place.syntax for path in SHOWN}
    assert len(SHOWN) > 40
    assert {"1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80",
            "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.50"} <= kinds  # fmt: skip
    assert any(each.decode for path in SHOWN for each in [frames_in(path.read_bytes())[0].place])


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.stem)
def test_a_slow_line_gets_greys_as_jpeg_ls_and_they_are_the_same(lab: Lab, path: Path) -> None:
    content = path.read_bytes()
    everything = ["raw", "jpeg", "jpegll", "jpls", "jp2", "htj2k", "rle"]
    fast, shapes = lab.shown(content, everything, "fast")
    slow, _ = lab.shown(content, everything, "slow")
    for one, other, shape in zip(fast, slow, shapes, strict=True):
        if one.encoding == "raw" and shape.is_grey and other.encoding != "raw":
            assert other.encoding == "jpls"
            assert len(other.payload) < len(one.payload)
            decoded = jpegls_decode(other.payload)
            assert decoded.tobytes() == one.payload
        else:
            assert one == other


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("bits", [8, 16])
def test_every_value_survives_jpeg_ls(lab: Lab, bits: int, signed: int) -> None:
    values = np.linspace(0, 2**bits - 1, 256 * 256).astype(f"<u{bits // 8}")
    made = ct(rows=256, columns=256, PixelData=values.tobytes(), BitsAllocated=bits, BitsStored=bits, HighBit=bits - 1,
              PixelRepresentation=signed)  # fmt: skip
    (found,), _ = lab.shown(dicom_bytes(made), ["raw", "jpls"], "slow")
    assert found.encoding == "jpls"
    assert jpegls_decode(found.payload).tobytes() == values.tobytes()


def test_noise_that_jpeg_ls_makes_no_smaller_stays_raw(lab: Lab) -> None:
    noise = np.random.default_rng(1).integers(0, 65536, 128 * 128, dtype="<u2").tobytes()
    made = ct(rows=128, columns=128, PixelData=noise, BitsStored=16, HighBit=15)
    (found,), _ = lab.shown(dicom_bytes(made), ["raw", "jpls"], "slow")
    assert (found.encoding, found.payload) == ("raw", noise)


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("write", [dicom_bytes, implicit, deflated, big_endian])
def test_bits_that_do_not_lie_lowest_are_brought_down(lab: Lab, write: Callable[[Dataset], bytes], signed: int) -> None:
    values = np.arange(64 * 64) % 1024 - 512 * signed
    stored = ((values << 5) | 5 | 0x8000 * (1 - signed)).astype("<i4").astype("<u2")
    made = ct(rows=64, columns=64, PixelData=stored.tobytes(), BitsStored=10, HighBit=14, PixelRepresentation=signed)
    (found,), shapes = lab.shown(write(made), ["raw"])
    assert (unpacked(found.payload, shapes[0]).ravel() == values).all()


@pytest.mark.parametrize("write", [dicom_bytes, implicit, deflated])
def test_frames_of_single_bits_may_begin_within_a_byte(lab: Lab, write: Callable[[Dataset], bytes]) -> None:
    values = np.random.default_rng(5).integers(0, 2, (5, 9, 11), dtype="u1")
    packed = np.packbits(values, bitorder="little").tobytes()
    made = ct(rows=9, columns=11, NumberOfFrames="5", PixelData=packed + bytes(len(packed) % 2), BitsAllocated=1,
              BitsStored=1, HighBit=0, PixelRepresentation=0)  # fmt: skip
    found, shapes = lab.shown(write(made), ["raw"])
    assert [each.status for each in found] == [200] * 5
    for each, shape, expected in zip(found, shapes, values, strict=True):
        assert (unpacked(each.payload, shape) == expected).all()


def test_overlays_above_the_stored_bits_are_no_part_of_the_values(lab: Lab) -> None:
    values = np.arange(64 * 64, dtype="<u2") % 4096
    stored = (values | (np.arange(64 * 64) % 2) << 12).astype("<u2").tobytes()
    made = ct(rows=64, columns=64, PixelData=stored, BitsStored=12, HighBit=11, PixelRepresentation=0)
    made.add_new(0x60020100, "US", 16)
    made.add_new(0x60020102, "US", 12)
    content = dicom_bytes(made)
    (found,), shapes = lab.shown(content, ["raw"])
    assert (unpacked(found.payload, shapes[0]).ravel() == values).all()
    assert (as_pydicom_has_them(content)[0].ravel() == values).all()
    made[0x60020102].value = 0  # its bits lie elsewhere: nothing has to be decoded
    assert not frames_in(dicom_bytes(made))[0].place.decode


def test_what_cannot_be_decoded_says_so_and_the_process_lives(lab: Lab) -> None:
    broken = bytearray((ROOT / "MR_small_jp2klossless.dcm").read_bytes())
    at = len(broken) - 3000
    broken[at : at + 2000] = bytes(2000)
    (found,), _ = lab.shown(bytes(broken), ["raw"])
    if found.status != 200:  # the decoder may make something of it
        said = json.loads(found.payload)
        assert (found.status, said["error"]) == (422, "not_decodable")
    cut = (ROOT / "MR_small_RLE.dcm").read_bytes()
    start = frames_in(cut)[0].place.parts[0][0]
    (found,), _ = lab.shown(cut[: start + 20] + bytes(200) + cut[start + 220 :], ["raw"])
    assert found.status in (200, 422)
    (good,), _ = lab.shown((ROOT / "MR_small_jp2klossless.dcm").read_bytes(), ["raw"])
    assert good.status == 200
