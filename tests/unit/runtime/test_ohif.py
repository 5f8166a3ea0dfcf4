"""OHIF comes from npm when it can be had, once; without it everything else is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.runtime import ohif
from scripts.runtime.ground import Ground
from scripts.runtime.refusal import Refusal

GROUND = Ground("inside", "forky", None, Path("/usr/bin/python3"))


class Npm:
    """Stands for npm: leaves a package, or says why not; what it was asked is kept."""

    def __init__(self, package: bytes | None) -> None:
        self.package = package
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, ground: Ground, folder: Path, what: str, *arguments: str) -> None:
        self.asked.append(arguments)
        if self.package is None:
            raise Refusal("The package servers cannot be reached.")
        (folder / "ohif-app-1.tgz").write_bytes(self.package)


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("READINGROOM_RUNTIME", str(tmp_path))
    monkeypatch.delenv("READINGROOM_OHIF_ROOT", raising=False)
    return tmp_path


def test_a_machine_that_cannot_reach_npm_serves_without_it_and_says_so(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    npm = Npm(None)
    monkeypatch.setattr(ohif.webapp, "npm", npm)
    assert ohif.laid_out(GROUND) is None
    said = capsys.readouterr().err
    assert "OHIF is not there this time" in said and "cannot be reached" in said
    assert ohif.laid_out(GROUND) is None
    assert len(npm.asked) == 2, "each start tries again"
    assert not list(runtime.glob("ohif/*/index.html"))


def test_what_is_not_the_package_that_we_name_is_never_served(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ohif.webapp, "npm", Npm(b"something else"))
    assert ohif.laid_out(GROUND) is None
    assert "sha512 differs" in capsys.readouterr().err
    assert [each.name for each in runtime.glob("ohif/*") if not each.name.startswith(".")] == []


def test_it_is_asked_for_by_its_version_and_laid_out_once(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = Npm(b"a package")
    monkeypatch.setattr(ohif.webapp, "npm", npm)
    layer = runtime / "lay_out.py"
    layer.write_text(
        "import sys, pathlib\n"
        "if sys.argv[1] == '--package': print('@ohif/app@1.2.3')\n"
        "else: pathlib.Path(sys.argv[2]).mkdir(); pathlib.Path(sys.argv[2], 'index.html').write_text('OHIF')\n"
    )
    monkeypatch.setattr(ohif, "LAY_OUT", layer)
    first = ohif.laid_out(GROUND)
    assert first is not None
    assert (first / "index.html").read_text() == "OHIF"
    assert ohif.laid_out(GROUND) == first
    ((task, name, *_),) = npm.asked
    assert (task, name) == ("pack", "@ohif/app@1.2.3")
    assert not list(runtime.glob("ohif/*.package")), "the package itself is not kept"


def test_a_site_s_own_is_left_to_the_site(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINGROOM_OHIF_ROOT", "/srv/ohif")
    monkeypatch.setattr(ohif.webapp, "npm", Npm(None))
    assert ohif.laid_out(GROUND) is None
