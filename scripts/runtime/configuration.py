"""From what serve was asked for to what `orthanc-config/render.py` takes."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from scripts.runtime.options import Options
from scripts.runtime.places import REPO
from scripts.runtime.refusal import Refusal

PLUGIN_FOLDERS = (Path("/usr/share/orthanc/plugins"), Path("/usr/lib/orthanc"))
GDCM_FLOOR = (1, 13)
"""With an older Orthanc, GDCM's transcoder lets a client's request end the server."""


def values(options: Options, orthanc_port: int, environment: Mapping[str, str]) -> dict[str, object]:
    """The values for `render`: the site's own READINGROOM_<NAME> variables, with this instance's places and
    ports over them."""
    try:
        site: dict[str, object] = _module().values_from_environment(environment)
    except ValueError as error:
        raise Refusal(f"A setting does not fit: {error}") from None
    folder = next((each for each in PLUGIN_FOLDERS if each.is_dir()), PLUGIN_FOLDERS[0])
    gdcm = orthanc_version() >= GDCM_FLOOR and (folder / "libOrthancGdcm.so").exists()
    secret = options.folder / "secrets" / "gateway_secret"
    return {
        "gdcm": gdcm,
        "gateway_secret": "" if "gateway_secret" in site else secret.read_text().strip(),
        "ohif_root": options.ohif,
        **site,
        "zip_socket": str(zip_socket(options.folder / "run")),
        "bodies_by_file": True,
        "plugin_folder": str(folder),
        "data": options.data,
        "port": options.port,
        "listen": options.listen,
        "web_root": options.web,
        "plugin_script": str(REPO / "plugins" / "main.py"),
        "orthanc_port": orthanc_port,
        "dicom_port": options.dicom_port,
        "tls_certificate": options.tls_certificate,
        "tls_key": options.tls_key,
    }


def render(known: Mapping[str, object], run: Path) -> None:
    """Write orthanc.json and nginx.conf into the instance's run folder. Raises Refusal when a value does not fit."""
    try:
        _module().render(known, run)
    except ValueError as error:
        raise Refusal(f"A setting does not fit: {error}") from None


def zip_socket(run: Path) -> Path:
    """Where the plugin gives zips to the gateway."""
    place: Path = _module().zip_socket(run)
    return place


def nginx_command(run: Path, data: Path) -> list[str]:
    """The command that runs the gateway in the foreground."""
    command: list[str] = _module().nginx_command(run, data)
    return command


def orthanc_version() -> tuple[int, ...]:
    """The version of the Orthanc on the path, as numbers."""
    said = subprocess.run(["Orthanc", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    return tuple(int(part) for part in found.groups(default="0")) if found else (0,)


def _module() -> ModuleType:
    """`orthanc-config` is no package (the Docker image copies it as it is), so its renderer is loaded by its path."""
    spec = importlib.util.spec_from_file_location("readingroom_render", REPO / "orthanc-config" / "render.py")
    if spec is None or spec.loader is None:
        raise Refusal("orthanc-config/render.py is missing from the repository.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
