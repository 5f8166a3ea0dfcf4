"""What browser tests find laid down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.fixtures.browser import CHROMIUM, DRAWN_BY_SOFTWARE, QUIET, Shelf
from tests.fixtures.instance import running
from tests.fixtures.share_pages import Laid
from tests.fixtures.viewer_pages import Looker, Reading, looker, put_up
from tests.fixtures.viewing import Viewing


@pytest.fixture(scope="session")
def painter(chromium: Browser) -> Iterator[Browser]:
    """Chromium that draws by WebGL. Of the same Playwright as the other one: there may be only one at a time."""
    arguments = [each for each in QUIET if each != "--disable-gpu"]
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=[*arguments, *DRAWN_BY_SOFTWARE])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """A study to read, in an instance that all tests of the viewer's pages share."""
    nas = tmp_path_factory.mktemp("nas")
    with running(tmp_path_factory.mktemp("reading") / "data", NAS_ALLOWED_ROOTS=str(nas)) as live:
        yield put_up(Viewing(live, nas))


@pytest.fixture
def look(painter: Browser, reading: Reading) -> Iterator[Looker]:
    """Opens windows on the viewer; complains of what the browser complained of."""
    with looker(painter, reading) as opener:
        yield opener


@pytest.fixture
def laid(shelf: Shelf, tmp_path: Path) -> Laid:
    """A series that nobody has shared yet."""
    shelf.live.account("test-staff", "staff")
    return Laid(shelf.live, tmp_path / "shared nas")
