"""Makes the README's screenshots from the demo's cases: `scripts/test tests/browser/make_screenshots.py`.

Not collected by itself. The repository is read-only for tests: the pictures go to `screenshots/` in the runtime folder
(or where READINGROOM_SCREENSHOTS says), to be copied to docs/screenshots/ after a look at them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.instance import ADMIN_PASSWORD, REPO, running

MAX_BYTES = 300_000
"""What one picture in the repository may weigh."""


@pytest.mark.timeout(600)
def test_make_the_screenshots(chromium: Browser, tmp_path: Path) -> None:
    runtime = Path(os.environ.get("READINGROOM_RUNTIME", REPO / ".runtime"))
    folder = Path(os.environ.get("READINGROOM_SCREENSHOTS", runtime / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    with running(tmp_path / "data", "--demo") as live:
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


def _signed_in(chromium: Browser, url: str, scheme: str, size: tuple[int, int]) -> Page:
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
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password", exact=True).fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("table")).to_be_visible()
    return page


def _shoot(page: Page, path: Path) -> None:
    page.mouse.move(0, 0)
    page.evaluate(
        "Promise.all([document.fonts.ready, ...document.getAnimations().map(each => each.finished.catch(() => 0))])"
    )
    page.screenshot(path=path)
    assert path.stat().st_size < MAX_BYTES
    print(path)
