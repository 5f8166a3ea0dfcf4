"""How a command gets into the private root: bubblewrap, else chroot as root, else neither; found by trying."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.runtime import host
from scripts.runtime.places import REPO, runtime_folder

WAYS = ("bwrap", "chroot", "host")

_ROOTS_OWN = {
    "bin",
    "boot",
    "dev",
    "etc",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "proc",
    "run",
    "sbin",
    "sys",
    "usr",
    "var",
    "lost+found",
}
"""Top folders that come from the private root; all others are the machine's, so that paths mean the same."""

_SCRATCH = ("run", "var/cache", "var/log", "var/lib/samba", "var/lib/nginx", "var/spool")
"""Folders that Debian's programs write to by default; each sandbox has its own, empty ones."""


@dataclass(frozen=True)
class Laid:
    """One path of the machine inside the sandbox."""

    source: Path
    target: Path
    writable: bool


def bwrap_answer() -> str:
    """Empty when bubblewrap works here, else what it said."""
    if not shutil.which("bwrap"):
        host.apt_install("bubblewrap")
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed (apt-get install bubblewrap)"
    return answer(
        [
            "bwrap",
            "--ro-bind",
            "/",
            "/",
            "--dev-bind",
            "/dev",
            "/dev",
            "--unshare-pid",
            "--proc",
            "/proc",
            "true",
        ]
    )


def chroot_answer() -> str:
    """Empty when chroot with mounts of its own works here, else what it said."""
    if not host.is_root():
        return "chroot needs root"
    return answer(["unshare", "--mount", "--pid", "--fork", "sh", "-c", "mount --bind /tmp /tmp && exec chroot / true"])


def laid_out(root: Path, writable: Sequence[Path], readable: Sequence[Path]) -> list[Laid]:
    """Everything that is laid over the root, in order: the machine's folders, the repository read-only, what
    may be written."""
    tops = sorted(
        each for each in Path("/").iterdir() if each.name not in _ROOTS_OWN and each.is_dir() and not each.is_symlink()
    )
    laid = [Laid(top, top, True) for top in tops]
    laid += [
        Laid(each, each, True)
        for each in (Path("/var/tmp"), Path("/run/media"), Path("/run/user"), Path("/run/postgresql"))
        if each.is_dir()
    ]
    laid += [Laid(each, each, False) for each in (*readable, REPO)]
    laid += [Laid(each, each, True) for each in (runtime_folder(), *writable)]
    for name in ("/etc/resolv.conf", "/etc/hosts", "/etc/localtime", "/etc/pip.conf"):
        if Path(name).is_file():
            laid.append(Laid(Path(name).resolve(), Path(name), False))
    bundle = host.ca_bundle()
    if bundle:
        laid.append(Laid(bundle.resolve(), host.CA_BUNDLE, False))
    if not host.is_root():
        laid += [Laid(_with_this_user(root, name), Path("/etc") / name, False) for name in ("passwd", "group")]
    return laid


def bwrap(
    root: Path, command: Sequence[str], cwd: Path, writable: Sequence[Path], readable: Sequence[Path]
) -> list[str]:
    """The command, wrapped by bubblewrap: own processes, the machine's network, the root read-only."""
    wrapped = [
        "bwrap",
        "--ro-bind",
        str(root),
        "/",
        "--dev-bind",
        "/dev",
        "/dev",
        "--unshare-pid",
        "--proc",
        "/proc",
    ]
    for scratch in _SCRATCH:
        if (root / scratch).is_dir():
            wrapped += ["--tmpfs", f"/{scratch}"]
    for each in laid_out(root, writable, readable):
        _mount_point(root, each)
        wrapped += ["--bind" if each.writable else "--ro-bind", str(each.source), str(each.target)]
    return [*wrapped, "--chdir", str(_reachable(root, cwd)), "--", *command]


def chroot(
    root: Path, command: Sequence[str], cwd: Path, writable: Sequence[Path], readable: Sequence[Path]
) -> list[str]:
    """The command, started in the root by chroot inside mount and process namespaces of its own."""
    at = shlex.quote(str(root))
    script = [
        "set -e",
        f"mount --rbind /dev {at}/dev",
        f"mount -t proc proc {at}/proc",
    ]
    script += [f"mount -t tmpfs tmpfs {at}/{scratch}" for scratch in _SCRATCH if (root / scratch).is_dir()]
    for each in laid_out(root, writable, readable):
        _mount_point(root, each)
        target = shlex.quote(f"{root}{each.target}")
        script.append(f"mkdir -p {shlex.quote(str(Path(f'{root}{each.target}').parent))}")
        script.append(f"test -e {target} || mkdir -p {target}")
        script.append(f"mount --{'r' if each.writable else ''}bind {shlex.quote(str(each.source))} {target}")
        if not each.writable:
            script.append(f"mount -o remount,bind,ro {target}")
    script.append(f'exec chroot {at} /usr/bin/env -C {shlex.quote(str(_reachable(root, cwd)))} "$@"')
    return [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child=SIGKILL",
        "--",
        "sh",
        "-c",
        "\n".join(script),
        "sh",
        *command,
    ]


def _reachable(root: Path, cwd: Path) -> Path:
    """The current folder where it exists inside, else the top: a command may be called from a folder of the
    machine's own system."""
    return cwd if cwd.parts[1:2] and (cwd.parts[1] not in _ROOTS_OWN or Path(f"{root}{cwd}").is_dir()) else Path("/")


def _mount_point(root: Path, laid: Laid) -> None:
    """Make the place in the root that something is laid over; under a scratch folder it is made as the
    sandbox starts."""
    if any(laid.target.is_relative_to(Path("/") / scratch) for scratch in _SCRATCH):
        return
    place = Path(f"{root}{laid.target}")
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if laid.source.is_dir():
        place.mkdir(exist_ok=True)
    else:
        place.touch()


def _with_this_user(root: Path, name: str) -> Path:
    """The root's passwd or group file and this user in it: programs look up the name of who runs them."""
    number = str(os.getuid() if name == "passwd" else os.getgid())
    line = f"user:x:{number}:{os.getgid()}::{Path.home()}:/bin/sh" if name == "passwd" else f"user:x:{number}:"
    known = (root / "etc" / name).read_text().splitlines()
    file = runtime_folder() / "etc" / f"{root.name}-{name}-{number}"
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_text("\n".join([*(each for each in known if each.split(":")[2] != number), line]) + "\n")
    fresh.replace(file)
    return file


def answer(command: list[str]) -> str:
    """Empty when that command works here, else what it said."""
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if tried.returncode == 0 else (tried.stderr.strip() or f"{command[0]} ended with {tried.returncode}")
