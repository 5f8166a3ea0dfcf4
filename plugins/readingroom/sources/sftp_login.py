"""Opens an SSH connection: reaches the server, checks that it is the right one, signs in."""

from __future__ import annotations

import logging
import socket

import paramiko

from readingroom.errors import SourceRefused
from readingroom.sources.host_keys import ALGORITHMS, KnownHosts, check_pinned, fingerprint
from readingroom.sources.line import LineLost
from readingroom.sources.location import Location
from readingroom.sources.settings import SourceSettings
from readingroom.sources.ssh_keys import load_key

KEEPALIVE_SECONDS = 30
"""Shorter than the idle limits of common firewalls (five minutes and more), and notices a dead server."""

# paramiko logs every failed sign-in with a traceback; what matters of it is in our own errors.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class SftpLogin:
    """Everything that is the same for each connection to one server."""

    def __init__(self, location: Location, settings: SourceSettings) -> None:
        self._location = location
        self._settings = settings
        self._user = location.user or settings.sftp_username
        self._password = location.password or settings.sftp_password
        self._pinned = settings.sftp_host_fingerprint
        if not self._user:
            raise SourceRefused(
                f"No user name for {location.url}",
                suggestion="Write sftp://user@host/… or set SFTP_USERNAME.",
            )
        self._key = load_key(settings.sftp_private_key, settings.sftp_private_key_passphrase)
        if self._key is None and not self._password:
            raise SourceRefused(
                f"Neither key nor password for {location.url}",
                suggestion="Set SFTP_PRIVATE_KEY_PATH or SFTP_PASSWORD.",
            )
        self._known = None if self._pinned else KnownHosts.read(location.host, location.port, settings.sftp_known_hosts)

    def connect(self) -> paramiko.Transport:
        """A connection, signed in. Raises LineLost or SourceRefused."""
        transport = self._verified()
        try:
            self._sign_in(transport)
        except BaseException:
            transport.close()
            raise
        transport.set_keepalive(KEEPALIVE_SECONDS)
        return transport

    def _verified(self) -> paramiko.Transport:
        if self._known is not None:
            transport = self._reach(self._known.algorithms)
            try:
                self._known.check(transport.get_remote_server_key().asbytes())
            except BaseException:
                transport.close()
                raise
            return transport
        # A pin does not say which of the server's keys it means: each kind is asked for until one fits.
        seen: list[str] = []
        passed_over: set[str] = set()
        while True:
            try:
                transport = self._reach([], without=passed_over)
            except paramiko.ssh_exception.IncompatiblePeer:
                if not seen:
                    raise
                break  # it has no further kinds
            key = transport.get_remote_server_key()
            if check_pinned(self._pinned, key.asbytes()):
                return transport
            transport.close()
            seen.append(fingerprint(key.asbytes()))
            kind = key.get_name()
            if kind in passed_over:
                break
            passed_over.update({kind, *ALGORITHMS.get(kind, ())})
        raise SourceRefused(
            f"{self._location.host}:{self._location.port} showed the host key {' and '.join(seen)}, "
            f"not the pinned {self._pinned}: somebody may be in between, or the server was set up anew",
            suggestion="Ask whoever runs the server for its fingerprint, and correct SFTP_HOST_FINGERPRINT.",
        )

    def _reach(self, first: list[str], without: set[str] = frozenset()) -> paramiko.Transport:  # type: ignore[assignment]
        limit = self._settings.timeout
        try:
            connection = socket.create_connection((self._location.host, self._location.port), limit)
            # Many small requests are sent in a row; held back for the answer to the first they cost 40 ms each file.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise LineLost(error.strerror or str(error)) from error
        transport: paramiko.Transport | None = None
        try:
            transport = paramiko.Transport(connection)
            transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = limit
            options = transport.get_security_options()
            usual = [name for name in options.key_types if name not in without]
            options.key_types = tuple(sorted(usual, key=lambda name: name not in first))
            transport.start_client(timeout=limit)
            if not transport.initial_kex_done:
                raise LineLost("no answer in time")
        except paramiko.ssh_exception.IncompatiblePeer as error:
            connection.close()
            if without:
                raise
            raise SourceRefused(
                f"{self._location.host} and we have no way of encrypting in common: {error}",
                suggestion="The server's SSH is too old; bring it up to date.",
            ) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            connection.close()
            raise LineLost(str(error) or "the connection was closed") from error
        except BaseException:
            connection.close()
            if transport is not None:
                transport.close()
            raise
        return transport

    def _sign_in(self, transport: paramiko.Transport) -> None:
        try:
            if self._key is not None:
                try:
                    transport.auth_publickey(self._user, self._key)
                except paramiko.AuthenticationException:
                    if not self._password or not transport.is_active():
                        raise
            if self._password and not transport.is_authenticated():
                transport.auth_password(self._user, self._password)
        except paramiko.AuthenticationException as error:
            # The two reasons that have nothing to do with the account.
            if "EOF" in str(error) or "timeout" in str(error).lower():
                raise LineLost(str(error)) from error
            raise self._refused(error) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise LineLost(str(error) or "the connection was closed while signing in") from error
        if not transport.is_authenticated():
            raise self._refused(None)

    def _refused(self, error: paramiko.AuthenticationException | None) -> SourceRefused:
        tried = " and ".join(
            name for name, there in (("the key", self._key), ("the password", self._password)) if there
        )
        allowed = ""
        if isinstance(error, paramiko.BadAuthenticationType):
            allowed = f" (it wants: {', '.join(error.allowed_types)})"
        return SourceRefused(
            f"{self._location.host}:{self._location.port} does not let {self._user} in with {tried}{allowed}",
            suggestion="Check the user name, the password, and that authorized_keys there holds our key.",
        )
