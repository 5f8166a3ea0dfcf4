"""What benchmarks of downloads compare with, and what servers spend: nginx with one file, processor time by process."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MB = 1_000_000

NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{ access_log off; sendfile on; tcp_nopush on;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {folder}; }} }}
"""


@contextmanager
def sendfile_nginx(folder: Path, size: int) -> Iterator[str]:
    """A plain nginx that has one file of that many bytes at `/one`, and sends it by sendfile."""
    folder.mkdir()
    with (folder / "one").open("wb") as file:
        for _ in range(size // MB):
            file.write(bytes(range(250)) * 4000)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(f"{_user()}{NGINX.format(folder=folder, port=port)}")
    server = subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _user() -> str:
    # As root, nginx's workers would be somebody who may not enter the scratch folder.
    return "user root;" if Path("/proc/self").stat().st_uid == 0 else ""


def processes(*named: str) -> list[int]:
    """Orthanc and nginx, workers too, whose command line names one of these places."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if line.startswith(("Orthanc ", "nginx")) and any(name in line for name in named):
            children = (process / "task" / process.name / "children").read_text().split()
            found += [int(process.name), *map(int, children)]
    assert found, f"nothing runs on {named}"
    return found


def cpu_seconds(pids: list[int]) -> float:
    """What these processes have spent so far, in seconds."""
    ticks = 0
    for process in pids:
        # After the name, which may hold anything: utime and stime are the 12th and 13th field.
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
