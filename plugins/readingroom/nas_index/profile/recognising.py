"""Recognises medical aid, hospital and hospital group in the header fields that sites write them into."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from readingroom.nas_index.header import Header
from readingroom.nas_index.profile.names import Names, Spelt
from readingroom.nas_index.rows import NOWHERE, Region
from readingroom.nas_index.words import folded

Words = tuple[str, ...]

REMEMBERED = 50_000
"""Field values whose meaning is remembered: a site has some hundred institutions, and many more comments."""

MAX_FIELD = 2000
"""Characters of one field that are looked at."""

MARKER_REACH = 4
"""Words after "medical aid" within which a short name means a medical aid."""

# Words that say: what follows is a medical aid.
MARKERS: tuple[Words, ...] = (
    ("medical", "aid"), ("med", "aid"), ("medaid",), ("m", "aid"), ("scheme",), ("skema",), ("medical", "fund"),
    ("mediese", "fonds"), ("insurance",), ("insurer",), ("funder",), ("payer",), ("ma",),
)  # fmt: skip

# What hospitals' names end with, and people leave out.
GENERIC = {
    "hospital", "private", "clinic", "medical", "centre", "center", "academic", "provincial", "regional", "district",
    "hospitaal", "kliniek", "tertiary", "the",
}  # fmt: skip

_WORD = re.compile(r"[^\W_]+")


class Spellings:
    """Finds the longest of many spellings in a run of words."""

    def __init__(self) -> None:
        self._by_first: dict[str, dict[Words, str]] = {}

    def add(self, spelling: str, name: str) -> None:
        """Let this spelling mean that name; the first meaning stays."""
        words = _words(spelling)
        if words:
            self._by_first.setdefault(words[0], {}).setdefault(words, name)

    def find(self, words: Sequence[str]) -> tuple[str, Words] | None:
        """The name whose spelling is the longest that stands in these words, and that spelling."""
        best: tuple[tuple[int, int], str, Words] | None = None
        for at, word in enumerate(words):
            for spelling, name in self._by_first.get(word, {}).items():
                if tuple(words[at : at + len(spelling)]) == spelling:
                    weight = (len(spelling), sum(map(len, spelling)))
                    if best is None or weight > best[0]:
                        best = (weight, name, spelling)
        return (best[1], best[2]) if best else None

    def whole(self, words: Words) -> str:
        """The name that these words are a spelling of, all of them; else empty."""
        return self._by_first.get(words[0], {}).get(words, "") if words else ""


class Recogniser:
    """What `Recognise` asks for, with names from a profile's file; threads may share it."""

    def __init__(self, names: Names) -> None:
        self._aids, self._short_aids = Spellings(), Spellings()
        for aid in names.medical_aids:
            _learn(self._aids, aid, (aid.name,))
            for spelling in (aid.name, *aid.spellings, *aid.short):
                self._short_aids.add(spelling, aid.name)
        self._hospitals, self._groups = Spellings(), Spellings()
        self._group_of: dict[str, str] = {}
        for group in names.groups:
            _learn(self._groups, group, (group.name,))
            for hospital in group.hospitals:
                names_of_it = [hospital.name, *_as_the_group_is_spelt(hospital.name, group)]
                _learn(self._hospitals, hospital, [*names_of_it, *map(_plain, names_of_it)])
                self._group_of.setdefault(hospital.name, group.name)
        self._first_words = Spellings()  # "Life …" is a group only where the name begins with it
        for group in names.groups:
            for spelling in group.short:
                self._first_words.add(spelling, group.name)
        self._place = lru_cache(maxsize=REMEMBERED)(self._place_of)
        self._aid = lru_cache(maxsize=REMEMBERED)(self._aid_of)

    def __call__(self, header: Header) -> Region:
        """What the header says; nothing where it says nothing, or nothing that is known."""
        hospital, group = self._place(header.InstitutionName)
        aid = self._aid(
            header.InsurancePlanIdentification,
            header.IssuerOfPatientID,
            header.PatientComments,
            header.AdditionalPatientHistory,
            header.OtherPatientIDs,
        )
        return Region(aid, hospital, group) if aid or hospital or group else NOWHERE

    def _place_of(self, institution: str) -> tuple[str, str]:
        words = _words(institution)
        if hospital := self._hospitals.find(words):
            return hospital[0], self._group_of[hospital[0]]
        if group := self._groups.find(words):
            return "", group[0]
        return "", self._first_words.whole(words[:1])

    def _aid_of(self, plan: str, issuer: str, *prose: str) -> str:
        # The plan's own field is about nothing else; who issues a patient's number may be a scheme or a hospital.
        words = _words(plan)
        if found := self._short_aids.find(words):
            return found[0]
        for field in (issuer, *prose):
            words = _words(field)
            if found := self._aids.find(words):
                return found[0]
            if name := self._short_aids.whole(words):
                return name
            if found := self._marked(words):
                return found[0]
        return ""

    def _marked(self, words: Words) -> tuple[str, Words] | None:
        """A short name behind a word that says "medical aid"."""
        for at in range(len(words)):
            for marker in MARKERS:
                if words[at : at + len(marker)] == marker:
                    begin = at + len(marker)
                    if found := self._short_aids.find(words[begin : begin + MARKER_REACH]):
                        return found
        return None


def _learn(spellings: Spellings, spelt: Spelt, more: Iterable[str]) -> None:
    for spelling in (*more, *spelt.spellings):
        spellings.add(spelling, spelt.name)


def _as_the_group_is_spelt(hospital: str, group: Spelt) -> list[str]:
    """`Medi-Clinic Panorama` of `Mediclinic Panorama`."""
    if not hospital.startswith(f"{group.name} "):
        return []
    return [spelling + hospital[len(group.name) :] for spelling in group.spellings]


def _plain(name: str) -> str:
    """A hospital's name without the words that people leave out; all of it where one word would be left."""
    words = list(_words(name))
    while words and words[-1] in GENERIC:
        words.pop()
    return " ".join(words) if len(words) > 1 else name


def _words(text: str) -> Words:
    return tuple(_WORD.findall(folded(text[:MAX_FIELD])))
