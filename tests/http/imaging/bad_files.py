"""Files that must not become assets, made by hand: each by a name, with the statuses that it may be refused with."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from typing import NamedTuple

from PIL import Image


class Bad(NamedTuple):
    """A file, what it calls itself, and how it may be refused."""

    data: bytes
    name: str
    statuses: tuple[int, ...]


UNKNOWN, LARGE, BROKEN = (415,), (413,), (422,)

HTML = b"<!doctype html><script>alert(document.cookie)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
PHP = b"<?php system($_GET['c']); ?>"


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG (its clause 5.3)."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


SIGNATURE = b"\x89PNG\r\n\x1a\n"


def header(width: int, height: int, bits: int = 8, colour: int = 0) -> bytes:
    """IHDR."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))


def a_png(width: int = 64, height: int = 64) -> bytes:
    """A good one."""
    noise = random.Random(1).randbytes(width * height)
    return saved(Image.frombytes("L", (width, height), noise), "PNG")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """As a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def coloured(kind: str, **options: object) -> bytes:
    """A good one in colours."""
    return saved(Image.frombytes("RGB", (64, 48), random.Random(2).randbytes(64 * 48 * 3)), kind, **options)


def with_a_wrong_sum(png: bytes) -> bytes:
    """The same pixels, and a checksum of them that is not theirs."""
    end = png.index(b"IDAT") + 4 + int.from_bytes(png[png.index(b"IDAT") - 4 : png.index(b"IDAT")])
    return png[:end] + bytes([png[end] ^ 1]) + png[end + 1 :]


def a_zip() -> bytes:
    """A good archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("run.class", b"\xca\xfe\xba\xbe")
    return file.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of black pixels of one bit, all of them there: 1,000 times smaller than its pixels."""
    pack = zlib.compressobj(9)
    line = bytes(1 + (width + 7) // 8)
    body = b"".join(pack.compress(line * 64) for _ in range((height + 63) // 64)) + pack.flush()
    return SIGNATURE + header(width, height, 1) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def a_jpeg_of(width: int, height: int) -> bytes:
    """A JPEG that says it is so large."""
    data = bytearray(coloured("JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def a_pdf(pages: int = 1, objects: bytes = b"") -> bytes:
    """A document of empty pages."""
    kids = b" ".join(b"%d 0 R" % (3 + n) for n in range(pages))
    parts = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids)]
    parts += [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 400]>>"] * pages
    out, offsets = bytearray(b"%PDF-1.4\n" + objects), []
    for number, part in enumerate(parts, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return bytes(out + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, start))


def a_tiff(width: int, height: int, offset: int = 8, next_ifd: int = 0, strip: int = 200, count: int = 100) -> bytes:
    """A little-endian TIFF of one strip of grey, that says what it is told to."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, strip),
               (277, 3, 1), (278, 4, height), (279, 4, count)]  # fmt: skip
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, kind, 1, v) for tag, kind, v in entries)
    return (b"II*\0" + struct.pack("<I", offset) + body + struct.pack("<I", next_ifd)).ljust(strip + 100, b"\x55")


def a_bmp_of(width: int, height: int) -> bytes:
    """A BMP that says it is so large."""
    data = bytearray(coloured("BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def corpus() -> dict[str, Bad]:
    """All of them."""
    png, jpeg, webp, tiff, bmp = a_png(), coloured("JPEG"), coloured("WEBP"), coloured("TIFF"), coloured("BMP")
    raw = zlib.compress(bytes(65) * 64)
    found = {
        "nothing at all": Bad(b"", "x.png", UNKNOWN),
        "one byte": Bad(b"\x89", "x.png", UNKNOWN),
        "a signature alone": Bad(SIGNATURE, "x.png", BROKEN),
        "text called a picture": Bad(b"Please call me on Monday.\n", "x.png", UNKNOWN),
        "a page called a picture": Bad(HTML, "x.jpg", UNKNOWN),
        "a page behind spaces": Bad(b" " * 100 + HTML, "x.jpg", UNKNOWN),
        "a drawing with a script": Bad(SVG, "x.svg", UNKNOWN),
        "a drawing called a picture": Bad(b'<?xml version="1.0"?>' + SVG, "x.png", UNKNOWN),
        "a GIF": Bad(coloured("GIF"), "x.gif", UNKNOWN),
        "a GIF called PNG": Bad(coloured("GIF"), "x.png", UNKNOWN),
        "a program": Bad(b"MZ" + bytes(500), "x.png", UNKNOWN),
        "a script": Bad(b"#!/bin/sh\nrm -rf /\n", "x.jpg", UNKNOWN),
        "an archive": Bad(a_zip(), "x.png", UNKNOWN),
        "a DICOM file": Bad(bytes(128) + b"DICM" + bytes(100), "x.dcm", UNKNOWN),
        "a film": Bad(struct.pack(">I", 24) + b"ftypisom" + bytes(500), "x.jpg", UNKNOWN),
        "an AVIF": Bad(struct.pack(">I", 24) + b"ftypavif" + bytes(500), "x.avif", UNKNOWN),
        "a BigTIFF": Bad(b"II+\0" + bytes(500), "x.tif", UNKNOWN),
        "zeros": Bad(bytes(4096), "x.png", UNKNOWN),
        "noise": Bad(random.Random(3).randbytes(4096), "x.png", UNKNOWN),
        # bombs
        "a PNG of 2,500 million pixels that are not there": Bad(
            SIGNATURE + header(50_000, 50_000) + chunk(b"IDAT", raw) + chunk(b"IEND", b""), "x.png", LARGE
        ),
        "a PNG of the largest size there is": Bad(
            SIGNATURE + header(2**31 - 1, 2**31 - 1) + chunk(b"IDAT", raw) + chunk(b"IEND", b""), "x.png", LARGE
        ),
        "a PNG of 400 million pixels in 50 KB": Bad(bomb(20_000, 20_000), "x.png", LARGE),
        "a PNG as broad as a line": Bad(bomb(200_000_000, 1), "x.png", LARGE),
        "a JPEG of 65,535 by 65,535": Bad(a_jpeg_of(65_535, 65_535), "x.jpg", LARGE),
        "a TIFF of 4,000 million by 4,000 million": Bad(a_tiff(2**32 - 1, 2**32 - 1), "x.tif", (413, 422)),
        "a BMP of 2,000 million by 2,000 million": Bad(a_bmp_of(2**31 - 1, 2**31 - 1), "x.bmp", (413, 422)),
        "a document of 600 pages": Bad(a_pdf(600), "x.pdf", LARGE),
        # two things at once
        "a picture with an archive behind it": Bad(png + a_zip(), "x.png", BROKEN),
        "a photograph with an archive behind it": Bad(jpeg + a_zip(), "x.jpg", BROKEN),
        "a picture with a page behind it": Bad(png + HTML, "x.png", BROKEN),
        "a photograph with a page behind it": Bad(jpeg + HTML, "x.jpg", BROKEN),
        "a photograph with a script behind it": Bad(jpeg + PHP, "x.php.jpg", BROKEN),
        "a WebP with a page behind it": Bad(webp + HTML, "x.webp", BROKEN),
        "a document with an archive behind it": Bad(a_pdf() + a_zip(), "x.pdf", BROKEN),
        "a picture with another one behind it": Bad(png + png, "x.png", BROKEN),
        "a photograph inside a document's first line": Bad(b"%PDF-1.4\n" + jpeg, "x.pdf", BROKEN),
        "a page that begins as a photograph": Bad(b"\xff\xd8\xff" + HTML, "x.jpg", BROKEN),
        "a page that begins as a bitmap": Bad(b"BM" + HTML[:4] + bytes(4) + HTML, "x.bmp", BROKEN),
        # damaged
        "a PNG of no pixels": Bad(SIGNATURE + header(0, 0) + chunk(b"IEND", b""), "x.png", BROKEN),
        "a PNG without pixels": Bad(SIGNATURE + header(8, 8) + chunk(b"IEND", b""), "x.png", BROKEN),
        "a PNG without its header": Bad(SIGNATURE + chunk(b"IDAT", raw) + chunk(b"IEND", b""), "x.png", BROKEN),
        "a PNG with a wrong sum": Bad(
            SIGNATURE + header(64, 64) + chunk(b"IDAT", raw[:-1] + b"\0") + chunk(b"IEND", b""), "x.png", BROKEN
        ),
        "a PNG whose sum alone is wrong": Bad(with_a_wrong_sum(png), "x.png", BROKEN),
        "a PNG of more pixels than it says": Bad(
            SIGNATURE + header(64, 64) + chunk(b"IDAT", zlib.compress(bytes(65) * 128)) + chunk(b"IEND", b""),
            "x.png", BROKEN,
        ),
        "a small PNG that unpacks to 64 MB": Bad(
            SIGNATURE + header(64, 64) + chunk(b"IDAT", zlib.compress(bytes(64 << 20))) + chunk(b"IEND", b""),
            "x.png", BROKEN,
        ),
        "a PNG with something behind its packed pixels": Bad(
            SIGNATURE + header(64, 64) + chunk(b"IDAT", raw + HTML * 9) + chunk(b"IEND", b""), "x.png", BROKEN
        ),
        "a PNG of 3 bits": Bad(
            SIGNATURE + header(64, 64, 3) + chunk(b"IDAT", raw) + chunk(b"IEND", b""), "x.png", BROKEN
        ),
        "a PNG whose chunk is longer than the file": Bad(
            SIGNATURE + header(64, 64) + struct.pack(">I", 2**31 - 1) + b"IDAT" + raw, "x.png", BROKEN
        ),
        "a JPEG whose segment is longer than the file": Bad(b"\xff\xd8\xff\xe0\xff\xff" + bytes(50), "x.jpg", BROKEN),
        "a JPEG without a picture": Bad(b"\xff\xd8\xff\xd9", "x.jpg", BROKEN),
        "a TIFF that leads back to itself": Bad(a_tiff(10, 10, next_ifd=8), "x.tif", (413, 422)),
        "a TIFF whose directory lies outside": Bad(a_tiff(10, 10, offset=2**31), "x.tif", BROKEN),
        "a TIFF whose pixels lie outside": Bad(a_tiff(10, 10, strip=300, count=2**31), "x.tif", BROKEN),
        "a WebP that says it is longer": Bad(webp[:4] + struct.pack("<I", 2**31) + webp[8:], "x.webp", BROKEN),
        "a HEIC of its first box": Bad(struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic", "x.heic", BROKEN),
        "a HEIC of noise": Bad(
            struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + random.Random(4).randbytes(900),
            "x.heic", BROKEN,
        ),
        "a document of its first line": Bad(b"%PDF-1.7\n", "x.pdf", BROKEN),
        "a document without pages": Bad(a_pdf(0), "x.pdf", BROKEN),
        "a document that counts pages that it has not": Bad(
            a_pdf().replace(b"/Count 1", b"/Count 5"), "x.pdf", BROKEN
        ),
        "a document of noise": Bad(b"%PDF-1.7\n" + random.Random(5).randbytes(3000), "x.pdf", BROKEN),
    }  # fmt: skip
    good = {"PNG": png, "JPEG": jpeg, "WebP": webp, "TIFF": tiff, "BMP": bmp, "PDF": a_pdf()}
    for kind, data in good.items():
        for part in (0.2, 0.6, 0.95):
            cut = data[: max(int(len(data) * part), 16)]
            found[f"{part:.0%} of a {kind}"] = Bad(cut, f"x.{kind.lower()}", BROKEN)
    return found
