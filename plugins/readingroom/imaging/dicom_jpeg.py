"""JPEG files by their segments (ITU-T T.81, annex B): which kind, and the picture without what describes it."""

from __future__ import annotations

from dataclasses import dataclass

SOI, EOI, SOS, COM = 0xD8, 0xD9, 0xDA, 0xFE
BASELINE = 0xC0
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOFn; C4 are Huffman tables, C8 is reserved, CC arithmetic conditioning."""

ALONE = frozenset({0x01, SOI, EOI, *range(0xD0, 0xD8)})
"""Markers without a length."""

KEPT_APPLICATIONS = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""What a decoder needs to get the colours right. Everything else (Exif with its place, XMP, previews, further
pictures of a phone) says something of whoever took it."""


class NotJpeg(ValueError):
    """The segments do not follow each other as they must."""


@dataclass(frozen=True, slots=True)
class Jpeg:
    """One picture: `data` from SOI to EOI, without descriptions; `is_rgb`: three components that are not YCbCr."""

    data: bytes
    is_baseline: bool
    components: int
    width: int
    height: int
    is_rgb: bool


def read(file: bytes) -> Jpeg:
    """The first picture of a JPEG file. Raises NotJpeg."""
    if file[:2] != b"\xff\xd8":
        raise NotJpeg("no start")
    kept = [file[:2]]
    frame: tuple[int, int, int, int, bytes] | None = None
    transform: int | None = None
    is_jfif = False
    at = 2
    while True:
        marker, start = _marker(file, at)
        if marker == EOI:
            kept.append(b"\xff\xd9")
            break
        if marker in ALONE:
            at = start
            continue
        end = start + int.from_bytes(file[start : start + 2])
        if end < start + 2 or end > len(file):
            raise NotJpeg("a segment is cut short")
        body = file[start + 2 : end]
        if marker in FRAMES:
            if len(body) < 6 or frame is not None:
                raise NotJpeg("more than one frame")
            height, width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
            frame = (marker, body[0], height, width, body[6 : 6 + 3 * body[5] : 3])
        is_jfif = is_jfif or (marker == 0xE0 and body[:5] == b"JFIF\0")
        if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            transform = body[11]
        if _is_needed(marker, body):
            kept.append(b"\xff" + bytes([marker]) + file[start:end])
        at = end
        if marker == SOS:
            at = _end_of_scan(file, end)
            kept.append(file[end:at])
    if frame is None:
        raise NotJpeg("no frame")
    marker, precision, height, width, names = frame
    is_baseline = marker == BASELINE and precision == 8
    return Jpeg(b"".join(kept), is_baseline, len(names), width, height, _is_rgb(names, transform, is_jfif=is_jfif))


def _is_rgb(names: bytes, transform: int | None, *, is_jfif: bool) -> bool:
    """As libjpeg decides, by which pictures of it are made (jdapimin.c): JFIF is YCbCr, else Adobe's mark counts, then
    what the components are called."""
    if len(names) != 3 or is_jfif:
        return False
    return names == b"RGB" if transform is None else transform == 0


def _marker(file: bytes, at: int) -> tuple[int, int]:
    """The next marker, and where what follows it begins; any number of FF may stand before it."""
    if at >= len(file) or file[at] != 0xFF:
        raise NotJpeg("no marker where one must be")
    while at < len(file) and file[at] == 0xFF:
        at += 1
    if at >= len(file) or file[at] == 0:
        raise NotJpeg("no end")
    return file[at], at + 1


def _end_of_scan(file: bytes, at: int) -> int:
    """Where the entropy-coded data end: at the first marker that is neither a stuffed FF nor a restart."""
    while True:
        at = file.find(b"\xff", at)
        if at < 0 or at + 1 >= len(file):
            raise NotJpeg("no end")
        if file[at + 1] in (0x00, 0xFF) or 0xD0 <= file[at + 1] <= 0xD7:
            at += 1 if file[at + 1] == 0xFF else 2
            continue
        return at


def _is_needed(marker: int, body: bytes) -> bool:
    if marker in KEPT_APPLICATIONS:
        return body.startswith(KEPT_APPLICATIONS[marker])
    return not (0xE0 <= marker <= 0xEF or marker == COM)
