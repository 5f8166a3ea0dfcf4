"""Headers as DICOM JSON, written by a process that survives whatever stands in them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset
from readingroom.headers.json_writer import JsonWriter, NotWritten
from readingroom.settings import Settings

from tests.factories import ct, dicom_bytes, implicit

SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JsonWriter]:
    made = JsonWriter(Settings.load(READINGROOM_DATA=tmp_path_factory.mktemp("json")))
    yield made
    made.close()


@pytest.mark.parametrize("written", [dicom_bytes, implicit])
def test_all_of_a_header_but_its_pixels_is_written(writer: JsonWriter, written: object) -> None:
    made = ct(PatientName="Müller^Jörg", SpecificCharacterSet="ISO_IR 192")
    (told,) = json.loads(writer.write(written(made)))  # type: ignore[operator]  # one of the two writers
    assert told["00100010"]["Value"] == [{"Alphabetic": "Müller^Jörg"}]
    assert told["00200032"]["Value"] == [-180.0, -180.0, 0.0] and told["00280010"] == {"vr": "US", "Value": [16]}
    assert "7FE00010" not in told and told["00083002"]["vr"] == "UI"
    assert Dataset.from_json(told).SOPInstanceUID == made.SOPInstanceUID


def test_long_binary_values_are_left_out(writer: JsonWriter) -> None:
    made = ct()
    made.add_new(0x00091001, "OB", bytes(10_000))
    made.add_new(0x00091002, "OB", b"ab")
    (told,) = json.loads(writer.write(dicom_bytes(made)))
    assert "00091001" not in told and told["00091002"]["InlineBinary"] == "YWI="


def test_whatever_comes_the_next_one_is_written(writer: JsonWriter) -> None:
    whole = dicom_bytes(ct())
    chance = random.Random(7)
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(4):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            json.loads(writer.write(bytes(broken[: chance.randrange(len(broken))])))
        except NotWritten as said:
            assert len(str(said)) < 30
    assert json.loads(writer.write(whole))


def test_samples_with_odd_headers_are_written(writer: JsonWriter) -> None:
    for name in ("badVR", "nested_priv_SQ", "UN_sequence", "reportsi", "rtplan", "JPEG2000", "MR_small_bigendian"):
        assert json.loads(writer.write((SAMPLES / f"{name}.dcm").read_bytes()))
