"""Files with flipped, lost and added bytes: an answer or a refusal, soon, and never anything else."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readingroom.errors import BrokenPicture, PayloadTooLarge, UnsupportedMedia
from readingroom.pictures import Pictures
from readingroom.settings import Settings

from tests.fixtures.pictures import exif, grey_tiff, page, quarters, saved, sixteen


def heic() -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(quarters()).save(out)
    return out.getvalue()


SEEDS = {
    "png": saved(quarters(), "PNG", exif=exif(6)),
    "png16": sixteen(np.arange(64 * 48).reshape(48, 64)),
    "palette": saved(quarters().quantize(4), "PNG", transparency=1),
    "jpeg": saved(quarters(), "JPEG", exif=exif(3)),
    "progressive": saved(quarters(), "JPEG", progressive=True),
    "cmyk": saved(quarters().convert("CMYK"), "JPEG"),
    "webp": saved(quarters(), "WEBP", exif=exif(8)),
    "lossless": saved(quarters().convert("RGBA"), "WEBP", lossless=True),
    "moving": saved(quarters(), "WEBP", save_all=True, append_images=[quarters()]),
    "tiff": grey_tiff(np.arange(64 * 48, dtype=np.uint16).reshape(48, 64), 0),
    "lzw": saved(quarters(), "TIFF", compression="tiff_lzw"),
    "fax": saved(quarters().convert("1"), "TIFF", compression="group4"),
    "bmp": saved(quarters(), "BMP"),
    "heic": heic(),
    "pdf": page(),
}

SECONDS = 30
"""Longer than any answer; on a busy machine a process takes some to start."""


@pytest.fixture(scope="module")
def pictures() -> Iterator[Pictures]:
    with tempfile.TemporaryDirectory() as data:
        made = Pictures(Settings.load(READINGROOM_DATA=data))
        yield made
        made.close()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@st.composite
def spoiled(draw: st.DrawFn, name: str) -> bytes:
    data = bytearray(SEEDS[name])
    # Most of what matters stands at the beginning.
    places = st.one_of(st.integers(0, min(len(data), 200) - 1), st.integers(0, len(data) - 1))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(places)
        match draw(st.integers(0, 4)):
            case 0:
                data[at] ^= 1 << draw(st.integers(0, 7))
            case 1:
                data[at : at + 4] = draw(st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\1"]))
            case 2:
                del data[at : at + draw(st.integers(1, 40))]
                data += b"\0" * max(0, 8 - len(data))
            case 3:
                data[at:at] = draw(st.binary(min_size=1, max_size=40))
            case _:
                data[at] = draw(st.integers(0, 255))
        places = st.integers(0, len(data) - 1)
    return bytes(data)


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_spoiled_file_is_answered_or_refused(
    name: str, data: st.DataObject, pictures: Pictures, folder: Path
) -> None:
    place = folder / "original"
    place.write_bytes(data.draw(spoiled(name)))
    began = time.monotonic()
    for each in ("thumb.webp", "web.webp"):
        (folder / each).unlink(missing_ok=True)
    try:
        made = pictures.make_variants(place, pictures.inspect(place), folder)
        assert made.web_path.read_bytes()[8:12] == made.thumb_path.read_bytes()[8:12] == b"WEBP"
    except (BrokenPicture, PayloadTooLarge, UnsupportedMedia):
        assert sorted(each.name for each in folder.iterdir()) == ["original"]
    assert time.monotonic() - began < SECONDS


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.sampled_from([seed[:12] for seed in SEEDS.values()]), rest=st.binary(max_size=400))
def test_a_file_that_only_begins_like_a_picture_is_refused(
    head: bytes, rest: bytes, pictures: Pictures, folder: Path
) -> None:
    place = folder / "original"
    place.write_bytes(head + rest)
    with pytest.raises((BrokenPicture, PayloadTooLarge, UnsupportedMedia)):
        pictures.inspect(place)
