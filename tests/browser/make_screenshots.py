"""Makes the screenshots, of the demo's cases and a made-up NAS: `scripts/test tests/browser/make_screenshots.py`.

Not collected by itself. The repository is read-only for tests: the pictures go to `screenshots/` in the runtime folder
(or where READINGROOM_SCREENSHOTS says), to be copied to docs/screenshots/ after a look at them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import factories
from tests.fixtures.gallery import drop, noise
from tests.fixtures.instance import ADMIN_PASSWORD, REPO, LiveInstance, running
from tests.fixtures.nas_pages import configured, indexed

MAX_BYTES = 300_000
"""What one picture in the repository may weigh."""


@pytest.mark.timeout(600)
def test_make_the_screenshots(chromium: Browser, tmp_path: Path) -> None:
    runtime = Path(os.environ.get("READINGROOM_RUNTIME", REPO / ".runtime"))
    folder = Path(os.environ.get("READINGROOM_SCREENSHOTS", runtime / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    nas = tmp_path / "nas"
    _lay_down(nas)
    with running(tmp_path / "data", "--demo", NAS_ALLOWED_ROOTS=str(nas)) as live:
        for name, scheme, size in (
            ("cases-light", "light", (1280, 800)),
            ("cases-dark", "dark", (1280, 800)),
            ("cases-phone", "light", (390, 844)),
        ):
            page = _signed_in(chromium, live.url, scheme, size)
            boxes = page.get_by_role("checkbox", name="Select case", disabled=False)
            boxes.nth(0).check()
            boxes.nth(2).check()
            expect(page.get_by_role("region", name="Selected cases")).to_be_visible()
            _shoot(page, folder / f"{name}.png")
        page = _signed_in(chromium, live.url, "dark", (1280, 800))
        page.get_by_role("link", name="Solitary pulmonary nodule").click()
        expect(page.get_by_role("heading", name="Clinical information")).to_be_visible()
        _shoot(page, folder / "case-dark.png")
        indexed(live, configured(live, name="archive", type="local", path=str(nas)))
        for name, scheme, size, address in (
            ("nas-light", "light", (1280, 800), "/nas?q=radiant&from=2024-01-01"),
            ("nas-phone", "light", (390, 844), "/nas"),
        ):
            page = _signed_in(chromium, live.url, scheme, size)
            page.goto(live.url + address)
            expect(page.get_by_role("table").last).to_be_visible()
            _shoot(page, folder / f"{name}.png")
        page = _signed_in(chromium, live.url, "dark", (1280, 800))
        page.goto(f"{live.url}/nas?q=radiant+coronal+fl")
        page.get_by_role("link", name="Radiant, Johannes").click()
        expect(page.get_by_role("heading", name="11 files")).to_be_visible()
        _shoot(page, folder / "nas-series-dark.png")
        _shoot_links(chromium, live, folder)
        _shoot_pictures(chromium, live, folder)


def _shoot_links(chromium: Browser, live: LiveInstance, folder: Path) -> None:
    """My links, in several states, and the page that a link leads to."""
    # One with pictures, out of the demo's cases; the others out of the NAS.
    stored = live.admin.get("/series?expand").json()
    pictured = max(stored, key=lambda each: len(each["Instances"]))["MainDicomTags"]["SeriesInstanceUID"]
    others = live.admin.get("/api/search?q=radiant").json()["results"]
    wishes: tuple[dict[str, object], ...] = (
        {"expires_hours": 720, "note": "Multidisciplinary meeting"},
        {"expires_hours": 24, "password": "k7mp-4xqh-t2ve", "max_downloads": 1, "note": "Dr Example, second opinion"},
        {"expires_hours": 168, "password": "k7mp-4xqh-t2ve", "max_downloads": 5},
    )
    for series, wish in zip(others, wishes, strict=False):
        live.admin.post("/share/create", json={"series_key": series["SeriesKey"], **wish}).raise_for_status()
    made = live.admin.post("/share/create", json={"series_key": pictured, "expires_hours": 72})
    token = made.json()["token"]
    live.anonymous.get(f"/share/{token}").raise_for_status()
    oldest = live.admin.get("/api/shares?q=multidisciplinary").json()["items"][0]
    live.admin.delete(f"/api/shares/{oldest['id']}").raise_for_status()
    page = _signed_in(chromium, live.url, "light", (1280, 800))
    page.goto(f"{live.url}/shares")
    expect(page.get_by_role("table")).to_be_visible()
    _shoot(page, folder / "links-light.png")
    for name, scheme in (("shared-phone", "light"), ("shared-phone-dark", "dark")):
        context = chromium.new_context(
            color_scheme=scheme,  # type: ignore[arg-type]  # one of the words that Playwright knows
            viewport={"width": 390, "height": 844},
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
        )
        page = context.new_page()
        page.goto(f"{live.url}/share/{token}")
        expect(page.get_by_role("link", name=re.compile("^Download"))).to_be_visible()
        page.wait_for_load_state("networkidle")
        _shoot(page, folder / f"{name}.png")


def _shoot_pictures(chromium: Browser, live: LiveInstance, folder: Path) -> None:
    """The demo's patient, a picture in the viewer, files on their way."""
    password = (live.data / "secrets" / "demo_clinician_password").read_text().strip()
    for name, scheme, size in (
        ("pictures-phone-dark", "dark", (390, 844)),
        ("pictures-viewer", "light", (1280, 800)),
        ("pictures-light", "light", (1280, 800)),
    ):
        page = _at_sign_in(chromium, live.url, scheme, size)
        _sign_in(page, "clinician", password)
        page.get_by_role("link", name=re.compile("^Patient 1 ")).click()
        expect(page.locator("[data-tile] img").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        if name == "pictures-viewer":
            page.get_by_role("region", name=re.compile("^Bitewings")).get_by_role("link").first.click()
            expect(page.get_by_role("dialog").get_by_role("img")).to_be_visible()
        elif name == "pictures-light":
            # The first part arrives, the others are for ever on their way.
            page.route(re.compile(r"/imaging/uploads/.*offset=[1-9]"), lambda route: None)
            drop(page, [("panorama.png", noise(900))])
            page.get_by_role("combobox", name="Belongs to").click()
            page.get_by_role("option", name=re.compile("^Bitewings")).click()
            page.get_by_role("dialog").get_by_role("button", name="Upload ").click()
            expect(page.get_by_role("region", name="Uploads")).to_contain_text("32 %")
            expect(page.get_by_role("dialog")).to_have_count(0)
        _shoot(page, folder / f"{name}.png")


PEOPLE = (
    ("Radiant^Thandi^Grace", "CT", "Netcare Milpark Hospital", "Discovery Health"),
    ("Radiant^Johannes", "MR", "Life Groenkloof Hospital", "GEMS"),
    ("Example^Priya^^Dr", "CT", "Mediclinic Cape Town", "Bonitas"),
    ("Model^Nomvula", "MR", "Groote Schuur Hospital", "Polmed"),
)
"""Names that nobody has."""

STUDIES = (
    ("20240118", "Brain without contrast", ("Axial T2", "Coronal FLAIR")),
    ("20240402", "Chest, abdomen and pelvis", ("Axial 1 mm", "Coronal")),
)


def _lay_down(nas: Path) -> None:
    for person, (name, modality, hospital, aid) in enumerate(PEOPLE):
        make = factories.ct if modality == "CT" else factories.mr
        for date, study, series in STUDIES:
            for number, description in enumerate(series, 1):
                for index in range(12):
                    # One image of one series is missing: that is shown too.
                    if (person, number, index) == (1, 2, 5):
                        continue
                    made = make(
                        f"{name} {date} {number}",
                        index,
                        study=f"{name} {date}",
                        PatientName=name,
                        PatientID=f"RR-{4100 + 37 * person}",
                        PatientBirthDate=f"19{60 + 7 * person}0312",
                        StudyDate=date,
                        StudyTime="143005",
                        StudyDescription=study,
                        SeriesDescription=description,
                        SeriesNumber=str(number),
                        InstitutionName=hospital,
                        InsurancePlanIdentification=aid,
                    )
                    place = nas / date[:4] / f"patient {person}" / f"{date}-{number}" / f"IM{index:04d}.dcm"
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(factories.dicom_bytes(made))


def _signed_in(chromium: Browser, url: str, scheme: str, size: tuple[int, int]) -> Page:
    page = _at_sign_in(chromium, url, scheme, size)
    _sign_in(page, "admin", ADMIN_PASSWORD)
    expect(page.get_by_role("table")).to_be_visible()
    return page


def _sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def _at_sign_in(chromium: Browser, url: str, scheme: str, size: tuple[int, int]) -> Page:
    width, height = size
    context = chromium.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]  # one of the words that Playwright knows
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    return page


def _shoot(page: Page, path: Path) -> None:
    page.mouse.move(0, 0)
    page.evaluate(
        "Promise.all([document.fonts.ready, ...document.getAnimations().map(each => each.finished.catch(() => 0))])"
    )
    page.screenshot(path=path)
    assert path.stat().st_size < MAX_BYTES
    print(path)
