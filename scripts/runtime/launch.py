"""For every command that runs the plugin's Python: in the sandbox, on an instance's data.

    #!/usr/bin/env python3
    import sys
    from pathlib import Path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.runtime.launch import command
    command("readingroom.cases.import_cli")      # scripts/import_cases, whole

Paths that a person names on the command line mean the same inside: the machine's folders lie at their own places,
and the current folder stays the current folder. The module finds the instance by `READINGROOM_DATA` and, while it runs,
by `READINGROOM_ORTHANC_URL` and `READINGROOM_URL` (the gateway).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from scripts.runtime import refusal
from scripts.runtime.ground import Ground, python_command, stand
from scripts.runtime.instance import Instance
from scripts.runtime.places import data_folder


def run_module(
    module: str,
    argv: Sequence[str],
    *,
    data: Path | None = None,
    env: Mapping[str, str] | None = None,
    ground: Ground | None = None,
    writable: Sequence[Path] = (),
) -> int:
    """Run `python -m module argv…` in the sandbox on that data folder (default: the repository's); its exit status.

    `writable` are further folders that it may write to, the repository's own among them.
    """
    folder = data or data_folder(None)
    running = Instance.running(folder)
    ground = ground or stand("serve", running.suite if running and running.suite.isalpha() else None)
    command_line, variables = python_command(module, argv, ground)
    variables["READINGROOM_DATA"] = str(folder)
    variables["READINGROOM_ORTHANC_STORAGE"] = str(folder / "orthanc" / "storage")
    if running:
        variables["READINGROOM_ORTHANC_URL"] = running.orthanc_url
        variables["READINGROOM_URL"] = running.url
    # What the person set wins over what was found.
    variables = {
        name: os.environ.get(name, value) if name != "PYTHONPATH" else value for name, value in variables.items()
    }
    variables["READINGROOM_DATA"] = str(folder)
    may_write = [each for each in (folder, *writable) if each.exists()]
    return ground.run(command_line, env={**variables, **(env or {})}, writable=may_write)


def command(module: str) -> NoReturn:
    """The whole of a command script: `--data DIR` is taken out of the arguments, the rest goes to the module."""

    def main(argv: list[str]) -> int:
        rest, named = _without_data(argv)
        return run_module(module, rest, data=data_folder(named))

    refusal.run(main)


def _without_data(argv: list[str]) -> tuple[list[str], str | None]:
    rest: list[str] = []
    named: str | None = None
    words = iter(argv)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--data":
            named = next(words, None)
            if named is None:
                raise refusal.Refusal("--data needs a folder.", status=2)
        elif word.startswith("--data="):
            named = word.partition("=")[2]
        else:
            rest.append(word)
    return rest, named
