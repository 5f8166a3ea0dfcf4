"""Which greys a picture is shown in: its own window or table, or what the reader chose, whatever draws."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Route, expect
from pydicom import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from tests.browser.test_viewer_drawing import drawn_by, seen
from tests.factories import ct, dicom_bytes, lut, mr
from tests.fixtures.live_cases import store
from tests.fixtures.viewer_pages import PATIENCE_MS, Looker, Reading, Window, series, study

BRUSHES = ("processor", "graphics")


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE_MS)
    yield


WINDOWS = ((500, 1000, 127), (250, 500, 255), (1000, 1000, 0))
"""Centre, width, and the grey that 500 has in it."""


@pytest.fixture(scope="module")
def each_its_own(reading: Reading) -> str:
    """A series of three slices, all of the value 500, each with another window."""
    flat = np.full((64, 64), 500, "<i2").tobytes()
    for n, (center, width, _) in enumerate(WINDOWS):
        facts = {"WindowCenter": str(center), "WindowWidth": str(width), "RescaleIntercept": "0", "PixelData": flat}
        made = ct("own", n, rows=64, columns=64, study="windows", SeriesNumber="1", **facts)
        store(reading.viewing.live, [(f"own {n}", dicom_bytes(made))], workers=1)
    return series("own", "windows")


@pytest.mark.parametrize("brush", BRUSHES)
def test_each_image_has_its_own_window_until_the_reader_chooses_one(
    brush: str, look: Looker, reading: Reading, each_its_own: str
) -> None:
    window = drawn_by(brush, look, reading)
    window.read(study("windows"), each_its_own, 1)
    for image, (center, width, grey) in enumerate(WINDOWS, 1):
        window.shows(image)
        is_grey(window, grey)
        expect(window.corner("bottomRight")).to_contain_text(f"C {center}  W {width}")
        window.page.keyboard.press("ArrowDown")
    window.page.keyboard.press("2")  # Brain
    is_grey(window, 255)
    window.page.keyboard.press("Home")
    window.shows(1)
    is_grey(window, 255)
    expect(window.corner("bottomRight")).to_contain_text("C 40  W 80")
    window.page.keyboard.press("x")
    is_grey(window, 127)
    window.page.keyboard.press("End")
    window.shows(3)
    is_grey(window, 0)


def is_grey(window: Window, wanted: int) -> None:
    """Waits until the picture is that grey, within the roundings of what draws."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while abs(float(np.median(seen(window))) - wanted) > 2:
        assert time.monotonic() < end, f"{float(np.median(seen(window)))} instead of {wanted}"
        window.page.wait_for_timeout(50)


BLOCKS = 4
"""So many across and down, each of one value."""

STORED = np.linspace(0, 4095, BLOCKS * BLOCKS).round().astype(int).reshape(BLOCKS, BLOCKS)


@pytest.fixture(scope="module")
def tables(reading: Reading) -> list[Dataset]:
    """Two images with lookup tables; the first has one of the modality too."""
    whole = np.arange(4096)
    rise = (4095 * (whole / 4095) ** 0.5).round()
    curve = (4095 / (1 + np.exp(-(whole - 2000) / 300))).round()
    steps = (np.clip(whole - 1000, 0, 2000) // 500 * 1000).clip(0, 4095)
    pixels = np.kron(STORED, np.ones((16, 16), int)).astype("<u2").tobytes()
    common: dict[str, Any] = {"rows": 64, "columns": 64, "study": "tables", "SeriesNumber": "1", "PixelData": pixels}
    first = mr(
        "tables", 0, WindowCenter="2000", WindowWidth="4000", **common,
        ModalityLUTSequence=(lut(rise, 0, 16, ModalityLUTType="OD"),),
        VOILUTSequence=(lut(curve, 0, 12, LUTExplanation="NORMAL"), lut(steps, 0, 12, LUTExplanation="HARD")),
    )  # fmt: skip
    second = mr("tables", 1, VOILUTSequence=(lut(whole[::-1], 0, 12, LUTExplanation="NORMAL"),), **common)
    for n, each in enumerate((first, second)):
        store(reading.viewing.live, [(f"tables {n}", dicom_bytes(each))], workers=1)
    return [first, second]


Greys = NDArray[np.float64]


def as_pydicom(made: Dataset, table: int = 0) -> Greys:
    """What the blocks look like through the tables of the header, 0 to 255."""
    values = apply_voi_lut(apply_modality_lut(STORED.astype("u2"), made), made, index=table)
    return values.astype(float) * 255 / 4095


def blocks(window: Window) -> Greys:
    """The greys in the middle of each block, as on the screen."""
    box = window.picture.bounding_box()
    assert box is not None
    shot = window.page.screenshot(clip=box)
    picture = np.asarray(Image.open(io.BytesIO(shot)).convert("L"), dtype=np.float64)
    height, width = picture.shape
    side = min(height, width) / BLOCKS
    top, left = (height - side * BLOCKS) / 2, (width - side * BLOCKS) / 2

    def middle(row: int, column: int) -> float:
        y, x = int(top + (row + 0.5) * side), int(left + (column + 0.5) * side)
        return float(np.median(picture[y - 8 : y + 8, x - 8 : x + 8]))

    return np.array([[middle(row, column) for column in range(BLOCKS)] for row in range(BLOCKS)])


def look_like(window: Window, wanted: Callable[[], Greys], what: str, apart: float = 2.5) -> None:
    """Waits until the blocks have these greys."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while np.abs((found := blocks(window)) - wanted()).max() > apart:
        assert time.monotonic() < end, f"{what}:\n{found.round()}\ninstead of\n{wanted().round()}"
        window.page.wait_for_timeout(50)


@pytest.mark.parametrize("brush", BRUSHES)
def test_lookup_tables_of_a_header_make_the_greys_that_pydicom_makes_of_them(
    brush: str, look: Looker, reading: Reading, tables: list[Dataset]
) -> None:
    first, second = tables
    window = drawn_by(brush, look, reading)
    words = window.corner("bottomRight")
    window.read(study("tables"), series("tables", "tables"), 1)
    look_like(window, lambda: as_pydicom(first), "at first")
    expect(words).to_contain_text("Table NORMAL")
    expect(window.presets).to_contain_text("NORMAL")
    window.presets.click()
    window.page.get_by_role("menuitem", name=re.compile("^HARD")).click()
    look_like(window, lambda: as_pydicom(first, 1), "the other table")
    window.page.keyboard.press("i")
    look_like(window, lambda: 255 - as_pydicom(first, 1), "inverted")
    window.page.keyboard.press("i")
    window.page.keyboard.press("ArrowDown")
    window.shows(2)
    look_like(window, lambda: as_pydicom(second), "the next image, which has but one")
    window.page.keyboard.press("ArrowUp")
    window.shows(1)
    look_like(window, lambda: as_pydicom(first, 1), "the one before, as it was left")
    window.drag((60, 30))
    expect(words).to_contain_text(re.compile(r"C -?\d+  W \d+"))
    values = apply_modality_lut(STORED.astype("u2"), first)
    look_like(window, lambda: ramp(values, words.inner_text()), "dragged", apart=4)
    window.page.keyboard.press("ArrowDown")
    window.shows(2)
    look_like(window, lambda: ramp(STORED, words.inner_text()), "dragged, the next image", apart=4)
    window.page.keyboard.press("x")
    look_like(window, lambda: as_pydicom(second), "put back")


def ramp(values: NDArray[Any], words: str) -> Greys:
    """The greys of values in the window that the page tells."""
    found = re.search(r"C (-?[\d.]+)  W ([\d.]+)", words)
    assert found is not None, words
    center, width = (float(each) for each in found.groups())
    return ((values - (center - 0.5)) / (width - 1) + 0.5).clip(0, 1) * 255


def test_values_are_those_of_the_modalitys_table(look: Looker, reading: Reading, tables: list[Dataset]) -> None:
    window = look("staff")
    window.read(study("tables"), series("tables", "tables"), 1)
    values = apply_modality_lut(STORED.astype("u2"), tables[0])
    x, y = window.middle()
    window.page.mouse.move(x + 40, y + 40)
    expect(window.corner("bottomRight")).to_contain_text(f"{int(values[2, 2])} OD at ")
    window.page.keyboard.press("e")
    window.drag((60, 60), (40, 40))
    expect(window.picture.get_by_text(re.compile(rf"Mean: {int(values[2, 2])}"))).to_be_visible()


def test_the_painted_picture_follows_the_tables_too(look: Looker, reading: Reading, tables: list[Dataset]) -> None:
    window = look("staff")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    window.page.route("**/assets/stack-*.js", hold)
    for image, made in enumerate(tables, 1):
        window.open(f"/viewer/{study('tables')}/{series('tables', 'tables')}?image={image}")
        expect(window.picture).to_have_attribute("data-painted", str(image))
        look_like(window, lambda made=made: as_pydicom(made), f"image {image}")  # type: ignore[misc]
    for route in held[-1:]:
        route.continue_()
    window.shows(2)
    look_like(window, lambda: as_pydicom(tables[1]), "drawn")
