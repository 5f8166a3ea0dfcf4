"""A link's holder at the viewer's routes: what they look at stands in the link's log, whole files are its downloads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import ct_slices
from tests.fixtures.sharing import Browser, SharingSite
from tests.http.conftest import Person
from tests.http.shares.conftest import Create

UID = "1.2.826.0.1.3680043.10.77.60"
STUDY = "1.2.826.0.1.3680043.10.77"
MANIFEST = f"/api/pacs/studies/{STUDY}/series/{UID}/manifest"
COUNT = 4


@pytest.fixture(autouse=True)
def files(site: SharingSite) -> list[bytes]:
    """One CT on the NAS."""
    made = list(ct_slices(COUNT, 16, 16, name="elsewhere"))
    site.origin.put(UID, {f"{n}.dcm": data for n, data in enumerate(made)})
    return made


def holder(site: SharingSite, made: dict[str, Any], ip: str = "192.0.2.10") -> Browser:
    browser = site.browser(ip)
    assert browser.visit(made["token"]).status_code == 303
    return browser


def handles(browser: Browser) -> list[str]:
    ids = browser.ask(f"/api/pacs/studies/{STUDY}/image-ids/").get_json()["imageIds"]
    return [each.split("/")[-2] for each in ids]


def log(staff: Person, made: dict[str, Any]) -> list[tuple[str, bool, int]]:
    """What the link's log has, the oldest first."""
    items = staff.get(f"/api/shares/{made['id']}/log").get_json()["items"]
    return [(each["what"], each["success"], each["bytes"]) for each in reversed(items)]


def test_who_looks_through_the_images_stands_in_the_links_log(site: SharingSite, create: Create, staff: Person) -> None:
    made = create(UID)
    browser = holder(site, made, "198.51.100.80")
    for _ in range(5):
        manifest = browser.ask(MANIFEST).get_json()
    assert manifest["frameCount"] == COUNT
    assert log(staff, made) == [("landing", True, 0), ("view", True, 0)], "once a minute"
    site.later(minutes=2)
    asked = {"studyUid": STUDY, "seriesUid": UID, "version": manifest["version"], "frames": [[0, COUNT - 1]]}
    assert browser.ask("/api/pacs/frames", method="POST", json=asked).status_code == 200
    assert [what for what, _, _ in log(staff, made)] == ["landing", "view", "view"]
    seen = staff.get(f"/api/shares/{made['id']}").get_json()
    assert (seen["access_count"], seen["last_accessed"]) == (1, staff_time(staff, made))
    site.later(minutes=-2)


def staff_time(staff: Person, made: dict[str, Any]) -> str:
    return str(staff.get(f"/api/shares/{made['id']}/log").get_json()["items"][0]["time"])


def test_who_needs_no_link_leaves_nothing_in_its_log(site: SharingSite, create: Create, staff: Person) -> None:
    """A maker who tried the link goes on working in the same browser."""
    made = create(UID)
    browser = holder(site, made)
    assert browser.ask(MANIFEST, headers=staff.headers).status_code == 200
    handle = handles(browser)[0]  # by the link
    assert browser.ask(f"/api/pacs/instances/{handle}/file", headers=staff.headers).status_code == 200
    assert log(staff, made) == [("landing", True, 0), ("view", True, 0)]
    assert staff.get(f"/api/shares/{made['id']}").get_json()["download_count"] == 0


def test_whole_files_by_the_viewers_routes_are_the_links_downloads(
    site: SharingSite, create: Create, staff: Person, files: list[bytes]
) -> None:
    made = create(UID, max_downloads=1)
    first, second = (holder(site, made, f"198.51.100.{n}") for n in (81, 82))
    wanted = [f"/api/pacs/instances/{handle}/file" for handle in handles(first)]
    assert [first.ask(path).data for path in wanted] == files
    assert staff.get(f"/api/shares/{made['id']}").get_json()["download_count"] == 1, "one by one they are one download"
    sent = [(what, size) for what, _, size in log(staff, made) if what == "file"]
    assert sorted(sent) == sorted(("file", len(data)) for data in files)
    assert second.ask(MANIFEST).status_code == 200, "used up: who came in by it goes on looking"
    in_part = {"Accept": 'multipart/related; type="application/dicom"'}
    for path, headers in ((wanted[0], {}), (wanted[0].replace("/file", "/dicomweb"), in_part)):
        refused = second.ask(path, headers=headers)
        assert (refused.status_code, b"DICM" in refused.data) == (404, False), path
        assert first.ask(path, headers=headers).status_code == 200, "it had begun"
    assert second.ask(wanted[0].replace("/file", "/frames/1")).status_code == 200
    assert ("refused", False, 0) in log(staff, made)
