"""The Basic Application Level Confidentiality Profile (DICOM PS3.15 Annex E) applied to one file after the
other.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydicom import DataElement, Dataset, FileDataset, FileMetaDataset, dcmread, dcmwrite
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID, ImplicitVRLittleEndian

from readingroom.deidentify.replacements import DUMMIES, Replacement, Substitutes
from readingroom.deidentify.sequences import items_of
from readingroom.deidentify.table import BY_VR, Action, actions_for
from readingroom.errors import BadRequest

METHOD = "Basic Application Level Confidentiality Profile"
METHOD_CODE = "113100"
"""Its code in CID 7050, coding scheme DCM (PS3.16)."""

IMPLEMENTATION_UID = "2.25.21406384418907432146330478514613064961"
"""Who wrote the file (PS3.7 D.3.3.2): Reading Room."""

MAX_DEPTH = 64
"""Sequences inside sequences; no IOD comes near, and hostile files must not end the process."""

REMEMBERED = (
    "AccessionNumber",
    "FrameOfReferenceUID",
    "PatientBirthDate",
    "PatientID",
    "PatientName",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "StudyInstanceUID",
)
"""What the private map keeps, from the top level of each file."""

_META_KEPT = frozenset({0x00020001, 0x00020002, 0x00020003, 0x00020010})
"""File meta elements that stay; the others name programs, stations and addresses (PS3.10 table 7.1-1)."""


@dataclass(frozen=True, slots=True)
class Deidentified:
    """A de-identified file, and what was replaced in it; `data` is a whole DICOM file."""

    data: bytes
    replacements: tuple[Replacement, ...] = field(repr=False)


class Profile:
    """The profile for one case: the same original gives the same substitute in all its files, today and next
    year.

    `secret` belongs to the installation (16 bytes or more), `scope` to the case; `kept` is what its files were given
    already, perhaps under another scope. Safe for many threads at once.
    """

    def __init__(self, secret: bytes, scope: str, kept: Iterable[Replacement] = ()) -> None:
        self._substitutes = Substitutes(secret, scope)
        self._substitutes.abide_by(kept)

    def apply(self, file: bytes) -> Deidentified:
        """De-identify one file; its transfer syntax stays, and its pixel data byte for byte.

        Beyond the table: whole overlay groups go with their data, preamble and unknown attributes go too. A
        BurnedInAnnotation stays as it is, for pixels are not looked at. Raises BadRequest for a file that
        cannot be read to its end: what cannot be read cannot be cleaned.
        """
        try:
            dataset = dcmread(io.BytesIO(file), force=True)
            before = _remembered(dataset)
            self._clean(dataset, actions_for(str(dataset.get("SOPClassUID", ""))), MAX_DEPTH)
            _mark(dataset)
            data = self._written(dataset)
        except BadRequest:
            raise
        except Exception as error:  # pydicom raises whatever a malformed value makes Python raise
            # Neither the message nor the traceback may travel: they quote values of the header.
            raise BadRequest(f"This file cannot be de-identified ({type(error).__name__} while reading it).") from None
        after = _remembered(dataset)
        pairs = [Replacement(kind, value, after.get(kind, "")) for kind, value in before.items()]
        return Deidentified(data, tuple(pair for pair in pairs if pair.original != pair.replacement))

    def _clean(self, dataset: Dataset, actions: dict[int, Action], depth: int) -> None:
        if depth == 0:
            raise BadRequest("Sequences are nested deeper in this file than any DICOM object needs.")
        for tag in list(dataset.keys()):
            vr = _vr(dataset, tag)
            action = _action(tag, vr, actions)
            if action == "X":
                del dataset[tag]
            elif action == "Z":
                self._empty(dataset, tag, vr)
            elif action == "D" and vr != "UI":
                dataset[tag] = DataElement(tag, vr, _dummy(tag, vr))
            elif vr == "SQ":  # kept, with its items cleaned; so are sequences whose UIDs are to be replaced (U)
                items = items_of(dataset, tag)
                for item in items:
                    self._clean(item, actions, depth - 1)
                if items is not dataset[tag].value:
                    dataset[tag] = DataElement(tag, "SQ", Sequence(items))
            elif action in ("D", "U"):
                self._replace_uids(dataset, tag)

    def _empty(self, dataset: Dataset, tag: BaseTag, vr: str) -> None:
        if keyword_for_tag(tag) == "PatientID":
            original = str(dataset[tag].value or "").strip()
            dataset[tag] = DataElement(tag, vr, self._substitutes.patient_id(original))
        else:
            dataset[tag] = DataElement(tag, vr, Sequence() if vr == "SQ" else None)

    def _replace_uids(self, dataset: Dataset, tag: BaseTag) -> None:
        value = dataset[tag].value
        values = [value] if isinstance(value, str) else list(value or ())
        new = [self._substitutes.uid(str(one).strip(" \0")) if str(one).strip(" \0") else "" for one in values]
        dataset[tag] = DataElement(tag, "UI", new if len(new) != 1 else new[0])

    def _written(self, dataset: FileDataset) -> bytes:
        meta = getattr(dataset, "file_meta", None) or FileMetaDataset()
        for tag in list(meta.keys()):
            if tag not in _META_KEPT:
                del meta[tag]
        meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
        meta.ImplementationVersionName = "READINGROOM"
        if "TransferSyntaxUID" not in meta:
            meta.TransferSyntaxUID = ImplicitVRLittleEndian  # what a file without meta information is written in
        explicit = not UID(meta.TransferSyntaxUID).is_implicit_VR
        if explicit and any(element.VR is None for element in dataset.elements()):
            for _ in dataset.iterall():  # it breaks its own syntax: values without VR get theirs by being decoded
                pass
        dataset.file_meta = meta
        dataset.preamble = bytes(128)
        buffer = io.BytesIO()
        dcmwrite(buffer, dataset, enforce_file_format=True)
        return buffer.getvalue()


def _action(tag: BaseTag, vr: str, actions: dict[int, Action]) -> Action:
    if tag.is_private or tag.element == 0:  # group lengths are retired and would no longer fit
        return "X"
    if 0x5000 <= tag.group <= 0x50FF or 0x6000 <= tag.group <= 0x60FF:
        return "X"  # curves, and overlays: without its data an overlay's geometry is no overlay
    named = actions.get(tag)
    if named is not None:
        return named
    if not dictionary_has_tag(tag) or "Comment" in keyword_for_tag(tag):
        return "X"  # the table leaves some comments out, and people write names into all of them
    known = dictionary_VR(tag)
    if known == "SQ" and vr != "SQ":
        return "X"  # under a false VR nobody can look into its items
    return BY_VR.get(vr) or BY_VR.get(known, "K")


def _vr(dataset: Dataset, tag: BaseTag) -> str:
    vr = dataset.get_item(tag).VR
    if vr in (None, "UN") and dictionary_has_tag(tag):
        vr = dictionary_VR(tag)
    # Ambiguous ones such as "US or SS" are kept whatever they are; the first is good enough to name a dummy.
    return (vr or "UN").split(" ")[0]


def _dummy(tag: BaseTag, vr: str) -> object:
    if vr != "SQ":
        return DUMMIES[vr]
    item = Dataset()
    keyword = keyword_for_tag(tag)
    if keyword.endswith("CodeSequence"):
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "REMOVED", "99READINGROOM", "Removed"
    elif keyword == "ContentSequence":
        item.RelationshipType, item.ValueType, item.TextValue = "CONTAINS", "TEXT", "REMOVED"
        item.ConceptNameCodeSequence = [_code("121106", "Comment")]
    return Sequence([item])


def _mark(dataset: Dataset) -> None:
    """Say in the file what was done to it (PS3.15 E.1.1, PS3.3 C.7.1.1 and C.12.1)."""
    dataset.PatientIdentityRemoved = "YES"
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
    said = dataset.get("DeidentificationMethod") or []
    methods = [said] if isinstance(said, str) else [str(method) for method in said]
    dataset.DeidentificationMethod = [*(m for m in methods if m != METHOD), METHOD]
    codes = [c for c in dataset.get("DeidentificationMethodCodeSequence") or [] if c.get("CodeValue") != METHOD_CODE]
    dataset.DeidentificationMethodCodeSequence = [*codes, _code(METHOD_CODE, METHOD)]


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _remembered(dataset: Dataset) -> dict[str, str]:
    values = {keyword: str(dataset.get(keyword) or "").strip(" \0") for keyword in REMEMBERED}
    return {keyword: value for keyword, value in values.items() if value}
