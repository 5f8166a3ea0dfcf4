"""A folder of an SMB share as a source."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from smbprotocol.exceptions import EndOfFile, NoMoreFiles, SMBException, SMBResponseException
from smbprotocol.file_info import FileInformationClass, InfoType
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    DirectoryAccessMask,
    FileAttributes,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
    QueryDirectoryFlags,
    ShareAccess,
    SMB2QueryDirectoryResponse,
    SMB2QueryInfoRequest,
    SMB2QueryInfoResponse,
)
from smbprotocol.tree import TreeConnect

from readingroom.errors import SourceError, SourceForbidden, SourceNotFound
from readingroom.sources.ahead import ReadAhead
from readingroom.sources.entries import Found, Kind, unreadable
from readingroom.sources.line import LineLost, OpenFile
from readingroom.sources.location import Location
from readingroom.sources.names import is_plain, printable
from readingroom.sources.settings import SourceSettings
from readingroom.sources.smb_login import SmbLogin
from readingroom.sources.smb_status import translated

CHUNK = 512 * 1024
"""Bytes per read: 8 of the 64 credits that we start with, so that a whole window fits. 128 MB over loopback:
64 KB a read 80 MB/s, 512 KB 285 MB/s, 1 MB 124 MB/s (medians of three on two busy cores)."""

LISTING = 256 * 1024
"""Bytes of one answer about a folder: some 2,000 entries."""

_ENTRY = struct.Struct("<IIqqqqqqIIIIQ")
"""FileIdFullDirectoryInformation up to the name ([MS-FSCC] 2.4.18)."""
_WANTED = (0, 4, 6, 8, 9, 10, 12)
"""Of it: step to the next entry, last write, size, attributes, length of the name, reparse tag, file id."""

_FILETIME_OF_1970 = 116_444_736_000_000_000
_LINK_TAGS = {0xA000000C, 0xA0000003}  # symbolic link, mount point ([MS-FSCC] 2.1.2.1)
_SHARED = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE


class SmbLine:
    """One connection to a share."""

    def __init__(self, location: Location, tree: TreeConnect) -> None:
        self.lock: AbstractContextManager[object] = threading.RLock()
        self._location = location
        self._tree = tree
        self._connection = tree.session.connection
        self._root = location.path.replace("/", "\\")

    @property
    def encrypted(self) -> bool:
        """Whether what goes over this line is encrypted."""
        return bool(self._tree.session.encrypt_data or self._tree.encrypt_data)

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
        opened = self._opened(where, CreateOptions.FILE_DIRECTORY_FILE)
        try:
            return list(self._listed(opened, where))
        except SMBResponseException as error:
            raise translated(error, self._shown(where)) from error
        finally:
            _close(opened)

    def find(self, path: str) -> Found:
        if "\\" in path:
            raise SourceNotFound(f"{printable(path)} is not there", path=printable(path))
        below = path.replace("/", "\\")
        return self._seen(path.rpartition("/")[2], f"{self._root}\\{below}".strip("\\"))

    def open(self, found: Found) -> OpenFile:
        opened = self._opened(found.where, CreateOptions.FILE_NON_DIRECTORY_FILE)
        return SmbFile(opened, min(CHUNK, self._connection.max_read_size), self._shown(found.where))

    def close(self) -> None:
        # Without a word to the server: the line may be the broken part, and the server notices its end.
        self._connection.transport.close()

    def _seen(self, name: str, where: str) -> Found:
        opened = self._opened(where, 0, DirectoryAccessMask.FILE_READ_ATTRIBUTES)
        try:
            if opened.file_attributes & FileAttributes.FILE_ATTRIBUTE_DIRECTORY:
                return Found(name, Kind.FOLDER, where, identity=self._identity(opened))
            return Found(name, Kind.FILE, where, opened.end_of_file, _nanoseconds(opened.last_write_time))
        finally:
            _close(opened)

    def _identity(self, opened: Open) -> int | None:
        """The file id that a listing shows of the same folder; None where the file system has none."""
        query = SMB2QueryInfoRequest()
        query["info_type"] = InfoType.SMB2_0_INFO_FILE
        query["file_info_class"] = FileInformationClass.FILE_INTERNAL_INFORMATION
        query["output_buffer_length"] = 8
        query["file_id"] = opened.file_id
        try:
            header = self._asked(query)
        except SMBResponseException:
            return None
        answer = SMB2QueryInfoResponse()
        answer.unpack(header["data"].get_value())
        return int.from_bytes(answer["buffer"].get_value(), "little") or None

    def _asked(self, message: Any) -> Any:
        request = self._connection.send(message, self._tree.session.session_id, self._tree.tree_connect_id)
        return self._connection.receive(request)

    def _listed(self, opened: Open, where: str) -> Iterator[Found]:
        flags = QueryDirectoryFlags.SMB2_RESTART_SCANS
        size = min(LISTING, self._connection.max_transact_size)
        while True:
            message, _ = opened.query_directory(
                "*",
                FileInformationClass.FILE_ID_FULL_DIRECTORY_INFORMATION,
                flags,
                max_output=size,
                send=False,
            )
            try:
                header = self._asked(message)
            except NoMoreFiles:
                return
            answer = SMB2QueryDirectoryResponse()
            answer.unpack(header["data"].get_value())
            # Read here instead of by smbprotocol's structures, so that any name gets through.
            try:
                yield from _parsed(answer["buffer"].get_value(), where)
            except (struct.error, ValueError) as error:
                raise SourceError(f"{self._shown(where)}: the server's listing makes no sense") from error
            flags = 0

    def _shown(self, where: str) -> str:
        """A path for people: relative to the source."""
        below = where.removeprefix(self._root).strip("\\") if self._root else where
        return printable(below.replace("\\", "/")) or "the folder"

    def _opened(self, where: str, options: int, access: int = FilePipePrinterAccessMask.GENERIC_READ) -> Open:
        opened = Open(self._tree, where)
        try:
            opened.create(
                ImpersonationLevel.Impersonation,
                access,
                0,
                _SHARED,
                CreateDisposition.FILE_OPEN,
                options,
            )
        except SMBResponseException as error:
            raise translated(error, self._shown(where)) from error
        except UnicodeEncodeError as error:
            # A name that is not Unicode cannot exist on a share.
            raise SourceNotFound(f"{self._shown(where)} is not there", path=self._shown(where)) from error
        except SMBException as error:
            raise SourceForbidden(f"{self._shown(where)}: {error}", path=self._shown(where)) from error
        return opened


class SmbFile:
    """A file open on an SMB line."""

    def __init__(self, opened: Open, chunk: int, shown: str) -> None:
        self._opened = opened
        self._shown = shown
        self.size: int = opened.end_of_file
        self.mtime_ns = _nanoseconds(opened.last_write_time)
        self._ahead: ReadAhead[Any] = ReadAhead(self, self.size, chunk)

    def read_at(self, offset: int, size: int) -> bytes:
        try:
            return self._ahead.read_at(offset, size)
        except SMBResponseException as error:
            raise translated(error, self._shown) from error
        except SMBException as error:
            raise SourceError(f"{self._shown} cannot be read: {error}") from error

    def close(self) -> None:
        self._ahead.stop()
        _close(self._opened)

    def ask(self, offset: int, size: int) -> Any:
        message, claim = self._opened.read(offset, size, send=False)
        tree = self._opened.tree_connect
        request = self._opened.connection.send(message, tree.session.session_id, tree.tree_connect_id)
        return request, claim

    def take(self, request: Any) -> bytes:
        sent, claim = request
        try:
            data: bytes = claim(sent)
        except EndOfFile:
            return b""
        return data

    def forget(self, request: Any) -> None:
        # Taken all the same: smbprotocol keeps an answer until somebody takes it.
        try:
            self.take(request)
        except (LineLost, SMBException):
            pass


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
        elif attributes & FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT and tag in _LINK_TAGS:
            yield unreadable(name, "outside", "a link of the server's own, which is not followed over SMB")
        elif attributes & FileAttributes.FILE_ATTRIBUTE_DIRECTORY:
            yield Found(name, Kind.FOLDER, place, identity=identity or None)
        else:
            yield Found(name, Kind.FILE, place, size, (written - _FILETIME_OF_1970) // 10 * 1000)
        if not step:
            return


def _nanoseconds(moment: datetime) -> int:
    # Whole microseconds, as smbprotocol's times have no more; _parsed rounds the same way.
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def _close(opened: Open) -> None:
    try:
        opened.close()
    except (LineLost, SMBException):
        pass  # the server closes what a lost line had open


def smb_connector(location: Location, settings: SourceSettings) -> Callable[[], SmbLine]:
    """What makes lines to that share."""
    login = SmbLogin(location, settings)
    return lambda: SmbLine(location, login.connect())
