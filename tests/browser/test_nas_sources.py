"""Sources of the NAS index on the page: added, tested, changed, advised about, removed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.fixtures.browser import Shelf, Visit, Visitor
from tests.fixtures.keyboard import walk_to
from tests.fixtures.nas_pages import RUN_MS, configured, index_from_the_page, indexed, lay_down, row_of
from tests.fixtures.smbd import Smbd
from tests.fixtures.sshd import Sshd


def at_sources(visit: Visitor) -> Visit:
    admin = visit("admin")
    admin.go("/nas/sources")
    expect(admin.page.get_by_role("heading", name="Sources and runs")).to_be_visible()
    return admin


def choose(dialog: Locator, kind: str) -> None:
    dialog.get_by_role("radiogroup", name="Type of source").get_by_text(kind, exact=True).click()


def new_source(page: Page, kind: str, name: str) -> Locator:
    page.get_by_role("button", name="Add a source").first.click()
    dialog = page.get_by_role("dialog", name="New source")
    choose(dialog, kind)
    dialog.get_by_label("Name", exact=True).fill(name)
    return dialog


def edited(page: Page, name: str) -> Locator:
    page.get_by_role("button", name=f"Change {name}").click()
    page.get_by_role("menuitem", name="Edit").click()
    return page.get_by_role("dialog", name=f"Source {name}")


def test_a_folder_is_added_tested_and_indexed(visit: Visitor, tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    lay_down(folder)
    page = at_sources(visit).page
    dialog = new_source(page, "Folder", "mounted")
    dialog.get_by_role("textbox", name="Folder", exact=True).fill(str(folder))
    dialog.get_by_role("button", name="Test connection").click()
    said = dialog.get_by_role("status")
    expect(said).to_contain_text("Works", timeout=RUN_MS)
    expect(said).to_contain_text("answers in")
    expect(said).to_contain_text("MB/s")
    dialog.get_by_role("textbox", name="Folder", exact=True).fill(f"{folder}/")
    expect(said).to_be_empty()  # what was tested is no longer what stands there
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_have_count(0)
    row = row_of(page, "Sources", "mounted")
    expect(row).to_contain_text("Never")
    row.get_by_role("button", name="Index mounted now").click()
    expect(row).to_contain_text("Done", timeout=RUN_MS)


def test_what_does_not_fit_is_told_at_its_field_by_the_page_and_by_the_server(visit: Visitor, tmp_path: Path) -> None:
    admin = at_sources(visit)
    admin.expected.append("status of 400")
    page = admin.page
    dialog = new_source(page, "SMB share", "")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_text("Give it a name: runs and series are listed under it.")).to_be_visible()
    expect(dialog.get_by_text("The name of the share is needed.")).to_be_visible()
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    choose(dialog, "Folder")
    dialog.get_by_label("Name", exact=True).fill("outside")
    folder = dialog.get_by_role("textbox", name="Folder", exact=True)
    folder.fill("/etc")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_text("This folder lies below none of NAS_ALLOWED_ROOTS.")).to_be_visible()
    expect(folder).to_be_focused()
    expect(folder).to_have_attribute("aria-invalid", "true")
    folder.fill(str(tmp_path))
    dialog.get_by_role("button", name="Advanced").click()
    dialog.get_by_label("Time-out, seconds").fill("9000")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_text("Input should be less than or equal to 600.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_kept_password_never_comes_out_and_stays_until_another_is_typed(
    visit: Visitor, shelf: Shelf, smbd: Smbd
) -> None:
    lay_down(smbd.root / "kept")
    admin = at_sources(visit)
    admin.expected.append("status of 400")
    page = admin.page
    dialog = new_source(page, "SMB share", "kept")
    dialog.get_by_label("Host").fill(smbd.host)
    dialog.get_by_label("Port").fill(str(smbd.port))
    dialog.get_by_label("Share", exact=True).fill(smbd.share)
    dialog.get_by_label("Folder of the share").fill("kept")
    dialog.get_by_label("User name").fill(smbd.user)
    dialog.get_by_label("Password", exact=True).fill("not the password")
    dialog.get_by_role("button", name="Test connection").click()
    expect(dialog.get_by_role("status")).to_contain_text("Sign-in", timeout=RUN_MS)
    expect(dialog.get_by_role("button", name="Save all the same")).to_be_visible()
    dialog.get_by_label("Password", exact=True).fill(smbd.password)
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_have_count(0)

    answers: list[str] = []
    page.on("response", lambda said: answers.append(said.text()) if "/api/nas/config" in said.url else None)
    dialog = edited(page, "kept")
    expect(dialog.get_by_label("Password", exact=True)).to_have_value("")
    expect(dialog.get_by_text("One is kept.")).to_be_visible()
    dialog.get_by_label("Domain").fill("WORKGROUP")
    dialog.get_by_role("button", name="Test connection").click()
    expect(dialog.get_by_role("status")).to_contain_text("Works", timeout=RUN_MS)
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_have_count(0)
    assert answers
    assert not any(smbd.password in said for said in answers)
    assert smbd.password in (shelf.live.data / "nas_config.json").read_text()

    dialog = edited(page, "kept")
    dialog.get_by_label("Host").fill("localhost")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_text("the password has to be typed again")).to_be_visible()
    dialog.get_by_role("button", name="Forget it").click()
    expect(dialog.get_by_text("One is kept.")).to_have_count(0)


def test_an_unknown_host_key_is_shown_and_taken_over_on_an_explicit_word(visit: Visitor, sshd: Sshd) -> None:
    lay_down(sshd.root / "keyed")
    page = at_sources(visit).page
    dialog = new_source(page, "SFTP", "keyed")
    dialog.get_by_label("Host", exact=True).fill(sshd.host)
    dialog.get_by_label("Port").fill(str(sshd.port))
    dialog.get_by_role("textbox", name="Folder", exact=True).fill(f"{sshd.root}/keyed")
    dialog.get_by_label("User name").fill(sshd.user)
    dialog.get_by_label("Password", exact=True).fill(sshd.password)
    dialog.get_by_role("button", name="Test connection").click()
    said = dialog.get_by_role("status")
    expect(said).to_contain_text("Sign-in", timeout=RUN_MS)
    said.get_by_role("button", name="Take this host key").click()
    expect(dialog.get_by_label("Host key")).to_have_value(sshd.host_key_fingerprint)
    dialog.get_by_role("button", name="Test connection").click()
    expect(said).to_contain_text("Works", timeout=RUN_MS)
    expect(said).to_contain_text("encrypted")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)


def test_an_archive_of_pictures_gets_its_columns_mapped(visit: Visitor, shelf: Shelf, tmp_path: Path) -> None:
    page = at_sources(visit).page
    dialog = new_source(page, "Folder", "pictures")
    dialog.get_by_role("textbox", name="Folder", exact=True).fill(str(tmp_path))
    dialog.get_by_role("button", name="Advanced").click()
    dialog.get_by_role("switch", name="Pictures with a Firebird database").press("Space")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_text("The database's path or alias is needed.")).to_be_visible()
    dialog.get_by_label("Database", exact=True).fill("archive")
    dialog.get_by_label("Password of the database", exact=True).fill("masterkey")
    dialog.get_by_label("Table", exact=True).fill("PICTURES")
    dialog.get_by_label("Column of the picture's path").fill("FILE_PATH")
    dialog.get_by_label("Column 1", exact=True).fill("NAME")
    dialog.get_by_role("button", name="Add a value").click()
    dialog.get_by_role("combobox", name="DICOM attribute, values that no column has, 1").fill("Modality")
    page.get_by_role("option", name="Modality", exact=True).click()
    dialog.get_by_label("Value 1", exact=True).fill("XC")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_have_count(0)
    sources = shelf.live.admin.get("/api/nas/config").json()["sources"]
    (firebird,) = (each["firebird"] for each in sources if each["name"] == "pictures")
    assert firebird["columns"] == {"path": "FILE_PATH", "PatientName": "NAME"}
    assert (firebird["table"], firebird["defaults"], firebird["password"]) == ("PICTURES", {"Modality": "XC"}, "***")
    dialog = edited(page, "pictures")
    expect(dialog.get_by_label("Column of the picture's path")).to_have_value("FILE_PATH")
    page.keyboard.press("Escape")


def test_advice_that_names_a_setting_is_applied_with_one_press(visit: Visitor, shelf: Shelf, tmp_path: Path) -> None:
    lay_down(tmp_path)
    configured(shelf.live, name="crowded", type="local", path=str(tmp_path), max_workers=100)
    shelf.live.admin.post("/api/nas/test", json={"source": "crowded"})
    page = at_sources(visit).page
    page.get_by_role("button", name="Apply max_workers = 0 to crowded").click()
    expect(page.get_by_text("It holds from the next run on.")).to_be_visible()
    expect(page.get_by_role("button", name="Apply max_workers = 0 to crowded")).to_have_count(0)
    sources = shelf.live.admin.get("/api/nas/config").json()["sources"]
    assert [each["max_workers"] for each in sources if each["name"] == "crowded"] == [0]


def test_removing_a_source_asks_first_and_keeps_its_series(visit: Visitor, shelf: Shelf, tmp_path: Path) -> None:
    jane, _ = lay_down(tmp_path)
    indexed(shelf.live, configured(shelf.live, name="outgoing", type="local", path=str(tmp_path)))
    page = at_sources(visit).page
    button = page.get_by_role("button", name="Change outgoing")
    button.click()
    page.get_by_role("menuitem", name="Remove").click()
    dialog = page.get_by_role("dialog", name="Remove outgoing?")
    expect(dialog).to_contain_text("2 series can still be found")
    expect(dialog.get_by_role("button", name="Keep it as it is")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()
    button.click()
    page.get_by_role("menuitem", name="Remove").click()
    dialog.get_by_role("button", name="Remove the source").click()
    row = row_of(page, "Sources", "outgoing")
    expect(row).to_contain_text("Not configured any more")
    expect(row.get_by_role("button", name="Index outgoing now")).to_be_disabled()
    assert shelf.live.admin.get(f"/api/search?q={jane}").json()["total"] == 1


def test_a_source_is_tested_and_the_answer_says_what_to_do(visit: Visitor, shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / "tested nas"
    lay_down(folder)
    configured(shelf.live, name="dead", type="smb", host="127.0.0.1", port=9, share="x", username="a", password="b")
    admin = at_sources(visit)
    page = admin.page
    index_from_the_page(page, folder)
    row = row_of(page, "Sources", "tested nas")
    row.get_by_role("button", name=re.compile("Test the connection")).click()
    expect(row).to_contain_text("Works", timeout=RUN_MS)
    expect(row).to_contain_text("answers in")
    dead = page.get_by_role("row").filter(has=page.get_by_role("button", name="Test the connection to dead"))
    dead.get_by_role("button", name=re.compile("Test the connection")).click()
    expect(dead).to_contain_text("Network", timeout=RUN_MS)
    expect(dead).to_contain_text("Check that the server is on")


def test_a_folder_that_the_server_does_not_allow_is_refused_with_words(visit: Visitor) -> None:
    admin = at_sources(visit)
    admin.expected.append("status of 400")
    page = admin.page
    page.get_by_role("combobox", name="Source", exact=True).fill("/etc")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("alert")).to_contain_text("NAS_ALLOWED_ROOTS")


def test_a_source_is_added_indexed_and_looked_at_with_the_keyboard_alone(visit: Visitor, tmp_path: Path) -> None:
    lay_down(tmp_path / "typed")
    page = at_sources(visit).page
    walk_to(page, "el => el.textContent.trim() === 'Add a source'")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="New source")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("typed")
    walk_to(page, "el => el.dataset.path === 'path'")
    page.keyboard.type(str(tmp_path / "typed"))
    walk_to(page, "el => el.textContent.trim() === 'Test connection'")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).to_contain_text("Works", timeout=RUN_MS)
    walk_to(page, "el => el.textContent.trim() === 'Save'")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Add a source").first).to_be_focused()
    walk_to(page, "el => el.getAttribute('aria-label') === 'Index typed now'", steps=200)
    page.keyboard.press("Enter")
    expect(row_of(page, "Sources", "typed")).to_contain_text("Done", timeout=RUN_MS)
    page.reload()
    expect(page.get_by_role("region", name="Run over typed")).to_contain_text("Done")
    link = "el => el.matches('[aria-label=\"Run over typed\"] a')"
    walk_to(page, link, steps=200)
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="Errors")).to_contain_text("notes.dcm")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_the_form_of_a_source_has_no_serious_fault_and_fits(visit: Visitor, axe: str, scheme: str, width: int) -> None:
    admin = visit("admin", color_scheme=scheme, viewport={"width": width, "height": 844}, reduced_motion="reduce")
    admin.go("/nas/sources")
    page = admin.page
    dialog = new_source(page, "SFTP", "")
    dialog.get_by_role("button", name="Advanced").click()
    dialog.get_by_role("switch", name="Pictures with a Firebird database").press("Space")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_text("Which column says where a picture lies?")).to_be_visible()
    page.evaluate(axe)
    rules = "axe.run({ runOnly: ['wcag2a', 'wcag2aa'] }).then(said => said.violations.map(each => each.id))"
    assert page.evaluate(rules) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert dialog.evaluate("el => el.scrollWidth <= el.clientWidth")
