"""What is told of a frame: spacing, rescale, windows, groups of multi-frame files, films, in numbers."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG4HP41
from readingroom.manifests.frames import Unshown
from readingroom.manifests.values import floats

from tests.factories import big_endian, ct, dataset, dicom_bytes, implicit, mr, us_multiframe
from tests.fixtures.manifests import enhanced, frames_in


def said(made: Dataset, frame: int = 0) -> dict[str, Any]:
    return frames_in(dicom_bytes(made))[frame].said


def test_a_ct_slice_is_described_in_numbers() -> None:
    told = said(ct(WindowCenter=["40", "-600"], WindowWidth=["400", "1500"], WindowCenterWidthExplanation=["A", "B"]))
    assert (told["rows"], told["columns"], told["bytes"], told["encoding"]) == (16, 16, 512, "raw")
    assert (told["slope"], told["intercept"]) == (1.0, -1024.0)
    assert (told["windowCenter"], told["windowWidth"]) == ([40.0, -600.0], [400.0, 1500.0])
    assert told["windowExplanation"] == ["A", "B"]
    assert told["spacingIs"] == "patient" and len(told["pixelSpacing"]) == 2
    assert told["imageOrientationPatient"] == [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    assert (told["lossy"], told["burnedIn"]) == (False, False)


@pytest.mark.parametrize("written", [dicom_bytes, implicit, big_endian])
def test_the_writing_of_a_file_changes_nothing_that_is_told(written: Any) -> None:
    told = frames_in(written(mr(SmallestImagePixelValue=3, LargestImagePixelValue=900)))[0]
    assert (told.said["rows"], told.said["bitsStored"], told.said["smallest"], told.said["largest"]) == (16, 12, 3, 900)
    assert told.place.decode is (written is big_endian)


def test_signed_extremes_are_read_as_signed() -> None:
    made = ct(PixelRepresentation=1)
    made.add_new(0x00280106, "SS", -1000)
    made.add_new(0x00280107, "SS", 3000)
    assert (said(made)["smallest"], said(made)["largest"]) == (-1000, 3000)


def test_a_window_narrower_than_the_standard_allows_is_none() -> None:
    assert said(ct(WindowCenter="40", WindowWidth="0"))["windowWidth"] == []
    assert said(ct(WindowCenter="0.5", WindowWidth="0.8", VOILUTFunction="SIGMOID"))["windowWidth"] == [0.8]


def test_a_detector_s_spacing_is_told_as_one() -> None:
    plain = {"PixelSpacing": None}
    of_detector = said(dx(ImagerPixelSpacing=["0.15", "0.15"], **plain))
    assert (of_detector["pixelSpacing"], of_detector["spacingIs"]) == ([0.15, 0.15], "detector")
    same = said(dx(ImagerPixelSpacing=["0.15", "0.15"], PixelSpacing=["0.15", "0.15"]))
    assert same["spacingIs"] == "detector"
    calibrated = said(dx(ImagerPixelSpacing=["0.15", "0.15"], PixelSpacing=["0.12", "0.12"]))
    assert (calibrated["pixelSpacing"], calibrated["spacingIs"]) == ([0.12, 0.12], "patient")
    assert said(dx(**plain))["spacingIs"] is None
    assert said(dx(PixelSpacing=["0", "0.1"]))["pixelSpacing"] is None


def dx(**keywords: Any) -> Dataset:
    made = ct(Modality="DX", **{k: v for k, v in keywords.items() if v is not None})
    if keywords.get("PixelSpacing", "") is None:
        del made.PixelSpacing
    return made


def test_a_film_tells_its_pace() -> None:
    assert said(us_multiframe())["frameTime"] == 40.0
    assert said(us_multiframe(FrameTime=None, CineRate="25"))["frameTime"] == 40.0
    assert said(us_multiframe(FrameTime=None, FrameTimeVector=["0", "30", "50", "40"]))["frameTime"] == 40.0
    assert said(us_multiframe(FrameTime="0", RecommendedDisplayFrameRate="10"))["frameTime"] == 100.0
    assert said(ct())["frameTime"] is None


def test_a_frame_s_own_groups_come_before_those_that_all_share() -> None:
    def groups_of(n: int) -> Dataset:
        own = Dataset()
        own.PlanePositionSequence = [dataset(ImagePositionPatient=["1", "2", str(10 * n)])]
        if n == 1:
            own.PixelValueTransformationSequence = [dataset(RescaleSlope="2", RescaleIntercept="5", RescaleType="US")]
            own.FrameVOILUTSequence = [dataset(WindowCenter="7", WindowWidth="9")]
        return own

    shared = Dataset()
    shared.PlaneOrientationSequence = [dataset(ImageOrientationPatient=["0", "1", "0", "0", "0", "-1"])]
    shared.PixelMeasuresSequence = [dataset(PixelSpacing=["0.5", "0.6"], SliceThickness="3", SpacingBetweenSlices="4")]
    shared.PixelValueTransformationSequence = [dataset(RescaleSlope="1", RescaleIntercept="0", RescaleType="US")]
    for written in (dicom_bytes, implicit):
        first, second = frames_in(written(enhanced(2, groups_of, shared, WindowCenter="40", WindowWidth="400")))
        assert (first.position, second.position) == ((1.0, 2.0, 0.0), (1.0, 2.0, 10.0))
        for each in (first, second):
            assert each.orientation == (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
            assert (each.said["pixelSpacing"], each.said["sliceThickness"]) == ([0.5, 0.6], 3.0)
            assert each.said["spacingBetweenSlices"] == 4.0
        assert (first.said["slope"], second.said["slope"], second.said["intercept"]) == (1.0, 2.0, 5.0)
        assert (first.said["windowCenter"], second.said["windowCenter"]) == ([40.0], [7.0])
        assert first.place.parts[0][1] == 128 and second.place.parts[0][0] == first.place.parts[0][0] + 128


def test_without_any_image_there_is_nothing_to_show() -> None:
    made = dataset(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", SOPInstanceUID="1.2.3", Modality="SR")
    with pytest.raises(Unshown, match="holds no picture"):
        frames_in(dicom_bytes(made))


def test_a_film_in_mpeg_is_said_to_be_one() -> None:
    made = us_multiframe(PixelData=encapsulate([b"a film" * 10]))
    made["PixelData"].is_undefined_length = True
    with pytest.raises(Unshown, match="MPEG"):
        frames_in(dicom_bytes(made, MPEG4HP41))


def test_numbers_that_are_none_are_absent() -> None:
    assert floats(b"1.5\\ 2 \\-3e2") == (1.5, 2.0, -300.0)
    for broken in (b"", b"nan", b"1\\inf", b"x", b"1,5", b"1\\\\2"):
        assert floats(broken) == ()
