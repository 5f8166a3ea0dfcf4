"""Plans are made once, kept, made again where the kept ones are damaged; one broken file keeps no other from sight."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from readingroom.errors import StoredFileBroken, TooManyRequests
from readingroom.manifests import FramePlace, SeriesPlan, plans
from readingroom.manifests.keeping import packed, unpacked

from tests.factories import ct_slices, dataset, dicom_bytes, us_multiframe
from tests.fixtures.manifests import UID, Site

SLICES = list(ct_slices(12, 16, 16))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, SLICES)


def test_each_header_is_read_once_for_all_who_ask(site: Site) -> None:
    first = site.plans.of(site.found)
    assert sorted(site.origin.opened) == list(range(12))
    assert site.plans.of(site.found) == first
    assert site.restarted().of(site.found) == first
    assert len(site.origin.opened) == 12


def test_those_who_ask_meanwhile_wait_for_the_one_that_is_being_made(site: Site) -> None:
    site.origin.gate.clear()
    found: list[SeriesPlan] = []
    threads = [threading.Thread(target=lambda: found.append(site.plans.of(site.found))) for _ in range(8)]
    for each in threads:
        each.start()
    site.origin.gate.set()
    for each in threads:
        each.join(30)
    assert len(found) == 8 and all(each is found[0] or each == found[0] for each in found)
    assert len(site.origin.opened) == 12


def test_too_many_who_wait_are_sent_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "WAITING", 1)
    few = site.restarted()
    site.origin.gate.clear()
    first = threading.Thread(target=lambda: few.of(site.found))
    first.start()
    while not few._under_way:
        pass
    with pytest.raises(TooManyRequests):
        few.of(site.found)
    site.origin.gate.set()
    first.join(30)
    assert len(json.loads(few.of(site.found).manifest)["frames"]["instance"]) == 12


def test_other_files_are_another_plan(site: Site) -> None:
    first = site.manifest()
    site.origin.contents.pop()
    site.origin.version = "v2"
    second = site.manifest()
    assert (first["frameCount"], second["frameCount"]) == (12, 11)
    assert first["version"] != second["version"]


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "nonsense", "no magic"])
def test_a_kept_plan_that_is_damaged_is_made_again(site: Site, damage: str) -> None:
    first = site.plans.of(site.found)
    (kept,) = (site.settings.data / "cache" / "manifests").rglob("*.plan")
    data = kept.read_bytes()
    kept.write_bytes({
        "cut": data[:-9], "flipped": data[:200] + bytes([data[200] ^ 1]) + data[201:], "emptied": b"",
        "nonsense": b"nonsense" * 100, "no magic": b"RRM0" + data[4:],
    }[damage])  # fmt: skip
    assert site.restarted().of(site.found) == first
    assert len(site.origin.opened) == 24
    assert kept.read_bytes() == data


def test_every_byte_of_a_kept_plan_counts(site: Site) -> None:
    plan = site.plans.of(site.found)
    data = packed(plan)
    assert unpacked(data, plan.found, plan.version) == plan
    for at in range(0, len(data), 7):
        assert unpacked(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :], plan.found, plan.version) is None


def test_places_survive_being_kept(site: Site) -> None:
    found = site.found
    places = [
        FramePlace(0, 1, ((10, 20),), "1.2.840.10008.1.2.1", "raw", False),
        FramePlace(3, 7, ((1 << 40, 5), (9, 1)), "1.2.840.10008.1.2.4.80", "jpls", False),
        FramePlace(3, 8, (), "1.2.840.10008.1.2.1.99", "raw", True),
    ]
    plan = SeriesPlan(found, "x", b'{"a": "\xc3\xa9"}', places)
    assert unpacked(packed(plan), found, "x") == plan


def test_what_cannot_be_shown_is_named_and_the_rest_is_shown(tmp_path: Path) -> None:
    report = dicom_bytes(dataset(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", SOPInstanceUID="1.2.3", Modality="SR"))
    site = Site(tmp_path, [SLICES[0], report, SLICES[1][:400], b"no DICOM", SLICES[2][:-1], SLICES[3]])
    told = site.manifest()
    assert told["frames"]["instance"] == [0, 5]
    assert {each["instance"]: each["reason"] for each in told["unshown"]} == {
        1: "It holds no picture.",
        2: "Its header is damaged.",
        3: "Its header is damaged.",
        4: "The file ends before its pixels do.",
    }


def test_a_file_that_is_out_of_reach_is_tried_again_and_nothing_of_that_is_kept(site: Site) -> None:
    site.origin.broken = {3, 4}
    told = site.manifest()
    assert told["frameCount"] == 10
    assert {each["reason"] for each in told["unshown"]} == {"The file cannot be read."}
    opened = len(site.origin.opened)
    site.manifest()
    assert len(site.origin.opened) == opened  # for a while it is not tried again with each request
    site.origin.broken = set()
    site.clock.advance(timedelta(seconds=plans.LOST_SECONDS + 1))
    again = site.manifest()
    assert again["frameCount"] == 12
    assert again["version"] != told["version"]  # or a browser would go on with what it has


def test_where_nothing_can_be_read_that_is_said(site: Site) -> None:
    site.origin.broken = set(range(12))
    with pytest.raises(StoredFileBroken):
        site.plans.of(site.found)
    site.origin.broken = set()
    assert site.manifest()["frameCount"] == 12


def test_a_disk_that_is_full_keeps_nobody_from_looking(site: Site) -> None:
    (site.settings.data / "cache").mkdir()
    (site.settings.data / "cache" / "manifests").write_text("in the way of the folder")
    assert site.manifest()["frameCount"] == 12


def test_a_manifest_says_most_things_once(site: Site) -> None:
    told = site.manifest()
    assert told["place"] == "nas" and told["seriesUid"] == UID
    assert set(told["frames"]) == {"instance", "position"}
    assert told["defaults"]["rows"] == 16
    assert told["instances"]["handle"][0].startswith("nas-")
    assert len(set(told["instances"]["handle"])) == 12


def test_what_differs_from_frame_to_frame_is_a_column(tmp_path: Path) -> None:
    files = [*ct_slices(3, 16, 16), *ct_slices(2, 16, 16, name="other", RescaleIntercept="-1000", WindowCenter="7")]
    told = Site(tmp_path, files).manifest()
    assert told["defaults"]["intercept"] == -1024.0
    assert sorted(told["frames"]["intercept"]) == [-1024.0] * 3 + [-1000.0] * 2
    assert sorted(told["frames"]["windowCenter"])[0] == [7.0]


def test_the_facts_are_those_of_the_files(tmp_path: Path) -> None:
    """Orthanc's index knows a patient by the first file that came; a file that names nobody must go on doing so."""
    told = Site(tmp_path, list(ct_slices(2, 16, 16, PatientName="", PatientID="anonymous 7"))).manifest()
    assert told["patient"] == {"name": "", "id": "anonymous 7", "birthDate": "", "sex": told["patient"]["sex"]}


def test_films_tell_frame_numbers(tmp_path: Path) -> None:
    told = Site(tmp_path, [dicom_bytes(us_multiframe(frames=3))]).manifest()
    assert told["frames"]["frameNumber"] == [1, 2, 3]
    assert told["frames"]["position"] == [None, None, None]
