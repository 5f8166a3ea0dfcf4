"""The basic profile: what it takes out, what it keeps, and that it does the same each time."""

from __future__ import annotations

import io
import struct
import uuid
import warnings

import pytest
from hypothesis import given
from hypothesis.strategies import integers
from pydicom import Dataset, dcmread
from pydicom._dicom_dict import DicomDictionary
from pydicom.data import get_testdata_file
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import EncapsulatedPDFStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian
from readingroom.cases.import_header import read_header
from readingroom.deidentify import Profile, identifying
from readingroom.deidentify.replacements import REGISTERED
from readingroom.deidentify.table import BASIC_PROFILE, actions_for
from readingroom.errors import BadRequest

from tests.factories import (
    big_endian,
    ct,
    dataset,
    deflated,
    dicom_bytes,
    implicit,
    mr,
    secondary_capture,
    uid,
    us_multiframe,
    without_preamble,
)

SECRET = b"the secret of a test, long enough"

PERSONAL = {
    "PatientName": "Müller^Änne",
    "PatientBirthDate": "19700102",
    "PatientBirthDateInAlternativeCalendar": "5730-04-24",
    "PatientID": "4711-0815",
    "PatientAddress": "Somestreet 7",
    "OtherPatientIDs": "SECRET-ID",
    "InstitutionName": "St. Elsewhere",
    "ReferringPhysicianName": "House^Gregory",
    "OperatorsName": "Radiographer^Rita",
    "StationName": "CT-ROOM-3",
    "AccessionNumber": "ACC-42",
    "StudyDescription": "Head of Mueller",
    "DeviceSerialNumber": "SN-123456",
    "PatientComments": "brother of Hans",
    "InstanceCreationDate": "20250203",
    "AcquisitionDateTime": "20250203101112",
}


def profile(scope: str = "case-1") -> Profile:
    return Profile(SECRET, scope)


def after(made: Dataset, scope: str = "case-1") -> Dataset:
    return dcmread(io.BytesIO(profile(scope).apply(dicom_bytes(made)).data))


def test_nothing_personal_is_left_in_the_file() -> None:
    file = profile().apply(dicom_bytes(ct(**PERSONAL))).data

    for value in PERSONAL.values():
        assert value.encode() not in file
    cleaned = dcmread(io.BytesIO(file))
    assert cleaned.PatientName == ""
    assert cleaned.PatientBirthDate == ""
    assert cleaned.StudyDate == ""
    assert "InstitutionName" not in cleaned
    assert identifying(cleaned) == (False, False, False)


def test_the_file_says_what_was_done_to_it() -> None:
    cleaned = after(ct())

    assert cleaned.PatientIdentityRemoved == "YES"
    assert cleaned.DeidentificationMethod == "Basic Application Level Confidentiality Profile"
    code = cleaned.DeidentificationMethodCodeSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("113100", "DCM")
    assert cleaned.LongitudinalTemporalInformationModified == "REMOVED"


def test_an_earlier_method_stays_named_and_ours_is_named_once() -> None:
    once = profile().apply(dicom_bytes(ct(DeidentificationMethod="by hand"))).data
    twice = dcmread(io.BytesIO(profile().apply(once).data))

    assert list(twice.DeidentificationMethod) == ["by hand", "Basic Application Level Confidentiality Profile"]
    assert len(twice.DeidentificationMethodCodeSequence) == 1


def test_geometry_and_rescale_are_kept() -> None:
    before, cleaned = ct(index=3), after(ct(index=3))

    for keyword in ("PixelSpacing", "ImagePositionPatient", "RescaleIntercept", "WindowCenter", "Rows", "Modality"):
        assert cleaned[keyword].value == before[keyword].value


@pytest.mark.parametrize("encode", [dicom_bytes, implicit, deflated, big_endian, without_preamble])
@pytest.mark.parametrize("make", [ct, mr, us_multiframe, secondary_capture])
def test_pixels_and_transfer_syntax_stay_as_they_are(make, encode) -> None:  # type: ignore[no-untyped-def]
    file = encode(make(PatientName="Doe^Jane"))

    cleaned = dcmread(io.BytesIO(profile().apply(file).data))

    original = dcmread(io.BytesIO(file), force=True)
    assert cleaned.PixelData == original.PixelData
    assert cleaned.file_meta.TransferSyntaxUID == original.file_meta.TransferSyntaxUID
    assert b"Doe" not in profile().apply(file).data


@pytest.mark.parametrize(
    "name",
    [
        "JPEG2000.dcm",
        "MR_small_RLE.dcm",
        "SC_rgb_jpeg.dcm",
        "examples_jpeg2k.dcm",
        "JPEGLSNearLossless_16.dcm",
        "rtplan.dcm",
    ],
)
def test_compressed_pixels_stay_byte_for_byte(name: str) -> None:
    path = get_testdata_file(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of these files are wrong on purpose
        with open(str(path), "rb") as file:  # noqa: PTH123
            data = file.read()
        cleaned = dcmread(io.BytesIO(profile().apply(data).data))
        assert cleaned.get("PixelData") == dcmread(io.BytesIO(data)).get("PixelData")


def test_uids_are_replaced_alike_throughout_a_case() -> None:
    first, second = after(ct(index=0)), after(ct(index=1))

    assert first.StudyInstanceUID == second.StudyInstanceUID != ct().StudyInstanceUID
    assert first.SeriesInstanceUID == second.SeriesInstanceUID
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID
    assert first.StudyInstanceUID.startswith("2.25.")
    assert len(first.StudyInstanceUID) <= 64


def test_a_new_uid_is_a_uuid_as_dicom_has_it() -> None:
    found = after(ct()).SOPInstanceUID

    made = uuid.UUID(int=int(found.removeprefix("2.25.")))
    assert (made.version, made.variant) == (8, uuid.RFC_4122)


def test_a_reference_still_points_at_its_image() -> None:
    image, pointing = ct(index=0), ct(index=1)
    reference = dataset(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)
    pointing.ReferencedImageSequence = Sequence([reference])

    cleaned = after(pointing)

    assert cleaned.ReferencedImageSequence[0].ReferencedSOPInstanceUID == after(image).SOPInstanceUID
    assert cleaned.ReferencedImageSequence[0].ReferencedSOPClassUID == image.SOPClassUID


def test_the_same_file_gives_the_same_bytes_next_year_and_others_in_another_case() -> None:
    file = dicom_bytes(ct(PatientID="4711"))

    assert profile("case-1").apply(file) == profile("case-1").apply(file)
    assert profile("case-1").apply(file).data != profile("case-2").apply(file).data
    assert Profile(b"another secret, as long as it", "case-1").apply(file).data != profile("case-1").apply(file).data


def test_patients_stay_apart_without_their_names() -> None:
    jane, john = after(ct(PatientID="1")), after(ct(PatientID="2"))

    assert jane.PatientID != john.PatientID
    assert len(jane.PatientID) == 16


def test_the_private_map_knows_the_way_back() -> None:
    made = ct(PatientName="Müller^Änne", PatientID="4711", AccessionNumber="ACC")
    found = {(r.kind, r.original): r.replacement for r in profile().apply(dicom_bytes(made)).replacements}
    cleaned = after(made)

    assert found[("PatientName", "Müller^Änne")] == ""
    assert found[("PatientID", "4711")] == cleaned.PatientID
    assert found[("StudyInstanceUID", made.StudyInstanceUID)] == cleaned.StudyInstanceUID
    assert found[("SOPInstanceUID", made.SOPInstanceUID)] == cleaned.SOPInstanceUID
    assert "4711" not in repr(profile().apply(dicom_bytes(made)))


def test_sequences_are_cleaned_all_the_way_down() -> None:
    made = ct()
    inner = dataset(
        PatientName="Hidden^Harry", StudyDate="20200101", ReferencedSOPInstanceUID=uid("x"), CodeMeaning="Skull"
    )
    inner.add_new(0x00091001, "LO", "private inside")
    made.DerivationCodeSequence = Sequence([dataset(CodeValue="1", CodingSchemeDesignator="DCM", CodeMeaning="kept")])
    made.DerivationCodeSequence[0].PurposeOfReferenceCodeSequence = Sequence([inner])

    file = profile().apply(dicom_bytes(made)).data
    cleaned = dcmread(io.BytesIO(file)).DerivationCodeSequence[0]

    assert cleaned.CodeMeaning == "kept"
    assert cleaned.PurposeOfReferenceCodeSequence[0].CodeMeaning == "Skull"
    assert b"Hidden" not in file
    assert b"private inside" not in file
    assert uid("x").encode() not in file


def test_private_attributes_overlays_and_curves_are_gone() -> None:
    made = ct()
    block = made.private_block(0x0011, "SOMEBODY", create=True)
    block.add_new(0x01, "LO", "Doe, Jane")
    made.add_new(0x60003000, "OW", b"overlay!")
    made.add_new(0x60020010, "US", 8)
    made.add_new(0x50003000, "OW", b"curves!!")

    cleaned = after(made)

    assert not [e for e in cleaned if e.tag.is_private or e.tag.group >> 8 in (0x50, 0x60)]


def test_file_meta_and_preamble_tell_nothing_of_where_it_came_from() -> None:
    made = ct()
    file = dicom_bytes(made, preamble=b"JANE DOE" * 16)
    original = dcmread(io.BytesIO(file))
    original.file_meta.SourceApplicationEntityTitle = "ST_ELSEWHERE"
    buffer = io.BytesIO()
    original.save_as(buffer)

    cleaned = profile().apply(buffer.getvalue()).data

    assert cleaned[:128] == bytes(128)
    assert b"ST_ELSEWHERE" not in cleaned


def test_burned_in_annotation_is_left_alone_and_flagged() -> None:
    cleaned = after(secondary_capture(BurnedInAnnotation="YES"))

    assert cleaned.BurnedInAnnotation == "YES"
    assert identifying(cleaned).burned_in


def test_an_object_that_may_need_a_value_gets_one_that_says_nothing() -> None:
    made = ct(
        SOPClassUID=EnhancedCTImageStorage, DeviceSerialNumber="SN-1", ContentDate="20250101", SeriesDate="20250101"
    )

    cleaned = after(made)

    assert (cleaned.DeviceSerialNumber, cleaned.ContentDate, cleaned.SeriesDate) == ("REMOVED", "19000101", "19000101")


def test_a_document_inside_is_replaced() -> None:
    made = dataset(
        SOPClassUID=EncapsulatedPDFStorage,
        SOPInstanceUID=uid("pdf"),
        StudyInstanceUID=uid("s"),
        SeriesInstanceUID=uid("r"),
        PatientID="1",
        MIMETypeOfEncapsulatedDocument="application/pdf",
        EncapsulatedDocument=b"%PDF Jane Doe ",
    )

    assert b"Jane" not in profile().apply(dicom_bytes(made)).data


def test_uids_of_dicom_itself_are_no_ones() -> None:
    cleaned = after(ct(CodingSchemeUID=f"{REGISTERED}2.16.4"))

    assert cleaned.SOPClassUID == ct().SOPClassUID
    assert cleaned.CodingSchemeUID == f"{REGISTERED}2.16.4"


def test_a_value_under_a_wrong_representation_is_cleaned_all_the_same() -> None:
    made = ct()
    made.add_new(0x00081155, "LO", "1.2.3.4.5")  # ReferencedSOPInstanceUID is a UI
    made.add_new(0x00100030, "LT", "born 1970")  # PatientBirthDate is a DA

    file = profile().apply(dicom_bytes(made)).data

    assert b"1.2.3.4.5" not in file
    assert b"born 1970" not in file


def as_it_came(tag: int, vr: str, value: bytes, **keywords: object) -> bytes:
    """A file with an element that a library would not write so."""
    read = dcmread(io.BytesIO(dicom_bytes(ct(**keywords))))
    read._dict[Tag(tag)] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)
    buffer = io.BytesIO()
    read.save_as(buffer)
    return buffer.getvalue()


def plain_items(count: int) -> bytes:
    """Items as they stand under UN: implicit little endian (PS3.5 section 6.2.2)."""
    values = ((0x00080104, "Голова".encode("iso8859-5")), (0x00100010, b"Doe^Jane"))
    inside = b"".join(struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value)) + value for tag, value in values)
    return (struct.pack("<HHL", 0xFFFE, 0xE000, len(inside)) + inside) * count


@pytest.mark.parametrize("count", [3, 3000], ids=["small", "over 64 KB"])
def test_a_sequence_that_came_as_unknown_is_looked_into_and_cleaned(count: int) -> None:
    file = as_it_came(0x00081140, "UN", plain_items(count), SpecificCharacterSet="ISO_IR 144")
    assert read_header(file).flags.has_patient_name

    clean = profile().apply(file).data

    assert b"Doe" not in clean
    items = dcmread(io.BytesIO(clean)).ReferencedImageSequence
    assert [item.CodeMeaning for item in items] == ["Голова"] * count
    assert not read_header(clean).flags.has_patient_name


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x00082229, "OB", plain_items(1)),  # AnatomicStructureSpaceOrRegionSequence
        (0x0040A067, "LO", b"Doe^Jane"),  # DocumentAuthorTrial, a PN that the table does not name
        (0x00080416, "LO", b"Doe 2001"),  # ExpirationDateTime
    ],
    ids=["items", "person", "moment"],
)
def test_no_false_representation_carries_anything_through(tag: int, vr: str, value: bytes) -> None:
    assert b"Doe" not in profile().apply(as_it_came(tag, vr, value)).data


@pytest.mark.parametrize("junk", [b"", b"not DICOM at all", bytes(4096), dicom_bytes(ct())[:300]])
def test_what_cannot_be_read_to_its_end_is_refused(junk: bytes) -> None:
    with pytest.raises(BadRequest):
        profile().apply(junk)


def test_a_refusal_quotes_nothing_of_the_header() -> None:
    made = ct(PatientName="Doe^Jane")
    del made.StudyInstanceUID
    nested = dataset(PatientComments="Doe")
    for _ in range(80):
        nested = dataset(DerivationCodeSequence=Sequence([nested]))
    made.DerivationCodeSequence = Sequence([nested])

    with pytest.raises(BadRequest) as refused:
        profile().apply(dicom_bytes(made))

    assert "Doe" not in refused.value.message
    assert refused.value.__cause__ is None


def test_the_table_is_whole_and_names_what_the_dictionary_names() -> None:
    assert len(BASIC_PROFILE) == 652
    assert {*BASIC_PROFILE.values()} == {"D", "Z", "X", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"}
    assert {*actions_for("").values()} <= {"D", "Z", "X", "U", "K"}
    by_name = {keyword_for_tag(tag): action for tag, action in BASIC_PROFILE.items()}
    assert by_name["PatientName"] == "Z"
    assert by_name["SOPInstanceUID"] == "U"
    assert by_name["InstitutionName"] == "X/Z/D"


MARKS = {"DA": "19771122", "TM": "112233", "DT": "19771122112233", "AS": "077Y", "PN": "Marked^Mary"}
BINARY = {"OB", "OW", "UN", "OF", "OD", "OL", "OV"}


def marked(vr: str) -> object:
    """A value of that representation that can be found again, or none where a number says nothing."""
    if vr in BINARY:
        return b"MARKED  "
    if vr == "UI":
        return "1.2.3.19771122"
    return MARKS.get(vr, "MARKED") if vr in {"AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT", *MARKS} else None


@pytest.mark.parametrize("sop_class", [ct().SOPClassUID, EnhancedCTImageStorage])
def test_every_attribute_of_the_table_loses_its_value(sop_class: str) -> None:
    made = ct(SOPClassUID=sop_class)
    named = [tag for tag in BASIC_PROFILE if dictionary_has_tag(tag) and tag >> 16 not in (0x0000, 0x0002, 0x0004)]
    for tag in named:
        if (value := marked(dictionary_VR(tag))) is not None:
            made.add_new(tag, dictionary_VR(tag), value)
        elif dictionary_VR(tag) == "SQ":
            made.add_new(tag, "SQ", Sequence([dataset(PatientName="Marked^Mary", PatientComments="MARKED")]))

    file = profile().apply(dicom_bytes(made)).data

    for mark in (b"MARKED", b"Marked", b"19771122", b"112233", b"077Y"):
        assert mark not in file


def test_every_attribute_of_the_dictionary_that_names_a_person_or_a_moment_loses_its_value() -> None:
    made = ct()
    for tag, (vr, *_) in DicomDictionary.items():
        if vr in {"PN", "DA", "DT", "TM"} and tag >> 16 not in (0x0000, 0x0002, 0x0004):
            made.add_new(tag, vr, MARKS[vr])

    file = profile().apply(dicom_bytes(made)).data

    for mark in MARKS.values():
        assert mark.encode() not in file


def test_no_value_of_a_header_reaches_a_warning() -> None:
    made = ct(PatientID="4711")
    file = dicom_bytes(made).replace(
        made.FrameOfReferenceUID.encode(), b"Doe^Jane".ljust(len(made.FrameOfReferenceUID))
    )

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        profile().apply(file)


@given(end=integers(0, 1500))
def test_a_file_that_was_cut_anywhere_is_refused_or_clean(end: int) -> None:
    file = dicom_bytes(ct(PatientName="Marked^Mary", PatientComments="Marked"))

    try:
        clean = profile().apply(file[:end]).data
    except BadRequest:
        return
    assert b"Marked" not in clean


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Profile(b"short", "case")


def test_the_syntax_of_a_plain_file_is_kept() -> None:
    assert after(ct()).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
