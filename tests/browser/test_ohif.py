"""OHIF at /ohif/ in a real browser: signed in by its cookie alone, in the same scope, talking to nobody else."""

from __future__ import annotations

import io
import re
import time

import numpy
import pytest
from PIL import Image
from playwright.sync_api import Page, Request, expect

from tests import factories
from tests.fixtures.browser import Shelf, Visit, Visitor

SLICES, SIDE = 12, 128
OPENS_MS = 30_000
"""17 MB of script are read before OHIF shows anything; on two busy cores that takes its time."""

STUDY = re.compile(r"/ohif/viewer\?StudyInstanceUIDs=[0-9.]+$")


@pytest.fixture(scope="module")
def study(shelf: Shelf) -> str:
    """UID of a study that belongs to no case."""
    shelf.live.account("test-staff", "staff")
    admin = shelf.live.admin
    for file in factories.ct_slices(SLICES, SIDE, SIDE, name="for ohif", study="for ohif"):
        answer = admin.post("/instances", data=file)
        assert answer.status_code == 200, answer.text
    tags = admin.get(f"/studies/{answer.json()['ParentStudy']}").json()["MainDicomTags"]
    return str(tags["StudyInstanceUID"])


@pytest.fixture(scope="module")
def published(shelf: Shelf) -> str:
    """UID of a published case's study."""
    case = shelf.live.admin.get(f"/api/bestof/cases/{shelf.ids[3]}").json()
    return str(case["studyUids"][0])


def listened(visit: Visit) -> list[Request]:
    """Every request of that page, from now on."""
    heard: list[Request] = []

    def hear(request: Request) -> None:  # Playwright writes a note onto what it calls: no built-in method will do
        heard.append(request)

    visit.page.on("request", hear)
    return heard


def picture(page: Page) -> numpy.ndarray:
    """What stands in the middle of the viewport, as grey values."""
    box = page.locator(".viewport-element").first.bounding_box()
    assert box is not None
    middle = {
        "x": box["x"] + box["width"] / 4,
        "y": box["y"] + box["height"] / 4,
        "width": box["width"] / 2,
        "height": box["height"] / 2,
    }
    return numpy.asarray(Image.open(io.BytesIO(page.screenshot(clip=middle))).convert("L"), dtype=float)  # type: ignore[arg-type]


def expect_drawn(page: Page) -> None:
    """Waits until the phantom stands there: lungs, muscle, bone; not one flat colour."""
    expect(page.locator(".viewport-element canvas").first).to_be_visible(timeout=OPENS_MS)
    end = time.monotonic() + OPENS_MS / 1000
    while (seen := picture(page)).std() < 20 or len(numpy.unique(seen)) < 20:
        assert time.monotonic() < end, f"nothing was drawn: {len(numpy.unique(seen))} greys, deviation {seen.std():.1f}"
        time.sleep(0.2)


def status_of(page: Page, path: str, method: str = "GET") -> int:
    """What the server answers that page's own request, with whatever cookies the browser sends along."""
    found = page.evaluate("([path, method]) => fetch(path, {method}).then((a) => a.status)", [path, method])
    return int(found)


def test_a_study_opens_with_nothing_but_our_own_server_asked(visit: Visitor, study: str) -> None:
    staff = visit("staff")
    heard = listened(staff)
    staff.go(f"/ohif/viewer?StudyInstanceUIDs={study}")
    page = staff.page
    expect_drawn(page)
    expect(page.locator(".shepherd-element")).to_have_count(0)
    first = picture(page)
    page.locator(".viewport-element").first.hover()
    page.mouse.wheel(0, 300)
    expect(page.get_by_text(re.compile(rf"\((?!1/)\d+/{SLICES}\)")).first).to_be_visible()
    page.wait_for_timeout(300)
    assert numpy.abs(picture(page) - first).max() > 0, "the wheel shows another image"

    strange = [each.url for each in heard if not each.url.startswith((f"{staff.url}/", "blob:", "data:"))]
    assert strange == []
    assert {each.method for each in heard if "/dicom-web/" in each.url} == {"GET"}
    assert not [each.url for each in heard if "authorization" in each.headers], "no token is in OHIF's hands"
    assert "readingroom" not in page.evaluate("document.cookie")
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0

    # The cookie opens what DICOMweb shows, and nothing besides.
    assert status_of(page, f"/dicom-web/studies/{study}/series") == 200
    for path, method in (
        ("/system", "GET"),
        ("/instances", "GET"),
        ("/api/me", "GET"),
        ("/dicom-web/studies", "POST"),
        (f"/dicom-web/studies/{study}", "DELETE"),
    ):
        assert status_of(page, path, method) in (401, 403), (method, path)
    staff.expected.append("Failed to load resource")

    # It is renewed while the page is open; without it nothing is answered.
    page.context.clear_cookies(name="readingroom_dicomweb")
    assert status_of(page, f"/dicom-web/studies/{study}/series") == 401
    with page.expect_response("**/api/token/dicomweb/") as renewed:
        page.evaluate("dispatchEvent(new Event('online'))")
    assert renewed.value.status == 200
    assert status_of(page, f"/dicom-web/studies/{study}/series") == 200

    staff.go("/ohif/")
    expect(page.get_by_text("CT chest").first).to_be_visible(timeout=OPENS_MS)


def test_a_student_sees_a_published_study_and_no_other(visit: Visitor, study: str, published: str) -> None:
    student = visit("student")
    # OHIF also asks what else that patient has.
    student.expected += ["Failed to load resource", "Error validating study", "request failed", "{error: forbidden"]
    heard = listened(student)
    student.go(f"/ohif/viewer?StudyInstanceUIDs={published}")
    page = student.page
    expect_drawn(page)
    assert status_of(page, "/dicom-web/studies") == 403
    assert status_of(page, f"/dicom-web/studies/{study}/metadata") == 403
    assert status_of(page, f"/dicom-web/studies?StudyInstanceUID={study}") == 403
    assert status_of(page, f"/dicom-web/studies?StudyInstanceUID={published}&StudyInstanceUID={study}") == 403

    heard.clear()
    student.go(f"/ohif/viewer?StudyInstanceUIDs={study}")
    expect(page).to_have_url(re.compile("/ohif/notfoundstudy"), timeout=OPENS_MS)
    assert not [each.url for each in heard if "/frames/" in each.url]
    student.go("/ohif/")
    expect(page).to_have_url(re.compile("/cases$"), timeout=OPENS_MS)


def test_who_is_not_signed_in_signs_in_first_and_signing_out_ends_it(visit: Visitor, study: str) -> None:
    somebody = visit()
    somebody.expected += ["Failed to load resource", "request failed"]
    page = somebody.page
    somebody.go(f"/ohif/viewer?StudyInstanceUIDs={study}")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2Fohif%2Fviewer%3FStudyInstanceUIDs"))
    page.get_by_label("User name").fill("test-staff")
    page.get_by_role("textbox", name="Password").fill("a-password-for-tests")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(STUDY)
    expect_drawn(page)

    (kept,) = [each for each in page.context.cookies() if each["name"] == "readingroom_dicomweb"]
    assert (kept["httpOnly"], kept["sameSite"], kept["path"]) == (True, "Strict", "/dicom-web")
    other = page.context.new_page()
    other.goto(f"{somebody.url}/cases")
    other.get_by_role("button", name=re.compile("test-staff")).click()
    other.get_by_role("menuitem", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in"))
    assert "readingroom_dicomweb" not in {each["name"] for each in page.context.cookies()}
    page.context.add_cookies([kept])
    assert status_of(page, f"/dicom-web/studies/{study}/series") == 401, "a copy of it is worth nothing any more"
