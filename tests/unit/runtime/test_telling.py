"""What the runtime says when it cannot go on: a sentence and what to do, never a trace."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.runtime import ports, say
from scripts.runtime.refusal import Refusal


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("E: Unable to fetch: Temporary failure resolving 'mirror.invalid'", "cannot be reached"),
        ("npm error code EAI_AGAIN\nnpm error request failed, reason: getaddrinfo EAI_AGAIN", "cannot be reached"),
        ("Failed to establish a new connection: [Errno 101] Network is unreachable", "cannot be reached"),
        ("dpkg: error: cannot copy: No space left on device", "disk is full"),
        ("npm error code ENOSPC", "disk is full"),
        ("SSLCertVerificationError: certificate verify failed", "SSL_CERT_FILE"),
    ],
)
def test_what_often_goes_wrong_is_said_in_a_sentence(tmp_path: Path, output: str, sentence: str) -> None:
    (tmp_path / "said").write_text(output)
    command = ["sh", "-c", f"cat '{tmp_path}/said'; exit 1"]
    with pytest.raises(Refusal, match=sentence):
        say.step("trying", command, tmp_path / "log")


def test_what_nobody_foresaw_is_shown_as_it_was(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"(?s)trying: failed .*log.*a riddle"):
        say.step("trying", ["sh", "-c", "echo a riddle; exit 3"], tmp_path / "log")


def test_a_taken_port_names_the_option_that_changes_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refusal, match=rf"Port {port} is taken by another program.*--port"):
            ports.claimed(port, "--port", "127.0.0.1")


def test_port_0_is_any_free_one() -> None:
    assert 1023 < ports.claimed(0, "--port", "127.0.0.1") < 65536


@pytest.mark.parametrize("name", ["serve", "stop", "test", "bench"])
def test_every_command_answers_help(name: str) -> None:
    script = Path(__file__).resolve().parents[3] / "scripts" / name
    said = subprocess.run([sys.executable, str(script), "--help"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith(f"usage: scripts/{name}")
