"""One place of each kind (local folder, SFTP, SMB), so that every test of the contract meets all three."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from readingroom.sources import Source, SourceSettings, open_source

from tests.fixtures.lossy_line import LossyLine
from tests.fixtures.processes import ACCOUNT_ID
from tests.fixtures.smbd import Smbd
from tests.fixtures.sshd import Sshd


@dataclass
class Place:
    """A folder on the server's side (`root`) and the way to it."""

    kind: str
    root: Path
    url: str
    settings: SourceSettings
    server: Sshd | Smbd | None = None

    def open(self, **changes: object) -> Source:
        """The source on that folder."""
        return open_source(self.url, replace(self.settings, **changes))  # type: ignore[arg-type]

    @contextmanager
    def line(self) -> Iterator[LossyLine]:
        """A line that can be cut."""
        assert self.server is not None
        with LossyLine(self.server.host, self.server.port) as line:
            yield line

    def open_over(self, line: LossyLine, **changes: object) -> Source:
        """The source, reached over that line."""
        assert self.server is not None
        url = self.url.replace(f":{self.server.port}", f":{line.port}")
        return open_source(url, replace(self.settings, **changes))  # type: ignore[arg-type]

    @contextmanager
    def as_reader(self) -> Iterator[None]:
        """Locally, drop root's right to read everything; at a server the account has none to begin with."""
        if self.kind != "local" or os.geteuid() != 0:
            yield
            return
        os.seteuid(ACCOUNT_ID)
        try:
            yield
        finally:
            os.seteuid(0)


def place_of(kind: str, request: pytest.FixtureRequest) -> Place:
    """A fresh folder of that kind."""
    quick = SourceSettings(timeout=10, retry_delay=0.05)
    if kind == "local":
        root: Path = request.getfixturevalue("open_tmp") / "files"
        root.mkdir(mode=0o755)
        return Place(kind, root, str(root), quick)
    server: Sshd | Smbd = request.getfixturevalue("sshd" if kind == "sftp" else "smbd")
    root = server.root / uuid.uuid4().hex
    root.mkdir(mode=0o755)
    if isinstance(server, Sshd):
        settings = replace(quick, sftp_password=server.password, sftp_host_fingerprint=server.host_key_fingerprint)
    else:
        settings = replace(quick, smb_password=server.password)
    return Place(kind, root, f"{server.url}/{root.name}", settings, server)


@pytest.fixture
def open_tmp() -> Iterator[Path]:
    """A temp folder that an ordinary account may enter, which pytest's own is not."""
    from tests.fixtures.servers import server_folder

    with server_folder("local") as folder:
        yield folder


@pytest.fixture(params=["local", "sftp", "smb"])
def place(request: pytest.FixtureRequest) -> Place:
    """A fresh folder of each kind."""
    return place_of(request.param, request)


@pytest.fixture(params=["sftp", "smb"])
def remote(request: pytest.FixtureRequest) -> Place:
    """A fresh folder of each kind that has a line to cut."""
    return place_of(request.param, request)
