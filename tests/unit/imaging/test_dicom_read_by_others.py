"""Instances made of assets, read by dcmtk, which shares no line with what wrote them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy
import pytest
from PIL import Image

from tests.unit.imaging.test_dicom_files import COLOURS, DEEP, GREY, PDF, kinds, made, saved

if shutil.which("dcm2img") is None:
    pytest.skip("dcmtk is not installed here (scripts/test brings it)", allow_module_level=True)


def dcmtk(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "E:" not in done.stderr and "W:" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["DX", "XC", "SC", "DOC"])
def test_every_kind_is_read_without_a_warning(kind: str, tmp_path: Path) -> None:
    place = tmp_path / f"{kind}.dcm"
    kinds(tmp_path)[kind].save_as(place, enforce_file_format=True)
    told = dcmtk("dcmdump", "+P", "0011,1001", "+P", "0008,0060", place)
    assert "[9001]" in told


def test_deep_greys_come_out_as_they_went_in(tmp_path: Path) -> None:
    made(saved(tmp_path, DEEP, "png"), "XRAY")
    dcmtk("dcm2img", "--no-windowing", "--write-16-bit-pnm", tmp_path / "original.dcm", tmp_path / "out.pgm")
    words = [line for line in (tmp_path / "out.pgm").read_text().splitlines() if not line.startswith("#")]
    numbers = numpy.array(" ".join(words[1:]).split(), dtype=int)
    assert list(numbers[:3]) == [60, 48, 65535]
    assert (numbers[3:].reshape(48, 60) == DEEP).all()


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_colours_come_out_as_they_went_in(ending: str, tmp_path: Path) -> None:
    place = saved(tmp_path, COLOURS, ending)
    made(place, "PHOTO")
    dcmtk("dcm2img", "--write-raw-pnm", tmp_path / "original.dcm", tmp_path / "out.ppm")
    found = numpy.asarray(Image.open(tmp_path / "out.ppm")).astype(int)
    expected = numpy.asarray(Image.open(place)).astype(int)
    # Of a JPEG the two decoders spread its colours over four pixels each in their own way.
    assert abs(found - expected).max() <= (0 if ending == "png" else 24)
    assert abs(found - expected).mean() < 2


def test_grey_jpeg_x_rays_come_out_as_they_went_in(tmp_path: Path) -> None:
    place = saved(tmp_path, GREY, "jpg", quality=95)
    made(place, "XRAY")
    dcmtk("dcm2img", "--no-windowing", "--write-raw-pnm", tmp_path / "original.dcm", tmp_path / "out.pgm")
    found = numpy.asarray(Image.open(tmp_path / "out.pgm")).astype(int)
    assert abs(found - numpy.asarray(Image.open(place)).astype(int)).max() <= 1


def test_a_document_is_taken_out_again(tmp_path: Path) -> None:
    (tmp_path / "original.pdf").write_bytes(PDF)
    made(tmp_path / "original.pdf", "DOC")
    dcmtk("dcmdecap", tmp_path / "original.dcm", tmp_path / "out.pdf")
    assert (tmp_path / "out.pdf").read_bytes() == PDF
