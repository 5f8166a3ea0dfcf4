"""A clinic's pictures on the page: dropped, filed, opened, cut off and taken up again; and seen by nobody else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.test_look import PHONE, offences
from tests.fixtures.browser import Shelf, Visit, Visitor
from tests.fixtures.gallery import (
    FILED_MS,
    drop,
    letter,
    new_patient,
    noise,
    paste,
    photo,
    shown,
    tile,
    uploaded,
    uploads,
    with_people,
    xray,
)


@pytest.fixture
def dentist(visit: Visitor, shelf: Shelf) -> Visit:
    """Somebody of clinic 12."""
    with_people(shelf.live)
    return visit("dentist")


def opened(visit: Visit, patient: int) -> Page:
    """The page of a patient, as it is when it has come."""
    visit.go(f"/imaging/patients/{patient}")
    expect(visit.page.get_by_role("heading", name=f"Patient {patient}")).to_be_visible()
    expect(visit.page.get_by_role("status", name="Loading the pictures")).to_have_count(0)
    return visit.page


def filed(visit: Visit, patient: int, *files: tuple[str, bytes]) -> Page:
    """The page of a patient with these files filed in one new study."""
    page = opened(visit, patient)
    drop(page, files)
    uploaded(page, len(files))
    return page


def stage(page: Page) -> Any:
    """The picture's place in the viewer."""
    return page.get_by_role("dialog").locator("[data-zoom]")


def test_files_dropped_on_the_page_are_filed_and_opened(dentist: Visit, tmp_path: Path) -> None:
    patient, film = new_patient(), xray(900, 700)
    page = opened(dentist, patient)
    expect(page.get_by_role("heading", name="No pictures of this patient yet")).to_be_visible()
    drop(page, [("left.png", film)], kinds=("dragenter", "dragover"))
    expect(page.get_by_text(f"Drop to add to patient {patient}")).to_be_visible()
    drop(page, [("left.png", film), ("smile.jpg", photo())], kinds=("drop",))
    dialog = page.get_by_role("dialog", name=f"Add to patient {patient}")
    dialog.get_by_label("Title").fill("Check-up")
    dialog.get_by_label("Taken on").fill("2026-02-09")
    uploaded(page, 2)
    study = page.get_by_role("region", name="Check-up, 9 Feb 2026")
    expect(study).to_contain_text("Bitewing X-ray")
    expect(study).to_contain_text("2 pictures")
    assert shown(tile(page, "left.png").locator("img")) == (400, 311), "the small picture is 400 wide at most"

    tile(page, "left.png").click()
    viewer = page.get_by_role("dialog", name="left.png, viewer")
    assert shown(viewer.get_by_role("img", name="left.png")) == (900, 700)
    expect(page).to_have_url(re.compile(r"picture=\d+$"))
    with page.expect_download() as begun:
        viewer.get_by_role("button", name="Download the original").click()
    saved = tmp_path / "left.png"
    begun.value.save_as(saved)
    assert begun.value.suggested_filename == "left.png"
    assert saved.read_bytes() == film, "the original is as it came"
    page.go_back()
    expect(viewer).to_have_count(0)
    expect(study).to_be_visible()


def test_the_viewer_is_led_by_the_keys_alone(dentist: Visit) -> None:
    page = filed(dentist, new_patient(), ("one.png", xray(800, 500)), ("two.png", xray(seed=2)), ("three.jpg", photo()))
    first = page.locator("[data-tile]").first
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-tile]").nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(stage(page)).to_be_focused()
    shown(stage(page).locator("img"))
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(stage(page)).to_have_attribute("data-zoom", "1.96")
    before = stage(page).locator("img").get_attribute("style") or ""
    page.keyboard.press("Shift+ArrowRight")
    expect(stage(page).locator("img")).not_to_have_attribute("style", before)
    page.keyboard.press("-")
    expect(stage(page)).to_have_attribute("data-zoom", "1.40")
    page.keyboard.press("0")
    expect(stage(page)).to_have_attribute("data-zoom", "1.00")
    page.keyboard.press("r")
    expect(stage(page)).to_have_attribute("data-turns", "1")
    page.keyboard.press("Shift+R")
    expect(stage(page)).to_have_attribute("data-turns", "0")
    names = page.locator("[data-tile]").all_inner_texts()
    for name in names[1:]:
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("dialog", name=f"{name.strip()}, viewer")).to_be_visible()
    expect(page.get_by_role("button", name="Next picture")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("dialog", name=f"{names[1].strip()}, viewer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(tile(page, names[1].strip())).to_be_focused()


def test_the_wheel_zooms_at_the_pointer_and_the_mouse_moves(dentist: Visit) -> None:
    page = filed(dentist, new_patient(), ("one.png", xray(800, 500)))
    tile(page, "one.png").click()
    shown(stage(page).locator("img"))
    page.mouse.move(400, 300)
    page.mouse.wheel(0, -300)
    expect(stage(page)).not_to_have_attribute("data-zoom", "1.00")
    before = stage(page).locator("img").bounding_box()
    page.mouse.down()
    page.mouse.move(430, 320)
    page.mouse.up()
    after = stage(page).locator("img").bounding_box()
    assert before is not None and after is not None
    assert (round(after["x"] - before["x"]), round(after["y"] - before["y"])) == (30, 20)
    page.mouse.dblclick(600, 400)
    expect(stage(page)).to_have_attribute("data-zoom", "1.00")


def test_two_fingers_zoom_and_one_leads_on(visit: Visitor, shelf: Shelf) -> None:
    with_people(shelf.live)
    page = filed(visit("dentist", **PHONE), new_patient(), ("one.png", xray()), ("two.jpg", photo()))
    names = [each.strip() for each in page.locator("[data-tile]").all_inner_texts()]
    tile(page, names[0]).click()
    shown(stage(page).locator("img"))
    glass = page.context.new_cdp_session(page)

    def fingers(kind: str, *places: tuple[int, int]) -> None:
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(places)]
        glass.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", (180, 400), (220, 400))
    for far in range(10, 90, 10):
        fingers("touchMove", (180 - far, 400), (220 + far, 400))
    fingers("touchEnd")
    expect(stage(page)).to_have_attribute("data-zoom", re.compile(r"^[45]\."))  # 200 px apart instead of 40
    page.get_by_role("button", name="Whole picture").click()
    fingers("touchStart", (300, 400))
    for far in range(20, 180, 20):
        fingers("touchMove", (300 - far, 402))
    fingers("touchEnd")
    expect(page.get_by_role("dialog", name=f"{names[1]}, viewer")).to_be_visible()


def test_files_are_chosen_pasted_and_added_to_a_study(dentist: Visit, tmp_path: Path) -> None:
    page = filed(dentist, new_patient(), ("one.png", xray()))
    chosen = tmp_path / "two.jpg"
    chosen.write_bytes(photo())
    with page.expect_file_chooser() as asked:
        page.get_by_role("button", name=re.compile("^Add to Bitewing X-ray")).click()
    asked.value.set_files(chosen)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("combobox", name="Belongs to")).to_have_value(re.compile("^Bitewing X-ray"))
    expect(dialog.get_by_label("Title")).to_have_count(0)
    paste(page, "image.png", xray(seed=3))
    expect(dialog.get_by_role("list", name="Files").get_by_role("listitem")).to_have_count(2)
    uploaded(page, 3)
    expect(page.locator("[data-tile]")).to_have_count(3)
    expect(page.get_by_role("link", name=re.compile(r"^Open Pasted .*\.png$"))).to_be_visible()
    expect(page.get_by_text("3 pictures in 1 study")).to_be_visible()


def test_what_cannot_be_filed_is_told_file_by_file(dentist: Visit, tmp_path: Path) -> None:
    page = opened(dentist, new_patient())
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.write(xray())
        file.truncate(101 << 20)
    drop(
        page,
        [("notes.png", b"PK\x03\x04 a text in disguise"), ("clip.gif", b"GIF89a" + b"\0" * 99), ("nothing.jpg", b"")],
    )
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Upload")).to_be_disabled()
    with page.expect_file_chooser() as asked:
        dialog.get_by_role("button", name="More files").click()
    asked.value.set_files(huge)

    def said(name: str) -> Any:
        return dialog.get_by_role("listitem").filter(has_text=name).get_by_role("alert")

    expect(said("notes.png")).to_contain_text("This is no picture and no PDF, whatever its name says. Accepted are ")
    expect(said("clip.gif")).to_contain_text("This is a GIF file. Accepted are ")
    expect(said("clip.gif")).to_contain_text("JPEG")
    expect(said("nothing.jpg")).to_have_text("The file is empty.")
    expect(said("huge.png")).to_have_text("Too large: it has 106 MB, and a file may have 105 MB at most.")
    drop(page, [("cut.png", xray()[:-2000]), ("good.png", xray(seed=4)), ("a\\named.png", xray(seed=5))])
    dentist.expected += ["/complete", "/upload-init"]  # 422 and 400 by fetch
    dialog.get_by_role("button", name="Upload 3 files").click()
    broken = uploads(page).get_by_role("listitem").filter(has_text="cut.png")
    expect(broken).to_contain_text("Not filed", timeout=FILED_MS)
    expect(broken.get_by_role("alert")).to_contain_text(re.compile("damaged|whole|broken|cut", re.IGNORECASE))
    expect(broken.get_by_role("button", name="Try")).to_have_count(0)
    named = uploads(page).get_by_role("listitem").filter(has_text="named.png")
    expect(named.get_by_role("alert")).to_contain_text("The name of this file is a path. Send the name alone")
    expect(named.get_by_role("button", name="Try")).to_have_count(0)
    expect(tile(page, "good.png")).to_be_visible(timeout=FILED_MS)
    broken.get_by_role("button", name="Take cut.png off the list").click()
    expect(broken).to_have_count(0)


def test_offline_is_said_and_ends_by_itself(dentist: Visit) -> None:
    page = filed(dentist, new_patient(), ("one.png", xray()), ("two.jpg", photo()))
    dentist.expected += ["net::ERR_INTERNET_DISCONNECTED", "net::ERR_NETWORK_CHANGED"]
    name = page.locator("[data-tile]").first.inner_text().strip()
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline")).to_be_visible()
    tile(page, name).click()
    told = stage(page).get_by_role("alert")
    expect(told).to_contain_text("You are offline")
    expect(told).to_contain_text("It comes by itself when the connection is back.")
    page.context.set_offline(False)
    assert shown(stage(page).locator("img"))[0] > 0
    page.keyboard.press("Escape")
    expect(page.get_by_text("You are offline")).to_have_count(0)


def test_a_server_that_does_not_answer_is_told_from_a_line_that_is_gone(dentist: Visit) -> None:
    page = filed(dentist, new_patient(), ("one.png", xray()))
    dentist.expected.append("net::ERR_CONNECTION_REFUSED")
    page.route("**/*", lambda route: route.abort("connectionrefused"))
    tile(page, "one.png").click()
    expect(stage(page).get_by_role("alert")).to_contain_text("The server does not answer")
    page.unroute_all()
    assert shown(stage(page).locator("img"))[0] > 0


class CutLine:
    """Lets some parts of uploads through, then none, until it is mended; and remembers where each part began."""

    def __init__(self, page: Page, parts: int) -> None:
        self.left = parts
        self.offsets: list[int] = []
        page.route("**/imaging/uploads/*/chunks*", self._answer)

    def _answer(self, route: Route) -> None:
        self.left -= 1
        if self.left < 0:
            route.abort("connectionreset")
            return
        self.offsets.append(int(route.request.url.partition("offset=")[2]))
        route.continue_()

    def mend(self) -> None:
        self.left = 1 << 30


def test_an_upload_goes_on_where_the_line_was_cut(dentist: Visit, tmp_path: Path) -> None:
    page, content = opened(dentist, new_patient()), noise(1500)
    dentist.expected.append("net::ERR_CONNECTION_RESET")
    line = CutLine(page, parts=2)
    drop(page, [("scan.png", content)])
    page.get_by_role("dialog").get_by_role("button", name="Upload").click()
    row = uploads(page).get_by_role("listitem").filter(has_text="scan.png")
    expect(row).to_contain_text("Waits for the connection")
    row.get_by_role("button", name="Pause scan.png").click()
    expect(row).to_contain_text("Paused")
    line.mend()
    row.get_by_role("button", name="Go on with scan.png").click()
    expect(row).to_contain_text("Filed", timeout=FILED_MS)
    assert line.offsets == sorted(set(line.offsets)), "nothing was sent twice"
    assert line.offsets[0] == 0
    same_as(page, "scan.png", content, tmp_path)


def test_an_upload_goes_on_after_a_reload_with_the_same_file(dentist: Visit, tmp_path: Path) -> None:
    page, content = opened(dentist, new_patient()), noise(1500, seed=8)
    dentist.expected.append("net::ERR_CONNECTION_RESET")
    line = CutLine(page, parts=2)
    drop(page, [("scan.png", content)])
    page.get_by_role("dialog").get_by_role("button", name="Upload").click()
    expect(uploads(page)).to_contain_text("Waits for the connection")
    asked: list[str] = []

    def leave(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.reload()
    assert asked == ["beforeunload"], "who leaves is asked"
    expect(page.get_by_text("An upload was cut off")).to_be_visible()
    expect(page.get_by_text(re.compile(r"scan\.png.* of 2\.\d+ MB sent"))).to_be_visible()
    line.mend()
    drop(page, [("scan.png", content)])
    expect(uploads(page)).to_contain_text("Filed", timeout=FILED_MS)
    assert line.offsets.count(0) == 1, "what the server had was not sent again"
    expect(page.get_by_text("An upload was cut off")).to_have_count(0)
    same_as(page, "scan.png", content, tmp_path)


def test_an_upload_is_taken_back(dentist: Visit) -> None:
    page = opened(dentist, new_patient())
    dentist.expected.append("net::ERR_CONNECTION_RESET")
    CutLine(page, parts=1)
    drop(page, [("scan.png", noise(900))])
    page.get_by_role("dialog").get_by_role("button", name="Upload").click()
    expect(uploads(page)).to_contain_text("Waits for the connection")
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as dropped:
        uploads(page).get_by_role("button", name="Cancel scan.png").click()
    assert dropped.value.status == 204
    expect(uploads(page)).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name=re.compile("^Patient"))).to_be_visible()
    expect(page.get_by_text("An upload was cut off")).to_have_count(0)


def same_as(page: Page, name: str, content: bytes, folder: Path) -> None:
    """The original of that picture is these bytes."""
    tile(page, name).click()
    with page.expect_download() as begun:
        page.get_by_role("button", name="Download the original").click()
    saved = folder / name
    begun.value.save_as(saved)
    assert saved.read_bytes() == content


def test_a_document_shows_its_first_page_and_offers_itself(dentist: Visit, tmp_path: Path) -> None:
    page, content = opened(dentist, new_patient()), letter()
    drop(page, [("referral.pdf", content)])
    expect(page.get_by_role("dialog").get_by_role("combobox", name="Kind")).to_have_value("Documents")
    uploaded(page, 1)
    tile(page, "referral.pdf").click()
    width, height = shown(page.get_by_role("img", name="First page of referral.pdf"))
    assert height > width
    with page.expect_download() as begun:
        page.get_by_role("button", name="Download the whole document").click()
    assert begun.value.path().read_bytes() == content


def test_a_picture_becomes_dicom_and_is_marked(dentist: Visit, shelf: Shelf) -> None:
    page = filed(dentist, new_patient(), ("one.png", xray()))
    tile(page, "one.png").click()
    with page.expect_response(re.compile(r"/imaging/assets/\d+/dicom")) as made:
        page.get_by_role("button", name="Make DICOM").click()
    expect(page.get_by_text("Is DICOM")).to_be_visible()
    instance = shelf.live.admin.get(f"/instances/{made.value.json()['orthancId']}")
    assert instance.status_code == 200
    page.get_by_role("button", name="Close", exact=True).click()  # the notice lies over the tools
    page.get_by_role("button", name="Delete").click()
    asked = page.get_by_role("dialog", name="Delete this picture?")
    expect(asked).to_contain_text("stays in Orthanc")
    asked.get_by_role("button", name="Keep it as it is").click()
    expect(asked).to_have_count(0)
    page.keyboard.press("Escape")
    expect(tile(page, "one.png")).to_contain_text("DICOM")


def test_a_picture_is_deleted_after_a_question(dentist: Visit) -> None:
    page = filed(dentist, new_patient(), ("one.png", xray()), ("two.jpg", photo()))
    tile(page, "one.png").click()
    page.get_by_role("button", name="Delete").click()
    asked = page.get_by_role("dialog", name="Delete this picture?")
    asked.get_by_role("button", name="Keep it as it is").click()
    expect(asked).to_have_count(0)
    page.get_by_role("button", name="Delete").click()
    asked.get_by_role("button", name="Delete picture").click()
    expect(page.get_by_role("dialog", name="two.jpg, viewer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-tile]")).to_have_count(1)
    expect(tile(page, "one.png")).to_have_count(0)


def test_another_clinic_sees_nothing_of_it(visit: Visitor, dentist: Visit, shelf: Shelf) -> None:
    patient = new_patient()
    page = filed(dentist, patient, ("one.png", xray()))
    tile(page, "one.png").click()
    picture = page.url.partition("picture=")[2]
    neighbour = visit("neighbour")
    theirs = opened(neighbour, patient)
    expect(theirs.get_by_role("heading", name="No pictures of this patient yet")).to_be_visible()
    neighbour.go(f"/imaging/patients/{patient}?picture={picture}")
    expect(theirs.get_by_role("heading", name="No pictures of this patient yet")).to_be_visible()
    expect(theirs.get_by_role("dialog")).to_have_count(0)
    neighbour.go("/imaging")
    expect(theirs.get_by_role("heading", name="Latest")).to_be_visible()
    expect(theirs.get_by_text(f"Patient {patient}")).to_have_count(0)
    dentist.go("/")
    expect(page).to_have_url(re.compile("/imaging$"))  # where somebody begins who has no cases
    expect(page.get_by_role("link", name=re.compile(f"Patient {patient}"))).to_be_visible()
    page.get_by_label("Patient number").fill("no number")
    page.get_by_role("button", name="Open patient").click()
    expect(page.get_by_text("A patient’s number is a whole number")).to_be_visible()
    page.get_by_label("Patient number").fill(str(patient))
    page.keyboard.press("Enter")
    expect(tile(page, "one.png")).to_be_visible()


def test_who_is_in_no_clinic_is_told_so(visit: Visitor, shelf: Shelf) -> None:
    admin = visit("admin")
    admin.go("/imaging")
    expect(admin.page.get_by_role("heading", name="Your account belongs to no clinic")).to_be_visible()
    expect(admin.page.get_by_role("link", name="Pictures")).to_have_count(0)
    student = visit("student")
    student.go("/imaging/patients/1")
    expect(student.page.get_by_role("heading", name="Not for this account")).to_be_visible()
    wrong = shelf.live.admin.get("/imaging/no/such/address")
    assert (wrong.status_code, wrong.json()["error"]) == (404, "not_found"), "the API answers for itself"
    assert "<html" in shelf.live.anonymous.get("/imaging/patients/1").text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_a_phone_have_no_faults_and_ask_nobody_else(
    visit: Visitor, shelf: Shelf, axe: str, scheme: str
) -> None:
    with_people(shelf.live)
    dentist = visit("dentist", color_scheme=scheme, reduced_motion="reduce", **PHONE)
    asked: list[str] = []
    page = dentist.page

    def note(request: Request) -> None:
        if not request.url.startswith((shelf.live.url, "blob:")):
            asked.append(request.url)

    page.on("request", note)
    found: list[str] = []

    def look() -> None:
        page.evaluate("Promise.all(document.getAnimations().map(each => each.finished.catch(() => 0)))")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        found.extend(offences(page, axe))

    opened(dentist, new_patient())
    look()
    drop(page, [("one.png", xray()), ("a file with a long name that goes on and on.txt", b"text")])
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    look()
    uploaded(page, 1)
    shown(tile(page, "one.png").locator("img"))
    look()
    tile(page, "one.png").click()
    shown(stage(page).locator("img"))
    look()
    dentist.go("/imaging")
    expect(page.get_by_role("link", name=re.compile("Patient"))).not_to_have_count(0)
    look()
    assert not asked
    assert not found, "\n".join(found)
