"""Where things lie: the repository, the runtime folder, an instance's data folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from scripts.runtime.refusal import Refusal

REPO = Path(__file__).resolve().parents[2]
PROVISION = REPO / "orthanc-config" / "provision"
REQUIREMENTS = REPO / "plugins" / "requirements.txt"
REQUIREMENTS_DEV = REPO / "plugins" / "requirements-dev.txt"
WEB = REPO / "web"
OHIF = REPO / "orthanc-config" / "ohif"


def runtime_folder() -> Path:
    """The private folder of roots, environments and builds: `$READINGROOM_RUNTIME`, else `.runtime` in the
    repository.

    Where the repository cannot be written to, it is `readingroom` in the user's cache folder.
    """
    said = os.environ.get("READINGROOM_RUNTIME")
    if said:
        return _made(Path(said).expanduser().resolve())
    here = REPO / ".runtime"
    if _writable(here):
        return here
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return _made((cache / "readingroom").resolve())


def data_folder(said: str | None) -> Path:
    """The instance's folder as an absolute path; `data` in the repository unless another is named."""
    return Path(said or os.environ.get("READINGROOM_DATA") or REPO / "data").expanduser().resolve()


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _made(folder: Path) -> Path:
    if not _writable(folder):
        raise Refusal(f"{folder} cannot be written to. Name another folder in READINGROOM_RUNTIME.")
    return folder
