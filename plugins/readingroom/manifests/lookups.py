"""Which lookup tables a frame is shown through, each table of a series once, within bounds (PS3.3 C.11.1, C.11.2)."""

from __future__ import annotations

import base64
import threading
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from readingroom.headers.lookup_table import Kind, LookupTable, Span, Unusable, table
from readingroom.headers.sequences import Item, value
from readingroom.manifests import tags
from readingroom.manifests.delivery import GREYS, Pixels
from readingroom.manifests.file_header import FileHeader
from readingroom.manifests.values import word, words

MOST_TABLES: Final = 256
"""Of one series; thirty radiographs with tables of their own have some ninety."""

MOST_ENTRIES: Final = 1 << 20
"""Of all tables of a series: 2 MB, sixteen of the largest."""

MOST_OF_A_FRAME: Final = 8
"""Alternatives that a frame is shown through: real files offer three."""

DAMAGED: Final[Mapping[Kind, str]] = {
    "modality": "Its modality lookup table is damaged: its values are those that are stored.",
    "voi": "A VOI lookup table of it is damaged.",
}
TOO_MANY: Final = "The series has too many lookup tables: one of this image is left out."

NONE: Final[Mapping[str, Any]] = {"modalityLut": None, "voiLuts": [], "lutLeftOut": None}
"""What is told of a frame that is shown without tables."""


class Tables:
    """The tables of one series, each of them once; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[LookupTable, LookupTable] = {}
        self._left = MOST_ENTRIES

    def kept(self, found: LookupTable) -> LookupTable | None:
        """The same table, the one that all frames share; None where there are too many."""
        with self._lock:
            known = self._known.get(found)
            if known is None and len(self._known) < MOST_TABLES and found.count <= self._left:
                known = self._known[found] = found
                self._left -= found.count
            return known


class Lookups:
    """The tables of one file. What is told of them names the tables themselves; `numbered` puts numbers there."""

    def __init__(self, header: FileHeader, stored: Pixels, tables: Tables) -> None:
        """`stored`: its pixels as they lie in the file."""
        self._header = header
        self._tables = tables
        self._is_grey = stored.samples == 1 and stored.photometric in GREYS and not stored.floating
        half = 1 << (stored.stored - 1)
        self._stored: Span = (-half, half - 1) if stored.signed else (0, 2 * half - 1)
        self._modality: LookupTable | None = None
        self._why = ""
        """Why the modality's table is not there."""
        if self._is_grey and header.modality_luts is None:
            self._why = DAMAGED["modality"]
        elif self._is_grey and header.modality_luts:
            self._modality, self._why = self._made("modality", header.modality_luts[0], self._stored)

    def told(self, said: Mapping[str, Any], voi: Sequence[Item] | None) -> Mapping[str, Any]:
        """What the manifest says of a frame's tables, and what it then says otherwise than `said` without them.

        `voi` are the items of its VOI LUT Sequence, None where that is damaged.
        """
        if not self._is_grey or (self._modality is None and not self._why and voi is not None and not voi):
            return NONE
        if self._why:  # windows and tables behind it speak of values that nobody has
            return {**NONE, "lutLeftOut": self._why, "windowCenter": [], "windowWidth": [], "windowExplanation": []}
        made = [self._made("voi", each, self._inputs(said)) for each in (voi or ())[:MOST_OF_A_FRAME]]
        told: dict[str, Any] = {
            "modalityLut": self._modality,
            "voiLuts": [found for found, _ in made if found is not None],
            "lutLeftOut": next((why for _, why in made if why), None) if voi is not None else DAMAGED["voi"],
        }
        if self._modality is not None:
            told |= {"slope": 1.0, "intercept": 0.0, "rescaleType": None}
        return told

    def _inputs(self, said: Mapping[str, Any]) -> Span:
        """What can come to a VOI LUT."""
        if self._modality is not None:
            return 0, self._modality.greatest
        ends = [each * said["slope"] + said["intercept"] for each in self._stored]
        return min(ends), max(ends)

    def _made(self, kind: Kind, item: Item, inputs: Span) -> tuple[LookupTable | None, str]:
        """A table, or why there is none."""
        big = self._header.big
        descriptor = value(item, tags.LUT_DESCRIPTOR)
        numbers = [int.from_bytes(descriptor[at : at + 2], "big" if big else "little") for at in (0, 2, 4)]
        data = value(item, tags.LUT_DATA)
        if big:
            swapped = array("H", data[: len(data) & ~1])
            swapped.byteswap()
            data = swapped.tobytes()
        try:
            if len(descriptor) < 6:
                raise Unusable("It has no descriptor.")
            made = table(kind, numbers, data, inputs)
        except Unusable:
            return None, DAMAGED[kind]
        charset = self._header.values.get(tags.CHARSET, b"")
        explanation = words(value(item, tags.LUT_EXPLANATION), charset).strip()
        kept = self._tables.kept(made.named(explanation, word(value(item, tags.MODALITY_LUT_TYPE))))
        return kept, "" if kept is not None else TOO_MANY


def numbered(frames: Iterable[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[dict[str, Any]]]:
    """What is said of each frame, with numbers in place of tables, and the tables as the manifest has them."""
    numbers: dict[LookupTable, int] = {}

    def number(found: LookupTable) -> int:
        return numbers.setdefault(found, len(numbers))

    said: list[Mapping[str, Any]] = []
    for each in frames:
        modality, voi = each["modalityLut"], each["voiLuts"]
        if modality is not None or voi:
            of_modality = None if modality is None else number(modality)
            said.append({**each, "modalityLut": of_modality, "voiLuts": [number(one) for one in voi]})
        else:
            said.append(each)
    return said, [_as_json(each) for each in numbers]


def _as_json(found: LookupTable) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "first": found.first,
        "bits": found.bits,
        "count": found.count,
        "data": base64.b64encode(found.entries).decode(),
        "explanation": found.explanation,
        "type": found.unit,
    }
