"""OHIF's package, laid out for `/ohif/`: a small one of the same build, and what must not be served."""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib.util
import io
import json
import re
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

OHIF = Path(__file__).resolve().parents[3] / "orthanc-config" / "ohif"


def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lay_out", OHIF / "lay_out.py")
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


lay_out = module()

PAGE = (
    '<!doctype html><html><head><meta name="viewport" content="width=device-width"><meta content="/assets/tile.png">'
    '<script>console.time("x"),window.PUBLIC_URL="/"</script><link rel="manifest" href="/manifest.json">'
    '<script rel="preload" as="script" src="/app-config.js"></script>'
    '<script rel="preload" as="script" type="module" src="/init-service-worker.js"></script>'
    '<script>function load(n){return import(n)}window.PUBLIC_URL="/"</script>'
    '<script defer src="/app.bundle.0f61.js"></script><link href="/app.bundle.css" rel="stylesheet">'
    '<a href="https://ohif.org/">OHIF</a><a href="//elsewhere/">x</a></head><body></body></html>'
)
FILES = {
    "index.html": PAGE,
    "app.bundle.0f61.js": 'a();\n__webpack_require__.p = "/";\n'
    "load('/dicom-microscopy-viewer/v.min.js'); b(\"/frames/\");" + " " * 2000,
    "8097.bundle.8ae6.js": '__webpack_require__.p = "/";',
    "app.bundle.css": "@font-face{src:url(/inter.woff2)} .a{background:url('/assets/a.png')} .b{mask:url(data:x)}",
    "manifest.json": '{"icons": [{ "src": "/assets/icon.png" }], "start_url": "."}',
    "assets/icon.png": "png",
    "decoder.wasm": "\0asm" + "x" * 3000,
    "dicom-microscopy-viewer/v.min.js": "v()",
    "ort/ort.wasm": "much",
    "sw.js": "importScripts('https://elsewhere/workbox.js')",
    "init-service-worker.js": "navigator",
    "app-config.js": "window.config = {}",
    "google.js": "window.config = {}",
    "app.bundle.0f61.js.map": "{}",
}

Pack = Callable[..., Path]


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pack:
    """A package of these files, as npm packs one; the release is said to be it."""

    def packed(files: Mapping[str, str] = FILES, extra: Mapping[str, tarfile.TarInfo] = {}) -> Path:
        place = tmp_path / "ohif.tgz"
        with tarfile.open(place, "w:gz") as archive:
            for name, text in {"package/package.json": "{}", "package/LICENSE": "MIT"}.items():
                _add(archive, name, text)
            for name, text in files.items():
                _add(archive, f"package/dist/{name}", text)
            for member in extra.values():
                archive.addfile(member)
        digest = base64.b64encode(hashlib.sha512(place.read_bytes()).digest()).decode()
        release = tmp_path / "release.json"
        release.write_text(json.dumps({"name": "@ohif/app", "version": "1.2.3", "integrity": f"sha512-{digest}"}))
        monkeypatch.setattr(lay_out, "RELEASE", release)
        return place

    return packed


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    data = text.encode()
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def laid(pack: Pack, out: Path, files: Mapping[str, str] = FILES) -> tuple[Path, Path]:
    """The laid out folder, and the one of its files inside."""
    lay_out.lay_out(pack(files), out)
    (home,) = (out / "files").iterdir()
    return out, home


def test_everything_is_asked_for_below_its_home(pack: Pack, tmp_path: Path) -> None:
    out, home = laid(pack, tmp_path / "out")
    at = f"/ohif/files/{home.name}/"
    page = (out / "index.html").read_text()
    asked = re.findall(r'(?:src|href|content)="(/[^"]*)"', page)
    assert asked, page
    for address in asked:
        if address not in ("/ohif/app-config.js", "//elsewhere/"):
            assert address.startswith(at), address
    for address in asked:
        if address.startswith(at) and not address.endswith("tile.png"):
            assert (home / address.removeprefix(at)).is_file(), address
    assert (
        (home / "app.bundle.0f61.js")
        .read_text()
        .startswith(
            f'a();\n__webpack_require__.p = "{at}";\nload(\'{at}dicom-microscopy-viewer/v.min.js\'); b("/frames/");'
        )
    )
    assert (home / "8097.bundle.8ae6.js").read_text() == f'__webpack_require__.p = "{at}";'
    styles = (home / "app.bundle.css").read_text()
    assert f"url({at}inter.woff2)" in styles and f"url('{at}assets/a.png')" in styles and "url(data:x)" in styles
    assert f'"src": "{at}assets/icon.png"' in (home / "manifest.json").read_text()


def test_the_page_runs_no_inline_script_and_knows_where_it_stands(pack: Pack, tmp_path: Path) -> None:
    out, home = laid(pack, tmp_path / "out")
    page = (out / "index.html").read_text()
    assert re.findall(r"<script[^>]*>[^<]", page) == []
    assert "service-worker" not in page
    scripts = "".join(each.read_text() for each in sorted(home.glob("page-*.js")))
    assert scripts.count('window.PUBLIC_URL="/ohif/"') == 2
    assert 'PUBLIC_URL="/"' not in scripts


def test_our_settings_take_the_place_of_theirs_and_the_ballast_stays_out(pack: Pack, tmp_path: Path) -> None:
    out, home = laid(pack, tmp_path / "out")
    assert (out / "app-config.js").read_bytes() == (OHIF / "app-config.js").read_bytes()
    names = {str(each.relative_to(home)) for each in home.rglob("*") if each.is_file() and each.suffix != ".gz"}
    assert names == {
        "LICENSE", "app.bundle.0f61.js", "8097.bundle.8ae6.js", "app.bundle.css", "manifest.json", "assets/icon.png",
        "decoder.wasm", "dicom-microscopy-viewer/v.min.js", "page-0.js", "page-1.js",
    }  # fmt: skip


def test_what_is_large_lies_compressed_beside_it(pack: Pack, tmp_path: Path) -> None:
    out, home = laid(pack, tmp_path / "out")
    for name in ("app.bundle.0f61.js", "decoder.wasm"):
        assert gzip.decompress((home / f"{name}.gz").read_bytes()) == (home / name).read_bytes()
    assert not (home / "assets/icon.png.gz").exists()
    assert (out / "app-config.js.gz").exists()


def test_the_files_move_when_any_of_them_changes(pack: Pack, tmp_path: Path) -> None:
    """Or a browser would keep an old one: it is told that they never change."""
    homes = [
        laid(pack, tmp_path / str(n), {**FILES, **change})[1].name
        for n, change in enumerate(({}, {}, {"app.bundle.css": "x"}, {"index.html": PAGE.replace("console", "window")}))
    ]
    assert homes[0] == homes[1]
    assert len(set(homes)) == 3


def test_another_package_than_the_named_one_is_refused(pack: Pack, tmp_path: Path) -> None:
    package = pack()
    package.write_bytes(package.read_bytes() + b"\0")
    with pytest.raises(lay_out.NotAsExpected, match="sha512"):
        lay_out.lay_out(package, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert lay_out.main([str(package), str(tmp_path / "out")]) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"app.bundle.0f61.js": "r.p='/'"}, "loads its parts"),
        ({"index.html": PAGE.replace('PUBLIC_URL="/"', "X=1")}, "where it stands"),
        ({"index.html": PAGE.replace("/app-config.js", "/config.js")}, "app-config"),
    ],
)
def test_a_build_of_another_kind_is_refused_before_anybody_sees_a_blank_page(
    pack: Pack, tmp_path: Path, change: dict[str, str], said: str
) -> None:
    with pytest.raises(lay_out.NotAsExpected, match=said):
        lay_out.lay_out(pack({**FILES, **change}), tmp_path / "out")


def test_links_and_ways_out_of_the_package_are_left_alone(pack: Pack, tmp_path: Path) -> None:
    out = tarfile.TarInfo("package/dist/../../../escaped")
    link = tarfile.TarInfo("package/dist/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    lay_out.lay_out(pack(FILES, {"out": out, "link": link}), tmp_path / "a" / "b" / "out")
    assert not list(tmp_path.rglob("escaped"))
    assert not list(tmp_path.rglob("link"))


def test_the_release_that_we_name_is_one_that_npm_can_check() -> None:
    named = json.loads((OHIF / "release.json").read_text())
    assert named["name"] == "@ohif/app"
    algorithm, _, digest = named["integrity"].partition("-")
    assert (algorithm, len(base64.b64decode(digest, validate=True))) == ("sha512", 64)
    assert re.fullmatch(r"\d+\.\d+\.\d+", named["version"])


def test_our_settings_ask_nothing_of_anybody_else() -> None:
    settings = (OHIF / "app-config.js").read_text()
    assert "://" not in settings
    assert '"ohif.tours": { $set: [] }' in settings
