"""The display order: along the normal, then by acquisition, time and echo, then by InstanceNumber."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from pydicom import Dataset
from readingroom.manifests.ordering import Group, ordered

from tests.factories import dataset, dicom_bytes, us_multiframe
from tests.fixtures.manifests import enhanced, frames_in, images, order_of

AXIAL, CORONAL, SAGITTAL = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1]


def at(z: float, number: int | None, **more: Any) -> dict[str, Any]:
    told = {"ImagePositionPatient": ["0", "0", f"{z:.3f}"], "ImageOrientationPatient": AXIAL, "InstanceNumber": None}
    return told | {"InstanceNumber": None if number is None else str(number)} | more


def test_slices_go_along_the_normal_whatever_the_order_of_files() -> None:
    heights = [n * 1.25 for n in range(60)]
    shuffled = random.Random(1).sample(range(60), 60)
    frames = images(*(at(heights[n], n + 1) for n in shuffled))
    assert [shuffled[each] for each in order_of(frames)] == list(range(60))


def test_the_end_that_was_numbered_first_comes_first() -> None:
    assert order_of(images(at(0, 3), at(5, 2), at(10, 1))) == [2, 1, 0]
    assert order_of(images(at(0, 1), at(5, 2), at(10, 3))) == [0, 1, 2]


def test_a_few_numbers_out_of_line_do_not_break_the_row() -> None:
    assert order_of(images(at(0, 1), at(5, 4), at(10, 2), at(15, 3), at(20, 5))) == [0, 1, 2, 3, 4]


def test_without_numbers_the_head_comes_first() -> None:
    assert order_of(images(at(0, None), at(5, None), at(10, None))) == [2, 1, 0]


def test_a_tilted_gantry_is_followed_along_its_normal() -> None:
    """20 degrees: positions move in y as well as in z, and z alone would do; so 80 degrees too, where it would not."""
    for degrees in (20, 80):
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        tilted = [1, 0, 0, 0, round(cos, 6), round(sin, 6)]
        noise = random.Random(degrees)
        along = [(-sin * 2.5 * n, cos * 2.5 * n) for n in range(20)]
        frames = images(
            *(
                # Within the plane a slice may start anywhere: only the way along the normal counts.
                at(0, n + 1, ImageOrientationPatient=tilted,
                   ImagePositionPatient=["0", f"{y + shift * cos:.4f}", f"{z + shift * sin:.4f}"])
                for n, (y, z) in enumerate(along)
                for shift in [noise.uniform(-40, 40)]
            )
        )  # fmt: skip
        assert order_of(frames[::-1]) == list(range(20))


def test_the_three_planes_of_a_localizer_are_three_groups() -> None:
    planes = [
        at(0, 3, ImageOrientationPatient=AXIAL),
        at(5, 4, ImageOrientationPatient=AXIAL),
        at(0, 1, ImageOrientationPatient=CORONAL, ImagePositionPatient=["0", "10", "0"]),
        at(0, 2, ImageOrientationPatient=CORONAL, ImagePositionPatient=["0", "20", "0"]),
        at(0, 5, ImageOrientationPatient=SAGITTAL, ImagePositionPatient=["10", "0", "0"]),
    ]
    frames, groups = ordered(images(*planes))
    assert [each.place.file for each in frames] == [2, 3, 0, 1, 4]
    assert groups == [Group("coronal 16×16", 0, 2), Group("axial 16×16", 2, 2), Group("sagittal 16×16", 4, 1)]


def test_cosines_that_were_rounded_differently_are_one_plane() -> None:
    one, other = [1, 0, 0, 0, 0.999994, -0.003491], [1, 0, 0, 0, 0.99999, -0.0035]
    frames = images(*(at(n, n, ImageOrientationPatient=one if n % 2 else other) for n in range(10)))
    assert len(ordered(frames)[1]) == 1


def test_planes_that_turn_around_an_axis_stay_together_by_number() -> None:
    turning = []
    for n in range(24):
        angle = math.radians(7.5 * n)
        cosines = [round(math.cos(angle), 6), round(math.sin(angle), 6), 0, 0, 0, -1]
        turning.append(at(0, n + 1, ImageOrientationPatient=cosines))
    frames, groups = ordered(images(*turning[::-1]))
    assert groups == [Group("turning 16×16", 0, 24)]
    assert [each.instance_number for each in frames] == list(range(1, 25))


def test_another_size_is_another_group() -> None:
    frames = images(at(0, 1), at(1, 2), at(0, 3, Rows=8, PixelData=bytes(256)))
    assert [(each.name, each.count) for each in ordered(frames)[1]] == [("axial 16×16", 2), ("axial 16×8", 1)]


def test_slices_without_a_place_go_by_number_then_time_behind_nothing_else() -> None:
    bare = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    assert order_of(images(at(0, 3) | bare, at(0, 1) | bare, at(0, 2) | bare)) == [1, 2, 0]
    unnumbered = [at(0, None, AcquisitionTime=f"1010{s:02d}") | bare for s in (30, 10, 20)]
    assert order_of(images(*unnumbered)) == [1, 2, 0]


def test_one_slice_without_a_place_does_not_upset_the_others() -> None:
    frames = images(at(0, 1), at(5, 2) | {"ImagePositionPatient": None}, at(10, 3))
    found, groups = ordered(frames)
    assert [each.place.file for each in found] == [0, 2, 1]
    assert [each.count for each in groups] == [2, 1]


@pytest.mark.parametrize("broken", [["1", "2"], ["a", "b", "c"], ["1", "2", "3", "4"]])
def test_a_position_that_is_none_counts_as_absent(broken: list[str]) -> None:
    assert images(at(0, 1) | {"ImagePositionPatient": ["7", "8", "9"]})[0].position == (7.0, 8.0, 9.0)
    frames = frames_in(
        dicom_bytes(_ct_of("1\\2\\3")).replace(b"1\\2\\3 ", "\\".join(broken).encode().ljust(6)[:6])
    )  # fmt: skip
    assert frames[0].position is None or broken == ["1", "2", "3", "4"]


def _ct_of(position: str) -> Dataset:
    made = dataset(SOPClassUID="1.2.840.10008.5.1.4.1.1.2", SOPInstanceUID="1.2.3")
    made.Rows = made.Columns = 2
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 0
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.ImagePositionPatient = position.split("\\")
    made.PixelData = bytes(8)
    return made


def test_at_one_place_the_acquisition_comes_first_then_the_number() -> None:
    """Two passes over the same table positions, numbered through."""
    frames = images(
        at(0, 1, AcquisitionNumber=2), at(5, 2, AcquisitionNumber=2), at(0, 3, AcquisitionNumber=1),
        at(5, 4, AcquisitionNumber=1),
    )  # fmt: skip
    assert order_of(frames) == [2, 0, 3, 1]


def test_a_time_series_goes_through_its_times_slice_by_slice() -> None:
    told = [
        at(5 * place, time * 3 + place + 1, TemporalPositionIdentifier=time + 1)
        for time in range(4)
        for place in range(3)
    ]
    frames, groups = ordered(images(*told))
    assert len(groups) == 1
    assert [each.place.file for each in frames] == [time * 3 + place for place in range(3) for time in range(4)]


def test_a_heart_s_phases_go_by_trigger_time() -> None:
    told = [at(0, n + 1, TriggerTime=str(when)) for n, when in enumerate((300, 0, 100, 200))]
    assert order_of(images(*told)) == [1, 2, 3, 0]


def test_echoes_of_one_slice_follow_each_other() -> None:
    told = [
        at(5 * place, echo * 4 + place + 1, EchoNumbers=str(echo + 1), EchoTime=str(10 + 80 * echo))
        for echo in range(2) for place in range(4)
    ]  # fmt: skip
    assert order_of(images(*told)) == [0, 4, 1, 5, 2, 6, 3, 7]


def test_a_film_stays_in_its_own_order() -> None:
    frames = frames_in(dicom_bytes(us_multiframe(frames=12)))
    assert [each.place.number for each in ordered(frames)[0]] == list(range(1, 13))


def test_films_follow_each_other_by_number() -> None:
    second = frames_in(dicom_bytes(us_multiframe(frames=3, InstanceNumber="2")), 0)
    first = frames_in(dicom_bytes(us_multiframe(frames=3, InstanceNumber="1")), 1)
    found, _ = ordered([*second, *first])
    assert [(each.place.file, each.place.number) for each in found] == [(1, 1), (1, 2), (1, 3), (0, 1), (0, 2), (0, 3)]


def test_frames_of_an_enhanced_file_go_by_their_own_positions() -> None:
    heights = [30, 10, 20, 0]

    def groups_of(n: int) -> Dataset:
        own = Dataset()
        own.PlanePositionSequence = [dataset(ImagePositionPatient=["0", "0", str(heights[n])])]
        content = dataset(InStackPositionNumber=n + 1, StackID="1")
        own.FrameContentSequence = [content]
        return own

    shared = Dataset()
    shared.PlaneOrientationSequence = [dataset(ImageOrientationPatient=AXIAL)]
    frames, groups = ordered(frames_in(dicom_bytes(enhanced(4, groups_of, shared))))
    assert [each.place.number for each in frames] == [1, 3, 2, 4]  # one instance: no number tells an end, so head first
    assert groups == [Group("axial 8×8", 0, 4)]


def test_a_dose_grid_s_planes_lie_where_its_offsets_say() -> None:
    made = us_multiframe(frames=3, Modality="RTDOSE", DoseGridScaling="0.001")
    made.ImagePositionPatient, made.ImageOrientationPatient = ["0", "0", "-5"], AXIAL
    made.GridFrameOffsetVector = ["0", "2", "4"]
    frames = frames_in(dicom_bytes(made))
    assert [each.position for each in frames] == [(0.0, 0.0, -5.0), (0.0, 0.0, -3.0), (0.0, 0.0, -1.0)]
    assert frames[0].said["slope"] == 0.001


def test_a_film_runs_in_the_order_of_its_frames_through_all_beats_of_the_heart() -> None:
    def groups_of(n: int) -> Dataset:
        own = Dataset()
        own.CardiacSynchronizationSequence = [dataset(NominalCardiacTriggerDelayTime=float(n % 3 * 40))]
        own.FrameContentSequence = [dataset(FrameAcquisitionNumber=1)]
        return own

    frames, _ = ordered(frames_in(dicom_bytes(enhanced(9, groups_of))))
    assert [frame.place.number for frame in frames] == list(range(1, 10))


def test_at_one_place_frames_go_by_their_delay_behind_the_beat() -> None:
    def groups_of(n: int) -> Dataset:
        own = Dataset()
        own.CardiacSynchronizationSequence = [dataset(NominalCardiacTriggerDelayTime=float(100 - n % 3 * 40))]
        own.PlanePositionSequence = [dataset(ImagePositionPatient=["0", "0", str(n // 3)])]
        own.PlaneOrientationSequence = [dataset(ImageOrientationPatient=[str(each) for each in AXIAL])]
        return own

    frames, _ = ordered(frames_in(dicom_bytes(enhanced(6, groups_of))))
    assert [frame.place.number for frame in frames] == [3, 2, 1, 6, 5, 4]
