"""What browser tests find laid down."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.browser import Shelf
from tests.fixtures.share_pages import Laid


@pytest.fixture
def laid(shelf: Shelf, tmp_path: Path) -> Laid:
    """A series that nobody has shared yet."""
    shelf.live.account("test-staff", "staff")
    return Laid(shelf.live, tmp_path / "shared nas")
