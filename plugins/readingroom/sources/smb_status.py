"""Says in our words what an SMB server answers ([MS-ERREF] 2.3.1)."""

from __future__ import annotations

from smbprotocol.header import NtStatus

from readingroom.errors import SourceError, SourceForbidden, SourceNotFound, SourceRefused

END_OF_FILE = NtStatus.STATUS_END_OF_FILE
NO_MORE_FILES = NtStatus.STATUS_NO_MORE_FILES


class SmbRefusal(Exception):
    """What the server answered instead of doing it; ends as one of our errors by `translated`."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:#010x}")
        self.status = status


LOST_STATUSES = {
    NtStatus.STATUS_USER_SESSION_DELETED,
    NtStatus.STATUS_NETWORK_NAME_DELETED,
    NtStatus.STATUS_FILE_CLOSED,
    NtStatus.STATUS_INSUFFICIENT_RESOURCES,
    NtStatus.STATUS_INSUFF_SERVER_RESOURCES,
    NtStatus.STATUS_REQUEST_NOT_ACCEPTED,
    NtStatus.STATUS_IO_TIMEOUT,
    NtStatus.STATUS_SERVER_UNAVAILABLE,
    0xC000035C,  # STATUS_NETWORK_SESSION_EXPIRED
    0xC000020C,  # STATUS_CONNECTION_DISCONNECTED
}
"""A new connection may help."""

_MISSING = {
    NtStatus.STATUS_NO_SUCH_FILE,
    NtStatus.STATUS_OBJECT_NAME_INVALID,
    NtStatus.STATUS_OBJECT_NAME_NOT_FOUND,
    NtStatus.STATUS_OBJECT_PATH_INVALID,
    NtStatus.STATUS_OBJECT_PATH_NOT_FOUND,
    NtStatus.STATUS_OBJECT_PATH_SYNTAX_BAD,
    NtStatus.STATUS_NOT_A_DIRECTORY,
    NtStatus.STATUS_NOT_FOUND,
    NtStatus.STATUS_DELETE_PENDING,
    0xC0000161,  # STATUS_ILLEGAL_CHARACTER
    0xC0000272,  # STATUS_NO_MATCH
}

_ACCOUNT = {
    NtStatus.STATUS_LOGON_FAILURE: "user name or password is wrong",
    NtStatus.STATUS_WRONG_PASSWORD: "the password is wrong",
    NtStatus.STATUS_PASSWORD_EXPIRED: "the password has expired",
    0xC0000064: "there is no such user",
    0xC000006E: "the account is restricted",
    0xC000006F: "the account may not sign in at this hour",
    0xC0000070: "the account may not sign in from here",
    0xC0000072: "the account is disabled",
    0xC0000193: "the account has expired",
    0xC0000224: "the password must be changed first",
    0xC0000234: "the account is locked",
    0xC000015B: "the account may not sign in over the network",
}


_STOPPED_ON_SYMLINK = 0x8000002D


def translated(status: int, shown: str, verb: str = "read") -> SourceError:
    """Our error for what the server answered about `shown`, a path fit to be shown."""
    if status in _ACCOUNT:
        return SourceRefused(
            f"The server does not let {shown} in: {_ACCOUNT[status]}",
            suggestion="Check SMB_USERNAME, SMB_PASSWORD and SMB_DOMAIN.",
        )
    if status in _MISSING:
        return SourceNotFound(f"{shown} is not there", path=shown)
    if status == NtStatus.STATUS_FILE_IS_A_DIRECTORY:
        return SourceNotFound(f"{shown} is a folder, not a file", path=shown)
    if status == _STOPPED_ON_SYMLINK:
        return SourceForbidden(f"{shown}: a link of the server's own, which is not followed over SMB", path=shown)
    if status == NtStatus.STATUS_ACCESS_DENIED:
        return SourceForbidden(
            f"The server does not let us {verb}: {shown}",
            suggestion="Give the account the right to read it, on the share and on the folder.",
            path=shown,
        )
    if status == NtStatus.STATUS_SHARING_VIOLATION:
        return SourceForbidden(
            f"{shown} is kept open by another program", suggestion="Try again when it is closed.", path=shown
        )
    if status in (NtStatus.STATUS_PATH_NOT_COVERED, NtStatus.STATUS_DFS_UNAVAILABLE):
        return SourceError(
            f"{shown} lies on another server of a DFS tree",
            suggestion="Name that server and share itself, not the DFS path.",
            path=shown,
        )
    return SourceError(f"{shown} cannot be read: the server says {status:#010x}", path=shown)
