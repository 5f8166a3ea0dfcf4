"""What the OpenAPI document tells of a manifest is what is sent."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from readingroom.viewer.manifest_model import ManifestAnswer, ManifestDefaults

from tests.factories import ct_slices, dicom_bytes, us_multiframe
from tests.fixtures.manifests import Site
from tests.fixtures.viewing import radiograph

SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"

SERIES = {
    "slices": lambda: list(ct_slices(5, 16, 16)),
    "a film": lambda: [dicom_bytes(us_multiframe())],
    "of all kinds": lambda: [each.read_bytes() for each in sorted(SAMPLES.glob("*.dcm"))],
    "shown through tables": lambda: [radiograph("one"), dicom_bytes(us_multiframe())],
    "nothing": lambda: [],
}


@pytest.mark.parametrize("kind", SERIES)
def test_a_manifest_is_as_it_is_told_of(tmp_path: Path, kind: str) -> None:
    sent = Site(tmp_path, SERIES[kind]()).manifest()
    told = ManifestAnswer.model_validate(sent).model_dump(by_alias=True, exclude_unset=True)
    assert told == sent
    names = {field.alias or name for name, field in ManifestDefaults.model_fields.items()}
    assert set(sent["frames"]) - {"instance", "frameNumber", "position"} <= names


def test_a_manifest_of_all_kinds_of_files_says_what_it_does_not_show(tmp_path: Path) -> None:
    sent = Site(tmp_path, SERIES["of all kinds"]()).manifest()
    shown = set(sent["frames"]["instance"])
    hidden = {each["instance"] for each in sent["unshown"]}
    assert shown | hidden == set(range(len(sent["instances"]["uid"]))) and not shown & hidden
    assert sum(each["count"] for each in sent["groups"]) == sent["frameCount"]
