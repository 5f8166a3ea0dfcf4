"""An instance with series to view, and the page of the stock loader beside our own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tests.factories import ct_slices, uid
from tests.fixtures.instance import REPO, LiveInstance, running

STOCK = Path(__file__).parent / "stock"
SENDER = "CT1"
"""The modality that may push."""

AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Series:
    """One series that lies in the instance."""

    study: str
    series: str
    count: int

    @property
    def page(self) -> str:
        """Its address in our viewer."""
        return f"/viewer/{self.study}/{self.series}"

    @property
    def api(self) -> str:
        """Where its manifest and thumbnail lie."""
        return f"/api/pacs/studies/{self.study}/series/{self.series}"


@contextmanager
def ground(scratch: Path) -> Iterator[LiveInstance]:
    """An instance whose gateway has the stock loader's page at `/bench/`, and that takes C-STORE from SENDER."""
    web = scratch / "web"
    shutil.copytree(Path(os.environ["READINGROOM_WEB"]), web)
    stock_page(scratch, web / "bench")
    known = json.dumps({"ct1": [SENDER, "127.0.0.1", 104]})
    # What is compressed beforehand is shown by visits after the first one; here it would only take time from others.
    told = {"READINGROOM_WEB": str(web), "READINGROOM_MODALITIES": known, "FRAMES_BEFOREHAND": "never"}
    with running(scratch / "data", **told) as live:
        yield live


def stock_page(scratch: Path, to: Path) -> None:
    """Builds the page with the packages of the web app."""
    source = scratch / "stock"
    shutil.copytree(STOCK, source)
    packages = node_modules()
    (source / "node_modules").symlink_to(packages)
    command = ["node", str(packages / "vite" / "bin" / "vite.js"), "build", str(source), "--outDir", str(to)]
    done = subprocess.run([*command, "--emptyOutDir"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def node_modules() -> Path:
    """The packages that the web app is built with: in the repository, or where the runtime keeps them."""
    runtime = Path(os.environ.get("READINGROOM_RUNTIME", REPO / ".runtime"))
    for place in [*sorted(runtime.glob("web-work/*/node_modules")), REPO / "web" / "node_modules"]:
        if (place / "@cornerstonejs" / "core").exists():
            return place
    raise AssertionError(f"no packages of the web app in {runtime} nor in web/; run `npm ci` in web/")


def stored(live: LiveInstance, files: Iterable[bytes]) -> None:
    """Files into Orthanc, a few at once."""
    client = live.orthanc()
    files = iter(files)

    def put(file: bytes) -> None:
        answer = client.post("/instances", data=file)
        assert answer.status_code == 200, answer.text

    with ThreadPoolExecutor(AT_ONCE) as crew:
        while some := list(islice(files, 50)):
            list(crew.map(put, some))


def big_series(live: LiveInstance, name: str, count: int) -> Series:
    """A CT of the phantom: 512 × 512, 16 bits, noise of 12 HU, explicit little endian."""
    stored(live, ct_slices(count, 512, 512, name=name))
    return Series(uid("study", name), uid("series", "", name), count)


def many_series(live: LiveInstance, name: str, number: int, count: int) -> list[Series]:
    """One study of many such series: the pixels of one, under other names."""
    model = list(ct_slices(count, 512, 512, name=name, study=name))
    made = []
    for n in range(number):
        series = uid("series", name, f"{name} {n}")

        def renamed(n: int = n, series: str = series) -> Iterator[bytes]:
            for index, file in enumerate(model):
                head, pixels = file[:4096], file[4096:]
                head = head.replace(uid("series", name, name).encode(), series.encode())
                head = head.replace(
                    uid("instance", name, name, index).encode(), uid("instance", name, f"{name} {n}", index).encode()
                )
                yield head + pixels

        stored(live, renamed())
        made.append(Series(uid("study", name), series, count))
    return made
