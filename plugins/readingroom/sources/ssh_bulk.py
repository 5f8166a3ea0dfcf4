"""Reads the beginnings of many files by the way that suits a server: a command that runs there, or SFTP."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from time import perf_counter

from readingroom.errors import SourceError
from readingroom.sources.entries import Beginning, CommandTrial, FileEntry
from readingroom.sources.sftp_many import SftpMany
from readingroom.sources.ssh_command import Astray, RemoteHead

ROUNDS = 3
"""Of both ways in turn, when they are tried; the middle one counts."""

ASTRAY = 3
"""How often in a row the command may give nothing before its line goes without."""


OTHERS = "commands see other files than SFTP does, or not all of them"


class BulkReading:
    """Both ways on one SSH connection. One thread at a time (the line's lock sees to it)."""

    def __init__(self, sftp: SftpMany, start: Callable[[int], RemoteHead], *, by_command: bool) -> None:
        self._sftp = sftp
        self._start = start
        self._command: RemoteHead | None = None
        self._by_command = by_command
        self._astray = 0

    def beginnings(self, files: Sequence[FileEntry], size: int) -> list[Beginning | SourceError]:
        """The first `size` bytes of each, or why there are none. Raises LineLost."""
        if not self._by_command:
            return self._sftp.read(files, size)
        results: list[Beginning | None] = [None] * len(files)
        try:
            self._head(size).read(files, results)
        except Astray:
            # Files were written to meanwhile; or the command is not what it was, and then it is not tried for ever.
            self._end()
            self._astray = 0 if any(each and each.data for each in results) else self._astray + 1
            self._by_command = self._astray < ASTRAY
        left = iter(self._sftp.read([file for file, each in zip(files, results, strict=True) if each is None], size))
        return [next(left) if each is None else each for each in results]

    def try_command(self, files: Sequence[FileEntry], size: int) -> CommandTrial:
        """Read these both ways: only a command that gives the same bytes, and sooner, is worth it. Raises LineLost."""
        if not files:
            return CommandTrial(False, "no file was there to try commands with")
        by_sftp, by_command = [], []
        try:
            for _ in range(ROUNDS):
                began = perf_counter()
                expected = self._sftp.read(files, size)
                by_sftp.append(perf_counter() - began)
                began = perf_counter()
                results: list[Beginning | None] = [None] * len(files)
                self._head(size).read(files, results)
                by_command.append(perf_counter() - began)
                for one, other in zip(expected, results, strict=True):
                    # Times are the sample's own, and may be unknown.
                    if isinstance(one, Beginning) and (
                        other is None or (one.size, one.data) != (other.size, other.data)
                    ):
                        return CommandTrial(False, OTHERS)
        except Astray as astray:
            return CommandTrial(False, f"the account may run no commands, or not those that we need ({astray})")
        finally:
            self._end()
        sftp, command = statistics.median(by_sftp), statistics.median(by_command)
        said = f"{len(files)} files took {command * 1000:.0f} ms by command, {sftp * 1000:.0f} ms by SFTP"
        return CommandTrial(command < sftp, said, sftp, command)

    def _head(self, size: int) -> RemoteHead:
        if self._command is None or self._command.size != size:
            self._end()
            self._command = self._start(size)
        return self._command

    def _end(self) -> None:
        if self._command is not None:
            self._command.close()
            self._command = None
