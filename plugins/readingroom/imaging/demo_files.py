"""Pictures for the sample clinic, drawn by arithmetic: two bitewings of 16 bits, a photograph, a letter. Nobody's."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Plane = NDArray[np.float64]

WIDTH, HEIGHT = 800, 600
"""Of a bitewing; a sensor has some 1,300 by 900."""

DEVICE = "Demo sensor"


@dataclass(frozen=True, slots=True)
class SampleFile:
    """One file; `name` is what its clinic called it."""

    name: str
    modality: str
    data: Callable[[], bytes]
    device: str | None = None


@dataclass(frozen=True, slots=True)
class SampleStudy:
    """What was captured in one session."""

    patient_id: int
    kind: str
    title: str
    captured_at: str
    files: tuple[SampleFile, ...]


def bitewing(side: str, filling: int) -> bytes:
    """A 16-bit PNG: eight teeth bite, one of them with a filling; the sensor's 12 bits stand where it put them."""
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    grey: Plane = 700 + 120 * np.sin(across / 170) + 60 * np.cos(down / 90)
    for row, (middle, way) in enumerate(((150.0, 1.0), (450.0, -1.0))):
        for column in range(4):
            at = 110.0 + column * 193 + row * 12
            grey = _tooth(grey, across - at, (down - middle) * way, filled=row * 4 + column == filling)
    for edge, way in ((60.0, -1.0), (540.0, 1.0)):  # the jaws' bone, towards either rim
        bone = 1 / (1 + np.exp(-way * (down - edge) / 14))
        grey += bone * (420 + 90 * np.sin(across / 7 + down / 11) * np.cos(down / 6))
    grey += np.random.default_rng(len(side) + filling).normal(0, 9, grey.shape)
    deep = (np.clip(grey, 0, 4095).astype("<u2")) << 2
    return _saved(Image.fromarray(deep[:, ::-1] if side == "left" else deep), "PNG")


def _tooth(grey: Plane, x: Plane, y: Plane, *, filled: bool) -> Plane:
    """Crown, root and pulp around (0, 0), the chewing edge at positive y."""
    crown = (np.abs(x) / 84) ** 4 + (np.abs(y - 50) / 74) ** 4
    root = (np.abs(x) / (58 - 0.16 * np.clip(-y, 0, 200))) ** 2 + (np.clip(-y, 0, None) / 180) ** 4
    dentine = np.minimum(crown, np.where(y < 30, root, 9))
    grey = grey + 1250 * _inside(dentine, 14)
    enamel = (crown < 1) & (crown > 0.52) & (y > 6)
    grey = grey + 620 * enamel
    pulp = (x / 15) ** 2 + ((y + 10) / 95) ** 2
    grey = grey - 640 * _inside(pulp, 6)
    return np.where((np.abs(x - 14) < 26) & (np.abs(y - 76) < 22), 3900, grey) if filled else grey


def _inside(shape: Plane, sharpness: float) -> Plane:
    """1 where the shape is well below 1, 0 well above, softly between."""
    return 1 / (1 + np.exp(np.clip((shape - 1) * sharpness, -50, 50)))


def photograph() -> bytes:
    """A JPEG of a smile."""
    size = (1200, 800)
    image = Image.new("RGB", size, (222, 178, 154))
    draw = ImageDraw.Draw(image)
    draw.ellipse((170, 190, 1030, 640), fill=(186, 88, 86))
    draw.ellipse((235, 255, 965, 570), fill=(92, 28, 32))
    for number in range(8):
        middle = 600 + (number - 3.5) * 84
        height = 150 - abs(number - 3.5) * 16
        draw.rounded_rectangle((middle - 39, 300, middle + 39, 300 + height), 24, fill=(244, 238, 222))
        draw.rounded_rectangle((middle - 34, 545 - height * 0.5, middle + 34, 545), 18, fill=(236, 229, 210))
    light = Image.radial_gradient("L").resize(size).point(lambda value: 70 - value // 4)
    lit = Image.composite(Image.new("RGB", size, "white"), image.filter(ImageFilter.GaussianBlur(2.2)), light)
    return _saved(lit, "JPEG", quality=88)


def letter() -> bytes:
    """A PDF of one page with words on it (ISO 32000-1, annex H.3)."""
    lines = ["Sample Dental Clinic", "", "Treatment plan", "", "1. Bitewings, both sides: filed.",
             "2. Filling on the upper right first molar: watch.", "3. Next visit in six months.", "",
             "(A document made for this demonstration. Nobody is behind it.)"]  # fmt: skip
    shown = b"".join(b"(%s) Tj T*\n" % line.encode().replace(b"(", b"\\(").replace(b")", b"\\)") for line in lines)
    words = b"BT /F1 14 Tf 22 TL 72 760 Td\n" + shown + b"ET"
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(words), words),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, part in enumerate(parts, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start, count = len(out), len(parts) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\n" % (count, table, count)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


SAMPLES = (
    SampleStudy(
        1, "XRAY_BWX", "Bitewings", "2026-02-09T15:30:12Z",
        (
            SampleFile("bitewing right.png", "XRAY", lambda: bitewing("right", 2), DEVICE),
            SampleFile("bitewing left.png", "XRAY", lambda: bitewing("left", 6), DEVICE),
        ),
    ),
    SampleStudy(
        1, "PHOTO", "Before treatment", "2026-02-09T15:40:00Z", (SampleFile("smile.jpg", "PHOTO", photograph),)
    ),
    SampleStudy(
        1, "DOCUMENT", "Treatment plan", "2026-02-10T09:00:00Z", (SampleFile("plan.pdf", "DOC", letter),)
    ),
)  # fmt: skip
"""The three studies of the sample clinic's patient 1."""
