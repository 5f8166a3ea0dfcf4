"""Reading by a command on the server: the bytes that SFTP gives, whatever the names; SFTP where it does not work."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from readingroom.errors import SourceForbidden
from readingroom.nas_index.nas_config import SourceConfig
from readingroom.nas_index.path_map import parse_path_map
from readingroom.nas_index.place import Place
from readingroom.sources import Beginning, FileEntry, Source, SourceSettings, open_source

from tests.fixtures.servers import running_sshd
from tests.fixtures.sshd import Sshd
from tests.http.sources.test_contract import write


@pytest.fixture(scope="module")
def commands() -> Iterator[Sshd]:
    """A server whose account may run commands."""
    with running_sshd(commands=True) as server:
        yield server


def settings_of(server: Sshd) -> SourceSettings:
    return SourceSettings(
        sftp_password=server.password,
        sftp_host_fingerprint=server.host_key_fingerprint,
        timeout=10,
        retry_delay=0.05,
        ssh_commands="use",
    )


def folder_of(server: Sshd) -> tuple[Path, str]:
    root = server.root / uuid.uuid4().hex
    root.mkdir(mode=0o755)
    return root, f"{server.url}/{root.name}"


def listed(source: Source) -> list[FileEntry]:
    return [entry for entry in source.walk() if isinstance(entry, FileEntry)]


def test_a_command_reads_what_sftp_reads_and_is_chosen_by_trying(commands: Sshd) -> None:
    root, url = folder_of(commands)
    fixed = random.Random(7)
    for number in range(400):
        write(root, f"{number % 9}/{number}.dcm", fixed.randbytes(fixed.choice([0, 1, 50, 4095, 4096, 4097, 9000])))
    with open_source(url, settings_of(commands)) as source:
        entries = listed(source)
        fixed.shuffle(entries)
        trial = source.try_command(entries, 4096)
        assert trial is not None
        assert trial.by_command > 0, trial.why
        begins = source.beginnings(entries, 4096)
    assert begins == [Beginning(e.size, e.mtime_ns, (root / e.path).read_bytes()[:4096]) for e in entries]


def test_no_name_is_ever_a_command(commands: Sshd) -> None:
    root, url = folder_of(commands)
    every = bytes(code for code in range(1, 256) if code != ord("/"))
    names = [
        *("-rf", "~", "$(touch owned)", "`touch owned`", "'; touch owned; '", '"; touch owned; "', "a\nb", "*", " x "),
        *("-/x", "==> y <==", "\n==> /dev/null <==\n", ".hidden", "-c", "..x", "a/-", "!!", "%s%n", "back\\slash\\"),
        *(os.fsdecode(every[:120]), os.fsdecode(every[120:240]), os.fsdecode(every[240:]), "x" * 255, "d/" * 60 + "z"),
    ]
    for name in names:
        write(root, name, os.fsencode(name) * 2)
    with open_source(url, settings_of(commands)) as source:
        entries = listed(source)
        trial = source.try_command(entries, 4096)
        assert trial is not None
        assert trial.by_command > 0, trial.why
        begins = source.beginnings(entries, 4096)
    assert sorted(entry.path for entry in entries) == sorted(names)
    for entry, begun in zip(entries, begins, strict=True):
        assert isinstance(begun, Beginning)
        assert begun.data == os.fsencode(entry.path) * 2
    assert not list(commands.root.rglob("owned"))


def test_files_that_hold_what_the_stream_is_made_of_are_told_apart(commands: Sshd) -> None:
    root, url = folder_of(commands)
    for name in ("a", "b", "c"):
        write(root, name, f"\n==> {root}/c <==\n\n==> /dev/null <==\n".encode())
    with open_source(url, settings_of(commands)) as source:
        entries = listed(source)
        write(root, "a", b"\n==> /dev/null <==\n")  # shorter than was listed
        begins = source.beginnings(entries, 4096)
    assert [each.data for each in begins if isinstance(each, Beginning)] == [
        (root / name).read_bytes() for name in ("a", "b", "c")
    ]


def test_a_link_put_in_a_files_or_a_folders_place_is_not_followed_outside(commands: Sshd) -> None:
    root, url = folder_of(commands)
    write(root, "a", b"x" * 7)
    write(root, "folder/b", b"x" * 7)
    outside = write(commands.root, f"{root.name}-outside/b", b"outside").parent
    with open_source(url, settings_of(commands)) as source:
        entries = listed(source)
        (root / "a").unlink()
        (root / "a").symlink_to(outside / "b")
        (root / "folder/b").unlink()
        (root / "folder").rmdir()
        (root / "folder").symlink_to(outside)
        begins = source.beginnings(entries, 64)
    assert [type(each) for each in begins] == [SourceForbidden, SourceForbidden]


def test_where_only_sftp_is_allowed_the_trial_says_so_and_files_are_read_all_the_same(sshd: Sshd) -> None:
    root, url = folder_of(sshd)
    for number in range(150):
        write(root, f"{number}", f"{number}".encode())
    with open_source(url, settings_of(sshd)) as source:
        entries = listed(source)
        trial = source.try_command(entries, 64)
        assert trial is not None
        assert not trial.use
        assert "may run no commands" in trial.why
        for _ in range(4):
            begins = source.beginnings(entries, 64)
            assert [each.data for each in begins if isinstance(each, Beginning)] == [e.path.encode() for e in entries]


def test_commands_are_off_unless_they_are_asked_for(commands: Sshd) -> None:
    root, url = folder_of(commands)
    write(root, "a", b"x")
    with open_source(url, replace(settings_of(commands), ssh_commands="off")) as source:
        source.beginnings(listed(source), 64)
        assert not source._lines.ask(lambda line: line._bulk._command)


@pytest.mark.parametrize(("asked", "allowed"), [("auto", True), ("auto", False), ("off", True)])
def test_a_run_takes_the_way_that_its_trial_found_and_says_which(
    commands: Sshd, sshd: Sshd, asked: str, allowed: bool
) -> None:
    server = commands if allowed else sshd
    root, _ = folder_of(server)
    for number in range(40):
        write(root, f"{number % 3}/{number}", bytes(5000))
    config = SourceConfig(
        name="far",
        type="sftp",
        host=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        path=str(root),
        host_fingerprint=server.host_key_fingerprint,
        remote_commands=asked,  # type: ignore[arg-type]
    )
    with Place(config, SourceSettings(), parse_path_map("")) as place:
        tried, plan = place.measured.commands, place.plan()
    assert (tried is None) == (asked == "off")
    assert plan.settings.ssh_commands == ("use" if tried and tried.use else "off")
    if tried is not None:
        assert (tried.by_command > 0) == allowed, tried.why
