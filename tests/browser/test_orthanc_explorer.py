"""Our entries in Orthanc Explorer, and where they lead."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.fixtures.browser import Shelf, Visit, Visitor
from tests.fixtures.instance import ADMIN_PASSWORD


@pytest.fixture(scope="module")
def study(shelf: Shelf) -> tuple[str, str, str, str]:
    """Orthanc's ids of a study and its series, and their UIDs."""
    for file in factories.ct_slices(
        4, 32, 32, name="explored", study="explored", StudyDescription="CT of the explored"
    ):
        stored = shelf.live.admin.post("/instances", data=file).json()
    admin, found = shelf.live.admin, []
    for level, tag in (("studies", "StudyInstanceUID"), ("series", "SeriesInstanceUID")):
        id_ = stored["ParentStudy" if level == "studies" else "ParentSeries"]
        found += [str(id_), str(admin.get(f"/{level}/{id_}").json()["MainDicomTags"][tag])]
    return found[0], found[2], found[1], found[3]


def explored(visit: Visitor, path: str) -> Visit:
    """An admin in Orthanc Explorer, which signs in by the browser's own box."""
    admin = visit("admin", http_credentials={"username": "admin", "password": ADMIN_PASSWORD})
    admin.go(f"/app/explorer.html#{path}")
    return admin


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def test_they_lead_to_the_viewer_to_ohif_and_to_a_link(visit: Visitor, study: tuple[str, str, str, str]) -> None:
    study_id, series_id, study_uid, series_uid = study
    admin = explored(visit, f"series?uuid={series_id}")
    page = admin.page
    expect(page.get_by_role("link", name="Share this series")).to_be_visible()
    follow(page, "Open in viewer")
    expect(page).to_have_url(f"{admin.url}/viewer/{study_uid}/{series_uid}")
    admin.go(f"/app/explorer.html#series?uuid={series_id}")
    follow(page, "Open in OHIF")
    expect(page).to_have_url(
        f"{admin.url}/ohif/viewer?StudyInstanceUIDs={study_uid}&initialSeriesInstanceUID={series_uid}"
    )
    admin.go(f"/app/explorer.html#study?uuid={study_id}")
    follow(page, "Open in viewer")
    expect(page).to_have_url(f"{admin.url}/viewer/{study_uid}")


def test_a_study_becomes_one_of_a_case_s(visit: Visitor, shelf: Shelf, study: tuple[str, str, str, str]) -> None:
    made = shelf.live.admin.post("/api/bestof/cases", json={"examType": "CT", "title": "Found in the archive"}).json()
    admin = explored(visit, f"study?uuid={study[0]}")
    page = admin.page
    follow(page, "Add to case")
    expect(page).to_have_url(re.compile(re.escape(f"/admin/cases?study={study[2]}")))
    dialog = page.get_by_role("dialog", name="Add a study to a case")
    expect(dialog).to_contain_text("1 series, 4 images")
    expect(dialog.get_by_role("button", name="Add to case")).to_be_disabled()
    dialog.get_by_role("combobox", name="Case").fill("found in the arch")
    page.get_by_role("option", name=re.compile("Found in the archive")).click()
    dialog.get_by_role("button", name="Add to case").click()
    expect(page.get_by_text(f"Case {made['caseNumber']:04d} has 4 files more.")).to_be_visible()
    expect(dialog).to_have_count(0)
    expect(page).to_have_url(f"{admin.url}/admin/cases")
    told = shelf.live.admin.get(f"/api/bestof/cases/{made['id']}").json()
    assert (told["fileCount"], told["studyUids"]) == (4, [study[2]])


def test_a_study_that_is_not_there_is_told_in_the_dialog(visit: Visitor, shelf: Shelf) -> None:
    shelf.live.admin.post("/api/bestof/cases", json={"examType": "CT", "title": "Waits for a study"})
    admin = visit("admin")
    admin.expected.append("status of 404")
    admin.go("/admin/cases?study=1.2.3.4")
    dialog = admin.page.get_by_role("dialog", name="Add a study to a case")
    expect(dialog).to_contain_text("1.2.3.4")
    dialog.get_by_role("combobox", name="Case").fill("waits for a")
    admin.page.get_by_role("option", name=re.compile("Waits for a study")).click()
    dialog.get_by_role("button", name="Add to case").click()
    expect(dialog.get_by_role("alert")).to_contain_text("There is no such study in Orthanc.")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
