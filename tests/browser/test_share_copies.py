"""De-identified copies of links on the page: how far they are, what keeps one from being made; and late pictures."""

from __future__ import annotations

import base64
import json
import re
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

from tests import factories
from tests.fixtures.browser import Shelf, Visitor
from tests.fixtures.nas_pages import RUN_MS, indexed
from tests.fixtures.share_pages import PHONE, Laid, act, guest_of, link, row_of

ACCEPT = re.compile("^I looked at the images: nothing that is burned into them")
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def burned(laid: Laid, shelf: Shelf, folder: Path) -> str:
    """A series whose header tells of something burned into its pictures; its key."""
    mark = folder.name
    tree = {
        f"US/IM{n}": factories.dicom_bytes(
            factories.mr(f"{laid.name} {mark}", n, study=f"{laid.name} {mark}", PatientName=f"{laid.name}^Burned",
                         BurnedInAnnotation="YES", InstanceNumber=n)
        )
        for n in (1, 2)
    }  # fmt: skip
    factories.write_tree(folder, tree)
    indexed(shelf.live, str(folder))
    found = shelf.live.admin.get("/api/search", params={"source": str(folder)}).json()["results"]
    return str(found[0]["SeriesKey"])


def form_of(page: Page) -> Locator:
    page.get_by_role("switch", name="Ask for a passcode").uncheck()
    page.get_by_role("switch", name="De-identified copy").check()
    return page.get_by_role("checkbox", name=ACCEPT)


def test_a_copy_that_something_burned_in_kept_from_being_made_is_made_after_a_look(
    visit: Visitor, shelf: Shelf, laid: Laid, tmp_path: Path
) -> None:
    key = burned(laid, shelf, tmp_path / "burned in")
    made = link(shelf.live, laid, series_key=key, deidentified=True)
    staff = visit("staff")
    staff.go(f"/shares?q={laid.name}")
    page = staff.page
    expect(row_of(page, laid)).to_contain_text("something is burned into its picture", timeout=RUN_MS)
    expect(row_of(page, laid)).to_contain_text("Failed")
    act(page, laid, "Make the copy again")
    dialog = page.get_by_role("dialog", name="Make the copy again")
    expect(dialog.get_by_role("alert")).to_contain_text("File 1 of 2 says that something is burned into its picture")
    dialog.get_by_role("checkbox", name=ACCEPT).check()
    dialog.get_by_role("button", name="Make the copy").click()
    expect(dialog).to_have_count(0)
    expect(row_of(page, laid)).to_contain_text("Active", timeout=RUN_MS)
    assert shelf.live.client("staff").get(f"/api/shares/{made['id']}").json()["copy_done"] == 2


def test_the_look_may_be_told_when_the_link_is_made_and_of_a_copy_alone(visit: Visitor, laid: Laid) -> None:
    staff = visit("staff")
    staff.go(f"/shares/new?series={laid.key}")
    page = staff.page
    expect(page.get_by_role("checkbox", name=ACCEPT)).to_have_count(0)
    form_of(page).check()
    with page.expect_request("**/share/create") as asked:
        page.get_by_role("button", name="Create link").click()
    sent: dict[str, Any] = asked.value.post_data_json
    assert (sent["deidentified"], sent["accept_burned_in"]) == (True, True)
    expect(page.get_by_role("heading", name="Link created")).to_be_visible()
    page.get_by_role("button", name="Copy all").click()


def test_the_list_tells_how_far_a_copy_is(visit: Visitor, shelf: Shelf, laid: Laid) -> None:
    link(shelf.live, laid)
    done = [1, 3]

    def tell(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        for item in said["items"]:
            item |= {"state": "preparing", "copy_state": "preparing", "copy_done": done[0], "deidentified": True}
        if len(done) > 1:
            done.pop(0)
        route.fulfill(response=answer, body=json.dumps(said))

    staff = visit("staff", **PHONE)
    staff.page.route("**/api/shares?*", tell)
    staff.go(f"/shares?q={laid.name}")
    expect(row_of(staff.page, laid)).to_contain_text("1 of 4 files")
    expect(row_of(staff.page, laid)).to_contain_text("3 of 4 files", timeout=RUN_MS)
    bar = row_of(staff.page, laid).get_by_role("progressbar", name="Files of the copy that are done")
    expect(bar).to_have_attribute("aria-valuenow", "75")
    assert staff.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_picture_that_is_not_there_yet_is_asked_for_again_when_the_server_says(
    visit: Visitor, shelf: Shelf, laid: Laid
) -> None:
    made = link(shelf.live, laid)
    guest = guest_of(visit)
    asked: list[float] = []

    def late(route: Route) -> None:
        asked.append(time.monotonic())
        if len(asked) <= 3:
            route.fulfill(status=503, headers={"Retry-After": "2"}, json={"error": "share_unavailable"})
        else:
            route.fulfill(status=200, content_type="image/png", body=PNG)

    guest.page.route("**/thumbnail", late)
    guest.page.goto(made["url"])
    picture = guest.page.get_by_role("img", name="The middle image of the series")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 1)
    assert asked[-1] - asked[0] >= 1.9, "not before the server said"


def test_a_series_without_a_picture_is_not_asked_for_again(visit: Visitor, shelf: Shelf, laid: Laid) -> None:
    made = link(shelf.live, laid)
    guest = guest_of(visit)
    asked: list[str] = []

    def none(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=404, json={"error": "no_thumbnail"})

    guest.page.route("**/thumbnail", none)
    guest.page.goto(made["url"])
    expect(guest.page.get_by_role("img", name="No picture of this series")).to_be_visible()
    assert len(asked) == 2
