"""What a copy's files tell: a name in any private element, comment, description or person is in none of them."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom._dicom_dict import DicomDictionary
from pydicom.sequence import Sequence
from readingroom.deidentify import Profile, identifying

from tests.factories import ct, dicom_bytes

NAME = "Zwartkop"

PEOPLE = sorted(entry[4] for entry in DicomDictionary.values() if entry[0] == "PN" and entry[4])
COMMENTS = sorted(
    entry[4]
    for tag, entry in DicomDictionary.items()
    if tag > 0x0003_0000  # no elements of messages and of file meta information
    and entry[0] in ("LT", "ST", "LO", "UT", "SH")
    and entry[4].endswith(("Comments", "Comment"))
)
WORDS = st.sampled_from([NAME, f"{NAME}^Nomvula", f"seen with {NAME}", f"{NAME}=ズワ"])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_name_in_private_elements_comments_and_persons_is_gone(data: st.DataObject) -> None:
    made = ct(rows=16, columns=16)
    made.SpecificCharacterSet = "ISO_IR 192"
    nested = Dataset()
    for keyword in data.draw(st.lists(st.sampled_from(PEOPLE + COMMENTS), min_size=3, max_size=25, unique=True)):
        setattr(data.draw(st.sampled_from([made, nested])), keyword, data.draw(WORDS))
    for number in data.draw(st.lists(st.integers(1, 250), max_size=6, unique=True)):
        group = 0x0009 + 2 * data.draw(st.integers(0, 60))
        block = data.draw(st.sampled_from([made, nested])).private_block(group, f"{NAME} MAKER", create=True)
        block.add_new(number, data.draw(st.sampled_from(["LO", "UT", "ST"])), data.draw(WORDS))
    made.RequestAttributesSequence = Sequence([nested])
    made.ReferencedImageSequence = Sequence([nested])
    original = dicom_bytes(made)
    copied = Profile(b"a secret of sixteen bytes or more", "share 1").apply(original).data
    assert NAME.encode() not in copied
    read = dcmread(io.BytesIO(copied))
    assert not any((identifying(read).has_patient_name, identifying(read).has_birth_date))
    assert read.PixelData == dcmread(io.BytesIO(original)).PixelData


@pytest.mark.parametrize("keyword", COMMENTS + PEOPLE)
def test_each_of_them_alone(keyword: str) -> None:
    made = ct(rows=4, columns=4)
    setattr(made, keyword, NAME)
    assert NAME.encode() not in Profile(b"a secret of sixteen bytes or more", "share 1").apply(dicom_bytes(made)).data
