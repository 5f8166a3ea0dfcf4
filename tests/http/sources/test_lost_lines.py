"""A line that breaks, falls silent or never comes up, in the middle of whatever we do."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from readingroom.errors import SourceChanged, SourceError, SourceUnreachable
from readingroom.sources import FileEntry, open_source

from tests.fixtures.processes import free_port
from tests.fixtures.servers import running_smbd, running_sshd
from tests.fixtures.sshd import Sshd

if TYPE_CHECKING:
    from tests.http.sources.conftest import Place

SIZE = 24_000_000


def test_a_connection_cut_in_mid_file_goes_on_at_the_same_byte(remote: Place) -> None:
    content = random.Random(1).randbytes(SIZE)
    (remote.root / "file").write_bytes(content)
    with remote.line() as line, remote.open_over(line) as source, source.open("file") as file:
        line.cut_after(SIZE // 3)
        assert file.read() == content
        assert line.connections == 2


def test_a_line_that_breaks_again_and_again_still_delivers(remote: Place) -> None:
    content = random.Random(2).randbytes(SIZE)
    (remote.root / "file").write_bytes(content)
    with remote.line() as line, remote.open_over(line, retries=2) as source, source.open("file") as file:
        got = bytearray()
        # More cuts than retries: each one counts anew once bytes have come through.
        for _ in range(6):
            line.cut_after(1_000_000)
            got += file.read(3_000_000)
        got += file.read()
    assert got == content


def test_a_file_that_changed_while_the_line_was_down_is_an_error(remote: Place) -> None:
    path = remote.root / "file"
    path.write_bytes(bytes(SIZE))
    with remote.line() as line, remote.open_over(line) as source, source.open("file") as file:
        file.read(1_000_000)
        line.go_down()
        path.write_bytes(b"x" * (SIZE + 1))
        line.come_back()
        with pytest.raises(SourceChanged):
            file.read()


def test_a_walk_goes_on_over_a_cut_line(remote: Place) -> None:
    for folder in range(20):
        (remote.root / f"{folder:02d}").mkdir()
        for number in range(5):
            (remote.root / f"{folder:02d}" / str(number)).touch()
    with remote.line() as line, remote.open_over(line) as source:
        seen = []
        for entry in source.walk():
            assert isinstance(entry, FileEntry)
            seen.append(entry.path)
            if len(seen) in (7, 42, 77):
                line.cut()
    assert seen == [f"{folder:02d}/{number}" for folder in range(20) for number in range(5)]


def test_eight_readers_survive_a_cut_together(remote: Place) -> None:
    contents = {str(n): random.Random(n).randbytes(3_000_000) for n in range(16)}
    for name, content in contents.items():
        (remote.root / name).write_bytes(content)
    with remote.line() as line, remote.open_over(line) as source, ThreadPoolExecutor(8) as pool:

        def read(name: str) -> bytes:
            with source.open(name) as file:
                return file.read()

        line.cut_after(10_000_000)
        for name, got in zip(contents, pool.map(read, contents), strict=True):
            assert got == contents[name]


def test_a_line_that_stays_down_is_unreachable_after_the_retries_and_says_so(remote: Place) -> None:
    (remote.root / "file").write_bytes(bytes(SIZE))
    with remote.line() as line, remote.open_over(line, retries=3) as source, source.open("file") as file:
        file.read(1_000_000)
        line.go_down()
        with pytest.raises(SourceUnreachable) as caught:
            file.read()
        assert caught.value.error_type == "network"
        assert caught.value.suggestion
        with pytest.raises(SourceUnreachable):
            list(source.walk())
        line.come_back()
        assert [entry.path for entry in source.walk()] == ["file"]


def test_pauses_between_retries_grow(remote: Place) -> None:
    remote.url = remote.url.replace(f":{remote.server.port}", f":{free_port()}")  # type: ignore[union-attr]
    began = time.monotonic()
    with pytest.raises(SourceUnreachable):
        remote.open(retries=3, retry_delay=0.2)
    took = time.monotonic() - began
    assert 0.2 + 0.4 + 0.8 <= took < 20


def test_a_line_that_falls_silent_counts_as_lost(remote: Place) -> None:
    (remote.root / "file").write_bytes(bytes(SIZE))
    with (
        remote.line() as line,
        remote.open_over(line, timeout=1.0, retries=1) as source,
        source.open("file") as file,
    ):
        file.read(1_000_000)
        line.stall()
        began = time.monotonic()
        with pytest.raises(SourceUnreachable):
            file.read()
        assert time.monotonic() - began < 30


def test_no_more_connections_are_made_than_allowed(remote: Place) -> None:
    for number in range(16):
        (remote.root / str(number)).write_bytes(bytes(500_000))
    with remote.line() as line, remote.open_over(line, connections=3) as source, ThreadPoolExecutor(8) as pool:

        def read(number: int) -> int:
            with source.open(str(number)) as file:
                return len(file.read())

        assert list(pool.map(read, range(16))) == [500_000] * 16
        assert line.most_at_once <= 3


def test_closing_the_source_ends_a_wait_at_once(remote: Place) -> None:
    with remote.line() as line:
        source = remote.open_over(line, retries=10, retry_delay=120)
        line.go_down()
        ended: list[BaseException] = []

        def walk() -> None:
            try:
                list(source.walk())
            except SourceError as error:
                ended.append(error)

        thread = threading.Thread(target=walk)
        thread.start()
        time.sleep(0.3)
        source.close()
        thread.join(20)  # a pause is 30 s long
        assert not thread.is_alive()
        assert ended


@pytest.mark.parametrize("kind", ["sftp", "smb"])
def test_a_server_that_goes_away_and_comes_back_is_waited_for(kind: str) -> None:
    from readingroom.sources import SourceSettings

    with running_sshd() if kind == "sftp" else running_smbd() as server:
        content = random.Random(5).randbytes(8_000_000)
        (server.root / "file").write_bytes(content)
        settings = SourceSettings(
            sftp_password=server.password,
            sftp_known_hosts=getattr(server, "known_hosts_file", None),
            smb_password=server.password,
            timeout=10,
            retry_delay=0.3,
        )
        with open_source(server.url, settings) as source, source.open("file") as file:
            got = file.read(1_000_000)
            server.stop()
            back = threading.Timer(1.0, server.start)
            back.start()
            got += file.read()
            back.join()
            assert got == content


def test_the_servers_own_process_killed_in_mid_file_is_a_lost_line(sshd: Sshd) -> None:
    from readingroom.sources import SourceSettings

    content = random.Random(6).randbytes(16_000_000)
    (sshd.root / "kill.bin").write_bytes(content)
    settings = SourceSettings(sftp_password=sshd.password, sftp_known_hosts=sshd.known_hosts_file)
    with open_source(sshd.url, settings) as source, source.open("kill.bin") as file:
        got = file.read(1_000_000)
        assert sshd.cut_connections() > 0
        assert got + file.read() == content
