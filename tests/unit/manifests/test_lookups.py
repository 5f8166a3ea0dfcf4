"""Lookup tables in the manifest: shown through them, a picture is what pydicom makes of it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import JPEGBaseline8Bit
from readingroom.headers.errors import HeaderError
from readingroom.manifests import lookups
from readingroom.manifests.frames import Unshown

from tests.factories import big_endian, ct, dataset, deflated, dicom_bytes, implicit, lut, us_multiframe
from tests.fixtures.manifests import Site, enhanced, frames_in
from tests.fixtures.samples import ROOT

Pixels = NDArray[Any]
Write = Callable[[Dataset], bytes]

CURVE = np.round(4095 * np.linspace(0, 1, 4096) ** 0.6)
"""As a scanner's table is: it rises, and more steeply where it is dark."""


def radiograph(**keywords: Any) -> Dataset:
    """One of 12 bits without window or rescale, as those are that have tables."""
    made = ct("radiograph", Modality="DX", **keywords)
    for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType", "WindowCenter", "WindowWidth"):
        if keyword in made and keyword not in keywords:
            delattr(made, keyword)
    if "PixelRepresentation" not in keywords:
        made.PixelRepresentation = 0
    if "BitsStored" not in keywords:
        made.BitsStored, made.HighBit = 12, 11
    return made


def through(told: Mapping[str, Any], values: Pixels) -> Pixels:
    """What a table of the manifest makes of values, as docs/viewer-api.md tells it."""
    entries = np.frombuffer(base64.b64decode(told["data"]), "<u2")
    assert len(entries) == told["count"] and entries.max() < 1 << told["bits"]
    return entries[np.clip(np.floor(values).astype(np.int64) - told["first"], 0, told["count"] - 1)]


def shown(manifest: Mapping[str, Any], stored: Pixels, alternative: int = 0) -> Pixels:
    """The first frame behind both of its tables."""
    said, tables = manifest["defaults"], manifest["luts"]
    values = stored.astype(np.float64) * said["slope"] + said["intercept"]
    if said["modalityLut"] is not None:
        values = through(tables[said["modalityLut"]], stored).astype(np.float64)
    return through(tables[said["voiLuts"][alternative]], values) if said["voiLuts"] else values


def said_by_pydicom(content: bytes, alternative: int = 0) -> Pixels:
    read = dcmread(io.BytesIO(content))
    values = apply_modality_lut(read.pixel_array, read)
    if values.dtype.kind == "f":
        values = np.floor(values).astype(np.int64)
    looked_up: Pixels = apply_voi_lut(values, read, alternative)
    return looked_up


def manifest_of(tmp_path: Any, *files: bytes) -> dict[str, Any]:
    return Site(tmp_path, files).manifest()


HELD: dict[str, Callable[[], Dataset]] = {
    "a modality's table of 16 bits": lambda: radiograph(ModalityLUTSequence=[lut(np.arange(4096) * 16, 0)]),
    "a modality's table of 8 bits": lambda: radiograph(ModalityLUTSequence=[lut(np.arange(256)[::-1], 1000, 8)]),
    "a VOI table of 12 bits": lambda: radiograph(VOILUTSequence=[lut(CURVE, 0, 12)]),
    "a VOI table of 10 bits that begins late": lambda: radiograph(VOILUTSequence=[lut(np.arange(1024), 900, 10)]),
    "a VOI table of 65,536 entries": lambda: radiograph(VOILUTSequence=[lut(np.arange(65536)[::-1], 0)]),
    "both": lambda: radiograph(
        ModalityLUTSequence=[lut(np.arange(4096) * 16, 0, ModalityLUTType="US")], VOILUTSequence=[lut(CURVE, 20000, 12)]
    ),
    "negative values": lambda: radiograph(
        PixelRepresentation=1, VOILUTSequence=[lut(CURVE, -2048, 12)],
        PixelData=(np.arange(256, dtype="<i2") * 16 - 2048).tobytes(),
    ),
    "a table behind a rescale": lambda: radiograph(
        RescaleSlope="1.5", RescaleIntercept="-1024", VOILUTSequence=[lut(CURVE, -1024, 12)]
    ),
    "a table beside a window": lambda: radiograph(
        WindowCenter="2000", WindowWidth="4000", VOILUTSequence=[lut(CURVE, 0, 12)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("write", [dicom_bytes, implicit, deflated])
@pytest.mark.parametrize("name", HELD)
def test_a_picture_behind_its_tables_is_what_pydicom_makes_of_it(name: str, write: Write, tmp_path: Any) -> None:
    content = write(HELD[name]())
    if name == "a table behind a rescale" and write is implicit:
        # pydicom takes the table's beginning for unsigned, by the stored values; the standard goes by the rescaled.
        reference = said_by_pydicom(dicom_bytes(HELD[name]()))
    else:
        reference = said_by_pydicom(content)
    manifest = manifest_of(tmp_path, content)
    assert len(np.unique(reference)) > 20, "a plain picture would prove nothing"
    np.testing.assert_array_equal(shown(manifest, dcmread(io.BytesIO(content)).pixel_array), reference)
    assert manifest["defaults"]["lutLeftOut"] is None


def test_tables_of_big_endian_files_are_read_as_such(tmp_path: Any) -> None:
    made = HELD["both"]()
    little = dicom_bytes(made)
    stored, reference = dcmread(io.BytesIO(little)).pixel_array, said_by_pydicom(little)
    for item in (*made.ModalityLUTSequence, *made.VOILUTSequence):
        item.LUTData = np.frombuffer(item.LUTData, "<u2").astype(">u2").tobytes()
    np.testing.assert_array_equal(shown(manifest_of(tmp_path, big_endian(made)), stored), reference)


@pytest.mark.parametrize("vr", ["US", "SS"])
def test_entries_may_be_written_as_numbers(vr: str, tmp_path: Any) -> None:
    item = lut(CURVE[:4096], 0, 12)
    item.add_new("LUTData", vr, [int(each) for each in CURVE[:4096]])
    content = dicom_bytes(radiograph(VOILUTSequence=[item]))
    stored = dcmread(io.BytesIO(content)).pixel_array
    np.testing.assert_array_equal(shown(manifest_of(tmp_path, content), stored), said_by_pydicom(content))


def test_entries_of_8_bits_may_lie_in_bytes(tmp_path: Any) -> None:
    entries = np.arange(255)[::-1]
    packed, wide = (
        manifest_of(tmp_path / str(words), dicom_bytes(radiograph(VOILUTSequence=[lut(entries, 9, 8, words=words)])))
        for words in (False, True)
    )
    assert packed["luts"] == wide["luts"]
    np.testing.assert_array_equal(through(packed["luts"][0], np.arange(300))[9:264], entries)


def test_all_alternatives_are_told_in_their_order_with_their_names(tmp_path: Any) -> None:
    items = [lut(CURVE, 0, 12, LUTExplanation=name) for name in ("NORMAL", "HÄRTER", "WEICHER")]
    items[1].LUTData = (CURVE[::-1]).astype("<u2").tobytes()
    content = dicom_bytes(radiograph(VOILUTSequence=items))
    manifest = manifest_of(tmp_path, content)
    assert [manifest["luts"][each]["explanation"] for each in manifest["defaults"]["voiLuts"]] == [
        "NORMAL", "HÄRTER", "WEICHER"
    ]  # fmt: skip
    stored = dcmread(io.BytesIO(content)).pixel_array
    for index in range(3):
        np.testing.assert_array_equal(shown(manifest, stored, index), said_by_pydicom(content, index))


def test_a_table_that_many_images_share_is_told_once(tmp_path: Any) -> None:
    files = [dicom_bytes(radiograph(VOILUTSequence=[lut(CURVE, 0, 12)], InstanceNumber=str(n))) for n in range(1, 6)]
    other = dicom_bytes(radiograph(InstanceNumber="6"))
    manifest = manifest_of(tmp_path, *files, other)
    assert len(manifest["luts"]) == 1
    assert manifest["frames"]["voiLuts"] == [[0]] * 5 + [[]]
    assert manifest["defaults"]["modalityLut"] is None


def test_a_series_without_tables_says_nothing_of_them(tmp_path: Any) -> None:
    manifest = manifest_of(tmp_path, dicom_bytes(ct()))
    assert "luts" not in manifest
    assert (manifest["defaults"]["voiLuts"], manifest["defaults"]["slope"]) == ([], 1.0)


def test_colours_have_no_tables(tmp_path: Any) -> None:
    made = us_multiframe(VOILUTSequence=[lut(CURVE, 0, 12)])
    assert "luts" not in manifest_of(tmp_path, dicom_bytes(made))


def test_a_frame_s_own_tables_come_before_those_that_all_share(tmp_path: Any) -> None:
    def groups_of(n: int) -> Dataset:
        own = Dataset()
        if n == 1:
            own.FrameVOILUTSequence = [dataset(VOILUTSequence=[lut(CURVE[::-1], 0, 12)])]
        if n == 2:
            own.FrameVOILUTSequence = [dataset(WindowCenter="7", WindowWidth="9")]
        return own

    shared = Dataset()
    shared.FrameVOILUTSequence = [dataset(VOILUTSequence=[lut(CURVE, 0, 12)])]
    for number, write in enumerate((dicom_bytes, implicit)):
        manifest = manifest_of(tmp_path / str(number), write(enhanced(3, groups_of, shared)))
        assert manifest["frames"]["voiLuts"] == [[0], [1], []]
        assert [each["first"] for each in manifest["luts"]] == [0, 0]
        assert manifest["frames"]["windowCenter"][2] == [7.0]


BROKEN: dict[str, Callable[[], Dataset]] = {
    "it has no entries": lambda: without(lut(CURVE, 0, 12), "LUTData"),
    "it has no descriptor": lambda: without(lut(CURVE, 0, 12), "LUTDescriptor"),
    "it has fewer entries than it says": lambda: cut(lut(CURVE, 0, 12)),
    "its entries have 3 bits": lambda: lut(CURVE, 0, 3),
    "its entries have 32 bits": lambda: lut(CURVE, 0, 32),
    "it is empty": Dataset,
}


def without(item: Dataset, keyword: str) -> Dataset:
    del item[keyword]
    return item


def cut(item: Dataset) -> Dataset:
    item.LUTData = item.LUTData[:200]
    return item


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_voi_table_is_left_out_and_the_rest_is_shown(name: str, tmp_path: Any) -> None:
    sound = lut(CURVE, 0, 12, LUTExplanation="SOUND")
    made = radiograph(VOILUTSequence=[BROKEN[name](), sound], WindowCenter="2000", WindowWidth="4000")
    manifest = manifest_of(tmp_path, dicom_bytes(made))
    assert [each["explanation"] for each in manifest["luts"]] == ["SOUND"]
    assert manifest["defaults"]["lutLeftOut"] == lookups.DAMAGED["voi"]
    assert manifest["defaults"]["windowCenter"] == [2000.0] and manifest["unshown"] == []


@pytest.mark.parametrize("name", BROKEN)
def test_without_its_modality_s_table_a_picture_has_no_window_either(name: str, tmp_path: Any) -> None:
    made = radiograph(
        ModalityLUTSequence=[BROKEN[name]()], VOILUTSequence=[lut(CURVE, 0, 12)], WindowCenter="2", WindowWidth="4"
    )
    manifest = manifest_of(tmp_path, dicom_bytes(made))
    told = manifest["defaults"]
    assert told["lutLeftOut"] == lookups.DAMAGED["modality"] and "luts" not in manifest
    assert (told["modalityLut"], told["voiLuts"], told["windowCenter"], told["windowWidth"]) == (None, [], [], [])


def test_entries_greater_than_their_bits_allow_are_the_greatest(tmp_path: Any) -> None:
    manifest = manifest_of(tmp_path, dicom_bytes(radiograph(VOILUTSequence=[lut(np.arange(4096) * 16, 0, 12)])))
    assert through(manifest["luts"][0], np.arange(4096)).max() == 4095


def test_a_sequence_that_holds_no_items_costs_the_table_alone(tmp_path: Any) -> None:
    content = bytearray(dicom_bytes(radiograph(VOILUTSequence=[lut(CURVE, 0, 12)])))
    at = content.index(b"\x28\x00\x10\x30SQ") + 12
    assert content[at : at + 4] == b"\xfe\xff\x00\xe0"
    content[at + 2] = 0x55
    manifest = manifest_of(tmp_path, bytes(content))
    assert manifest["defaults"]["lutLeftOut"] == lookups.DAMAGED["voi"] and manifest["frameCount"] == 1


def test_more_tables_than_a_manifest_holds_are_told_of_and_left_out(tmp_path: Any) -> None:
    largest = np.arange(65536)
    files = [
        dicom_bytes(radiograph(VOILUTSequence=[lut(np.roll(largest, n), 0)], InstanceNumber=str(n))) for n in range(20)
    ]
    site = Site(tmp_path, files)
    manifest = site.manifest()
    assert sum(each["count"] for each in manifest["luts"]) == lookups.MOST_ENTRIES
    assert manifest["frameCount"] == 20 and manifest["frames"]["lutLeftOut"].count(lookups.TOO_MANY) == 4
    assert len(json.dumps(manifest)) < 3 << 20
    many = [lut(CURVE + n, 0, 16) for n in range(lookups.MOST_OF_A_FRAME + 1)]
    assert len(manifest_of(tmp_path / "frame", dicom_bytes(radiograph(VOILUTSequence=many)))["luts"]) == 8


def test_no_file_of_pydicom_has_a_table_and_none_gets_one() -> None:
    for path in sorted(ROOT.rglob("*.dcm")):
        try:
            found = frames_in(path.read_bytes())
        except (HeaderError, Unshown):
            continue
        assert all(each.said["voiLuts"] == [] and each.said["modalityLut"] is None for each in found)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_RLE.dcm", "JPEG2000.dcm", "MR_small_implicit.dcm"])
def test_a_sample_of_pydicom_that_is_given_tables_is_shown_as_pydicom_does(name: str, tmp_path: Any) -> None:
    made = dcmread(ROOT / name)
    for keyword in ("RescaleSlope", "RescaleIntercept"):
        made.pop(keyword, None)
    least = int(made.pixel_array.min())
    made.ModalityLUTSequence = [lut(np.sqrt(np.arange(4096)) * 1000, least)]
    made.VOILUTSequence = [lut(np.arange(32000)[::-1], 200)]
    written = io.BytesIO()
    made.save_as(written)
    manifest = manifest_of(tmp_path, written.getvalue())
    np.testing.assert_array_equal(
        shown(manifest, dcmread(ROOT / name).pixel_array), said_by_pydicom(written.getvalue())
    )


def test_a_compressed_picture_has_its_tables_too() -> None:
    made = radiograph(BitsAllocated=8, BitsStored=8, HighBit=7, VOILUTSequence=[lut(np.arange(256)[::-1], 0, 8)])
    made.PixelData = encapsulate([b"\xff\xd8" + bytes(60) + b"\xff\xd9"])
    made["PixelData"].is_undefined_length = True
    (found,) = frames_in(dicom_bytes(made, JPEGBaseline8Bit))
    assert len(found.said["voiLuts"]) == 1
