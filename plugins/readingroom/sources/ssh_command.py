"""Reads the beginnings of many files by a command on the server: one stream, however far away it is.

The command only reads, and is the same for every source: what is to be read goes to its standard input, names parted by
NUL. So no name is ever part of a command line that a shell looks at. It needs `sh`, `xargs -0` and `head -v -c` there,
which GNU and BusyBox have; where anything is not as expected, its files are read by SFTP instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import paramiko

from readingroom.sources.entries import Beginning, FileEntry
from readingroom.sources.line import LineLost

GROUP = 64
"""Words that one `head` is started for: starting it costs some milliseconds on a small NAS, here 30 µs a file."""

GROUP_BYTES = 12_000
"""Bytes of a group's names: BusyBox's xargs parts what is longer than 20 KB."""

GROUPS_AHEAD = 3
"""Groups asked for and not yet taken: at 8 KB a file 1.5 MB, less than the window of an SSH channel (2 MB)."""

SCRIPT = (
    "exec 2>/dev/null; unset CDPATH; "
    "case $1 in /*) ;; *) exit 255;; esac; "
    'cd -P "$1" || exit 255; base=${PWD%/}; shift; now=; ok=1; '
    # A folder is where it says it is, or a link was put in its place since it was listed.
    "for f do shift; case $f in */*) d=${f%/*};; *) d=;; esac; "
    'if [ "$d" = "$now" ]; then :; else now=$d; ok=; '
    'if [ -z "$d" ]; then ok=1; elif cd -P "$base/$d" && [ "$PWD" = "$base/$d" ]; then ok=1; fi; fi; '
    'p=$base/$f; if [ -z "$ok" ] || [ -h "$p" ]; then :; elif [ -f "$p" ] && [ -r "$p" ]; then set -- "$@" "$p"; fi; '
    'done; exec head -v -c {size} "$@" /dev/null'
)
"""For each group: the source's folder and names in it. What is no plain file in a real folder is left out."""

END = b"==> /dev/null <==\n"

RECEIVED = 256 * 1024

NOTHING = b"."
"""A word that is no file: fills a group."""


class Astray(Exception):
    """The command is not there, not allowed, or answered what it should not have; SFTP is asked instead."""


def command(size: int) -> str:
    """What is sent to the account's shell, of whatever kind that is: one line, with nothing of ours but a number."""
    return f"exec env LC_ALL=C xargs -0 -n {GROUP} sh -c '{SCRIPT.replace('{size}', str(int(size)))}' sh"


_Group = list[tuple[int, FileEntry]]
"""Files that one `head` reads, with their numbers in the call."""


class RemoteHead:
    """The command running on one SSH connection. One thread at a time (the line's lock sees to it)."""

    def __init__(self, transport: paramiko.Transport, root: bytes, size: int, patience: float) -> None:
        self.size = size
        self._transport = transport
        self._root = root
        self._base = root.rstrip(b"/")
        self._incoming = bytearray()
        try:
            self._channel = transport.open_session(timeout=patience)
            self._channel.settimeout(patience)
            self._channel.exec_command(command(size))
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._ended(error) from error

    def close(self) -> None:
        """End the command: it ends when its input does."""
        self._channel.close()

    def read(self, files: Sequence[FileEntry], results: list[Beginning | None]) -> None:
        """Fill in the first bytes of each; None stays where SFTP has to be asked.

        Size and time are the listing's: a file that is longer or shorter by now is not read here. Raises LineLost, and
        Astray when the command is of no more use; what was filled in until then is right.
        """
        for number, file in enumerate(files):
            if file.size == 0:
                results[number] = Beginning(0, file.mtime_ns, b"")
        groups = _groups(files)
        asked: deque[_Group] = deque()
        while True:
            while len(asked) < GROUPS_AHEAD and (group := next(groups, None)) is not None:
                self._ask(group)
                asked.append(group)
            if not asked:
                return
            self._take(asked.popleft(), results)

    def _ask(self, group: _Group) -> None:
        words = [self._root, *(_raw(file.path) for _, file in group)]
        words += [NOTHING] * (GROUP - len(words))
        try:
            self._channel.sendall(b"".join(word + b"\0" for word in words))
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._ended(error) from error

    def _take(self, group: _Group, results: list[Beginning | None]) -> None:
        left, lead = deque(group), b""  # `head` writes an empty line before each header but its first
        # A file that became shorter swallows what comes next: it counts when the very next one is where it should be.
        before: tuple[int, Beginning] | None = None
        while True:
            ended = self._comes(lead + END)
            passed_over, next_one = (len(left), None) if ended else self._named(left, lead)
            if before is not None and not passed_over:
                results[before[0]] = before[1]
            if next_one is None:
                return
            number, file = next_one
            before = number, Beginning(file.size, file.mtime_ns, self._bytes(min(self.size, file.size)))
            lead = b"\n"

    def _named(self, left: deque[tuple[int, FileEntry]], lead: bytes) -> tuple[int, tuple[int, FileEntry]]:
        """The file whose header is the next, taken from `left`, and how many were passed over for it."""
        passed_over = 0
        while left:
            number, file = left.popleft()
            if self._comes(lead + b"==> " + self._base + b"/" + _raw(file.path) + b" <==\n"):
                return passed_over, (number, file)
            passed_over += 1
        raise Astray("its answer is not what was asked for")

    def _comes(self, expected: bytes) -> bool:
        """Whether these bytes are the next; then they are taken. Never waits for more than it takes to know."""
        while True:
            there = min(len(self._incoming), len(expected))
            if self._incoming[:there] != expected[:there]:
                return False
            if there == len(expected):
                del self._incoming[:there]
                return True
            self._more()

    def _bytes(self, size: int) -> bytes:
        while len(self._incoming) < size:
            self._more()
        taken = bytes(self._incoming[:size])
        del self._incoming[:size]
        return taken

    def _more(self) -> None:
        try:
            more = self._channel.recv(RECEIVED)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._ended(error) from error
        if not more:
            raise self._ended(None)
        self._incoming += more

    def _ended(self, error: BaseException | None) -> LineLost | Astray:
        said = "no answer in time" if isinstance(error, TimeoutError) else str(error or "it ended")
        return Astray(said) if self._transport.is_active() else LineLost(said)


def _groups(files: Sequence[FileEntry]) -> Iterator[_Group]:
    """Files as they go to one `head` each; those whose size is not known, or nothing, are in none."""
    group: _Group = []
    size = 0
    for number, file in enumerate(files):
        if file.size <= 0:
            continue
        here = len(_raw(file.path)) + 1
        if group and (len(group) == GROUP - 1 or size + here > GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append((number, file))
        size += here
    if group:
        yield group


def _raw(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")
