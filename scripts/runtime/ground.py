"""What a command stands on: a suite, a root, a Python environment, and the way into them; made on first use."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from scripts.runtime import host, hostpacs, keep, leash, roots, sandbox, venvs
from scripts.runtime.places import REPO, runtime_folder
from scripts.runtime.refusal import Refusal
from scripts.runtime.say import say

INSIDE = "READINGROOM_IN_ROOT"
_DROPPED = (
    # Compiled once, the plugin's packages load in 1 s instead of 10.
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "PYTHONSTARTUP",
    "NODE_PATH",
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def inside() -> bool:
    """Whether this process already runs in a root, so that nothing is wrapped once more."""
    return os.environ.get(INSIDE) == "1"


@dataclass(frozen=True)
class Ground:
    """A place to run commands in. `way` is bwrap, chroot, host or inside."""

    way: str
    suite: str
    root: Path | None
    python: Path
    """Interpreter of the environment with the plugin's packages."""

    def arguments(self) -> list[str]:
        """As arguments for a process that stands on the same ground; `read` takes them."""
        return [self.way, self.suite, str(self.root or ""), str(self.python)]

    @staticmethod
    def read(argv: Sequence[str]) -> tuple[Ground, list[str]]:
        """The ground that `arguments` told, and the arguments after it."""
        way, suite, root, python, *rest = argv
        return Ground(way, suite, Path(root) if root else None, Path(python)), rest

    def run(self, command: Sequence[str], **options: object) -> int:
        """Run a command to its end and give its status; Ctrl-C and SIGTERM reach it."""
        return Run(self, command, **options).wait_passing_signals()  # type: ignore[arg-type]  # they are Run's

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a command in here: this process's, with what differs in here."""
        env = {name: value for name, value in os.environ.items() if name not in _DROPPED}
        if self.way in ("bwrap", "chroot"):
            env["PATH"] = _PATH
            bundle = host.ca_bundle()
            if bundle:
                env.update({name: str(host.CA_BUNDLE) for name in host.CA_VARIABLES})
                env.pop("SSL_CERT_DIR", None)
        env.setdefault("LANG", "C.UTF-8")
        env.update(
            {
                INSIDE: "1",
                "READINGROOM_SUITE": self.suite,
                "READINGROOM_RUNTIME": str(runtime_folder()),
                "READINGROOM_PYTHON": str(self.python),
                "PYTHONUNBUFFERED": "1",
            }
        )
        if self.way != "inside" and self.python.is_relative_to(runtime_folder()):
            env["PYTHONPYCACHEPREFIX"] = str(venvs.compiled(self.python))
        env.update(more or {})
        return env


def stand(kind: str = "serve", suite: str | None = None) -> Ground:
    """The ground for serving or for tests (`kind` serve or test), made when it is not there.

    Without a suite: the one named in READINGROOM_SUITE, else Debian forky, else trixie where that
    cannot be built. Raises Refusal when there is none to be had.
    """
    if inside():
        return _here()
    wanted = suite or os.environ.get("READINGROOM_SUITE")
    way, answers = _way()
    if way == "host":
        return _host_ground(kind, answers)
    suites = (wanted,) if wanted else roots.SUITES
    for number, each in enumerate(suites):
        if each not in roots.SUITES:
            raise Refusal(f"There is no suite {each}; --suite takes {' or '.join(roots.SUITES)}.")
        last = number + 1 == len(suites)
        if not last and roots.failed_lately(each, kind):
            continue
        try:
            root = roots.root(each, kind)
        except Refusal as refusal:
            if refusal.final or last:
                raise
            roots.remember_failure(each, kind)
            say(f"{refusal}\nDebian {each} could not be built; trying {suites[number + 1]} …")
            continue
        bare = Ground(way, each, root, Path("/usr/bin/python3"))
        return Ground(way, each, root, venvs.python(bare, kind))
    raise AssertionError("a suite is either made or refused")


def _way() -> tuple[str, dict[str, str]]:
    forced = os.environ.get("READINGROOM_SANDBOX")
    if forced:
        if forced not in sandbox.WAYS:
            raise Refusal(f"READINGROOM_SANDBOX={forced} is unknown; it takes {', '.join(sandbox.WAYS)}.")
        return forced, {}
    answers = {}
    for way, ask in (("bwrap", sandbox.bwrap_answer), ("chroot", sandbox.chroot_answer)):
        answers[way] = ask()
        if not answers[way]:
            return way, answers
    return "host", answers


def _host_ground(kind: str, answers: dict[str, str]) -> Ground:
    missing = hostpacs.missing()
    if missing:
        tried = "\n".join(f"  {way}: {answer}" for way, answer in answers.items())
        raise Refusal(
            f"No sandbox works on this machine, and its own Orthanc will not do: {missing}.\n{tried}\n"
            "As root, `apt-get install bubblewrap mmdebstrap uidmap` is what usually helps; on Ubuntu also\n"
            "`sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` for a user who is not root."
        )
    bare = Ground("host", f"host-{platform.python_version()}", None, Path("/usr/bin/python3"))
    return Ground("host", bare.suite, None, venvs.python(bare, kind))


def _here() -> Ground:
    named = os.environ.get("READINGROOM_PYTHON")
    if not named and sys.prefix == sys.base_prefix:
        raise Refusal("READINGROOM_IN_ROOT is set, but READINGROOM_PYTHON does not name the Python environment to use.")
    return Ground("inside", os.environ.get("READINGROOM_SUITE", "inside"), None, Path(named or sys.executable))


class Run:
    """One command under way on a ground, held by a leash that this process lets go of when it ends."""

    def __init__(
        self,
        ground: Ground,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        writable: Sequence[Path] = (),
        readable: Sequence[Path] = (),
        output: IO[bytes] | None = None,
        used: Sequence[Path] = (),
    ) -> None:
        """`used` are folders that it works from beside root and environment: none of them is pruned meanwhile."""
        self._stack = ExitStack()
        if ground.root:
            self._stack.enter_context(keep.in_use(ground.root))
        for each in (ground.python.parents[1], *used):
            self._stack.enter_context(keep.in_use(each) if (each / keep.WHOLE).exists() else nullcontext())
        where = cwd or Path.cwd()
        held, self._word = os.pipe()
        python = "/usr/bin/python3" if ground.way in ("bwrap", "chroot") else sys.executable
        leashed = [python, "-S", "-E", str(Path(leash.__file__).resolve()), str(held), *command]
        if ground.way == "bwrap" and ground.root:
            wrapped = sandbox.bwrap(ground.root, leashed, where, writable, readable)
        elif ground.way == "chroot" and ground.root:
            wrapped = sandbox.chroot(ground.root, leashed, where, writable, readable)
        else:
            wrapped = leashed
        self._process = subprocess.Popen(
            wrapped,
            env=ground.environment(env),
            cwd=where if ground.way in ("host", "inside") else "/",
            pass_fds=(held,),
            stdout=output,
            stderr=output,
            # Ctrl-C goes to this process alone, which passes it on: bubblewrap would die of it and take all with it.
            start_new_session=True,
        )
        os.close(held)

    def say(self, number: int) -> None:
        """Pass a signal on: SIGINT, SIGTERM or SIGKILL."""
        word = {signal.SIGINT: b"I", signal.SIGKILL: b"K"}.get(signal.Signals(number), b"T")
        try:
            os.write(self._word, word)
        except OSError:
            pass  # it has ended meanwhile

    def poll(self) -> int | None:
        """Its status when it has ended."""
        return self._process.poll()

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait for its end; None when it has not come in that time."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._stack.close()
        return status

    def wait_passing_signals(self) -> int:
        """Wait for its end while Ctrl-C, SIGTERM and SIGHUP are passed on; its status."""

        def pass_on(number: int, _frame: FrameType | None) -> None:
            self.say(number)

        main = threading.current_thread() is threading.main_thread()
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if main else ()
        before = {number: signal.signal(number, pass_on) for number in numbers}
        try:
            while (status := self.wait(3600)) is None:
                time.sleep(0)
            return status
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def python_command(module: str, argv: Sequence[str], ground: Ground) -> tuple[list[str], dict[str, str]]:
    """Command and variables that run a module of ours, of the plugin or of `scripts`, in the environment."""
    return [str(ground.python), "-m", module, *argv], {
        "PYTHONPATH": os.pathsep.join([str(REPO / "plugins"), str(REPO)])
    }
