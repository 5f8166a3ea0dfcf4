"""Loads the private key that signs us in to an SSH server."""

from __future__ import annotations

import io
from pathlib import Path

import paramiko
from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from readingroom.errors import SourceRefused

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def load_key(path: Path | None, passphrase: str) -> paramiko.PKey | None:
    """The key in that file (Ed25519, ECDSA or RSA; OpenSSH or PEM form), None without a file.

    Raises SourceRefused when it is not there, encrypted with another passphrase, or of another kind.
    """
    if path is None:
        return None
    try:
        content = path.expanduser().read_bytes()
    except OSError as error:
        raise SourceRefused(
            f"The private key {path} cannot be read: {error.strerror}",
            suggestion="Correct SFTP_PRIVATE_KEY_PATH.",
        ) from error
    try:
        key = _decrypted(content, passphrase.encode() or None)
    except TypeError:
        # What `cryptography` raises for an encrypted key without a passphrase.
        raise SourceRefused(
            f"The private key {path} is encrypted", suggestion="Set SFTP_PRIVATE_KEY_PASSPHRASE."
        ) from None
    except (ValueError, InvalidKey, UnsupportedAlgorithm):
        raise SourceRefused(
            f"The private key {path} cannot be used: "
            + ("wrong passphrase, or no key that we know" if passphrase else "no key that we know"),
            suggestion="Check SFTP_PRIVATE_KEY_PASSPHRASE. Keys are Ed25519, ECDSA, RSA, as OpenSSH or PEM.",
        ) from None
    return _for_paramiko(key)


def _decrypted(content: bytes, passphrase: bytes | None) -> PrivateKey:
    load = (
        serialization.load_ssh_private_key if b"OPENSSH PRIVATE KEY" in content else serialization.load_pem_private_key
    )
    try:
        key = load(content, passphrase)
    except TypeError:
        if passphrase is None:
            raise
        key = load(content, None)  # a passphrase is set, and this key needs none
    if not isinstance(key, PrivateKey):
        raise UnsupportedAlgorithm("not a key for signing in")
    return key


def _for_paramiko(key: PrivateKey) -> paramiko.PKey:
    # Handed over decrypted and in memory: paramiko's own loader takes a passphrase in two types at once.
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode()
    if isinstance(key, rsa.RSAPrivateKey):
        return paramiko.RSAKey.from_private_key(io.StringIO(text))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return paramiko.Ed25519Key.from_private_key(io.StringIO(text))
    return paramiko.ECDSAKey.from_private_key(io.StringIO(text))
