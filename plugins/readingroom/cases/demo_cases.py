"""The sample cases: their texts, and the folder that stands for a NAS, made of pydicom's samples and a
phantom.

Nothing is downloaded and nobody is behind the texts. Where a text names a finding, the finding is in the
picture.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.data import get_testdata_file

from readingroom.cases.numbering import padded
from readingroom.cases.phantom import CHEST, PULMONARY_NODULE, Scan, slices

Files = Iterator[tuple[str, bytes]]


def nothing() -> Files:
    """No file."""
    return iter(())


@dataclass(frozen=True, slots=True)
class SampleCase:
    """One sample case; `files` gives its files by path below the case's folder."""

    number: int
    exam_type: str
    title: str
    text: str
    files: Callable[[], Files] = field(default=nothing)
    published: bool = True
    deidentify: bool = False


def samples(**names: str) -> Callable[[], Files]:
    """Files of pydicom's own, byte for byte, by the path that each gets (`__` stands for a slash)."""

    def files() -> Files:
        for path, name in names.items():
            found = get_testdata_file(name, download=False)
            if found is not None:  # a distribution's pydicom may come without its samples
                yield path.replace("__", "/") + ".dcm", Path(str(found)).read_bytes()

    return files


def scans(*series: tuple[str, Scan]) -> Callable[[], Files]:
    """Series of the phantom, each in a folder of its own."""

    def files() -> Files:
        for folder, scan in series:
            for number, file in enumerate(slices(scan), start=1):
                yield f"{folder}/IM{number:04d}.dcm", file

    return files


_NODULE = "a nodule"

SAMPLE_CASES = (
    SampleCase(
        1,
        "CT",
        "Solitary pulmonary nodule, right upper lobe",
        "A 61-year-old former smoker, examined before a hip replacement. The chest radiograph showed a rounded "
        "opacity.\n\n"
        "Find it: page through the thin series in the lung window, then measure it in two directions. Change to the "
        "mediastinal window. Is there calcium or fat in it? Are its edges smooth or spiculated?\n\n"
        "Compare the thin with the thick series. Why does the nodule look paler in the latter? (Partial volume: a "
        "slice of 7.5 mm averages the nodule with the air above and below it.)\n\n"
        "For discussion: what would you recommend for a solid nodule of this size in a patient at high risk, and "
        "which earlier image would you ask for first?\n\n"
        "(A phantom, computed for this collection.)",
        scans(
            ("thin", Scan(_NODULE, 80, thickness=2.5, organs=PULMONARY_NODULE, study="demo 1")),
            (
                "thick",
                Scan(f"{_NODULE}, thick", 27, 256, 256, 7.5, PULMONARY_NODULE, "demo 1", 2, "CT chest", "Axial 7.5 mm"),
            ),
        ),
    ),
    SampleCase(
        2,
        "MRI",
        "Focal lesion of the right lobe of the liver",
        "One axial slice of the upper abdomen, T1-weighted with fat suppression after contrast.\n\n"
        "Begin with orientation: liver on the left of the picture, spleen and stomach on the right, both kidneys, "
        "the aorta in front of the spine. The renal cortex is bright: what does that say about the phase?\n\n"
        "Now describe the lesion as you would in a report: segment, size, margin, signal compared with the liver "
        "around it, enhancement of its rim and of its centre. Only then make a list of what it may be, most likely "
        "first, and say which other sequence would help you most.",
        samples(IM0001="examples_overlay.dcm"),
        deidentify=True,
    ),
    SampleCase(
        3,
        "Echo",
        "Finding your bearings in a cardiac loop",
        "A loop of 30 frames, as it came from the scanner.\n\n"
        "Let it run slowly. Before you name a chamber, find the depth scale and the side marker, and decide which "
        "window you look through. Then follow one valve leaflet through the whole cycle.\n\n"
        "Stop in end-diastole and in end-systole. How did you recognise them without an ECG trace?",
        samples(loop="examples_ybr_color.dcm"),
        deidentify=True,
    ),
    SampleCase(
        4,
        "CT",
        "One vertebra, three windows",
        "A small axial image of a thoracic vertebra.\n\n"
        "Look at it in a bone window, a soft-tissue window and a lung window. Which structures appear and which "
        "vanish? Measure the Hounsfield units of the vertebral body, of the spinal canal and of the muscle behind "
        "it, and write down what you expected first.",
        samples(IM0001="CT_small.dcm"),
        deidentify=True,
    ),
    SampleCase(
        5,
        "CT",
        "A normal chest, for comparison with case 1",
        "Nothing is hidden here. Learn the normal first: the course of the trachea, the descending aorta beside "
        "the spine, the heart's outline, the dome of the liver behind the right lung base.\n\n"
        "Then go back to case 1.\n\n(A phantom, computed for this collection.)",
        scans(("thin", Scan("normal", 60, 256, 256, 3.0, CHEST, "demo 5"))),
    ),
    SampleCase(
        6,
        "Ultrasound",
        "Lymph node in power Doppler",
        "Still to be checked by its author: the headers carry a name, and text is burned into the picture. "
        "Publishing it therefore asks for an admin's explicit word.\n\n"
        "Question for later: does the flow enter at the hilum and branch like a tree, or come from the rim?",
        samples(colour__IM0001="examples_rgb_color.dcm", jpeg2000__IM0001="examples_jpeg2k.dcm"),
        published=False,
    ),
    SampleCase(
        7,
        "MRI",
        "Torn medial meniscus (images to follow)",
        "A 24-year-old football player with a locked knee. The images are not on the NAS yet: this case shows what "
        "students and admins see until an import has brought them.",
    ),
)


def write_folder(folder: Path) -> None:
    """Write the sample cases as `{examType}/{number}/…`; a file that is there already is left alone."""
    for case in SAMPLE_CASES:
        place = folder / case.exam_type / padded(case.number)
        place.mkdir(parents=True, exist_ok=True)
        for path, data in case.files():
            _write(place / path, data)


def _write(path: Path, data: bytes) -> None:
    if path.exists() and path.stat().st_size == len(data):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
