"""The students' pages: find, check, download."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from playwright.sync_api import Download, Locator, Page, expect

from tests.fixtures.browser import CROWD, Shelf, Visit, Visitor


def checkbox(page: Page, number: int) -> Locator:
    return page.get_by_role("checkbox", name=f"Select case {number:04d}")


def at_cases(visit: Visitor, query: str = "") -> Visit:
    student = visit("student")
    student.go(f"/cases{query}")
    expect(student.page.get_by_role("table")).to_be_visible()
    return student


def kept(download: Download, folder: Path) -> zipfile.ZipFile:
    path = folder / download.suggested_filename
    download.save_as(path)
    archive = zipfile.ZipFile(path)
    assert archive.testzip() is None
    return archive


def test_checked_cases_come_as_one_zip_with_a_folder_for_each(visit: Visitor, shelf: Shelf, tmp_path: Path) -> None:
    student = at_cases(visit)
    page = student.page
    expect(page.get_by_role("region", name="Selected cases")).to_have_count(0)
    checkbox(page, 3).check()
    checkbox(page, CROWD[0]).check()
    bar = page.get_by_role("region", name="Selected cases")
    expect(bar).to_contain_text("2 cases selected")
    expect(bar).to_contain_text(re.compile(r"about \d+(\.\d+)? kB"))
    with page.expect_download() as started:
        bar.get_by_role("button", name="Download DICOMs (2 cases)").click()
    archive = kept(started.value, tmp_path)
    assert started.value.suggested_filename == "batch_download.zip"
    assert {name.split("/")[0] for name in archive.namelist()} == {"0003_CT", "0101_CT"}
    (single,) = (name for name in archive.namelist() if name.startswith("0101_CT/") and not name.endswith("/"))
    assert archive.read(single) == shelf.tree["CT/0101/slice.dcm"]
    expect(page.get_by_text("Download started")).to_be_visible()


def test_a_case_comes_as_its_own_zip_and_says_its_size_first(visit: Visitor, shelf: Shelf, tmp_path: Path) -> None:
    student = visit("student")
    student.go(f"/cases/{shelf.ids[3]}")
    page = student.page
    expect(page.get_by_text("Sudden onset while gardening.")).to_be_visible()
    button = page.get_by_role("button", name="Download DICOMs")
    button.hover()
    expect(page.get_by_role("tooltip")).to_contain_text(re.compile(r"kB in 10 files"))
    with page.expect_download() as started:
        button.click()
    archive = kept(started.value, tmp_path)
    assert started.value.suggested_filename == "Cas_0003_CT.zip"
    contents = sorted(archive.read(name) for name in archive.namelist() if not name.endswith("/"))
    assert contents == sorted(
        data
        for path, data in shelf.tree.items()
        if path.startswith("CT/0003/") and path.endswith(".dcm") and "/a/b/" in path
    )


def test_a_case_without_images_can_be_read_but_not_checked(visit: Visitor, shelf: Shelf) -> None:
    student = at_cases(visit, "?q=knee")
    expect(checkbox(student.page, 900)).to_be_disabled()
    expect(student.page.get_by_text("No images")).to_be_visible()
    student.page.get_by_role("link", name="Knee pain after a fall").click()
    expect(student.page.get_by_role("heading", name="Knee pain after a fall")).to_be_visible()
    expect(student.page.get_by_role("button", name="Download DICOMs")).to_have_count(0)
    expect(student.page.get_by_text("have not been imported yet")).to_be_visible()


def test_more_than_fifty_cases_cannot_be_downloaded_at_once(visit: Visitor) -> None:
    student = at_cases(visit, "?q=cough")
    page = student.page
    checkbox(page, CROWD[0]).check()
    page.get_by_role("button", name="Select all", exact=True).click()
    bar = page.get_by_role("region", name="Selected cases")
    expect(bar).to_contain_text(f"{len(CROWD)} cases selected")
    download = bar.get_by_role("button", name=re.compile("Download DICOMs"))
    expect(download).to_be_disabled()
    expect(bar.get_by_role("alert")).to_have_text(re.compile("50 cases at most. Uncheck 2 cases"))
    checkbox(page, CROWD[0]).uncheck()
    checkbox(page, CROWD[1]).uncheck()
    expect(download).to_be_enabled()
    bar.get_by_role("button", name="Deselect all").click()
    expect(bar).to_have_count(0)


def test_what_is_checked_stays_checked_while_one_pages_and_reads(visit: Visitor) -> None:
    student = at_cases(visit)
    page = student.page
    checkbox(page, 3).check()
    page.get_by_role("button", name="Page 2").click()
    expect(page).to_have_url(re.compile("page=2"))
    expect(checkbox(page, 3)).to_have_count(0)
    page.get_by_role("link", name=re.compile("Cough and fever")).first.click()
    page.get_by_role("link", name="All cases").click()
    expect(checkbox(page, 3)).to_be_checked()


def test_search_and_exam_type_narrow_the_list_and_stand_in_the_address(visit: Visitor) -> None:
    student = at_cases(visit)
    page = student.page
    page.get_by_role("combobox", name="Exam type").click()
    page.get_by_role("option", name="MRI").click()
    expect(page.get_by_text("1 case found.")).to_be_visible()
    page.get_by_label("Search number, title or text").fill("no such words")
    expect(page.get_by_role("heading", name="No case fits")).to_be_visible()
    assert "examType=MRI" in page.url and "q=no+such+words" in page.url
    page.reload()
    expect(page.get_by_label("Search number, title or text")).to_have_value("no such words")
    page.get_by_role("button", name="Show all cases").click()
    expect(page.get_by_role("table")).to_be_visible()


def test_a_student_sees_neither_unpublished_cases_nor_the_admins_pages(visit: Visitor, shelf: Shelf) -> None:
    student = visit("student")
    student.expected.append("status of 404")
    student.go(f"/cases/{shelf.ids[1]}")
    expect(student.page.get_by_role("heading", name="Nothing here")).to_be_visible()
    student.go("/admin/cases")
    expect(student.page.get_by_role("heading", name="Not for this account")).to_be_visible()
    expect(student.page.get_by_role("link", name="Manage cases")).to_have_count(0)


def test_a_failing_server_is_told_with_request_id_and_a_way_to_try_again(visit: Visitor) -> None:
    student = visit("student")
    student.expected.append("status of 500")
    problem = {"error": "internal", "message": "Something went wrong on our side.", "request_id": "r-7531"}
    student.page.route("**/api/bestof/cases?*", lambda route: route.fulfill(status=500, json=problem))
    student.go("/cases")
    expect(student.page.get_by_role("alert")).to_contain_text("r-7531")
    student.page.unroute("**/api/bestof/cases?*")
    student.page.get_by_role("button", name="Try again").click()
    expect(student.page.get_by_role("table")).to_be_visible()


def test_a_page_past_the_end_of_the_list_leads_to_its_last_one(visit: Visitor) -> None:
    student = visit("student")
    student.go("/cases?page=99")
    expect(student.page.get_by_role("table")).to_be_visible()
    expect(student.page).not_to_have_url(re.compile("page=99"))
