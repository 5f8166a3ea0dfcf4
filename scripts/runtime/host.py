"""What this machine offers: its package manager, its trust in certificates, its proxy."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from scripts.runtime.say import say

CA_VARIABLES = (
    "SSL_CERT_FILE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
)
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_BUNDLES_ELSEWHERE = (
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
    Path("/etc/ssl/cert.pem"),
)


def is_root() -> bool:
    """Whether this process may do everything on this machine."""
    return os.geteuid() == 0


def ca_bundle() -> Path | None:
    """The certificates that this machine trusts: a site's own CA by its variables, else the system's bundle."""
    named = [Path(os.environ[name]) for name in CA_VARIABLES if os.environ.get(name)]
    return next((each for each in (*named, CA_BUNDLE, *_BUNDLES_ELSEWHERE) if each.is_file()), None)


def apt_install(*packages: str) -> bool:
    """Install packages on this machine where that is possible (root, with apt); whether it was."""
    if not is_root() or not shutil.which("apt-get"):
        return False
    say(f"installing {' '.join(packages)} on this machine …")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    # A machine's package list may be old or missing, and it may know some of the names only.
    return _quietly(install, env) or (_quietly(["apt-get", "update", "-q"], env) and _quietly(install, env))


def apt_options() -> list[str]:
    """Proxy settings of this machine's apt, for the apt that builds the root."""
    if not shutil.which("apt-config"):
        return []
    said = subprocess.run(
        ["apt-config", "dump", "Acquire::http::Proxy", "Acquire::https::Proxy"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return [line.rstrip(";") for line in said.splitlines() if '""' not in line and line.strip()]


def _quietly(command: list[str], env: dict[str, str]) -> bool:
    return (
        subprocess.run(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
        == 0
    )
