"""A folder on an SFTP server as a source."""

from __future__ import annotations

import stat as modes
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import paramiko

from readingroom.errors import SourceChanged, SourceError, SourceForbidden, SourceNotFound
from readingroom.sources import sftp_protocol as wire
from readingroom.sources.ahead import ReadAhead
from readingroom.sources.entries import Beginning, CommandTrial, FileEntry, Found, Kind, unreadable
from readingroom.sources.line import LineLost, OpenFile
from readingroom.sources.location import Location
from readingroom.sources.names import is_plain, printable
from readingroom.sources.settings import SourceSettings
from readingroom.sources.sftp_login import SftpLogin
from readingroom.sources.sftp_many import SftpMany
from readingroom.sources.ssh_bulk import BulkReading
from readingroom.sources.ssh_command import RemoteHead

LISTINGS_AHEAD = 4
"""READDIR requests under way: a large folder far away is then not read at one batch per round trip."""

LINKS_AHEAD = 128
"""Symbolic links of one folder looked up at once."""

NANOSECONDS = 1_000_000_000


class SftpLine:
    """One SSH connection with its SFTP channel."""

    def __init__(self, location: Location, settings: SourceSettings, transport: paramiko.Transport) -> None:
        self.lock: AbstractContextManager[object] = threading.RLock()
        self._location = location
        self._follow_outside = settings.follow_links_outside
        self._transport = transport
        self._root = b""
        try:
            channel = transport.open_session(timeout=settings.timeout)
            channel.settimeout(settings.timeout)
            channel.invoke_subsystem("sftp")
            self._channel = wire.SftpChannel(channel, settings.timeout)
            self._root = self._find_root()
            self._bulk = BulkReading(
                SftpMany(self._channel, self._root, self._is_allowed, self.find, self._translated),
                lambda size: RemoteHead(transport, self._root, size, settings.timeout),
                by_command=settings.ssh_commands == "use",
            )
        except (OSError, EOFError, paramiko.SSHException) as error:
            # The connection lives and only the channel was closed: that is the server's answer, not a lost line.
            refused = isinstance(error, paramiko.SSHException) and transport.is_active()
            transport.close()
            if refused:
                raise SourceError(
                    "The server signs us in but offers no SFTP",
                    suggestion="Switch SFTP on for this account at the server.",
                ) from error
            raise LineLost(str(error) or type(error).__name__) from error
        except BaseException:
            transport.close()
            raise

    def root(self) -> Found:
        found = self._looked_up([("", self._root)])[0]
        if found.kind is not Kind.FOLDER:
            raise SourceNotFound(
                f"{self._location.url} is not there, or is no folder",
                suggestion="Check the path as the server shows it to this account (it may see its own root).",
            )
        return found

    def entries(self, where: str) -> list[Found]:
        try:
            return self._list(_bytes(where))
        except wire.Refusal as refusal:
            raise self._translated(refusal, where) from refusal

    def find(self, path: str) -> Found:
        found = self._looked_up([(path.rpartition("/")[2], self._root.rstrip(b"/") + b"/" + _bytes(path))])[0]
        if found.why == "gone" and found.kind is Kind.UNREADABLE:
            raise SourceNotFound(f"{printable(path)} is not there", path=printable(path))
        return found

    def open(self, found: Found) -> OpenFile:
        try:
            handle = self._channel.handle(self._channel.ask_open(_bytes(found.where)))
        except wire.Refusal as refusal:
            raise self._translated(refusal, found.where) from refusal
        return SftpFile(self._channel, handle, found)

    def beginnings(self, files: Sequence[FileEntry], size: int) -> list[Beginning | SourceError]:
        return self._bulk.beginnings(files, size)

    def try_command(self, files: Sequence[FileEntry], size: int) -> CommandTrial:
        return self._bulk.try_command(files, size)

    def close(self) -> None:
        self._transport.close()

    def _find_root(self) -> bytes:
        path = self._location.path
        if path == "~" or path.startswith("~/"):
            home = self._channel.name(self._channel.ask_path(wire.REALPATH, b"."))
            given = home.rstrip(b"/") + b"/" + _bytes(path[2:])
        else:
            given = _bytes(path)
        try:
            return self._channel.name(self._channel.ask_path(wire.REALPATH, given.rstrip(b"/") or b"/"))
        except wire.Refusal as refusal:
            raise self._translated(refusal, path) from refusal

    def _list(self, folder: bytes) -> list[Found]:
        channel = self._channel
        handle = channel.handle(channel.ask_path(wire.OPENDIR, folder))
        found: list[Found] = []
        unclear: list[tuple[str, bytes]] = []
        under_way: deque[int] = deque()
        try:
            while True:
                while len(under_way) < LISTINGS_AHEAD:
                    under_way.append(channel.ask_handle(wire.READDIR, handle))
                batch = channel.names(under_way.popleft())
                if not batch:
                    break
                for raw, seen in batch:
                    name = _text(raw)
                    if raw in (b".", b".."):
                        continue
                    if not is_plain(name):
                        found.append(unreadable(printable(name), "name", "a name that no file can have"))
                    elif seen.mode is None or seen.size is None or modes.S_ISLNK(seen.mode):
                        unclear.append((name, folder.rstrip(b"/") + b"/" + raw))
                    else:
                        found.append(_seen(name, folder.rstrip(b"/") + b"/" + raw, seen))
        finally:
            for request in under_way:
                channel.forget(request)
            channel.forget(channel.ask_handle(wire.CLOSE, handle))
        for start in range(0, len(unclear), LINKS_AHEAD):
            looked_up = self._looked_up(unclear[start : start + LINKS_AHEAD])
            found += [_as_broken_link(each) if each.why == "gone" else each for each in looked_up]
        return found

    def _looked_up(self, places: list[tuple[str, bytes]]) -> list[Found]:
        """What each path leads to, links followed, if that lies inside; one round trip for all of them."""
        channel = self._channel
        asked = [(channel.ask_path(wire.REALPATH, p), channel.ask_path(wire.STAT, p)) for _, p in places]
        return [self._resolved(name, place, *requests) for (name, place), requests in zip(places, asked, strict=True)]

    def _resolved(self, name: str, place: bytes, real_asked: int, stat_asked: int) -> Found:
        real: bytes | None = None
        refused = 0
        try:
            real = self._channel.name(real_asked)
        except wire.Refusal as refusal:
            refused = refusal.status
        try:
            seen = self._channel.attributes(stat_asked)
        except wire.Refusal as refusal:
            refused = refusal.status
        else:
            if real is None:
                return unreadable(name, "forbidden", "the server does not say where it leads")
            if not self._is_allowed(real):
                return unreadable(name, "outside", "a symbolic link that leaves the source")
            return _seen(name, real, seen)
        if refused == wire.STATUS_PERMISSION_DENIED:
            return unreadable(name, "forbidden", "no right to read it")
        if refused == wire.STATUS_NO_SUCH_FILE:
            return unreadable(name, "gone", "it is not there, or is a link to nothing")
        return unreadable(name, "broken_link", "a symbolic link that cannot be followed")

    def _is_allowed(self, real: bytes) -> bool:
        return self._follow_outside or real == self._root or real.startswith(self._root.rstrip(b"/") + b"/")

    def _translated(self, refusal: wire.Refusal, where: str) -> SourceError:
        root = _text(self._root).rstrip("/") + "/"
        shown = printable(where.removeprefix(root))
        if refusal.status == wire.STATUS_NO_SUCH_FILE:
            return SourceNotFound(f"{shown} is not there", path=shown)
        if refusal.status == wire.STATUS_PERMISSION_DENIED:
            return SourceForbidden(
                f"{shown} may not be read",
                suggestion="Give the account the right to read it at the server.",
                path=shown,
            )
        return SourceError(f"{shown} cannot be read: the server says {refusal}", path=shown)


class SftpFile:
    """A file open on an SFTP line."""

    def __init__(self, channel: wire.SftpChannel, handle: bytes, found: Found) -> None:
        self._channel = channel
        self._handle = handle
        self._shown = printable(found.where)
        self.size = found.size
        self.mtime_ns = found.mtime_ns
        # Asked now, read with the first bytes: whether what was opened is what was found costs no round trip.
        self._unchecked: int | None = channel.ask_handle(wire.FSTAT, handle)
        self._ahead: ReadAhead[int] = ReadAhead(self, found.size, channel.max_read)

    def read_at(self, offset: int, size: int) -> bytes:
        try:
            data = self._ahead.read_at(offset, size)
            if self._unchecked is not None:
                request, self._unchecked = self._unchecked, None
                self._check(self._channel.attributes(request))
        except wire.Refusal as refusal:
            raise SourceError(f"{self._shown} cannot be read: the server says {refusal}", path=self._shown) from refusal
        return data

    def close(self) -> None:
        try:
            self._ahead.stop()
            if self._unchecked is not None:
                self._channel.forget(self._unchecked)
            self._channel.forget(self._channel.ask_handle(wire.CLOSE, self._handle))
        except LineLost:
            pass  # the server closes what a lost line had open

    def ask(self, offset: int, size: int) -> int:
        return self._channel.ask_read(self._handle, offset, size)

    def take(self, request: int) -> bytes:
        return self._channel.data(request)

    def forget(self, request: int) -> None:
        self._channel.forget(request)

    def _check(self, seen: wire.Attributes) -> None:
        found = _seen("", b"", seen)
        if (found.size, found.mtime_ns) != (self.size, self.mtime_ns):
            raise SourceChanged(f"{self._shown} changed while it was opened", path=self._shown)


def _seen(name: str, place: bytes, seen: wire.Attributes) -> Found:
    where = _text(place)
    if seen.mode is not None and modes.S_ISDIR(seen.mode):
        # SFTP tells no inode; where a folder really is tells as much.
        return Found(name, Kind.FOLDER, where, identity=where)
    if seen.mode is not None and modes.S_ISREG(seen.mode):
        return Found(name, Kind.FILE, where, seen.size or 0, (seen.mtime or 0) * NANOSECONDS)
    return unreadable(name, "special", "neither a file nor a folder (device, pipe or socket)")


def _as_broken_link(found: Found) -> Found:
    return unreadable(found.name, "broken_link", "a symbolic link to nothing, or to itself")


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def sftp_connector(location: Location, settings: SourceSettings) -> Callable[[], SftpLine]:
    """What makes lines to that server; keys and known hosts are read once."""
    login = SftpLogin(location, settings)
    return lambda: SftpLine(location, settings, login.connect())
