"""Standardised uptake values of PET: right, or none."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset

from tests.factories import ct, dataset, dicom_bytes, implicit
from tests.fixtures.manifests import frames_in


def suv(made: Dataset) -> Any:
    return frames_in(dicom_bytes(made))[0].said["suv"]


PET = {
    "Modality": "PT", "Units": "BQML", "CorrectedImage": ["ATTN", "DECY"], "PatientWeight": "70",
    "DecayCorrection": "START", "SeriesTime": "110000",
}  # fmt: skip


INJECTION = {
    "RadionuclideTotalDose": "370000000", "RadionuclideHalfLife": "6586.2", "RadiopharmaceuticalStartTime": "100000"
}  # fmt: skip


def pet(injection: dict[str, Any] | None = None, **keywords: Any) -> Dataset:
    made = ct(**(PET | keywords))
    made.RadiopharmaceuticalInformationSequence = [dataset(**(INJECTION | (injection or {})))]
    return made


def test_standardised_uptake_is_by_body_weight_and_decay() -> None:
    for written in (dicom_bytes, implicit):
        factor = frames_in(written(pet()))[0].said["suv"]
        assert factor == pytest.approx(70_000 / (370e6 * 2 ** (-3600 / 6586.2)), rel=1e-9)
    assert suv(pet(DecayCorrection="ADMIN")) == pytest.approx(70_000 / 370e6)
    assert suv(pet(Units="GML")) == 1.0


@pytest.mark.parametrize(
    "lacking",
    [{"PatientWeight": "0"}, {"Units": "CNTS"}, {"CorrectedImage": ["ATTN"]}, {"DecayCorrection": "NONE"},
     {"SeriesTime": ""}, {"Modality": "CT"}],
)  # fmt: skip
def test_without_what_it_takes_there_is_no_uptake(lacking: dict[str, Any]) -> None:
    assert suv(pet(**lacking)) is None


def expected(waited: float, half_life: float = 6586.2) -> Any:
    return pytest.approx(70_000 / (370e6 * 2 ** (-waited / half_life)), rel=1e-9)


def test_a_scan_may_follow_its_injection_over_midnight() -> None:
    late = {"RadiopharmaceuticalStartTime": "233000"}
    assert suv(pet(late, SeriesTime="003000")) == expected(3600)
    dated = late | {"RadiopharmaceuticalStartDateTime": "20260104233000.000000+0200"}
    assert suv(pet(dated, SeriesDate="20260105", SeriesTime="003000")) == expected(3600)


def test_of_a_long_lived_nuclide_the_days_count() -> None:
    zirconium = {"RadionuclideHalfLife": "282240", "RadiopharmaceuticalStartTime": "110000"}
    assert suv(pet(zirconium)) is None, "on which day it was injected nobody knows"
    dated = zirconium | {"RadiopharmaceuticalStartDateTime": "20260102110000"}
    assert suv(pet(dated, SeriesDate="20260105")) == expected(3 * 86400, 282240)


def test_a_series_that_was_made_after_the_scan_does_not_know_when_it_began() -> None:
    assert suv(pet(AcquisitionDate="20260105", AcquisitionTime="110500", SeriesDate="20260105")) == expected(3600)
    later = {"AcquisitionDate": "20260105", "AcquisitionTime": "110500", "SeriesDate": "20260105"}
    assert suv(pet(SeriesTime="150000", **later)) is None


def test_uptake_by_lean_mass_is_not_told_as_that_by_weight() -> None:
    assert suv(pet(Units="GML", SUVType="BW")) == 1.0
    assert suv(pet(Units="GML", SUVType="LBM")) is None


def test_what_cannot_be_right_is_none() -> None:
    assert suv(pet({"RadionuclideHalfLife": "0.1"})) is None
    assert suv(pet({"RadiopharmaceuticalStartDateTime": "20260106100000"}, SeriesDate="20260105")) is None
