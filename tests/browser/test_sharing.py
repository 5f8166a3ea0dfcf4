"""Sharing by link on the page: made by one person, used by another one who has no account and another browser."""

from __future__ import annotations

import json
import re
import time
import zipfile
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Route, expect

from tests import factories
from tests.fixtures.browser import Shelf, Visitor
from tests.fixtures.instance import ADMIN_PASSWORD
from tests.fixtures.nas_pages import RUN_MS, indexed
from tests.fixtures.share_pages import PHONE, Laid, act, guest_of, link, row_of

PASSCODE = "k7mp-4xqh-t2ve"

KEEP_A_PICTURE = """() => new Promise((done) => {
  const asked = indexedDB.open("readingroom-frames", 10);
  asked.onsuccess = () => { asked.result.close(); done(); };
})"""
"""As the viewer does: its store, by its name."""

KEPT = "async () => (await indexedDB.databases()).map(({ name }) => name)"


def test_from_a_search_to_a_zip_in_a_browser_that_is_signed_out(visit: Visitor, laid: Laid, tmp_path: Path) -> None:
    staff = visit("staff")
    staff.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    staff.go(f"/nas?q={laid.name}")
    page = staff.page
    row = page.get_by_role("row").filter(has_text=laid.name)
    row.get_by_role("link", name=re.compile("^Create share link")).click()
    expect(page.get_by_role("heading", name="Share by link")).to_be_visible()
    expect(page.get_by_role("region", name="Series")).to_contain_text("4 files")
    page.get_by_text("7 days").click()
    page.get_by_role("switch", name="Ask for a passcode").uncheck()
    page.get_by_label("Note").fill("For the ward round")
    page.get_by_role("button", name="Create link").click()
    expect(page.get_by_role("heading", name="Link created")).to_be_visible()
    url = page.get_by_role("textbox", name="Link", exact=True).input_value()
    expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()
    mail = page.get_by_role("textbox", name="Text for a mail").input_value()
    assert url in mail and laid.name not in mail
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == url

    guest = guest_of(visit)
    guest.page.goto(url)
    there = guest.page
    expect(there).to_have_url(re.compile(r"/shared/[0-9a-f-]{36}$"))
    assert url.rsplit("/", 1)[1] not in there.content(), "the token has left the address and is nowhere on the page"
    expect(there).to_have_title("Shared images · Reading Room")
    expect(there.get_by_role("heading", name="MR · Knee after a fall")).to_be_visible()
    expect(there.get_by_role("navigation")).to_have_count(0)
    with there.expect_download() as begun:
        there.get_by_role("link", name=re.compile("^Download")).click()
    saved = tmp_path / "shared.zip"
    begun.value.save_as(saved)
    with zipfile.ZipFile(saved) as archive:
        assert archive.testzip() is None
        assert sorted(archive.read(name) for name in archive.namelist()) == laid.files
    there.get_by_role("button", name="Files one by one").click()
    files = there.get_by_role("region", name="Files").get_by_role("link")
    expect(files).to_have_count(len(laid.files))
    with there.expect_download() as one:
        files.first.click()
    assert one.value.path().read_bytes() in laid.files

    page.get_by_role("link", name="To my links").click()
    expect(row_of(page, laid)).to_contain_text("For the ward round")
    expect(row_of(page, laid)).to_contain_text("in 6 days")
    act(page, laid, "Who used it")
    log = page.get_by_role("dialog", name="Who used this link")
    expect(log).to_contain_text("Downloaded the zip")
    expect(log).to_contain_text("Opened the link")


def test_leaving_a_link_that_was_not_copied_is_asked_about(visit: Visitor, laid: Laid) -> None:
    staff = visit("staff")
    staff.go(f"/shares/new?series={laid.key}")
    page = staff.page
    assert re.fullmatch(r"(\w{4}-){2}\w{4}", page.get_by_label("Passcode", exact=True).input_value())
    page.get_by_role("button", name="Make one").focus()
    page.get_by_role("button", name="Create link").click()
    passcode = page.get_by_role("region", name="Link", exact=True).locator("code").inner_text()
    assert passcode not in page.get_by_role("textbox", name="Text for a mail").input_value()
    page.get_by_role("link", name="To my links").click()
    asked = page.get_by_role("dialog", name="Leave without the link?")
    expect(asked).to_be_visible()
    asked.get_by_role("button", name="Stay here").click()
    expect(page.get_by_role("heading", name="Link created")).to_be_visible()
    page.get_by_role("link", name="To my links").click()
    asked.get_by_role("button", name="Leave").click()
    expect(row_of(page, laid)).to_contain_text("never")
    expect(row_of(page, laid).get_by_label("Asks for a passcode")).to_be_visible()


def test_a_passcode_opens_and_revoking_shuts(visit: Visitor, shelf: Shelf, laid: Laid) -> None:
    made = link(shelf.live, laid, password=PASSCODE)
    guest = guest_of(visit, **PHONE)
    guest.expected.append("/share/")  # 404 by fetch: a wrong passcode, and a link that is no more
    guest.page.goto(made["url"])
    there = guest.page
    expect(there.get_by_role("heading", name="Passcode needed")).to_be_visible()
    assert laid.name not in there.content() and "Knee" not in there.content()
    box = there.get_by_label("Passcode", exact=True)
    expect(box).to_be_focused()
    box.fill("not the passcode")
    there.keyboard.press("Enter")
    expect(there.get_by_role("alert")).to_contain_text("That did not work")
    expect(box).to_be_focused()
    box.fill(PASSCODE)
    there.keyboard.press("Enter")
    expect(there.get_by_role("link", name=re.compile("^Download"))).to_be_visible()
    expect(there.get_by_text(re.compile(f"{laid.name}, Jane Mary"))).to_be_visible()

    staff = visit("staff")
    staff.go(f"/shares?q={laid.name}")
    act(staff.page, laid, "Revoke")
    staff.page.get_by_role("dialog").get_by_role("button", name="Revoke link").click()
    expect(row_of(staff.page, laid)).to_contain_text("Revoked")
    there.evaluate(KEEP_A_PICTURE)
    there.reload()
    expect(there.get_by_role("heading", name="This link is not valid, or no longer")).to_be_visible()
    end = time.monotonic() + 30
    while kept := there.evaluate(KEPT):
        assert time.monotonic() < end, f"{kept} is kept of a link that is no more"
        time.sleep(0.1)


def test_a_link_that_ends_while_its_page_is_open_says_so(visit: Visitor, shelf: Shelf, laid: Laid) -> None:
    made = link(shelf.live, laid, expires_hours=1)
    guest = guest_of(visit)
    guest.page.clock.install()
    guest.page.goto(made["url"])
    expect(guest.page.get_by_text(re.compile(r"Ends in \d\d minutes, on "))).to_be_visible()
    guest.page.clock.fast_forward(timedelta(minutes=61).seconds * 1000)
    expect(guest.page.get_by_role("heading", name="This link has ended")).to_be_visible()


def test_a_copy_that_is_being_made_is_waited_for(visit: Visitor, shelf: Shelf, laid: Laid) -> None:
    made = link(shelf.live, laid)
    told = ["preparing", "ready"]

    def tell(route: Route) -> None:
        answer = route.fetch()
        state = told.pop(0) if len(told) > 1 else told[0]
        route.fulfill(response=answer, body=json.dumps({**answer.json(), "state": state}))

    guest = guest_of(visit)
    guest.page.route("**/share/*/info", tell)
    guest.page.goto(made["url"])
    expect(guest.page.get_by_role("heading", name="Being prepared")).to_be_visible()
    expect(guest.page.get_by_role("link", name=re.compile("^Download"))).to_have_count(0)
    expect(guest.page.get_by_role("link", name=re.compile("^Download"))).to_be_visible()


def test_a_de_identified_copy_names_nobody(visit: Visitor, laid: Laid, tmp_path: Path) -> None:
    staff = visit("staff")
    staff.go(f"/shares/new?series={laid.key}")
    page = staff.page
    page.get_by_role("switch", name="Ask for a passcode").uncheck()
    page.get_by_role("switch", name="De-identified copy").check()
    page.get_by_role("button", name="Create link").click()
    url = page.get_by_role("textbox", name="Link", exact=True).input_value()
    guest = guest_of(visit)
    guest.page.goto(url)
    download = guest.page.get_by_role("link", name=re.compile("^Download"))
    expect(download).to_be_visible(timeout=RUN_MS)
    assert laid.name not in guest.page.content()
    with guest.page.expect_download() as begun:
        download.click()
    saved = tmp_path / "copy.zip"
    begun.value.save_as(saved)
    with zipfile.ZipFile(saved) as archive:
        assert len(archive.namelist()) == len(laid.files)
        assert not any(laid.name.encode() in archive.read(name) for name in archive.namelist())
    staff.page.get_by_role("button", name="Copy all").click()
    staff.page.get_by_role("link", name="To my links").click()
    expect(row_of(page, laid).get_by_label("De-identified copy")).to_be_visible()


def test_the_last_download_takes_the_button_away(visit: Visitor, shelf: Shelf, laid: Laid) -> None:
    made = link(shelf.live, laid, max_downloads=1)
    guest = guest_of(visit)
    guest.page.goto(made["url"])
    expect(guest.page.get_by_text("1 download", exact=True)).to_be_visible()
    with guest.page.expect_download() as begun:
        guest.page.get_by_role("link", name=re.compile("^Download")).click()
    assert zipfile.is_zipfile(begun.value.path())
    expect(guest.page.get_by_text("All downloads of this link were begun.")).to_be_visible()
    expect(guest.page.get_by_role("link", name=re.compile("^Download"))).to_have_count(0)


def test_links_are_found_narrowed_and_extended(visit: Visitor, shelf: Shelf, laid: Laid) -> None:
    link(shelf.live, laid, expires_hours=1, note="first")
    staff = visit("staff")
    staff.go("/shares")
    page = staff.page
    page.get_by_role("searchbox").fill(laid.name)
    expect(page.get_by_text("1 link found")).to_be_visible()
    expect(page).to_have_url(re.compile(f"q={laid.name}"))
    act(page, laid, "Extend or change")
    dialog = page.get_by_role("dialog", name="Extend or change")
    dialog.get_by_text("3 days").click()
    dialog.get_by_label("Downloads").fill("5")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(row_of(page, laid)).to_contain_text(re.compile("in [23] days"))
    expect(row_of(page, laid)).to_contain_text("0 of 5")
    page.get_by_role("combobox", name="State").click()
    page.get_by_role("option", name="Expired").click()
    expect(page.get_by_role("heading", name="No link fits")).to_be_visible()
    expect(page).to_have_url(re.compile("state=expired"))
    page.go_back()
    expect(row_of(page, laid)).to_be_visible()
    for state in ("active", "expired", "revoked", "used_up", "preparing", "failed"):
        answer = shelf.live.client("staff").get("/api/shares", params={"state": state, "q": f"{laid.name} first"})
        assert (answer.status_code, answer.json()["total"]) == (200, 1 if state == "active" else 0), state


def test_an_admin_sees_everybodys_links_and_figures(visit: Visitor, shelf: Shelf, laid: Laid) -> None:
    link(shelf.live, laid)
    admin = visit("admin")
    admin.go(f"/shares?q={laid.name}")
    page = admin.page
    expect(page.get_by_role("heading", name="No link fits")).to_be_visible()
    page.get_by_role("switch", name="Everybody’s links").click()
    expect(row_of(page, laid)).to_contain_text("test-staff")
    expect(page.get_by_role("heading", name="All links")).to_be_visible()
    page.get_by_role("link", name="Statistics").click()
    people = page.get_by_role("table", name="By person")
    expect(people.get_by_role("row").filter(has_text="test-staff")).to_be_visible()


def test_one_of_a_studys_series_is_chosen(visit: Visitor, shelf: Shelf, laid: Laid, tmp_path: Path) -> None:
    folder = tmp_path / "two series"
    tree = {
        f"{number}/IM1": factories.dicom_bytes(
            factories.mr(f"{number} {tmp_path}", study=str(tmp_path), SeriesNumber=number, SeriesDescription=words)
        )
        for number, words in ((1, "Axial T2"), (2, "Coronal FLAIR"))
    }
    factories.write_tree(folder, tree)
    indexed(shelf.live, str(folder))
    found = shelf.live.admin.get("/api/search", params={"source": str(folder)}).json()["results"]
    staff = visit("staff")
    staff.go(f"/shares/new?study={found[0]['StudyInstanceUID']}")
    page = staff.page
    expect(page.get_by_role("radio")).to_have_count(2)
    expect(page.get_by_role("button", name="Create link")).to_have_count(0)
    page.get_by_role("radio", name=re.compile("Coronal FLAIR")).click()
    page.get_by_role("button", name="Create link").click()
    expect(page.get_by_role("heading", name="Link created")).to_be_visible()
    shared = shelf.live.client("staff").get("/api/shares?limit=1").json()["items"][0]
    assert shared["series"]["SeriesDescription"] == "Coronal FLAIR"
    staff.go(f"/shares/new?study={laid.study}")
    expect(page.get_by_role("region", name="Series")).to_contain_text(laid.name)
    staff.go("/shares/new?study=1.2.3.4")
    expect(page.get_by_role("heading", name="No such series")).to_be_visible()


def test_a_link_that_never_was_is_like_one_that_is_over(visit: Visitor) -> None:
    guest = visit()
    guest.go("/share/" + "x" * 43)
    expect(guest.page).to_have_url(re.compile("/shared/none$"))
    expect(guest.page.get_by_role("heading", name="This link is not valid, or no longer")).to_be_visible()
    assert guest.page.locator("meta[name=robots]").get_attribute("content") == "noindex"


def test_orthanc_explorer_leads_to_the_form(visit: Visitor, shelf: Shelf) -> None:
    series = shelf.live.admin.get("/series").json()[0]
    uid = shelf.live.admin.get(f"/series/{series}").json()["MainDicomTags"]["SeriesInstanceUID"]
    admin = visit("admin", http_credentials={"username": "admin", "password": ADMIN_PASSWORD})
    admin.go(f"/app/explorer.html#series?uuid={series}")
    page = admin.page
    page.get_by_role("link", name="Share this series").click()
    expect(page).to_have_url(re.compile(re.escape(f"/shares/new?series={uid}")))
    expect(page.get_by_role("region", name="Series")).to_be_visible()
    expect(page.get_by_role("button", name="Create link")).to_be_visible()


def test_the_page_of_a_link_asks_nobody_else_and_fits_a_phone(
    visit: Visitor, shelf: Shelf, laid: Laid, axe: str
) -> None:
    made = link(shelf.live, laid)
    for scheme in ("light", "dark"):
        guest = guest_of(visit, color_scheme=scheme, reduced_motion="reduce", **PHONE)
        asked: list[str] = []
        guest.page.on("request", lambda request, asked=asked: asked.append(request.url))
        guest.page.goto(made["url"])
        expect(guest.page.get_by_role("link", name=re.compile("^Download"))).to_be_in_viewport()
        assert guest.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert all(each.startswith(shelf.live.url) for each in asked)
        assert not [each for each in asked if "/api/" in each], "nobody is signed in, and nobody is asked to be"
        guest.page.evaluate(axe)
        rules = "axe.run({ runOnly: ['wcag2a', 'wcag2aa'] }).then(said => said.violations.map(each => each.id))"
        assert guest.page.evaluate(rules) == []
