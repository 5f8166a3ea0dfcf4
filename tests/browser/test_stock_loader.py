"""Image ids load in Cornerstone's own loaders as they come, `wadouri:` and `wadors:`, from Orthanc and from the NAS."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from playwright.sync_api import Browser, Page
from pydicom.pixels import apply_modality_lut

from tests.fixtures.instance import REPO, running
from tests.fixtures.live_cases import store
from tests.fixtures.viewing import Viewing, study_of

SOURCE = REPO / "tests" / "fixtures" / "stock_loader"
SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"


def packages() -> Path:
    """Those that the web app is built with: where the runtime keeps them, or in the repository."""
    runtime = Path(os.environ.get("READINGROOM_RUNTIME", REPO / ".runtime"))
    for place in [*sorted(runtime.glob("web-work/*/node_modules")), REPO / "web" / "node_modules"]:
        if (place / "@cornerstonejs" / "core").exists():
            return place
    raise AssertionError("no packages of the web app; run `npm ci` in web/")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewing]:
    """An instance whose gateway has the page in place of the web app."""
    scratch = tmp_path_factory.mktemp("stock")
    shutil.copytree(SOURCE, scratch / "page")
    (scratch / "page" / "node_modules").symlink_to(packages())
    (scratch / "nas").mkdir()
    command = ["node", str(packages() / "vite" / "bin" / "vite.js"), "build", str(scratch / "page")]
    done = subprocess.run([*command, "--outDir", str(scratch / "web")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    web = str(scratch / "web")
    with running(scratch / "data", READINGROOM_WEB=web, NAS_ALLOWED_ROOTS=str(scratch / "nas")) as live:
        yield Viewing(live, scratch / "nas")


@pytest.fixture(scope="module")
def page(site: Viewing, chromium: Browser) -> Iterator[Page]:
    """The page, signed in."""
    opened = chromium.new_page()
    opened.add_init_script(f"window.token = {site.staff.token()!r}")
    opened.goto(f"{site.live.url}/sign-in")
    opened.wait_for_function("window.ready", timeout=60_000)
    yield opened
    opened.close()


def ids(site: Viewing, study: str, scheme: str) -> list[str]:
    found: list[str] = site.staff.get(f"/api/pacs/studies/{study}/image-ids/?scheme={scheme}").json()["imageIds"]
    return found


def loaded(page: Page, image_id: str) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
    told = page.evaluate("id => window.load(id)", image_id)
    return told, np.asarray(told.pop("values"), np.float64)


@pytest.mark.parametrize("scheme", ["wadouri", "wadors"])
def test_slices_in_orthanc_and_on_the_nas_load_with_their_true_values(site: Viewing, page: Page, scheme: str) -> None:
    listed = ids(site, site.study, scheme)
    for first, name in ((0, "here"), (40, "far"), (80, "both")):
        for n in (0, 17, 39):
            told, values = loaded(page, listed[first + n])
            read = pydicom.dcmread(io.BytesIO(site.files[name][n]))
            wanted = np.asarray(apply_modality_lut(read.pixel_array, read), np.float64)
            if not told["scaled"]:
                values = values * told["slope"] + told["intercept"]
            assert (told["rows"], told["columns"]) == wanted.shape
            np.testing.assert_allclose(values.reshape(wanted.shape), wanted)


@pytest.mark.parametrize("scheme", ["wadouri", "wadors"])
def test_each_frame_of_a_film_loads(site: Viewing, page: Page, scheme: str) -> None:
    frames = pydicom.dcmread(io.BytesIO(site.film)).pixel_array
    for n, image_id in enumerate(ids(site, site.study, scheme)[-5:]):
        told, values = loaded(page, image_id)
        assert told["colour"]
        shown = values.reshape(*frames[n].shape[:2], -1)[..., :3]
        np.testing.assert_array_equal(shown, frames[n])


@pytest.mark.parametrize("name", ["MR_small_jpeg_ls_lossless", "MR_small_RLE", "JPEG2000", "MR_small_bigendian"])
def test_compressed_files_load_as_they_are_stored(site: Viewing, page: Page, name: str) -> None:
    data = (SAMPLES / f"{name}.dcm").read_bytes()
    read = pydicom.dcmread(io.BytesIO(data))
    study = study_of(name)
    read.StudyInstanceUID, read.SeriesInstanceUID, read.SOPInstanceUID = study, f"{study}.1", f"{study}.2"
    read.file_meta.MediaStorageSOPInstanceUID = read.SOPInstanceUID
    kept = io.BytesIO()
    read.save_as(kept)
    store(site.live, [(name, kept.getvalue())], workers=1)
    wanted = pydicom.dcmread(io.BytesIO(data)).pixel_array
    for scheme in ("wadouri", "wadors"):
        (image_id,) = ids(site, study, scheme)
        told, values = loaded(page, image_id)
        assert (told["rows"], told["columns"]) == wanted.shape
        if told["scaled"]:
            wanted = np.asarray(apply_modality_lut(wanted, read))
        np.testing.assert_array_equal(values.reshape(wanted.shape), wanted)
