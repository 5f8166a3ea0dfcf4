"""`scripts/serve`: makes what is missing, starts one instance, tells where it answers, and stops it on Ctrl-C."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from scripts.runtime import instance, keep, keeper, ohif, ports, roots, webapp
from scripts.runtime.ground import Ground, stand
from scripts.runtime.launch import run_module
from scripts.runtime.options import Options
from scripts.runtime.places import data_folder
from scripts.runtime.refusal import Refusal
from scripts.runtime.say import say, tail
from scripts.runtime.supervisor import in_use

START_SECONDS = 180.0
FOLDER_SECONDS = 60.0
"""An instance that is just ending gives its folder free within its supervisor's patience."""

DEMOS = ("readingroom.cases.demo", "readingroom.nas_index.demo", "readingroom.imaging.demo")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    made = argparse.ArgumentParser(
        prog="scripts/serve",
        description=(
            "Start Reading Room: Orthanc with our plugin behind the gateway, in a private Debian "
            "root made on first use."
        ),
        epilog="READINGROOM_ADMIN_PASSWORD sets the first admin's password, READINGROOM_RUNTIME the folder "
        "of what is built, DATABASE_URL a PostgreSQL database. Stop it with Ctrl-C, or scripts/stop.",
    )
    made.add_argument("--data", metavar="DIR", help="folder that holds everything of this instance (default: data)")
    made.add_argument(
        "--port",
        type=int,
        default=8080,
        help="port of the web pages and the API (default: 8080; 0: any free one)",
    )
    made.add_argument(
        "--dicom-port", type=int, default=4242, help="port for modalities (default: 4242; 0: any free one)"
    )
    made.add_argument(
        "--listen",
        metavar="ADDRESS",
        default=os.environ.get("READINGROOM_LISTEN") or "127.0.0.1",
        help=("address for the pages and the API (default: 127.0.0.1, this machine alone; 0.0.0.0: the network)"),
    )
    made.add_argument(
        "--tls-certificate",
        metavar="FILE",
        default=os.environ.get("READINGROOM_TLS_CERTIFICATE", ""),
        help="PEM chain; with it, and its key, HTTPS is spoken",
    )
    made.add_argument(
        "--tls-key", metavar="FILE", default=os.environ.get("READINGROOM_TLS_KEY", ""), help="its private key"
    )
    made.add_argument(
        "--demo",
        action="store_true",
        help="fill it with sample cases, a sample NAS and a sample clinic, when it has none",
    )
    made.add_argument(
        "--background", action="store_true", help="return once it is healthy; it goes on until scripts/stop"
    )
    made.add_argument(
        "--suite", choices=roots.SUITES, help="Debian release to build from (default: forky, else trixie)"
    )
    return made


def main(argv: list[str]) -> int:
    """Start an instance; returns when it has ended, or with --background when it is healthy."""
    said = parser().parse_args(argv)
    data = data_folder(said.data)
    _wait_for_folder(data)
    certificate, key = (str(Path(name).resolve()) if name else "" for name in (said.tls_certificate, said.tls_key))
    port = ports.claimed(said.port, "--port", said.listen)
    dicom_port = ports.claimed(said.dicom_port, "--dicom-port")
    if port == dicom_port:
        raise Refusal("--port and --dicom-port name the same port.", status=2)
    keep.enough_space(data, 200, "with --data")
    ground = stand("serve", said.suite)
    web, viewer = str(webapp.built(ground)), str(ohif.laid_out(ground) or "")
    options = Options(str(data), port, dicom_port, said.listen, web, ground.suite, certificate, key, viewer)
    had_password = _password_file(data).exists()
    say("starting Orthanc and the gateway …")
    if said.background:
        return _background(ground, options, had_password, demo=said.demo)
    return _foreground(ground, options, had_password, demo=said.demo)


def _foreground(ground: Ground, options: Options, had_password: bool, *, demo: bool) -> int:
    told = threading.Event()
    run = keeper.started(ground, options)
    keeper.stop_on_signals(run, told)
    while run.poll() is None and not told.is_set() and not instance.Instance.running(options.folder):
        told.wait(0.1)
    if run.poll() is None and not told.is_set():
        _healthy(options.folder, had_password, ground, demo=demo, how="Ctrl-C stops it.")
    while (status := run.wait(1.0)) is None:
        pass
    if told.is_set() and status == 0:
        say("stopped")
    return status


def _background(ground: Ground, options: Options, had_password: bool, *, demo: bool) -> int:
    data = options.folder
    log = data / "logs" / "serve.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "scripts.runtime.keeper", *ground.arguments(), options.text()],
            env=keep.module_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    end = time.monotonic() + START_SECONDS
    try:
        while not instance.Instance.running(data):
            if process.poll() is not None:
                raise Refusal(
                    tail(log) or f"Reading Room ended with status {process.returncode} before it was healthy ({log})."
                )
            if time.monotonic() > end:
                raise Refusal(f"Reading Room did not become healthy in {START_SECONDS:.0f} s ({log}).\n{tail(log)}")
            time.sleep(0.1)
    except BaseException:
        if process.poll() is None:
            process.terminate()
            process.wait()
        raise
    _healthy(data, had_password, ground, demo=demo, how=f"{_command('stop', data)} stops it.")
    return 0


def _healthy(data: Path, had_password: bool, ground: Ground, *, demo: bool, how: str) -> None:
    """Tell the person where it answers, the first password once, and fill it when asked to."""
    running = instance.Instance.running(data)
    if not running:
        return
    lines = [
        f"Reading Room answers at {running.url}",
        f"  modalities: port {running.dicom_port} (AE title READINGROOM)",
        f"  data:       {data}",
    ]
    password = _password_file(data)
    if not had_password and password.exists():
        lines += [
            f"  sign in as admin with the password {password.read_text().strip()}",
            f"  (shown this once; it is kept in {password})",
        ]
    print("\n".join([*lines, f"  {how}"]), flush=True)
    if demo:
        for module in DEMOS:
            status = run_module(module, [], data=data, ground=ground)
            if status:
                raise Refusal(f"The samples could not be loaded (status {status}); Reading Room itself is running.")


def _wait_for_folder(data: Path) -> None:
    """Raises Refusal when a running instance has the folder; one that is just ending is waited for."""
    end = time.monotonic() + FOLDER_SECONDS
    waiting = False
    while instance.lock_is_held(data):
        if instance.Instance.read(data) or time.monotonic() > end:
            raise Refusal(in_use(data))
        if not waiting:
            say("another start or stop of this instance is under way; waiting for it …")
            waiting = True
        time.sleep(0.2)


def _password_file(data: Path) -> Path:
    return data / "secrets" / "admin_password"


def _command(name: str, data: Path) -> str:
    return f"scripts/{name}" if data == data_folder(None) else f"scripts/{name} --data {data}"
