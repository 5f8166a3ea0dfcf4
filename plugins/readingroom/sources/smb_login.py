"""Opens an SMB 2/3 connection to one share: reaches the server, signs in, encrypts where it can."""

from __future__ import annotations

import logging
import socket
import uuid
from typing import Any

from smbprotocol.connection import Connection
from smbprotocol.exceptions import (
    BadNetworkName,
    SMBAuthenticationError,
    SMBConnectionClosed,
    SMBException,
    SMBResponseException,
)
from smbprotocol.header import NtStatus
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect

from readingroom.errors import SourceError, SourceNotFound, SourceRefused
from readingroom.sources.line import LineLost
from readingroom.sources.location import Location
from readingroom.sources.settings import SourceSettings
from readingroom.sources.smb_status import LOST_STATUSES, translated

# It logs a traceback for every line that breaks; what matters of it is in our own errors.
logging.getLogger("smbprotocol").setLevel(logging.CRITICAL)


class PatientConnection(Connection):  # type: ignore[misc]  # smbprotocol has no types
    """A connection that never waits for ever, and whose answers are taken by whoever waits for them.

    smbprotocol itself sets no limit on most answers, and keeps a thread that reads them: once signed in, the
    connection is to be somebody else's.
    """

    def __init__(self, location: Location, patience: float) -> None:
        super().__init__(uuid.uuid4(), location.host, location.port, require_signing=True)
        self.transport: Any
        self._patience = patience

    def receive(
        self, request: Any, wait: bool = True, timeout: float | None = None, resolve_symlinks: bool = True
    ) -> Any:
        """The answer. Raises LineLost for silence or a broken line, SMBResponseException for a refusal."""
        self._t_worker = None
        try:
            while request.response is None or request.response["status"].get_value() == NtStatus.STATUS_PENDING:
                self._take_one(timeout or self._patience)
            return super().receive(request, wait, timeout or self._patience, resolve_symlinks)
        except SMBResponseException as refusal:
            # A server without SMB 3 does not know smbprotocol's question whether the dialect is the best: "closed".
            if refusal.status in LOST_STATUSES and refusal.status != NtStatus.STATUS_FILE_CLOSED:
                raise LineLost(f"the server ended the session ({refusal.status:#x})") from refusal
            raise
        except TimeoutError as error:
            self.transport.close()
            raise LineLost("no answer in time") from error
        except (SMBConnectionClosed, OSError) as error:
            raise LineLost("the connection was closed") from error

    def send(self, *arguments: Any, **named: Any) -> Any:
        """Send a message. Raises LineLost when the line is broken."""
        try:
            return super().send(*arguments, **named)
        except (SMBConnectionClosed, OSError) as error:
            raise LineLost("the connection was closed") from error

    def _process_message_thread(self) -> None:
        """What smbprotocol's own thread does: nothing, it ends at once."""

    def _take_one(self, timeout: float) -> None:
        packet = self.transport.recv(timeout)
        if not packet:
            raise SMBConnectionClosed("the server closed it")
        transport = self.transport
        self.transport = _OnePacket(packet, transport)
        try:
            super()._process_message_thread()
        finally:
            self.transport = transport


class _OnePacket:
    """Stands where smbprotocol's loop takes packets from: there is one, then no more."""

    connected = True

    def __init__(self, packet: bytes, transport: Any) -> None:
        self._packet = packet
        self.close = transport.close

    def recv(self, _timeout: float) -> bytes:
        packet, self._packet = self._packet, b""
        return packet


class SmbLogin:
    """Everything that is the same for each connection to one share."""

    def __init__(self, location: Location, settings: SourceSettings) -> None:
        self._location = location
        self._settings = settings
        user = location.user or settings.smb_username
        domain = location.domain or settings.smb_domain
        self._user = f"{domain}\\{user}" if domain and "\\" not in user and "@" not in user else user
        self._password = location.password or settings.smb_password
        if not user or not self._password:
            raise SourceRefused(
                f"No user name or no password for {location.url}",
                suggestion="Set SMB_USERNAME and SMB_PASSWORD (and SMB_DOMAIN where the site has one).",
            )

    def connect(self) -> TreeConnect:
        """The share, connected. Raises LineLost, SourceRefused or SourceNotFound (no such share)."""
        connection = PatientConnection(self._location, self._settings.timeout)
        try:
            return self._connected(connection)
        except BaseException:
            if connection.transport is not None:
                connection.transport.close()
            raise

    def _connected(self, connection: PatientConnection) -> TreeConnect:
        try:
            connection.connect(timeout=self._settings.timeout)
        except ValueError as error:  # how smbprotocol says that nobody answers
            raise LineLost(_reason(error)) from error
        except SMBException as error:
            raise SourceRefused(
                f"{self._location.host} and we have no SMB 2 or 3 in common: {error}",
                suggestion="SMB 1 is not spoken here; switch SMB 2 or 3 on at the server.",
            ) from error
        connection.transport._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(connection, self._user, self._password, require_encryption=self._encrypts(connection))
        try:
            session.connect()
        except SMBResponseException as error:
            raise translated(error.status, self._user, "sign in") from error
        except SMBAuthenticationError as error:
            raise SourceRefused(
                f"{self._location.host} does not let {self._user} in: {error}",
                suggestion="Check SMB_USERNAME, SMB_PASSWORD and SMB_DOMAIN.",
            ) from error
        except SMBException as error:
            raise SourceRefused(
                f"{self._location.host} lets {self._user} in only without signing or encryption: {error}",
                suggestion="Use an account of its own for Reading Room, not a guest.",
            ) from error
        return self._share(session)

    def _encrypts(self, connection: PatientConnection) -> bool:
        offered = bool(connection.supports_encryption)
        if self._settings.smb_encryption == "required" and not offered:
            raise SourceRefused(
                f"{self._location.host} offers no encryption, and it is required here",
                suggestion="Switch SMB 3 encryption on at the server, or set SMB_ENCRYPTION=if_offered.",
            )
        return offered and self._settings.smb_encryption != "off"

    def _share(self, session: Session) -> TreeConnect:
        tree = TreeConnect(session, rf"\\{self._location.host}\{self._location.share}")
        try:
            tree.connect()
        except BadNetworkName as error:
            raise SourceNotFound(
                f"{self._location.host} has no share {self._location.share!r}",
                suggestion="Check the share's name; it comes right after the host: smb://host/share/path.",
            ) from error
        except SMBResponseException as error:
            raise translated(error.status, self._location.share, "open the share") from error
        except SMBException as error:
            raise SourceError(f"The share {self._location.share!r} cannot be opened: {error}") from error
        return tree


def _reason(error: ValueError) -> str:
    cause = error.__cause__
    return (cause.strerror or str(cause)) if isinstance(cause, OSError) else str(error)
