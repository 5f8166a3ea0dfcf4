"""Sequences: what is wanted of their items is read, the rest stepped over, however they are written."""

from __future__ import annotations

import io

import pytest
from pydicom import Dataset, dcmwrite
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from readingroom.headers.elements import Encoding, element_at
from readingroom.headers.errors import HeaderError, Truncated
from readingroom.headers.sequences import SequenceReader, first, value
from readingroom.headers.window import Window

from tests.factories import dataset

WANTED = {0x00209113: {0x00200032: None}, 0x00209111: {0x00209057: None}}
GROUPS = 0x52009230


def written(syntax: str, *, undefined: bool) -> bytes:
    """Three items, each with two wanted sequences and things that nobody asked for."""
    made = Dataset()
    items = []
    for n in range(3):
        item = Dataset()
        item.add_new(0x00091001, "UN", b"private " * 4)
        position = dataset(ImagePositionPatient=["1", "2", str(n)])
        position.is_undefined_length_sequence_item = undefined
        item.PlanePositionSequence = [position]
        content = dataset(InStackPositionNumber=n + 1, FrameComments="not asked for")
        item.FrameContentSequence = [content]
        nested = Dataset()
        nested.DerivationCodeSequence = [dataset(CodeValue="1")]
        item.DerivationImageSequence = [nested]
        for element in item:
            if element.VR == "SQ":
                element.is_undefined_length = undefined
        item.is_undefined_length_sequence_item = undefined
        items.append(item)
    made.PerFrameFunctionalGroupsSequence = items
    made["PerFrameFunctionalGroupsSequence"].is_undefined_length = undefined
    buffer = io.BytesIO()
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    dcmwrite(buffer, made, implicit_vr=implicit, little_endian=little, enforce_file_format=False)
    return buffer.getvalue()


def reader(data: bytes, syntax: str) -> SequenceReader:
    window = Window(lambda offset, length: data[offset : offset + length], len(data))
    return SequenceReader(window, explicit=syntax != ImplicitVRLittleEndian, big=syntax == ExplicitVRBigEndian)


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_wanted_values_are_found_however_the_sequence_is_written(syntax: str, undefined: bool) -> None:
    data = written(syntax, undefined=undefined)
    found = reader(data, syntax).read(0, WANTED)
    assert found.end == len(data)
    assert [value(first(each[0x00209113]), 0x00200032).strip() for each in found.items] == [
        b"1\\2\\0", b"1\\2\\1", b"1\\2\\2",
    ]  # fmt: skip
    assert all(set(each) == set(WANTED) for each in found.items)


@pytest.mark.parametrize("undefined", [True, False])
def test_it_ends_where_the_walk_over_it_ends(undefined: bool) -> None:
    data = written(ExplicitVRLittleEndian, undefined=undefined)
    window = Window(lambda offset, length: data[offset : offset + length], len(data))
    stepped = element_at(window, 0, Encoding(explicit=True))
    assert stepped is not None
    assert stepped.end == reader(data, ExplicitVRLittleEndian).read(0, WANTED).end


@pytest.mark.parametrize("undefined", [True, False])
def test_cut_anywhere_it_is_said_to_be_cut(undefined: bool) -> None:
    data = written(ExplicitVRLittleEndian, undefined=undefined)
    for end in range(len(data) - 1):
        with pytest.raises(HeaderError):
            reader(data[:end], ExplicitVRLittleEndian).read(0, WANTED)


def test_something_else_than_items_is_refused() -> None:
    data = bytearray(written(ExplicitVRLittleEndian, undefined=True))
    data[12:16] = b"\x08\x00\x05\x00"
    with pytest.raises(Truncated):
        reader(bytes(data), ExplicitVRLittleEndian).read(0, WANTED)


def test_absent_is_empty() -> None:
    assert first(None) == {} and first([]) == {} and first(b"") == {}
    assert value({}, 1) == b""
