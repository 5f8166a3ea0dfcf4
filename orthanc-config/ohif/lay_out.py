#!/usr/bin/env python3
"""Lays out npm's OHIF for `/ohif/`: checked, unpacked, its addresses moved there, our settings put in, compressed.

    python3 lay_out.py ohif-app-3.13.2.tgz OUT_DIR     # for `scripts/serve` and the Docker image alike
    python3 lay_out.py --package                       # what to ask npm for: @ohif/app@3.13.2

Standard library only, Python 3.11 or newer. OHIF's package is built for the root of a site. It comes out as

    OUT_DIR/index.html             its page, without inline script
    OUT_DIR/app-config.js          ours
    OUT_DIR/files/KEY/…            everything else; KEY changes with any byte of it, so a browser may keep it for ever
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
RELEASE = HERE / "release.json"
CONFIG = HERE / "app-config.js"

HOME = "/ohif/"

BALLAST = ("ort/", "sw.js", "init-service-worker.js", "app-config.js", "google.js", "serve.json", "_headers",
           "_redirects", "silent-refresh.html", "oidc-client.min.js", "polyfill.min.js", "es6-shim.min.js",
           "customizations/")  # fmt: skip
"""What nobody here asks for: two thirds of the package are a runtime for models that lie on somebody else's server;
the service worker comes from such a one too; the rest is for other hosts and other ways to sign in."""

COMPRESSED = {".js", ".css", ".wasm", ".html", ".json", ".svg"}
WORTH_COMPRESSING = 1024

PUBLIC_PATH = '__webpack_require__.p = "/";'
IN_CODE = re.compile(r"""(['"`])/(dicom-microscopy-viewer/)""")
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
SERVICE_WORKER = re.compile(r"<script[^>]*init-service-worker\.js[^>]*></script>")
IN_MARKUP = re.compile(r'\b(href|src|content)="/(?!/)')
IN_STYLES = re.compile(r"url\((['\"]?)/(?!/)")
IN_MANIFEST = re.compile(r'"src":\s*"/(?!/)')


class NotAsExpected(ValueError):
    """The package is not the one that `release.json` names, or not built as the one that this was written for."""


class Release(NamedTuple):
    """Which package of npm's; `integrity` is npm's own word for its bytes (Subresource Integrity, sha512)."""

    name: str
    version: str
    integrity: str


def release() -> Release:
    """The release that we serve."""
    return Release(**json.loads(RELEASE.read_text(encoding="utf-8")))


def lay_out(package: Path, out: Path) -> None:
    """Lay the package out in a new folder. Raises NotAsExpected, OSError."""
    check(package, release().integrity)
    files = dict(unpacked(package))
    page, rest = files.pop("index.html", None), {name: data for name, data in files.items() if wanted(name)}
    if page is None or "app.bundle.css" not in rest:
        raise NotAsExpected("There is no built OHIF in this package.")
    home = f"{HOME}files/{key_of({**rest, 'index.html': page})}/"
    moved, times = moved_all(rest, home)
    if not times:
        raise NotAsExpected("OHIF is built differently now: where it loads its parts from stands nowhere.")
    markup, scripts = moved_page(page.decode(), home)
    folder = out / home.removeprefix(HOME)
    for name, data in {**moved, **scripts}.items():
        write(folder / name, data)
    write(out / "index.html", markup.encode())
    write(out / "app-config.js", CONFIG.read_bytes())


def check(package: Path, integrity: str) -> None:
    """Raises NotAsExpected unless the file is the one that npm's integrity names."""
    algorithm, _, wanted_digest = integrity.partition("-")
    with package.open("rb") as file:
        digest = hashlib.file_digest(file, algorithm).digest()
    if base64.b64encode(digest).decode() != wanted_digest:
        raise NotAsExpected(f"{package.name} is not the package that release.json names: its {algorithm} differs.")


def unpacked(package: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of its licence and of each file below its `dist/`; links, and what leads elsewhere, stay out."""
    with tarfile.open(package, "r:gz") as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            if not member.isreg() or ".." in name.parts:
                continue
            inside = name.relative_to("package/dist") if name.is_relative_to("package/dist") else None
            if inside is not None or name == PurePosixPath("package/LICENSE"):
                file = archive.extractfile(member)
                assert file is not None  # it is a regular file
                yield str(inside or name.name), file.read()


def wanted(name: str) -> bool:
    """Whether a file is served."""
    return not name.startswith(BALLAST) and not name.endswith(".map")


def key_of(files: dict[str, bytes]) -> str:
    """A name for exactly these files, as this version of this script lays them out."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return digest.hexdigest()[:16]


def moved_all(files: dict[str, bytes], home: str) -> tuple[dict[str, bytes], int]:
    """Every file with its addresses below `home`, and how often the place that code is loaded from was told."""
    texts = {".js": moved_code, ".css": moved_styles, ".json": moved_manifest}
    found = {}
    for name, data in files.items():
        change = texts.get(PurePosixPath(name).suffix)
        found[name] = change(data.decode(), home).encode() if change else data
    times = sum(data.count(PUBLIC_PATH.encode()) for name, data in files.items() if name.startswith("app.bundle."))
    return found, times


def moved_code(code: str, home: str) -> str:
    """A script that loads its parts from `home`."""
    return IN_CODE.sub(rf"\1{home}\2", code.replace(PUBLIC_PATH, f'__webpack_require__.p = "{home}";'))


def moved_styles(styles: str, home: str) -> str:
    """A style sheet whose fonts and pictures lie below `home`."""
    return IN_STYLES.sub(rf"url(\1{home}", styles)


def moved_manifest(manifest: str, home: str) -> str:
    """A web manifest whose icons lie below `home`."""
    return IN_MANIFEST.sub(f'"src": "{home}', manifest)


def moved_page(page: str, home: str) -> tuple[str, dict[str, bytes]]:
    """OHIF's page with its files below `home`, and its inline scripts as files: our policy allows none inline.

    Raises NotAsExpected where the page tells nowhere that it stands at a root, or asks for our settings nowhere.
    """
    scripts: dict[str, bytes] = {}

    def as_file(match: re.Match[str]) -> str:
        name = f"page-{len(scripts)}.js"
        scripts[name] = match[1].replace('window.PUBLIC_URL="/"', f'window.PUBLIC_URL="{HOME}"').encode()
        return f'<script src="/{name}"></script>'

    page = INLINE.sub(as_file, SERVICE_WORKER.sub("", page))
    if not any(f'window.PUBLIC_URL="{HOME}"'.encode() in script for script in scripts.values()):
        raise NotAsExpected("OHIF's page is built differently now: it does not say where it stands.")
    page, asked = re.subn(r'src="/app-config\.js"', f'src="{HOME}app-config.js"', page)
    if asked != 1:
        raise NotAsExpected("OHIF's page is built differently now: it does not ask for app-config.js.")
    return IN_MARKUP.sub(
        lambda match: match[0] if page.startswith(HOME, match.end() - 1) else f'{match[1]}="{home}', page
    ), scripts


def write(place: Path, data: bytes) -> None:
    """A file, and beside it the same compressed where the gateway would otherwise compress it at each request."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    if place.suffix in COMPRESSED and len(data) >= WORTH_COMPRESSING:
        place.with_name(f"{place.name}.gz").write_bytes(gzip.compress(data, 9, mtime=0))


def main(arguments: list[str]) -> int:
    """`PACKAGE OUT_DIR`, or `--package`."""
    if arguments == ["--package"]:
        print(f"{release().name}@{release().version}")
        return 0
    if len(arguments) != 2:
        print("usage: lay_out.py PACKAGE.tgz OUT_DIR | --package", file=sys.stderr)
        return 2
    try:
        lay_out(Path(arguments[0]), Path(arguments[1]))
    except (NotAsExpected, OSError, tarfile.TarError) as error:
        print(f"lay_out.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
