"""The header reader of the import says what pydicom says, and calls broken what is broken."""

from __future__ import annotations

import io
from pathlib import Path

import pydicom.data
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from readingroom.cases import import_header
from readingroom.cases.import_header import BrokenDicom, NotDicom, read_header
from readingroom.deidentify import identifying

from tests.factories import JUNK, big_endian, ct, ct_slices, deflated, dicom_bytes, implicit, mr, without_preamble

SAMPLES = sorted(p for p in Path(pydicom.data.__file__).parent.joinpath("test_files").rglob("*") if p.is_file())


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@pytest.mark.filterwarnings("ignore")
def test_every_sample_file_reads_as_pydicom_reads_it(path: Path) -> None:
    data = path.read_bytes()
    try:
        found = read_header(data)
    except (NotDicom, BrokenDicom):
        return
    dataset = dcmread(io.BytesIO(data), stop_before_pixels=True, force=True)
    keywords = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
    said = (found.sop_instance_uid, found.series_instance_uid, found.study_instance_uid)
    assert said == tuple(str(dataset.get(keyword, "")) for keyword in keywords)
    assert found.flags == identifying(dataset)


@pytest.mark.filterwarnings("ignore")
def test_most_sample_files_are_dicom() -> None:
    read = 0
    for path in SAMPLES:
        try:
            read_header(path.read_bytes())
        except (NotDicom, BrokenDicom):
            continue
        read += 1
    assert read > 0.7 * len(SAMPLES)


@pytest.mark.parametrize("encode", [dicom_bytes, implicit, deflated, big_endian, without_preamble])
def test_every_encoding_gives_the_same_header(encode: object) -> None:
    dataset = mr(PatientName="Doe^Jane", PatientBirthDate="19700101", BurnedInAnnotation="YES")
    found = read_header(encode(dataset))  # type: ignore[operator]  # the factories' encoders
    assert found.sop_instance_uid == dataset.SOPInstanceUID
    assert found.flags == (True, True, True)


def test_a_deflated_file_that_hides_gigabytes_is_refused_before_it_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    made = mr()
    made.ImageComments = "a" * 3_000_000
    file = deflated(made)
    assert read_header(file).sop_instance_uid == made.SOPInstanceUID
    monkeypatch.setattr(import_header, "MAX_INFLATED", 2 << 20)
    for hiding in (file, file[132:]):
        with pytest.raises(BrokenDicom, match="deflated content has over 2 MB"):
            read_header(hiding)
    assert read_header(deflated(mr())).sop_instance_uid == made.SOPInstanceUID


@pytest.mark.parametrize("encode", [dicom_bytes, implicit, big_endian])
@pytest.mark.parametrize("undefined", [False, True])
def test_a_name_deep_inside_sequences_is_found(encode: object, undefined: bool) -> None:
    inner = Dataset()
    inner.PatientName = "Doe^Jane"
    outer = Dataset()
    outer.ReferencedPatientSequence = Sequence([inner])
    dataset = ct()
    dataset.PatientName = ""
    dataset.RequestAttributesSequence = Sequence([outer])
    for holder, keyword in ((dataset, "RequestAttributesSequence"), (outer, "ReferencedPatientSequence")):
        holder[keyword].is_undefined_length = undefined
        for item in holder[keyword].value:
            item.is_undefined_length_sequence_item = undefined
    assert read_header(encode(dataset)).flags.has_patient_name  # type: ignore[operator]  # as above


def test_a_name_of_separators_alone_is_none() -> None:
    assert not read_header(dicom_bytes(ct(PatientName="^^"))).flags.has_patient_name


@pytest.mark.parametrize("name", sorted(JUNK))
def test_what_lies_between_images_is_not_dicom(name: str) -> None:
    with pytest.raises(NotDicom):
        read_header(JUNK[name])


def test_a_dicomdir_is_not_an_image() -> None:
    path = next(p for p in SAMPLES if p.name == "DICOMDIR")
    with pytest.raises(NotDicom, match="DICOMDIR"):
        read_header(path.read_bytes())


@pytest.mark.parametrize("missing", [1, 100, 500, 1300])
def test_a_file_cut_short_inside_an_element_is_broken(missing: int) -> None:
    data = dicom_bytes(ct(StudyDescription="x" * 64, ImageComments="y" * 900))
    with pytest.raises(BrokenDicom):
        read_header(data[:-missing])


def test_the_beginning_of_a_file_is_enough_to_recognise_it() -> None:
    [data] = ct_slices(1, 512, 512)
    assert read_header(data[:65536], whole=False) == read_header(data)


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_no_bytes_make_it_raise_anything_else(tail: bytes) -> None:
    for head in (b"", bytes(128) + b"DICM", dicom_bytes(ct())[:400], b"\x08\x00\x05\x00", b"\x00\x08\x00\x05"):
        try:
            read_header(head + tail)
        except (NotDicom, BrokenDicom):
            continue


@given(st.integers(0, 1700), st.binary(min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_no_damage_makes_it_raise_anything_else(at: int, damage: bytes) -> None:
    data = bytearray(dicom_bytes(ct()))
    data[at : at + len(damage)] = damage
    try:
        read_header(bytes(data))
    except (NotDicom, BrokenDicom):
        return
