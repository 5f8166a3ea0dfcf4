"""Decides in which form a frame leaves, and says what its pixels then are.

What a browser can take leaves as it is stored: greys of 8, 16 and 32 bits in little endian, colours as interleaved RGB
of 8 bits, and the compressions that Cornerstone decodes. Everything else is decoded at the server, once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from readingroom.headers.beginning import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, GE_IMPLICIT, IMPLICIT_LITTLE
from readingroom.manifests.model import Encoding

NATIVE: Final = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, GE_IMPLICIT, DEFLATED})
UNCOMPRESSED: Final = "1.2.840.10008.1.2.1.98"  # encapsulated

PASSED_ON: Final[dict[str, Encoding]] = {
    UNCOMPRESSED: "raw",
    "1.2.840.10008.1.2.4.50": "jpeg",
    "1.2.840.10008.1.2.4.51": "jpeg",
    "1.2.840.10008.1.2.4.57": "jpegll",
    "1.2.840.10008.1.2.4.70": "jpegll",
    "1.2.840.10008.1.2.4.80": "jpls",
    "1.2.840.10008.1.2.4.81": "jpls",
    "1.2.840.10008.1.2.4.90": "jp2",
    "1.2.840.10008.1.2.4.91": "jp2",
    "1.2.840.10008.1.2.4.201": "htj2k",
    "1.2.840.10008.1.2.4.202": "htj2k",
    "1.2.840.10008.1.2.4.203": "htj2k",
    "1.2.840.10008.1.2.5": "rle",
}
"""Compressions that leave as they are."""

DECODED: Final = frozenset({"1.2.840.10008.1.2.4.92", "1.2.840.10008.1.2.4.93", "1.2.840.10008.1.2.8.1"})
"""Compressions that the server may know: JPEG 2000 part 2, and deflated frames."""

FILMS: Final = "1.2.840.10008.1.2.4.10"
"""What the UIDs of MPEG-2, MPEG-4 and HEVC begin with."""

COLOURS: Final = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
GREYS: Final = frozenset({"MONOCHROME1", "MONOCHROME2"})


SIGN: Final = 40
"""Where in SIZ, from its marker on, the depth of the first component stands; the highest bit is the sign."""

LOOK: Final = 128
"""Bytes of a frame that hold it."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """What the pixels of a frame are (PS3.3 C.7.6.3), as stored or as delivered."""

    rows: int
    columns: int
    samples: int
    photometric: str
    planar: int | None
    allocated: int
    stored: int
    high: int
    signed: int
    floating: bool = False

    @property
    def bytes(self) -> int:
        """Of one frame without compression."""
        return (self.rows * self.columns * self.samples * self.allocated + 7) // 8


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a frame leaves; `why_not` in words for a person where it cannot be shown at all."""

    encoding: Encoding
    decode: bool
    pixels: Pixels
    why_not: str = ""


def delivered(syntax: str, stored: Pixels) -> Delivery:
    """How frames of such a file leave."""
    if not 0 < stored.stored <= stored.allocated <= 64 or stored.samples not in (1, 3, 4):
        return Delivery("raw", True, stored, "Its header says nothing sensible about its pixels.")
    if syntax in NATIVE or syntax == UNCOMPRESSED:
        return _native(syntax, stored)
    if syntax in PASSED_ON:
        return _compressed(PASSED_ON[syntax], stored)
    if syntax in DECODED:
        return Delivery("raw", True, _decoded(stored))
    if syntax.startswith(FILMS):
        return Delivery("raw", True, stored, "This is a compressed film (MPEG), which is not shown here; download it.")
    return Delivery("raw", True, stored, f"Its compression is not known here (transfer syntax {syntax or 'not told'}).")


def after_a_look(delivery: Delivery, stored: Pixels, beginning: bytes) -> Delivery:
    """The same, when the first bytes of a frame have been seen: JPEG 2000 whose numbers have no sign, where the header
    says that they have, is shown wrong by browsers and is decoded here."""
    size = beginning.find(b"\xff\x51")  # SIZ comes first (ISO/IEC 15444-1 A.5.1)
    if not needs_a_look(delivery) or size < 0 or len(beginning) <= size + SIGN:
        return delivery
    has_sign = beginning[size + SIGN] & 0x80
    return delivery if has_sign else Delivery("raw", True, _decoded(stored))


def needs_a_look(delivery: Delivery) -> bool:
    """Whether the frame's own first bytes may change how it leaves."""
    return delivery.encoding in ("jp2", "htj2k") and bool(delivery.pixels.signed)


def without_overlays(delivery: Delivery, stored: Pixels, positions: Iterable[int]) -> Delivery:
    """The same where overlays lie above the stored bits, at these positions (PS3.5 section 8.1.2, retired): decoding
    takes them off, where a browser would take them for part of the values."""
    if delivery.encoding in ("raw", "rle") and any(stored.stored <= each < stored.allocated for each in positions):
        return Delivery("raw", True, _decoded(stored))
    return delivery


def _native(syntax: str, stored: Pixels) -> Delivery:
    grey = stored.samples == 1 and stored.photometric in GREYS and stored.allocated in (8, 16, 32)
    colour = stored.samples == 3 and stored.photometric == "RGB" and stored.allocated == 8 and not stored.planar
    as_it_is = (
        syntax in (IMPLICIT_LITTLE, EXPLICIT_LITTLE, UNCOMPRESSED)
        and (grey or colour)
        and stored.high == stored.stored - 1
        and not stored.floating
    )
    if as_it_is:
        return Delivery("raw", False, replace(stored, planar=0 if colour else None))
    return Delivery("raw", True, _decoded(stored))


def _compressed(encoding: Encoding, stored: Pixels) -> Delivery:
    grey = stored.samples == 1 and stored.photometric in GREYS and stored.allocated in (8, 16)
    colour = stored.samples == 3 and stored.photometric in COLOURS and stored.allocated == 8
    # Cornerstone's decoder of JPEG puts 15 on every value of 12 bits, and takes RGB for YCbCr where no marker says it.
    misread = encoding == "jpeg" and (stored.stored > 8 or stored.photometric == "RGB")
    if (grey or colour) and not misread:
        return Delivery(encoding, False, stored)
    return Delivery("raw", True, _decoded(stored))


def _decoded(stored: Pixels) -> Pixels:
    """What comes of decoding at the server: greys as they are meant, in little endian, or RGB of 8 bits."""
    if stored.samples > 1 or stored.photometric not in GREYS:
        return replace(
            stored, samples=3, photometric="RGB", planar=0, allocated=8, stored=8, high=7, signed=0, floating=False
        )
    if stored.floating:
        return replace(stored, planar=None, allocated=32, stored=32, high=31, signed=1)
    allocated = next(each for each in (8, 16, 32, 64) if each >= max(stored.allocated, stored.stored))
    bits = stored.stored if stored.stored > 1 else 8
    return replace(stored, planar=None, allocated=min(allocated, 32), stored=min(bits, 32), high=min(bits, 32) - 1)
