"""OHIF: fetched from npm once, checked, and laid out for `/ohif/` in the runtime folder, under a key of its release."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from scripts.runtime import keep, say, webapp
from scripts.runtime.ground import Ground
from scripts.runtime.places import OHIF, runtime_folder
from scripts.runtime.refusal import Refusal

LAY_OUT = OHIF / "lay_out.py"
NO_PATIENCE = ("--fetch-retries", "1", "--fetch-retry-mintimeout", "1000")
"""Everything else works without it: a machine that cannot reach npm is told so soon. A slow line may take its time."""


def laid_out(ground: Ground) -> Path | None:
    """The folder that the gateway serves; None where READINGROOM_OHIF_ROOT says otherwise, or none can be had.

    What is missing then is said. The next start tries again.
    """
    if os.environ.get("READINGROOM_OHIF_ROOT"):
        return None  # the site's own comes with the other values of the site
    folder = runtime_folder() / "ohif" / keep.key_of_files(OHIF, sorted(OHIF.glob("*.*")))
    fresh = not (folder / keep.WHOLE).exists()
    try:
        keep.made(folder, lambda place: _make(ground, place), needs_mb=500)
    except Refusal as refusal:
        say.say(f"OHIF is not there this time, all else is; the next start tries again.\n{refusal}")
        return None
    if fresh:
        keep.pruned(folder.parent, "")
    return folder


def _make(ground: Ground, place: Path) -> None:
    """Raises Refusal with what npm, or the check of what came, said."""
    asked = subprocess.run([sys.executable, str(LAY_OUT), "--package"], capture_output=True, text=True, check=True)
    name = asked.stdout.strip()
    box = place.with_name(f"{place.name}.package")
    keep.removed(box)
    box.mkdir(parents=True)
    try:
        webapp.npm(ground, box, "fetching OHIF (50 MB)", "pack", name, "--pack-destination", str(box), *NO_PATIENCE)
        packages = list(box.glob("*.tgz"))
        if len(packages) != 1:
            raise Refusal(f"npm pack {name} left no package.")
        log = runtime_folder() / "logs" / "ohif.log"
        say.step("laying out OHIF", [sys.executable, str(LAY_OUT), str(packages[0]), str(place)], log)
    finally:
        keep.removed(box)
