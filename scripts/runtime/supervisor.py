"""Inside the sandbox: prepares the data folder, starts Orthanc and the gateway, minds both, and stops both cleanly."""

from __future__ import annotations

import _thread
import os
import shutil
import signal
import ssl
import subprocess
import sysconfig
import threading
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

from scripts.runtime import configuration, instance, ports, refusal
from scripts.runtime.child import Child
from scripts.runtime.options import Options
from scripts.runtime.places import REPO
from scripts.runtime.refusal import Refusal
from scripts.runtime.say import tail

HEALTHY_SECONDS = 120.0
"""A start takes 5 s on two cores; the rest is for slow disks and large indexes."""

GATEWAY_PATIENCE = 5.0
"""Downloads under way get this long, not hours: they resume after the next start."""

ORTHANC_PATIENCE = 25.0
LOG_BYTES = 50_000_000
"""A log of the servers' that has grown past this begins anew; the one before it is kept."""

LOG_SECONDS = 60.0


class Supervisor:
    """Keeps one instance until it is told to stop."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._data = options.folder
        self._told_to_stop = threading.Event()
        self._children: list[Child] = []
        self._env = {
            **os.environ,
            "READINGROOM_DATA": options.data,
            "READINGROOM_SITE_PACKAGES": _site_packages(),
        }
        self._env.setdefault("READINGROOM_ORTHANC_STORAGE", str(self._data / "orthanc" / "storage"))
        self._env.setdefault("READINGROOM_PUBLIC_URL", options.url)

    def run(self) -> int:
        """Until SIGTERM or SIGINT (status 0), or until a server cannot be kept up (status 1)."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop_on_signal)
        _folders(self._data)
        with instance.lock(self._data, self._options.pid or os.getpid()) as ours:
            if not ours:
                raise Refusal(in_use(self._data))
            instance.file_of(self._data).unlink(missing_ok=True)
            try:
                return self._serve()
            finally:
                instance.file_of(self._data).unlink(missing_ok=True)
                self._stop_children()

    def _serve(self) -> int:
        self._first_start()
        for attempt in (1, 2):
            orthanc_port = ports.free()
            self._start(orthanc_port)
            if self._healthy():
                break
            if self._told_to_stop.is_set():
                return 0
            why = self._why_unhealthy()
            # Between choosing a free port and Orthanc's taking it, another program may have been quicker.
            if attempt == 2 or "HTTP server is privileged or already in use" not in why:
                raise Refusal(why)
            self._stop_children()
        if self._told_to_stop.is_set():
            return 0
        self._tell(orthanc_port)
        return self._mind()

    def _first_start(self) -> None:
        """Bring the tables up to date and make the first admin, before anything answers."""
        command = [os.environ["READINGROOM_PYTHON"], "-m", "readingroom.first_start"]
        env = {**self._env, "PYTHONPATH": str(REPO / "plugins")}
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refusal(f"The database could not be made ready:\n{(done.stderr or done.stdout).strip()}")

    def _start(self, orthanc_port: int) -> None:
        run = self._data / "run"
        values = configuration.values(self._options, orthanc_port, os.environ)
        configuration.render(values, run)
        env = {
            **self._env,
            "READINGROOM_ORTHANC_URL": f"http://127.0.0.1:{orthanc_port}",
            "READINGROOM_ZIP_SOCKET": str(values["zip_socket"]),
        }
        logs = self._data / "logs"
        orthanc = Child(
            "Orthanc",
            ["Orthanc", str(run / "orthanc.json")],
            env,
            logs / "orthanc.log",
            signal.SIGTERM,
            ORTHANC_PATIENCE,
        )
        gateway = Child(
            "the gateway",
            configuration.nginx_command(run, self._data),
            env,
            logs / "gateway-error.log",
            signal.SIGQUIT,
            GATEWAY_PATIENCE,
        )
        shorten(logs)
        self._children = [orthanc, gateway]
        for child in self._children:
            child.start()

    def _healthy(self) -> bool:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # we ask ourselves, under a name that no certificate carries
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._options.listen, self._options.listen)
        url = f"{'https' if self._options.tls_certificate else 'http'}://{host}:{self._options.port}/health"
        # No proxy: this site's may not know its way to our own loopback.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        end = time.monotonic() + HEALTHY_SECONDS
        while time.monotonic() < end and not self._told_to_stop.is_set():
            if not all(child.running for child in self._children):
                return False
            try:
                with opener.open(url, timeout=5) as answer:
                    if answer.status == 200:
                        return True
            except (OSError, urllib.error.URLError):
                pass
            self._told_to_stop.wait(0.1)
        return False

    def _tell(self, orthanc_port: int) -> None:
        options = self._options
        instance.Instance(
            url=options.url,
            port=options.port,
            dicom_port=options.dicom_port,
            orthanc_url=f"http://127.0.0.1:{orthanc_port}",
            orthanc_port=orthanc_port,
            pid=options.pid or os.getpid(),
            data=options.data,
            suite=options.suite,
            python=os.environ["READINGROOM_PYTHON"],
            version=version(),
        ).write()

    def _mind(self) -> int:
        looked = time.monotonic()
        while not self._told_to_stop.is_set():
            if not all(child.mind() for child in self._children):
                return 1
            if time.monotonic() - looked > LOG_SECONDS:
                looked = time.monotonic()
                shorten(self._data / "logs")
            self._told_to_stop.wait(0.5)
        return 0

    def _stop_children(self) -> None:
        """The gateway first, so that nothing new comes in while Orthanc ends."""
        for child in reversed(self._children):
            child.stop()
        self._children = []

    def _stop_on_signal(self, number: int, _frame: object) -> None:
        # Not here: this may have interrupted the main thread while it holds the event's own lock.
        _thread.start_new_thread(self._told_to_stop.set, ())

    def _why_unhealthy(self) -> str:
        logs = self._data / "logs"
        for child in self._children:
            if not child.running:
                return f"{child.name} did not start. The end of {child.log}:\n{tail(child.log)}"
        log = logs / "orthanc.log"
        return f"Reading Room was not healthy in {HEALTHY_SECONDS:.0f} s. The end of {log}:\n{tail(log)}"


def shorten(logs: Path, longest: int = LOG_BYTES) -> None:
    """Let each log that is too long begin anew; its servers write on into the same file, at its end as always.

    What they write between the copy and the cut is lost: a few lines at most. A disk that is full keeps no copy.
    """
    for log in logs.glob("*.log"):
        try:
            if log.is_symlink() or not log.is_file() or log.stat().st_size <= longest:
                continue
            before = log.with_suffix(".log.1")
            try:
                shutil.copyfile(log, before)
                before.chmod(log.stat().st_mode & 0o777)
            except OSError:
                before.unlink(missing_ok=True)
            os.truncate(log, 0)
        except OSError:
            continue  # gone meanwhile, or another account's: the servers matter more


def in_use(data: Path) -> str:
    """The sentence for a data folder that a running instance has."""
    running = instance.Instance.read(data)
    where = f" at {running.url}" if running else ""
    return (
        f"{data} is in use by a Reading Room that is already running{where}.\n"
        f"Stop it with scripts/stop --data {data}, or name another folder with --data."
    )


def version() -> str:
    """Reading Room's own version."""
    return str(tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["version"])


def _folders(data: Path) -> None:
    for name, mode in (
        ("", 0o750),
        ("secrets", 0o700),
        ("run", 0o750),
        ("logs", 0o750),
        ("cache", 0o750),
        ("orthanc", 0o750),
    ):
        (data / name).mkdir(parents=True, exist_ok=True, mode=mode)
    (data / "secrets").chmod(0o700)


def _site_packages() -> str:
    environment = Path(os.environ["READINGROOM_PYTHON"]).parents[1]
    return sysconfig.get_path("purelib", "venv", {"base": str(environment), "platbase": str(environment)})


def main(argv: list[str]) -> int:
    """`supervisor OPTIONS`, where OPTIONS is what `Options.text` wrote."""
    return Supervisor(Options.read(argv[0])).run()


if __name__ == "__main__":
    refusal.run(main)
