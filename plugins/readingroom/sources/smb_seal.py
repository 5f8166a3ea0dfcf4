"""Signs or encrypts what goes over an SMB line, and checks or decrypts what comes ([MS-SMB2] 3.1.4, 3.1.5)."""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import aead, algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from smbprotocol.connection import Ciphers, Dialects, SigningAlgorithms
from smbprotocol.tree import TreeConnect

from readingroom.sources.line import LineLost
from readingroom.sources.smb_packets import ASYNC, HEADER, PROTOCOL, SIGNED

SEALED_PROTOCOL = b"\xfdSMB"

_TRANSFORM = struct.Struct("<4s16s16sIHHQ")
"""2.2.41: protocol, signature, nonce, original size, 0, 1 (encrypted), session id."""
_AUTHENTIC_FROM = 20

_SIGNATURE = slice(48, 64)
_NO_SIGNATURE = bytes(16)
_STATUS_PENDING = 0x103

Sign = Callable[[bytes, int, bool], bytes]
"""The signature of a message without one; by its id, and whether it comes from the server."""


class Seal:
    """The keys of one session, as smbprotocol agreed on them."""

    def __init__(self, tree: TreeConnect) -> None:
        session, connection = tree.session, tree.session.connection
        self._session_id: int = session.session_id
        self.encrypts = bool(session.encrypt_data or tree.encrypt_data)
        self.signs = bool(not self.encrypts and session.signing_required and session.signing_key)
        self._sign = _signing(connection, session.signing_key) if session.signing_key else None
        self._seal: aead.AESGCM | aead.AESCCM | None = None
        if session.encryption_key and connection.dialect >= Dialects.SMB_3_0_0:
            cipher = connection.cipher_id if connection.dialect >= Dialects.SMB_3_1_1 else Ciphers.AES_128_CCM
            is_gcm = cipher in (Ciphers.AES_128_GCM, Ciphers.AES_256_GCM)
            kind = aead.AESGCM if is_gcm else aead.AESCCM
            self._nonce_size = 12 if is_gcm else 11
            self._seal, self._unseal = kind(session.encryption_key), kind(session.decryption_key)

    def signed(self, message: bytes, message_id: int) -> bytes:
        """A request with its signature in its place."""
        assert self._sign is not None  # noqa: S101  # `signs` was asked before
        return message[:48] + self._sign(message, message_id, False) + message[64:]

    def sealed(self, messages: bytes) -> bytes:
        """Requests, encrypted together."""
        assert self._seal is not None  # noqa: S101  # `encrypts` was asked before
        nonce = os.urandom(self._nonce_size)
        head = _TRANSFORM.pack(SEALED_PROTOCOL, b"", nonce, len(messages), 0, 1, self._session_id)
        hidden = self._seal.encrypt(nonce, messages, head[_AUTHENTIC_FROM:])
        return SEALED_PROTOCOL + hidden[-16:] + head[_AUTHENTIC_FROM:] + hidden[:-16]

    def opened(self, message: bytes) -> bytes:
        """Answers, decrypted. Raises LineLost where they are not what the server sent."""
        if self._seal is None or len(message) < _TRANSFORM.size:
            raise LineLost("the server sent what nobody can decrypt")
        _, tag, nonce, *_ = _TRANSFORM.unpack_from(message)
        hidden = message[_TRANSFORM.size :] + tag
        try:
            return self._unseal.decrypt(nonce[: self._nonce_size], hidden, message[_AUTHENTIC_FROM : _TRANSFORM.size])
        except (InvalidTag, ValueError) as error:
            raise LineLost("what came was changed on its way") from error

    def check(self, message: bytes, flags: int, status: int, message_id: int) -> None:
        """See that an answer that was not encrypted is the server's own. Raises LineLost."""
        if self.encrypts:
            raise LineLost("the server answered unencrypted")
        if not self.signs or self._sign is None or (status == _STATUS_PENDING and flags & ASYNC):
            return
        if not flags & SIGNED:
            raise LineLost("the server's answer bears no signature")
        if not hmac.compare_digest(self._sign(message, message_id, True), message[_SIGNATURE]):
            raise LineLost("what came was changed on its way")


def _signing(connection: object, key: bytes) -> Sign:
    dialect = connection.dialect  # type: ignore[attr-defined]  # smbprotocol has no types
    chosen = connection.signing_algorithm_id if dialect >= Dialects.SMB_3_1_1 else None  # type: ignore[attr-defined]
    if dialect < Dialects.SMB_3_0_0 or chosen == SigningAlgorithms.HMAC_SHA256:
        return lambda message, *_: hmac.digest(key, _blank(message), hashlib.sha256)[:16]
    if chosen == SigningAlgorithms.AES_GMAC:
        gmac = aead.AESGCM(key)
        return lambda message, message_id, answered: gmac.encrypt(
            struct.pack("<QI", message_id, answered), b"", _blank(message)
        )
    fresh = CMAC(algorithms.AES(key))

    def cmac(message: bytes, *_: object) -> bytes:
        mac = fresh.copy()
        mac.update(_blank(message))
        return mac.finalize()

    return cmac


def _blank(message: bytes) -> bytes:
    return message[:48] + _NO_SIGNATURE + message[64:]


assert HEADER.size == 64 and PROTOCOL[1:] == SEALED_PROTOCOL[1:]  # noqa: S101
