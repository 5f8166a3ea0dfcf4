"""The private Debian root: built once by mmdebstrap, under a key of what goes into it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from scripts.runtime import host, keep, sandbox, say
from scripts.runtime.places import PROVISION, runtime_folder
from scripts.runtime.refusal import Refusal

SUITES = ("forky", "trixie")
"""Debian 14 (Orthanc 1.13, Python plugin 7.1) first; Debian 13 (1.12.7, 5.0) where that cannot be had."""

RECIPE = "2"
"""Raised when a root would come out different for a reason that its package list does not show."""

_MB = {"serve": 2500, "test": 5500}
_MINUTES = {"serve": "about a minute", "test": "about three minutes"}


def packages(suite: str, kind: str) -> list[str]:
    """Names of the Debian packages of a root: `kind` is serve, or test for serve and what tests meet."""
    said = subprocess.run([str(PROVISION), "packages", suite, kind], capture_output=True, text=True, check=True)
    return said.stdout.split()


def root_folder(suite: str, kind: str) -> Path:
    """Where the root of that suite and kind lies, made or not."""
    key = keep.key_of(RECIPE, suite, *packages(suite, kind))
    return runtime_folder() / "roots" / f"{suite}-{kind}-{key}"


def root(suite: str, kind: str) -> Path:
    """The root of that suite and kind, made when it is not there.

    Raises Refusal when it cannot be made.
    """
    folder = root_folder(suite, kind)
    fresh = not (folder / keep.WHOLE).exists()
    keep.made(folder, lambda place: _build(place, suite, kind), needs_mb=_MB[kind])
    if fresh:
        keep.pruned(folder.parent, f"{suite}-{kind}-")
    return folder


def remember_failure(suite: str, kind: str) -> None:
    """Note that this root could not be built, so that not every command tries it anew."""
    _failure(suite, kind).touch()


def failed_lately(suite: str, kind: str) -> bool:
    """Whether it could not be built within the last day."""
    try:
        return time.time() - _failure(suite, kind).stat().st_mtime < 86_400
    except OSError:
        return False


def _failure(suite: str, kind: str) -> Path:
    folder = root_folder(suite, kind)
    return folder.parent / f".{folder.name}.failed"


def _build(place: Path, suite: str, kind: str) -> None:
    mmdebstrap = _mmdebstrap()
    options = [
        "--variant=minbase",
        # A mirror's index of a moving suite can be past its date.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        '--aptopt=Acquire::Retries "3"',
        *(f"--aptopt={option}" for option in host.apt_options()),
        # A broken build is thrown away whole, so nothing has to survive a power cut half-way.
        "--dpkgopt=force-unsafe-io",
        # The pages go, their folders stay: Firebird's programs are set up with links into them.
        "--dpkgopt=path-exclude=/usr/share/man/*/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        f"--include={','.join(packages(suite, kind))}",
    ]
    if host.is_root():
        # Its mounts are its own, so that they go when it is killed.
        alone = ["unshare", "--mount", "--"] if not sandbox.answer(["unshare", "--mount", "true"]) else []
        command = [*alone, mmdebstrap, "--mode=root", "--format=directory", *options, suite, str(place)]
    else:
        # Unpacked by this user, so that the files are this user's and can be deleted like any other.
        making = shlex.join([mmdebstrap, "--mode=unshare", "--format=tar", *options, suite, "-"])
        place.mkdir(parents=True)
        unpacking = f"tar -C {shlex.quote(str(place))} -x --no-same-owner --exclude=./dev/*"
        command = ["bash", "-c", f"set -o pipefail; {making} | {unpacking}"]
    log = runtime_folder() / "logs" / f"root-{suite}-{kind}.log"
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        say.step(
            f"building the Debian root ({suite}, {kind}), {_MINUTES[kind]}",
            command,
            log,
            env=env,
            shown=_headline,
            why=_why,
        )
    except BaseException:
        keep.removed(place)
        raise
    for missing in ("etc/resolv.conf", "etc/hosts", "etc/localtime", "etc/pip.conf"):
        file = place / missing
        if file.is_symlink() or not file.exists():
            file.unlink(missing_ok=True)
            file.touch()  # a place to lay the machine's own file over


def _mmdebstrap() -> str:
    found = shutil.which("mmdebstrap")
    if not found and host.apt_install("mmdebstrap", "debian-archive-keyring"):
        found = shutil.which("mmdebstrap")
    if not found:
        raise Refusal(
            "mmdebstrap is missing, which builds the private Debian root.\n"
            "Install it once as root (apt-get install mmdebstrap bubblewrap uidmap), or start this as "
            "root, and start again.",
            final=True,
        )
    if not host.is_root() and not shutil.which("newuidmap"):
        raise Refusal(
            "You are not root, and uidmap is missing, which lets an ordinary user build the private "
            "Debian root.\n"
            "Install it once as root (apt-get install mmdebstrap bubblewrap uidmap), or start this as "
            "root, and start again.",
            final=True,
        )
    return found


def _headline(line: str) -> str | None:
    return line[3:].rstrip(".") if line.startswith("I: ") and line.endswith("...") else None


def _why(text: str) -> str | None:
    if "please edit /etc/subuid" in text.lower() or ("subuid" in text and "newuidmap" in text):
        return (
            "This user has no subordinate user ids, which an ordinary user needs to build the private "
            "Debian root.\n"
            "As root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 <user>. Then start "
            "again."
        )
    if "NO_PUBKEY" in text or "is not signed" in text or "Missing key" in text:
        return (
            "This machine does not know Debian's signing keys.\n"
            "Install a current debian-archive-keyring as root (apt-get install debian-archive-keyring) "
            "and start again."
        )
    return None
