"""What an asset becomes in DICOM: every attribute that PS3.3 asks for, and the pixels that were in the file."""

from __future__ import annotations

import io
import json
import socket
import struct
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy
import pytest
import readingroom
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit
from readingroom.confined import receive
from readingroom.imaging.dicom_header import PRIVATE_CREATOR, PRIVATE_GROUP
from readingroom.imaging.dicom_line import LENGTH
from readingroom.imaging.dicom_pixels import NotAnImage
from readingroom.imaging.dicom_process import write
from readingroom.imaging.dicom_subject import SOP_CLASSES, Said, Subject, series_of, study_root, uids
from readingroom.pictures.window import window

COMMON = "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID Modality"
IMAGE = f"{COMMON} Rows Columns SamplesPerPixel PhotometricInterpretation BitsAllocated BitsStored HighBit PixelData"
EMPTY = (
    "PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName StudyID "
    "AccessionNumber"
)
TYPE_1 = {
    # PS3.3 C.8.11.1 to C.8.11.4, C.11.2 (window or LUT where it is for presentation), C.12.1
    "DX": f"{IMAGE} PixelRepresentation PresentationIntentType ImageLaterality ImageType PixelIntensityRelationship "
    "PixelIntensityRelationshipSign RescaleIntercept RescaleSlope RescaleType PresentationLUTShape "
    "LossyImageCompression PatientOrientation BurnedInAnnotation ImagerPixelSpacing WindowCenter WindowWidth",
    "XC": f"{IMAGE} PixelRepresentation ImageType",  # C.8.12.1
    "SC": f"{IMAGE} PixelRepresentation ConversionType",  # C.8.6.1
    "DOC": f"{COMMON} ConversionType InstanceNumber BurnedInAnnotation MIMETypeOfEncapsulatedDocument "
    "EncapsulatedDocument",  # C.24.1, C.24.2
}
TYPE_2 = {
    "DX": f"{EMPTY} Manufacturer SeriesNumber InstanceNumber AnatomicRegionSequence DetectorType "
    "AcquisitionContextSequence",
    "XC": f"{EMPTY} Manufacturer SeriesNumber InstanceNumber LossyImageCompression Laterality "
    "AcquisitionContextSequence",
    "SC": f"{EMPTY} SeriesNumber InstanceNumber Laterality",
    "DOC": f"{EMPTY} Manufacturer SeriesNumber ContentDate ContentTime AcquisitionDateTime DocumentTitle "
    "ConceptNameCodeSequence",
}
ENUMERATED: dict[str, dict[str, set[object]]] = {
    "DX": {
        "PresentationIntentType": {"FOR PRESENTATION"}, "ImageLaterality": {"R", "L", "U", "B"},
        "PhotometricInterpretation": {"MONOCHROME1", "MONOCHROME2"}, "SamplesPerPixel": {1},
        "BitsAllocated": {8, 16}, "BitsStored": {8, 16}, "PixelRepresentation": {0},
        "PixelIntensityRelationship": {"LIN", "LOG"}, "PixelIntensityRelationshipSign": {1, -1},
        "RescaleType": {"US"}, "PresentationLUTShape": {"IDENTITY", "INVERSE"},
        "LossyImageCompression": {"00", "01"}, "BurnedInAnnotation": {"YES", "NO"}, "Modality": {"DX"},
    },
    "XC": {
        "Modality": {"XC"}, "PhotometricInterpretation": {"MONOCHROME2", "RGB", "YBR_FULL_422"},
        "BitsAllocated": {8}, "BitsStored": {8}, "HighBit": {7}, "PixelRepresentation": {0}, "SamplesPerPixel": {1, 3},
        "LossyImageCompression": {"00", "01"},
    },
    "SC": {"ConversionType": {"SD"}, "Modality": {"OT"}},
    "DOC": {"ConversionType": {"WSD"}, "Modality": {"DOC"}, "MIMETypeOfEncapsulatedDocument": {"application/pdf"}},
}  # fmt: skip
NAMES = {
    "DX": "Digital X-Ray Image Storage - For Presentation",
    "XC": "VL Photographic Image Storage",
    "SC": "Secondary Capture Image Storage",
    "DOC": "Encapsulated PDF Storage",
}

DOWN, ACROSS = numpy.mgrid[0:48, 0:60]
DEEP = ((ACROSS * 1091 + DOWN * 13) % 65536).astype("<u2")
COLOURS = numpy.stack([ACROSS * 4, DOWN * 5, (ACROSS + DOWN) * 2], axis=-1).astype("u1")
GREY = (ACROSS * 4).astype("u1")
MIME = {"png": "image/png", "jpg": "image/jpeg", "tif": "image/tiff", "webp": "image/webp", "pdf": "application/pdf"}
PDF = b"%PDF-1.4\nan odd number of bytes.\n%%EOF\n"


def saved(folder: Path, pixels: Any, ending: str, **options: Any) -> Path:
    place = folder / f"original.{ending}"
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(place, **options)
    return place


def subject(modality: str, mime: str, **more: Any) -> Subject:
    series = series_of(modality, mime)
    study, series_uid, instance = uids(study_root(12, 345, 78, datetime(2026, 1, 1, tzinfo=UTC)), series, 9001)
    values: dict[str, Any] = {
        "clinic_id": 12, "patient_id": 345, "study_id": 78, "asset_id": 9001, "modality": modality, "mime_type": mime,
        "kind": "XRAY_BWX", "title": "Bißflügel\\links 東京", "study_at": "2026-02-09T15:30:12Z",
        "captured_at": "2026-02-09T15:31:00.250000Z", "made_at": "2026-02-10T08:00:00Z", "source_device": "Schick 33",
        "sha256": "ab" * 32, "number": 3, "study_uid": study, "series_uid": series_uid, "instance_uid": instance,
    }  # fmt: skip
    return Subject(**{**values, **more})


def made(original: Path, modality: str, **more: Any) -> Dataset:
    whole = subject(modality, MIME[original.suffix[1:]], **more)
    target = original.with_suffix(".dcm")
    with original.open("rb") as read, target.open("wb") as written:
        write(Subject.from_json(json.loads(json.dumps(whole.as_json()))), read, written, 10_000_000)
    return dcmread(target)


def kinds(folder: Path) -> dict[str, Dataset]:
    (folder / "original.pdf").write_bytes(PDF)
    return {
        "DX": made(saved(folder, DEEP, "png"), "XRAY"),
        "XC": made(saved(folder, COLOURS, "png"), "PHOTO"),
        "SC": made(saved(folder, COLOURS, "jpg"), "DOC"),
        "DOC": made(folder / "original.pdf", "DOC"),
    }


# --- attributes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["DX", "XC", "SC", "DOC"])
def test_every_attribute_that_the_standard_asks_for_is_there(kind: str, tmp_path: Path) -> None:
    found = kinds(tmp_path)[kind]
    assert found.SOPClassUID == found.file_meta.MediaStorageSOPClassUID == SOP_CLASSES[kind]
    assert found.SOPClassUID.name == NAMES[kind]
    for keyword in TYPE_1[kind].split():
        assert keyword in found, keyword
        assert found[keyword].value not in (None, "", []), keyword
    for keyword in TYPE_2[kind].split():
        assert keyword in found, keyword
    for keyword, allowed in ENUMERATED[kind].items():
        assert found[keyword].value in allowed, keyword
    if "BitsStored" in found:
        assert found.HighBit == found.BitsStored - 1


def test_the_rows_say_who_and_what_it_is(tmp_path: Path) -> None:
    found = kinds(tmp_path)["DX"]
    assert found.SpecificCharacterSet == "ISO_IR 192"
    assert (found.PatientID, str(found.PatientName)) == ("clinic_12/345", "")
    other = found.OtherPatientIDsSequence[0]
    assert (other.PatientID, other.IssuerOfPatientID) == ("345", "clinic_12")
    assert found.StudyDescription == "Bißflügel links 東京"
    assert (found.StudyID, found.StudyDate, found.StudyTime) == ("78", "20260209", "153012.000000")
    assert (found.ContentTime, found.TimezoneOffsetFromUTC) == ("153100.250000", "+0000")
    assert (found.ManufacturerModelName, found.InstanceNumber) == ("Schick 33", 3)
    block = found.private_block(PRIVATE_GROUP, PRIVATE_CREATOR)
    assert [block[n].value for n in (1, 2, 3)] == ["9001", "12", "78"]
    assert "".join(block[4].value) == "ab" * 32


def test_one_study_one_series_for_each_kind_one_instance_for_each_asset(tmp_path: Path) -> None:
    found = kinds(tmp_path)
    assert len({x.StudyInstanceUID for x in found.values()}) == 1
    assert len({x.SeriesInstanceUID for x in found.values()}) == 4
    root = study_root(12, 345, 78, datetime(2026, 1, 1, tzinfo=UTC))
    assert uids(root, "DX", 9001) == uids(root, "DX", 9001)
    assert uids(root, "DX", 9002)[:2] == uids(root, "DX", 9001)[:2]
    assert uids(root, "DX", 9002)[2] != uids(root, "DX", 9001)[2]
    elsewhere = study_root(12, 345, 78, datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC))
    assert not set(uids(elsewhere, "DX", 9001)) & set(uids(root, "DX", 9001))
    assert all(x.startswith("2.25.") and len(x) <= 64 for x in uids(root, "DX", 9001))


def test_what_nobody_said_stands_there_in_its_documented_form(tmp_path: Path) -> None:
    found = kinds(tmp_path)["DX"]
    assert (found.ImageLaterality, list(found.PatientOrientation)) == ("U", ["L", "F"])
    assert (found.BurnedInAnnotation, list(found.ImagerPixelSpacing)) == ("YES", [1, 1])
    assert "must not be measured" in found.ImageComments


def test_what_the_clinic_said_stands_there_instead(tmp_path: Path) -> None:
    said = Said(laterality="R", patient_orientation=("P", "F"), burned_in=False, pixel_spacing=0.015)
    found = made(saved(tmp_path, DEEP, "png"), "XRAY", said=said)
    assert (found.ImageLaterality, list(found.PatientOrientation)) == ("R", ["P", "F"])
    assert (found.BurnedInAnnotation, list(found.ImagerPixelSpacing)) == ("NO", [0.015, 0.015])
    assert "ImageComments" not in found


def test_that_no_name_stands_in_a_photograph_does_not_say_that_nobody_is_recognised(tmp_path: Path) -> None:
    """Somebody looked for burned-in words; a face is recognised without any (PS3.3 C.7.6.1)."""
    found = made(saved(tmp_path, COLOURS, "png"), "PHOTO", said=Said(burned_in=False))
    assert found.BurnedInAnnotation == "NO"
    assert found.get("RecognizableVisualFeatures") != "NO"


def test_long_words_are_cut_and_no_control_character_gets_in(tmp_path: Path) -> None:
    found = made(saved(tmp_path, DEEP, "png"), "XRAY", title="ä" * 300, source_device="a\x00b\n" + "c" * 100)
    assert found.StudyDescription == "ä" * 64
    assert found.ManufacturerModelName == "a b " + "c" * 60


# --- pixels -------------------------------------------------------------------------------------------------------


def test_a_deep_png_is_kept_to_the_last_bit(tmp_path: Path) -> None:
    found = made(saved(tmp_path, DEEP, "png"), "XRAY")
    assert found.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (found.BitsStored, found.LossyImageCompression) == (16, "00")
    assert (pixel_array(found) == DEEP).all()


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_a_deep_tiff_is_kept_to_the_last_bit_in_either_order(order: str, tmp_path: Path) -> None:
    found = made(saved(tmp_path, DEEP.astype(order), "tif"), "XRAY")
    assert (pixel_array(found) == DEEP).all()
    assert found.PhotometricInterpretation == "MONOCHROME2"


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_a_tiff_whose_white_is_zero_says_so_and_keeps_its_values(order: str, tmp_path: Path) -> None:
    place = saved(tmp_path, DEEP.astype(order), "tif")
    data = bytearray(place.read_bytes())
    said = struct.pack(f"{order[0]}HHIH", 262, 3, 1, 1)
    assert data.count(said) == 1
    data = data.replace(said, struct.pack(f"{order[0]}HHIH", 262, 3, 1, 0))
    place.write_bytes(data)
    found = made(place, "XRAY")
    assert (found.PhotometricInterpretation, found.PresentationLUTShape) == ("MONOCHROME1", "INVERSE")
    assert found.PixelIntensityRelationshipSign == 1
    assert (pixel_array(found) == DEEP).all()


def test_the_window_is_that_of_the_web_picture(tmp_path: Path) -> None:
    narrow = (20000 + (ACROSS * 10 + DOWN * 20) % 700).astype("<u2")
    narrow[20, 30] = 65535
    found = made(saved(tmp_path, narrow, "png"), "XRAY")
    low, high = window(narrow)
    assert high < 21000
    # PS3.3 C.11.2.1.2.1: the least value that is not black, the greatest that is not white
    assert found.WindowCenter - 0.5 - (found.WindowWidth - 1) / 2 == low
    assert found.WindowCenter - 0.5 + (found.WindowWidth - 1) / 2 == high


def test_one_value_all_over_still_has_a_window(tmp_path: Path) -> None:
    found = made(saved(tmp_path, numpy.full((8, 8), 700, "<u2"), "png"), "XRAY")
    assert (found.WindowCenter, found.WindowWidth) == (700.5, 1)


def test_an_x_ray_that_was_saved_in_colours_is_grey_again(tmp_path: Path) -> None:
    found = made(saved(tmp_path, numpy.stack([GREY] * 3, axis=-1), "png"), "XRAY")
    assert (pixel_array(found) == GREY).all()
    assert "colours to grey" in found.DerivationDescription


def test_a_baseline_photograph_is_kept_as_it_is(tmp_path: Path) -> None:
    place = saved(tmp_path, COLOURS, "jpg", quality=90)
    found = made(place, "PHOTO")
    assert found.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert (found.PhotometricInterpretation, found.LossyImageCompression) == ("YBR_FULL_422", "01")
    assert found.LossyImageCompressionMethod == "ISO_10918_1"
    shown = numpy.asarray(Image.open(place)).astype(int)
    # Two decoders of the same bytes: their rounding and their way of spreading colours over pixels differ.
    assert abs(pixel_array(found).astype(int) - shown).max() <= 4


def test_a_photograph_taken_sideways_stands_upright_and_says_nothing_of_its_place(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    place = saved(tmp_path, COLOURS, "jpg", quality=95, exif=exif)
    found = made(place, "PHOTO")
    assert (found.Rows, found.Columns) == (60, 48)
    assert found.LossyImageCompression == "01"
    expected = numpy.rot90(numpy.asarray(Image.open(place)), -1)
    assert (pixel_array(found) == expected).all()
    assert b"Exif" not in place.with_suffix(".dcm").read_bytes()


SIDEWAYS_IN_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize("ending", ["jpg", "webp"])
def test_what_the_page_does_not_turn_is_not_turned(ending: str, tmp_path: Path) -> None:
    """Browsers take Exif's orientation and no other's; a baseline JPEG is kept as it is."""
    found = made(saved(tmp_path, COLOURS, ending, xmp=SIDEWAYS_IN_XMP), "PHOTO")
    assert (found.Rows, found.Columns) == (48, 60)
    assert (found.file_meta.TransferSyntaxUID == JPEGBaseline8Bit) == (ending == "jpg")


@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
@pytest.mark.parametrize("values", [COLOURS, DEEP], ids=["colours", "deep"])
def test_what_the_page_turns_is_turned(values: Any, ending: str, tmp_path: Path) -> None:
    if ending == "webp" and values is DEEP:
        values = GREY  # it has eight bits
    exif = Image.Exif()
    exif[0x0112] = 6
    found = made(saved(tmp_path, values, ending, exif=exif, **({"lossless": True} if ending == "webp" else {})), "DOC")
    expected = values if values.ndim == 3 or ending != "webp" else numpy.stack([values] * 3, axis=-1)
    assert (pixel_array(found) == numpy.rot90(expected, -1)).all()
    assert "turned upright" in found.DerivationDescription


@pytest.mark.parametrize(
    ("image", "ending", "options"),
    [
        (Image.fromarray(COLOURS), "jpg", {"progressive": True}),
        (Image.fromarray(COLOURS).convert("CMYK"), "jpg", {}),
        (Image.fromarray(COLOURS).convert("P"), "png", {}),
        (Image.fromarray(COLOURS).convert("RGBA"), "png", {}),
        (Image.fromarray(COLOURS), "webp", {"quality": 80}),
    ],
    ids=["progressive", "four inks", "palette", "alpha", "webp"],
)
def test_every_other_photograph_becomes_red_green_and_blue(
    image: Image.Image, ending: str, options: dict[str, Any], tmp_path: Path
) -> None:
    place = saved(tmp_path, image, ending, **options)
    found = made(place, "PHOTO")
    assert (found.file_meta.TransferSyntaxUID, found.PhotometricInterpretation) == (ExplicitVRLittleEndian, "RGB")
    assert found.PlanarConfiguration == 0
    assert (pixel_array(found) == numpy.asarray(Image.open(place).convert("RGB"))).all()
    assert found.LossyImageCompression == ("01" if ending in ("jpg", "webp") else "00")


def test_a_webp_without_loss_says_so(tmp_path: Path) -> None:
    found = made(saved(tmp_path, COLOURS, "webp", lossless=True), "PHOTO")
    assert found.LossyImageCompression == "00"
    assert (pixel_array(found) == COLOURS).all()


def test_what_can_be_seen_through_lies_on_white(tmp_path: Path) -> None:
    glass = numpy.dstack([COLOURS, numpy.zeros((48, 60), "u1")])
    assert (pixel_array(made(saved(tmp_path, glass, "png"), "PHOTO")) == 255).all()


def test_a_deep_photograph_has_eight_bits_because_its_iod_knows_no_more(tmp_path: Path) -> None:
    found = made(saved(tmp_path, DEEP, "png"), "PHOTO")
    assert found.BitsStored == 8
    assert (pixel_array(found) == DEEP // 257).all()


def test_an_odd_number_of_bytes_is_padded(tmp_path: Path) -> None:
    found = made(saved(tmp_path, GREY[:3, :3], "png"), "XRAY")
    assert len(found.PixelData) == 10
    assert (pixel_array(found) == GREY[:3, :3]).all()


def test_a_document_comes_out_as_it_went_in(tmp_path: Path) -> None:
    found = kinds(tmp_path)["DOC"]
    assert found.EncapsulatedDocument[: found.EncapsulatedDocumentLength] == PDF
    assert len(found.EncapsulatedDocument) == len(PDF) + len(PDF) % 2
    assert found.DocumentTitle == "Bißflügel links 東京"


def test_several_pages_are_no_image(tmp_path: Path) -> None:
    pages = saved(tmp_path, Image.fromarray(GREY), "tif", save_all=True, append_images=[Image.fromarray(GREY)])
    with pytest.raises(NotAnImage, match="several pages"):
        made(pages, "XRAY")


def test_numbers_that_are_no_grey_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAnImage):
        made(saved(tmp_path, GREY.astype("f4"), "tif"), "XRAY")
    with pytest.raises(NotAnImage):
        made(saved(tmp_path, DEEP.astype("i4") - 5, "tif"), "XRAY")


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp"])
def test_a_file_cut_short_is_refused(ending: str, tmp_path: Path) -> None:
    place = saved(tmp_path, COLOURS, ending)
    place.write_bytes(place.read_bytes()[:-200])
    with pytest.raises(NotAnImage):
        made(place, "PHOTO")


def test_a_picture_larger_than_the_limit_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    place = saved(tmp_path, Image.new("L", (6000, 6000)), "png")
    with place.open("rb") as read, pytest.raises(NotAnImage):
        write(subject("XRAY", "image/png"), read, io.BytesIO(), 10_000_000)


def test_a_subject_survives_its_way_to_the_process() -> None:
    whole = replace(subject("XRAY", "image/png"), said=Said("L", ("A", "F"), False, 0.02))
    assert Subject.from_json(json.loads(json.dumps(whole.as_json()))) == whole


def test_no_keyword_above_is_misspelt() -> None:
    words = {word for table in (TYPE_1, TYPE_2) for line in table.values() for word in line.split()}
    assert [word for word in words if tag_for_keyword(word) is None] == []


def test_the_process_says_what_came_of_each_job(tmp_path: Path) -> None:
    good, target = saved(tmp_path, DEEP, "png"), tmp_path / "out.dcm"
    bad = tmp_path / "bad.png"
    bad.write_bytes(good.read_bytes()[:300])
    ours, its = socket.socketpair()
    with (
        ours,
        its,
        subprocess.Popen(
            [sys.executable, "-P", "-m", "readingroom.imaging.dicom_process"],
            stdin=its.fileno(),
            cwd="/",
            env={"PYTHONPATH": str(Path(readingroom.__file__).parents[1]), "PATH": ""},
        ) as process,
    ):
        its.close()

        def said(original: Path, **more: Any) -> dict[str, str]:
            job = {"subject": subject("XRAY", "image/png").as_json(), "maxPixels": 10_000_000} | more
            told = json.dumps(job).encode()
            with original.open("rb") as read, target.open("wb") as written:
                socket.send_fds(ours, [LENGTH.pack(len(told))], [read.fileno(), written.fileno()])
                ours.sendall(told)
                ours.settimeout(60)
                answer: dict[str, str] = json.loads(receive(ours, *LENGTH.unpack(receive(ours, LENGTH.size))))
            return answer

        assert said(good) == {}
        assert (pixel_array(dcmread(target)) == DEEP).all()
        assert set(said(bad)) == {"notAnImage"}
        assert set(said(good, subject={})) == {"failed"}
        assert said(good) == {}
        ours.close()
        assert process.wait(10) == 0
