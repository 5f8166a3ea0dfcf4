"""Which headers are taken to identify somebody."""

from __future__ import annotations

import io

import pytest
from pydicom import dcmread
from pydicom.sequence import Sequence
from readingroom.deidentify import identifying

from tests.factories import ct, dataset, dicom_bytes, implicit


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({}, (False, False, False)),
        ({"PatientName": "Doe^Jane"}, (True, False, False)),
        ({"PatientName": "^^^^"}, (False, False, False)),
        ({"PatientName": " "}, (False, False, False)),
        ({"OtherPatientNames": ["Roe^Jane", "Doe^J"]}, (True, False, False)),
        ({"PatientBirthDate": "19700102"}, (False, True, False)),
        ({"PatientBirthTime": "0312"}, (False, True, False)),
        ({"BurnedInAnnotation": "YES"}, (False, False, True)),
        ({"BurnedInAnnotation": "NO"}, (False, False, False)),
        ({"PatientName": "A", "PatientBirthDate": "19700102", "BurnedInAnnotation": "YES"}, (True, True, True)),
    ],
)
@pytest.mark.parametrize("encode", [dicom_bytes, implicit])
def test_name_birth_date_and_burned_in_text_are_seen(keywords, expected, encode) -> None:  # type: ignore[no-untyped-def]
    read = dcmread(io.BytesIO(encode(ct(**keywords))), stop_before_pixels=True)

    assert identifying(read) == expected


@pytest.mark.parametrize("encode", [dicom_bytes, implicit])
def test_a_name_inside_a_sequence_is_seen(encode) -> None:  # type: ignore[no-untyped-def]
    made = ct()
    made.RequestAttributesSequence = Sequence([dataset(ReferencedStudySequence=Sequence([dataset(PatientName="Doe")]))])

    assert identifying(dcmread(io.BytesIO(encode(made)))).has_patient_name
