"""Every bundled sample of pydicom's in the viewer: its pixels as pydicom decodes them, or plain words why not.

Not bundled, and so not tried here: JPEG lossless with other predictors (.57), HTJ2K (.201 to .203), JPEG 2000 part 2,
MPEG, deflated frames. What the page holds is read from the event that Cornerstone sends for each picture it puts up; no
part of the page is made for this test.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.browser import sign_in, until
from tests.fixtures.instance import Client, LiveInstance, running
from tests.fixtures.samples import Sample, images, pixels, sample

LISTEN = """
document.addEventListener("CORNERSTONE_STACK_NEW_IMAGE", (event) => {
  const image = event.detail.image;
  window.held = image;
  window.heldCount = (window.heldCount ?? 0) + 1;
}, true);
"""

READ = """
() => {
  const image = window.held;
  const values = image.voxelManager ? image.voxelManager.getScalarData() : image.getPixelData();
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return { kind: values.constructor.name, rows: image.rows, columns: image.columns, colour: image.color,
           scaled: image.preScale?.scaled ?? false, slope: image.slope, intercept: image.intercept, data: btoa(text) };
}
"""

KINDS = {
    "Uint8Array": "u1", "Uint8ClampedArray": "u1", "Int8Array": "i1", "Uint16Array": "<u2", "Int16Array": "<i2",
    "Uint32Array": "<u4", "Int32Array": "<i4", "Float32Array": "<f4", "Float64Array": "<f8",
}  # fmt: skip

LOSSY_JPEG = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
"""Decoders may round differently, and blow up halved colours each in its own way (ITU-T T.81 leaves it open)."""

ROUNDED = ("examples_palette.dcm", "SC_rgb_rle_32bit.dcm", "SC_rgb_rle_32bit_2frame.dcm")
"""Colours of more bits come down to 8 by division here, by dropping bits in pydicom."""

SINGLE = 1e-6
"""What single precision, as the screen has it, loses of the largest value."""

REFUSED = ("SC_rgb_jpeg.dcm",)
"""What Orthanc itself does not take for DICOM."""

UNSHOWN = {
    "MR_truncated.dcm": "The file ends before its pixels do.",
    # Its codestream names a size that it has not: decoders that say nothing would give out the picture before it.
    "JPEG2000-embedded-sequence-delimiter.dcm": "This image is broken: it cannot be decoded.",
}
"""What no browser can show, and what the page says of it."""

GO = """
(path) => {
  window.held = undefined;
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}
"""
"""To another series within the app, as its own links go there: the page is loaded once for all samples."""

PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveInstance]:
    """An instance with every sample that Orthanc takes."""
    with running(tmp_path_factory.mktemp("samples") / "data") as instance:
        client = instance.orthanc()
        for name in images():
            answer = client.post("/instances", data=sample(name).data)
            assert answer.status_code == (400 if name in REFUSED else 200), (name, answer.text)
        yield instance


@pytest.fixture(scope="module")
def admin(live: LiveInstance) -> Client:
    """Signed in once for all samples."""
    return live.admin


@pytest.fixture(scope="module")
def page(live: LiveInstance, painter: Browser) -> Iterator[Page]:
    """A page of this file's own, drawn by WebGL."""
    context = painter.new_context(locale="en-GB", timezone_id="UTC", viewport={"width": 900, "height": 700})
    context.add_init_script(LISTEN)
    sign_in(context, live.url, "admin")
    opened = context.new_page()
    opened.goto(f"{live.url}/cases")
    expect(opened.get_by_role("heading", level=1)).to_be_visible()
    yield opened
    context.close()


def opened(page: Page, name: str) -> None:
    """The sample's series in the viewer."""
    each = sample(name)
    page.evaluate(GO, f"/viewer/{each.study}/{each.series}")


def held(page: Page) -> NDArray[Any]:
    """The picture that is on the screen, rescaled as the page shows it: rows × columns, or × 3."""
    said = page.evaluate(READ)
    values = np.frombuffer(base64.b64decode(said["data"]), KINDS[said["kind"]])
    shape = (said["rows"], said["columns"])
    if said["colour"]:
        return values.reshape(*shape, -1)[..., :3]
    values = values.reshape(shape)
    return values if said["scaled"] else values * said["slope"] + said["intercept"]


def test_the_samples_are_of_every_syntax_that_pydicom_brings_with_it() -> None:
    found = {sample(name).syntax.removeprefix("1.2.840.10008.1.2") for name in images()}
    native = {"", ".1", ".2", ".1.99"}
    assert found == native | {".4.50", ".4.51", ".4.70", ".4.80", ".4.81", ".4.90", ".4.91", ".5"}


@pytest.mark.parametrize("name", [name for name in images() if name not in REFUSED and name not in UNSHOWN])
def test_a_sample_is_shown_as_pydicom_decodes_it(admin: Client, page: Page, name: str) -> None:
    opened(page, name)
    until(page, "window.held !== undefined", patience_ms=PATIENCE_MS)
    compare(held(page), pixels(name)[shown(admin, page, name)], sample(name))


@pytest.mark.parametrize("name", list(UNSHOWN))
def test_what_cannot_be_shown_is_said_in_plain_words(page: Page, name: str) -> None:
    opened(page, name)
    expect(page.get_by_text(UNSHOWN[name])).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate("window.held === undefined")


def shown(admin: Client, page: Page, name: str) -> int:
    """Which frame of the file is on the screen, counted from 0: films and volumes begin where they are best seen."""
    index = int(page.evaluate("window.held.imageId").rpartition("/")[2])
    each = sample(name)
    manifest = admin.get(f"/api/pacs/studies/{each.study}/series/{each.series}/manifest").json()
    return int(manifest["frames"].get("frameNumber", [1] * manifest["frameCount"])[index]) - 1


def compare(ours: NDArray[Any], theirs: NDArray[Any], each: Sample) -> None:
    """Equal, or as close as two decoders of lossy JPEG, or two roundings, come."""
    assert ours.shape == theirs.shape
    apart = np.abs(ours.astype("f8") - theirs.astype("f8"))
    if each.syntax in LOSSY_JPEG:
        assert apart.mean() < 2, (apart.mean(), apart.max())
    else:
        most = 1 if each.name in ROUNDED else np.abs(theirs).max() * SINGLE if ours.dtype.kind == "f" else 0
        assert apart.max() <= most, (apart.mean(), apart.max(), ours.ravel()[:4], theirs.ravel()[:4])
