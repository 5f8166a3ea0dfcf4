"""Makes the screenshots, of the demo's cases and a made-up NAS: `scripts/test tests/browser/make_screenshots.py`.

Not collected by itself. The repository is read-only for tests: the pictures go to `screenshots/` in the runtime folder
(or where READINGROOM_SCREENSHOTS says), to be copied to docs/screenshots/ after a look at them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from tests import factories
from tests.fixtures.gallery import drop, noise
from tests.fixtures.instance import ADMIN_PASSWORD, REPO, LiveInstance, running
from tests.fixtures.live_cases import store
from tests.fixtures.nas_pages import configured, indexed

MAX_BYTES = 300_000
"""What one picture in the repository may weigh."""


@pytest.mark.timeout(600)
def test_make_the_screenshots(chromium: Browser, painter: Browser, tmp_path: Path) -> None:
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
        _shoot_viewer(painter, live, folder)


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


def _shoot_viewer(painter: Browser, live: LiveInstance, folder: Path) -> None:
    """A study of four series: the grid, one series, on its way, refused, by a link, on a phone."""
    for number, (name, count, window) in enumerate(SCANS, 1):
        facts = {
            "PatientName": "Radiant^Thandi^Grace",
            "PatientID": "RR-4100",
            "PatientBirthDate": "19600312",
            "PatientSex": "F",
            "StudyDescription": "CT chest with contrast",
            "SeriesDescription": name,
            "SeriesNumber": str(number),
            "InstitutionName": "Groote Schuur Hospital",
            "WindowCenter": str(window[0]),
            "WindowWidth": str(window[1]),
            "WindowCenterWidthExplanation": name.split()[0],
        }
        made = factories.ct_slices(count, 512, 512, name=name, study="viewer", **facts)
        store(live, ((f"{name} {n}", data) for n, data in enumerate(made)))
    study, chest = factories.uid("study", "viewer"), factories.uid("series", "viewer", SCANS[0][0])
    late = factories.uid("series", "viewer", SCANS[2][0])
    for name, scheme, size, address in (
        ("viewer-grid", "light", (1280, 800), f"/viewer/{study}"),
        ("viewer-progress", "dark", (1280, 800), f"/viewer/{study}"),
        ("viewer", "dark", (1280, 800), f"/viewer/{study}/{chest}?image=64"),
        ("viewer-phone", "light", (390, 844), f"/viewer/{study}/{chest}?image=64"),
    ):
        page = _signed_in(painter, live.url, scheme, size)
        if name == "viewer-progress":
            _slow_and_broken(page, late)
        page.goto(live.url + address)
        if name == "viewer-progress":
            expect(page.get_by_text("not yours to see")).to_be_visible(timeout=60_000)
            expect(page.locator("[data-stage=some]")).to_have_count(1, timeout=60_000)
            expect(page.locator("[data-stage=all]")).to_have_count(1, timeout=60_000)
        elif name == "viewer-grid":
            expect(page.locator("[data-stage=all]")).to_have_count(len(SCANS), timeout=90_000)
        else:
            expect(page.locator("[data-picture]")).to_have_attribute("data-shown", "64", timeout=90_000)
            expect(page.locator("nav [data-stage=all]")).to_have_count(len(SCANS), timeout=90_000)
        _shoot(page, folder / f"{name}.png")
        page.context.close()
    made = live.admin.post("/share/create", json={"series_key": chest, "expires_hours": 24})
    page = painter.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="UTC").new_page()
    page.goto(f"{live.url}/share/{made.json()['token']}")
    page.get_by_role("link", name="Open in viewer").click()
    expect(page.locator("[data-picture]")).to_have_attribute("data-shown", "60", timeout=90_000)
    page.keyboard.press("7")
    page.keyboard.press("l")
    page.mouse.move(560, 300)
    page.mouse.down()
    page.mouse.move(820, 340, steps=6)
    page.mouse.up()
    _shoot(page, folder / "viewer-shared.png")


def _slow_and_broken(page: Page, broken: str) -> None:
    """The second series comes, of the first half an answer, of the last nothing; the third is refused."""
    first, second = (factories.uid("series", "viewer", name) for name, _, _ in SCANS[:2])
    passed: list[str] = []

    def frames(route: Route) -> None:
        series = str((route.request.post_data_json or {})["seriesUid"])
        if series == second:
            route.continue_()
        elif series == first and series not in passed:
            answer = route.fetch()
            route.fulfill(response=answer, body=answer.body()[: len(answer.body()) // 2])
        passed.append(series)

    page.context.route("**/api/pacs/frames", frames)
    refusal = {"error": "not_found", "message": "There is no such series."}
    page.context.route(f"**/series/{broken}/manifest", lambda route: route.fulfill(status=404, json=refusal))


SCANS = (
    ("Lung 1.0 mm", 120, (-600, 1500)),
    ("Mediastinum 2.5 mm", 60, (50, 350)),
    ("Bone 2.0 mm", 60, (400, 1800)),
    ("Abdomen, venous phase", 40, (50, 400)),
)
"""Series of one chest: name, slices, window."""

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
    if path.stat().st_size >= MAX_BYTES:
        # The noise of a CT hardly packs; 96 shades of it show the same.
        Image.open(path).convert("RGB").quantize(96, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size < MAX_BYTES
    print(path)
