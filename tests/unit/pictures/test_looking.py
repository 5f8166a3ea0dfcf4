"""What a file is said to be, and which are refused before anything of them is decoded."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pillow_heif
import pytest
from PIL import Image
from readingroom.errors import BrokenPicture, PayloadTooLarge, UnsupportedMedia
from readingroom.pictures import EXTENSIONS, HEAD_BYTES, Kind, recognised
from readingroom.pictures.limits import Limits
from readingroom.pictures.looking import look

from tests.fixtures.pictures import chunk, exif, page, pdf, png, quarters, saved, tiff

LIMITS = Limits(pixels=120_000_000, pages=500)


def heic() -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(quarters()).save(out)
    return out.getvalue()


def lossy_webp() -> bytes:
    return saved(quarters(), "WEBP")


GOOD: dict[str, Callable[[], bytes]] = {
    "image/png": lambda: saved(quarters(), "PNG"),
    "image/jpeg": lambda: saved(quarters(), "JPEG"),
    "image/webp": lossy_webp,
    "image/tiff": lambda: saved(quarters(), "TIFF"),
    "image/bmp": lambda: saved(quarters(), "BMP"),
    "image/heic": heic,
    "application/pdf": page,
}


def kind(data: bytes) -> Kind:
    return look(data, LIMITS).kind


def a_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("evil.html", "<script>alert(1)</script>")
    return out.getvalue()


@pytest.mark.parametrize("mime", GOOD)
def test_each_type_is_recognised_by_its_content(mime: str) -> None:
    data = GOOD[mime]()
    assert recognised(data[:HEAD_BYTES]) == mime
    said = kind(data)
    assert (said.mime, said.extension, said.pages, said.bits) == (mime, EXTENSIONS[mime], 1, 8)
    assert (said.width, said.height) == ((595, 842) if mime == "application/pdf" else (120, 80))


def test_every_accepted_type_is_tried_here() -> None:
    assert GOOD.keys() == EXTENSIONS.keys()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG",
        b"<!doctype html><script>alert(1)</script>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + bytes(60),
        b"PK\3\4" + bytes(60),
        b"\0" * 128 + b"DICM",
        b"MZ" + bytes(200),
        b"\n%PDF-1.7",
        b"II+\0" + bytes(60),
        b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
        b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf",
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    ],
)
def test_what_is_none_of_them_is_refused_whatever_it_is_called(data: bytes) -> None:
    with pytest.raises(UnsupportedMedia) as told:
        recognised(data)
    assert told.value.detail == {"accepted": sorted(EXTENSIONS)}


@pytest.mark.parametrize("mime", GOOD)
def test_a_file_that_ends_in_the_middle_is_refused(mime: str) -> None:
    data = GOOD[mime]()
    for part in (0.3, 0.6, 0.95):
        cut = data[: int(len(data) * part)]
        with pytest.raises(BrokenPicture):
            kind(cut)


@pytest.mark.parametrize("mime", GOOD)
def test_a_picture_that_is_an_archive_too_is_refused(mime: str) -> None:
    with pytest.raises(BrokenPicture):
        kind(GOOD[mime]() + a_zip())


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/webp", "image/bmp", "image/heic"])
def test_a_page_behind_the_end_of_a_picture_is_refused(mime: str) -> None:
    for behind in (b"<html><script>alert(1)</script>", b"%PDF-1.7 ", b"\0" * 100 + b"<?php ", GOOD["image/png"]()):
        with pytest.raises(BrokenPicture):
            kind(GOOD[mime]() + behind)


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/webp", "image/bmp"])
def test_zeros_behind_the_end_are_forgiven(mime: str) -> None:
    assert kind(GOOD[mime]() + bytes(500)) == kind(GOOD[mime]())


@pytest.mark.parametrize(
    "behind",
    [saved(quarters(), "JPEG"), b"\0\0\0\x18ftypmp42" + b"\0" * 12 + b"\0\0\1\0mdat", b"\0\0\1\x0aImage_UTC_DataSEFT"],
)
def test_what_phones_put_behind_their_photos_is_forgiven(behind: bytes) -> None:
    assert kind(saved(quarters(), "JPEG") + behind).mime == "image/jpeg"


def test_a_picture_of_too_many_pixels_is_refused_by_its_header() -> None:
    wide = saved(quarters(2000, 600), "JPEG")
    for data in (
        png(50_000, 50_000),
        png(2**31 - 1, 2**31 - 1),
        wide[: wide.index(b"\xff\xc0") + 5] + b"\xff\xff\xff\xff" + wide[wide.index(b"\xff\xc0") + 9 :],
        lossy_webp()[:26] + b"\xff\x3f\xff\x3f" + lossy_webp()[30:],
        tiff([(256, 4, 1, 60_000), (257, 4, 1, 60_000), (273, 4, 1, 8)], b"\0" * 100),
        saved(quarters(), "BMP")[:18] + struct.pack("<ii", 60_000, -60_000) + saved(quarters(), "BMP")[26:],
        heic().replace(
            b"ispe\0\0\0\0" + struct.pack(">II", 120, 80), b"ispe\0\0\0\0" + struct.pack(">II", 1 << 16, 1 << 16)
        ),
    ):
        with pytest.raises(PayloadTooLarge) as told:
            kind(data)
        assert told.value.detail
        assert "120 million" in str(told.value)


def test_a_picture_without_pixels_is_refused() -> None:
    for data in (png(0, 10), png(10, 0), tiff([(256, 3, 1, 0), (257, 3, 1, 9), (273, 4, 1, 8)], b"\0")):
        with pytest.raises(BrokenPicture):
            kind(data)


def test_a_bomb_in_a_pngs_text_is_refused() -> None:
    packed = zlib.compress(bytes(2_000_000_000 // 1000) * 100, 9)
    for name, body in ((b"zTXt", b"Comment\0\0" + packed), (b"iTXt", b"Comment\0\1\0\0\0" + packed)):
        data = png(10, 10, *[chunk(name, body)] * 8)
        with pytest.raises(BrokenPicture, match="text"):
            kind(data)


def test_an_animation_of_too_many_frames_is_refused() -> None:
    with pytest.raises(PayloadTooLarge, match="500 pages"):
        kind(png(10, 10, chunk(b"acTL", struct.pack(">II", 4_000_000, 0))))


def test_pages_that_follow_each_other_in_a_circle_are_refused() -> None:
    tags = [(256, 3, 1, 4), (257, 3, 1, 4), (273, 4, 1, 8)]
    at = struct.unpack_from("<I", tiff(tags, bytes(16)), 4)[0]
    with pytest.raises(BrokenPicture, match="circle"):
        kind(tiff(tags, bytes(16), following=at))


def test_a_million_pages_of_a_tiff_are_refused_after_five_hundred() -> None:
    one = 2 + 12 + 4
    entry = struct.pack("<HHHII", 1, 256, 3, 1, 4)
    pages = b"".join(entry + struct.pack("<I", 8 + (n + 1) * one) for n in range(1_000_000))
    with pytest.raises(PayloadTooLarge, match="500 pages"):
        kind(b"II*\0\x08\0\0\0" + pages + entry + bytes(4))


def test_entries_that_point_outside_a_tiff_are_refused() -> None:
    with pytest.raises(BrokenPicture):
        kind(tiff([(256, 3, 1, 4), (257, 3, 1, 4), (258, 3, 3, 1 << 30), (273, 4, 1, 8)], bytes(16)))


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    whole = saved(quarters(), "JPEG", progressive=True)
    at = whole.rindex(b"\xff\xda")
    with pytest.raises(BrokenPicture, match="scans"):
        kind(whole[:-2] + whole[at:-2] * 1000 + whole[-2:])


def test_a_jpeg_of_endless_segments_is_refused() -> None:
    whole = saved(quarters(), "JPEG")
    with pytest.raises(BrokenPicture):
        kind(whole[:2] + b"\xff\xfe\0\x02" * 20_000 + whole[2:])


@pytest.mark.parametrize("frame", [0xC3, 0xC9, 0xCB])
def test_jpegs_that_no_browser_shows_are_refused_by_name(frame: int) -> None:
    whole = saved(quarters(), "JPEG")
    with pytest.raises(UnsupportedMedia, match="JPEG"):
        kind(whole.replace(b"\xff\xc0", bytes([0xFF, frame])))


def test_a_run_length_coded_bmp_is_refused_by_name() -> None:
    data = saved(quarters(), "BMP")
    with pytest.raises(UnsupportedMedia, match="BMP"):
        kind(data[:30] + b"\1\0\0\0" + data[34:])


def test_a_document_of_many_pages_says_how_many_and_too_many_are_refused() -> None:
    def document(pages: int) -> bytes:
        kids = " ".join(f"{n} 0 R" for n in range(3, 3 + pages))
        each = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 200] >>"
        return pdf(
            "<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>", *[each] * pages
        )

    assert kind(document(12)).pages == 12
    with pytest.raises(PayloadTooLarge, match="500 pages"):
        kind(document(501))


@pytest.mark.parametrize(
    "tree",
    [
        "/Kids [2 0 R 2 0 R] /Count 3",
        "/Kids [2 0 R] /Count 2000000",
        "/Kids [3 0 R] /Count 2000000",
        "/Kids [] /Count 0",
        "/Kids [99 0 R] /Count 1",
    ],
)
def test_a_tree_of_pages_that_is_endless_or_lies_is_refused(tree: str) -> None:
    catalog, branch = "<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages {tree} >>"
    data = pdf(catalog, branch, "<< /Type /Pages /Kids [2 0 R] /Count 1000000 /Parent 2 0 R >>")
    with pytest.raises((BrokenPicture, PayloadTooLarge)):
        kind(data)


def test_a_document_that_counts_pages_that_it_has_not_is_damaged() -> None:
    one = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 200] >>"

    def document(tree: str) -> bytes:
        return pdf("<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages {tree} >>", one, one)

    for tree in ("/Kids [3 0 R 4 0 R] /Count 2", "/Kids [3 0 R 4 0 R]"):
        assert kind(document(tree)).pages == 2
    for tree in ("/Kids [3 0 R 4 0 R] /Count 3", "/Kids [3 0 R] /Count 500", "/Kids [3 0 R 99 0 R] /Count 2"):
        with pytest.raises(BrokenPicture, match="damaged"):
            kind(document(tree))


@pytest.mark.parametrize("name", [b"IHDR", b"PLTE", b"IDAT", b"IEND"])
def test_a_chunk_that_a_picture_needs_has_its_checksum(name: bytes) -> None:
    data = saved(quarters().convert("P"), "PNG")
    at = data.index(name)
    end = at + 4 + int.from_bytes(data[at - 4 : at])
    with pytest.raises(BrokenPicture, match="damaged"):
        kind(data[:end] + bytes([data[end] ^ 1]) + data[end + 1 :])


def test_a_wrong_checksum_of_what_no_picture_needs_is_overlooked() -> None:
    good = chunk(b"tEXt", b"Software\0sensor")
    assert kind(png(5, 5, good[:-1] + bytes([good[-1] ^ 1]))).width == 5


def test_a_document_with_a_password_is_refused_and_told_why() -> None:
    locked = page().replace(
        b"/Root 1 0 R",
        b"/Root 1 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] /Encrypt << /Filter"
        b" /Standard /V 1 /R 2 /P -4 /O <" + b"11" * 32 + b"> /U <" + b"22" * 32 + b"> >>",
    )
    with pytest.raises(BrokenPicture, match="password"):
        kind(locked)


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist_is_none(orientation: int) -> None:
    assert kind(saved(quarters(), "JPEG", exif=exif(orientation))).width == 120


def test_a_picture_whose_exif_is_nonsense_is_still_a_picture() -> None:
    for nonsense in (b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"nonsense"):
        data = saved(Image.new("L", (5, 5)), "PNG", exif=nonsense) if nonsense else png(5, 5, chunk(b"eXIf"))
        assert kind(data).width == 5
