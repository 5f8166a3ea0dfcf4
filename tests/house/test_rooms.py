"""The rooms keep their doors: who may import whom (rules 1 and 2 of the README's map)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "plugins" / "readingroom"

BASE = {"beside", "clock", "errors", "kept", "settings", "pacs", "recent"}
FOUNDATION = BASE | {
    "db",
    "identity",
    "audit",
    "routing",
    "sources",
    "objects",
    "zipstream",
    "deidentify",
    "pacs_http",
    "procedures",
    "downloads",
    "series",
    "confined",
    "thumbnails",
    "pictures",
    "headers",
    "manifests",
    "frames",
}
AREAS = {"cases", "nas_index", "shares", "viewer", "imaging"}
COMPOSITION = {
    "app",
    "door",
    "host",
    "admin",
    "admin_cli",
    "admin_room",
    "assets_cli",
    "copy_worker",
    "first_start",
    "worker",
}

MAY_IMPORT_IDENTITY = {"audit", "routing"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).parts[0].removesuffix(".py"), path


def imported(path: Path) -> Iterator[str]:
    """Every absolute module name that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide which room they come from"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_of(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("readingroom.") and name.count(".") >= 1}


@pytest.mark.parametrize(("room", "path"), [pytest.param(r, p, id=str(p.relative_to(PACKAGE))) for r, p in modules()])
def test_a_module_imports_only_from_rooms_below_its_own(room: str, path: Path) -> None:
    others = rooms_of(path) - {room, "__version__"}
    if room in AREAS:
        strange = others & (AREAS | COMPOSITION)
        # A command line of an area is a composition of its own: it picks real parts for a process without Flask.
        if path.name in {"demo.py", "import_cli.py", "import_worker.py", "import_compose.py"}:
            strange -= COMPOSITION
        assert not strange, f"{room} must not know {strange}; app.py hands parts over"
    elif room in FOUNDATION:
        assert not others & (AREAS | COMPOSITION), f"{room} lies below {others & (AREAS | COMPOSITION)}"


def test_only_main_imports_orthanc() -> None:
    culprits = [str(path) for _, path in modules() for name in imported(path) if name.split(".")[0] == "orthanc"]
    assert culprits == []


def test_only_host_says_orthancs_own_names() -> None:
    culprits = [
        str(path.relative_to(PACKAGE))
        for room, path in modules()
        if room != "host" and "orthanc.Re" in path.read_text()
    ]
    assert culprits == []


def test_every_module_opens_with_a_line_that_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(PACKAGE)) for _, path in modules() if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_no_room_is_called_utils() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    assert not [str(path) for _, path in modules() if path.stem in vague or path.parent.name in vague]
