"""A folder of an SMB share as a source."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from readingroom.errors import SourceError, SourceNotFound
from readingroom.sources.ahead import ReadAhead
from readingroom.sources.entries import (
    Beginning,
    FileEntry,
    Found,
    Kind,
    bounded_size,
    bounded_time,
    unreadable,
)
from readingroom.sources.line import LineLost, OpenFile
from readingroom.sources.location import Location
from readingroom.sources.names import is_plain, printable
from readingroom.sources.settings import SourceSettings
from readingroom.sources.smb_login import SmbLogin
from readingroom.sources.smb_packets import (
    FOLDER_ATTRIBUTE,
    GENERIC_READ,
    ONLY_FILE,
    ONLY_FOLDER,
    READ_ATTRIBUTES,
    REPARSE_ATTRIBUTE,
    Opened,
    buffer,
    close,
    create,
    data,
    opened,
    query_directory,
    query_identity,
    read,
)
from readingroom.sources.smb_status import END_OF_FILE, NO_MORE_FILES, SmbRefusal, translated
from readingroom.sources.smb_wire import SmbWire

CHUNK = 512 * 1024
"""Bytes per read: 8 credits. 128 MB over loopback:
64 KB a read 80 MB/s, 512 KB 285 MB/s, 1 MB 124 MB/s (medians of three on two busy cores)."""

LISTING = 256 * 1024
"""Bytes of one answer about a folder: some 2,000 entries."""

AT_ONCE = 32
"""Files of one batch that are under way on one line: 96 of some 256 credits."""

_ENTRY = struct.Struct("<IIqqqqqqIIIIQ")
"""FileIdFullDirectoryInformation up to the name ([MS-FSCC] 2.4.18)."""
_WANTED = (0, 4, 6, 8, 9, 10, 12)
"""Of it: step to the next entry, last write, size, attributes, length of the name, reparse tag, file id."""

_FILETIME_OF_1970 = 116_444_736_000_000_000
_LINK_TAGS = {0xA000000C, 0xA0000003}  # symbolic link, mount point ([MS-FSCC] 2.1.2.1)


class SmbLine:
    """One connection to a share."""

    def __init__(self, location: Location, wire: SmbWire) -> None:
        self.lock: AbstractContextManager[object] = wire.lock
        self._location = location
        self._wire = wire
        self._root = location.path.replace("/", "\\")

    @property
    def encrypted(self) -> bool:
        """Whether what goes over this line is encrypted."""
        return self._wire.seal.encrypts

    def root(self) -> Found:
        try:
            found = self._seen("", self._root)
        except SourceNotFound:
            found = None
        if found is None or found.kind is not Kind.FOLDER:
            raise SourceNotFound(
                f"{self._location.url} is not there, or is no folder",
                suggestion="Check the path below the share.",
            )
        return found

    def entries(self, where: str) -> list[Found]:
        wire, size = self._wire, min(LISTING, self._wire.max_answer)
        try:
            # What most folders need in one question: open, list, and hear that there is no more.
            asked = wire.send(
                create(where, GENERIC_READ, ONLY_FOLDER), query_directory(size, True), query_directory(size, False)
            )
            folder = opened(wire.good(asked[0]))
            try:
                asked = asked[1:]
                found: list[Found] = []
                while (answer := wire.take(asked.pop(0))).status != NO_MORE_FILES:
                    if answer.status:
                        raise SmbRefusal(answer.status)
                    found += _parsed(bytes(buffer(answer)), where)
                    asked = asked or wire.send(query_directory(size, False, folder.file_id))
                return found
            finally:
                wire.forget(asked)
                wire.forget(wire.send(close(folder.file_id)))
        except SmbRefusal as refusal:
            raise translated(refusal.status, self._shown(where)) from refusal
        except (struct.error, ValueError) as error:
            raise SourceError(f"{self._shown(where)}: the server's listing makes no sense") from error

    def find(self, path: str) -> Found:
        return self._seen(path.rpartition("/")[2], self._where(path))

    def open(self, found: Found) -> OpenFile:
        try:
            file = opened(self._wire.good(self._wire.send(create(found.where, GENERIC_READ, ONLY_FILE))[0]))
        except SmbRefusal as refusal:
            raise translated(refusal.status, self._shown(found.where)) from refusal
        except ValueError as error:
            raise SourceError(f"{self._shown(found.where)}: the server's answer makes no sense") from error
        return SmbFile(self._wire, file, min(CHUNK, self._wire.max_read), self._shown(found.where))

    def read_once(self, path: str, offset: int, size: int) -> bytes | None:
        """That range of a file by one question. None where the server gave less than there is."""
        where = self._where(path)
        return self._taken(where, self._ask_once(where, offset, size), offset, size)[1]

    def beginnings(self, files: Sequence[FileEntry], size: int) -> list[Beginning | SourceError]:
        """The first bytes of each file, one question for each and many of them under way."""
        got: list[Beginning | SourceError] = []
        asked: deque[tuple[str, list[int]]] = deque()
        for entry in files:
            if len(asked) >= AT_ONCE:
                got.append(self._begun(*asked.popleft(), size))
            # A backslash in a name would climb: the server is asked for what cannot be there.
            where = self._where(entry.path.replace("\\", "?"))
            asked.append((where, self._ask_once(where, 0, size)))
        return got + [self._begun(*each, size) for each in asked]

    def close(self) -> None:
        self._wire.close()

    def _ask_once(self, where: str, offset: int, size: int) -> list[int]:
        return self._wire.send(create(where, GENERIC_READ, ONLY_FILE), read(offset, size), close())

    def _taken(self, where: str, asked: list[int], offset: int, size: int) -> tuple[Opened, bytes | None]:
        """What `_ask_once` asked for; None where the server gave less than there is."""
        wire = self._wire
        try:
            file = opened(wire.good(asked[0]))
            answer, closed = wire.take(asked[1]), wire.take(asked[2])
            if closed.status:
                wire.forget(wire.send(close(file.file_id)))
            if answer.status == END_OF_FILE:
                return file, b""
            if answer.status:
                raise SmbRefusal(answer.status)
            got = bytes(data(answer))
        except SmbRefusal as refusal:
            raise translated(refusal.status, self._shown(where)) from refusal
        except ValueError as error:
            raise SourceError(f"{self._shown(where)}: the server's answer makes no sense") from error
        finally:
            wire.forget(asked)
        return file, got if len(got) == size or offset + len(got) >= file.size else None

    def _begun(self, where: str, asked: list[int], size: int) -> Beginning | SourceError:
        try:
            file, first = self._taken(where, asked, 0, size)
            if first is None:
                first = self._read_slowly(where, size)
        except SourceError as error:
            return error
        return Beginning(file.size, _nanoseconds(file.written), first)

    def _read_slowly(self, where: str, size: int) -> bytes:
        """The beginning of a file from a server that gives less at a time than was asked for."""
        file = self.open(Found("", Kind.FILE, where))
        try:
            got = b""
            while len(got) < size and (more := file.read_at(len(got), size - len(got))):
                got += more
            return got
        finally:
            file.close()

    def _where(self, path: str) -> str:
        if "\\" in path:
            raise SourceNotFound(f"{printable(path)} is not there", path=printable(path))
        return f"{self._root}\\{path.replace('/', '\\')}".strip("\\")

    def _seen(self, name: str, where: str) -> Found:
        wire = self._wire
        asked = wire.send(create(where, READ_ATTRIBUTES), query_identity(), close())
        try:
            found = opened(wire.good(asked[0]))
            identity = wire.take(asked[1])
            if wire.take(asked[2]).status:
                wire.forget(wire.send(close(found.file_id)))
            if not found.is_folder:
                return Found(name, Kind.FILE, where, found.size, _nanoseconds(found.written))
            # The file id that a listing shows of the same folder; none where the file system has none.
            number = 0 if identity.status else int.from_bytes(buffer(identity), "little")
            return Found(name, Kind.FOLDER, where, identity=number or None)
        except SmbRefusal as refusal:
            raise translated(refusal.status, self._shown(where)) from refusal
        except ValueError as error:
            raise SourceError(f"{self._shown(where)}: the server's answer makes no sense") from error
        finally:
            wire.forget(asked)

    def _shown(self, where: str) -> str:
        """A path for people: relative to the source."""
        below = where.removeprefix(self._root).strip("\\") if self._root else where
        return printable(below.replace("\\", "/")) or "the folder"


class SmbFile:
    """A file open on an SMB line."""

    def __init__(self, wire: SmbWire, file: Opened, chunk: int, shown: str) -> None:
        self._wire = wire
        self._file = file
        self._shown = shown
        self.size: int = file.size
        self.mtime_ns = _nanoseconds(file.written)
        self._ahead: ReadAhead[int] = ReadAhead(self, self.size, chunk)

    def read_at(self, offset: int, size: int) -> bytes:
        try:
            return self._ahead.read_at(offset, size)
        except SmbRefusal as refusal:
            raise translated(refusal.status, self._shown) from refusal
        except ValueError as error:
            raise SourceError(f"{self._shown}: the server's answer makes no sense") from error

    def close(self) -> None:
        self._ahead.stop()
        try:
            self._wire.forget(self._wire.send(close(self._file.file_id)))
        except LineLost:
            pass  # the server closes what a lost line had open

    def ask(self, offset: int, size: int) -> int:
        return self._wire.send(read(offset, size, self._file.file_id))[0]

    def take(self, request: int) -> bytes:
        answer = self._wire.take(request)
        if answer.status == END_OF_FILE:
            return b""
        if answer.status:
            raise SmbRefusal(answer.status)
        return bytes(data(answer))

    def forget(self, request: int) -> None:
        self._wire.forget([request])


def _parsed(buffer: bytes, where: str) -> Iterator[Found]:
    at = step = 0
    while step or not at:
        at += step
        entry = _ENTRY.unpack_from(buffer, at)
        step, written, size, attributes, name_size, tag, identity = (entry[i] for i in _WANTED)
        start = at + _ENTRY.size
        # Windows allows halves of surrogate pairs in names.
        name = buffer[start : start + name_size].decode("utf-16-le", "surrogatepass")
        place = f"{where}\\{name}" if where else name
        if name in (".", ".."):
            pass
        elif not is_plain(name) or "\\" in name:
            yield unreadable(printable(name), "name", "a name that no file can have")
        elif attributes & REPARSE_ATTRIBUTE and tag in _LINK_TAGS:
            yield unreadable(name, "outside", "a link of the server's own, which is not followed over SMB")
        elif attributes & FOLDER_ATTRIBUTE:
            yield Found(name, Kind.FOLDER, place, identity=identity or None)
        else:
            yield Found(name, Kind.FILE, place, bounded_size(size), _nanoseconds(written))
        if not step:
            return


def _nanoseconds(written: int) -> int:
    # Whole microseconds: what catalogues hold that were written by a client without finer times stays right.
    return bounded_time((written - _FILETIME_OF_1970) // 10 * 1000)


def smb_connector(location: Location, settings: SourceSettings) -> Callable[[], SmbLine]:
    """What makes lines to that share."""
    login = SmbLogin(location, settings)
    return lambda: SmbLine(location, SmbWire(login.connect(), settings.timeout))
