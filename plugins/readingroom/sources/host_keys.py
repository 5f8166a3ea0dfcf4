"""Decides whether an SSH server is the one it should be: known_hosts files, or one pinned fingerprint."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path

from readingroom.errors import SourceRefused

DEFAULT_FILES = (Path("~/.ssh/known_hosts"), Path("/etc/ssh/ssh_known_hosts"))

ALGORITHMS = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
"""Type of a key → signature algorithms that prove it (RFC 8332 for RSA), strongest first."""


def fingerprint(key: bytes) -> str:
    """`SHA256:…` of a public key, as `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


@dataclass
class KnownHosts:
    """What the files say of one server: keys it has, and keys that are revoked."""

    host: str
    keys: set[bytes] = field(default_factory=set)
    revoked: set[bytes] = field(default_factory=set)

    @classmethod
    def read(cls, host: str, port: int, given: Path | None) -> KnownHosts:
        """The lines about that server in `given`, else in the default files.

        Raises SourceRefused when a given file cannot be read.
        """
        known = cls(host if port == 22 else f"[{host}]:{port}")
        for path in (given,) if given else DEFAULT_FILES:
            try:
                lines = path.expanduser().read_text(errors="replace").splitlines()
            except OSError as error:
                if given:
                    raise SourceRefused(
                        f"The known_hosts file {path} cannot be read: {error.strerror}",
                        suggestion="Correct SFTP_KNOWN_HOSTS, or the file's permissions.",
                    ) from error
                continue  # the default files need not exist
            for line in lines:
                known._add(line)
        return known

    @property
    def algorithms(self) -> list[str]:
        """Signature algorithms of the keys that are known: ask for these first."""
        types = {_type_of(key) for key in self.keys - self.revoked}
        return [name for kind, names in ALGORITHMS.items() if kind in types for name in names]

    def check(self, key: bytes) -> None:
        """Raises SourceRefused unless that key is known as the server's."""
        seen = fingerprint(key)
        if key in self.revoked:
            raise SourceRefused(
                f"{self.host} showed the host key {seen}, which known_hosts marks as revoked",
                suggestion="Do not go on; ask whoever runs the server.",
            )
        if key in self.keys:
            return
        if self.keys:
            raise SourceRefused(
                f"{self.host} showed the host key {seen}, but known_hosts has another one: "
                "somebody may be in between, or the server was set up anew",
                suggestion="Ask whoever runs the server for its fingerprint. If it is this one, replace "
                f"its line in known_hosts, or set SFTP_HOST_FINGERPRINT={seen}",
            )
        raise SourceRefused(
            f"{self.host} is not in known_hosts; it showed the host key {seen}",
            suggestion="Ask whoever runs the server for its fingerprint. If it is this one, set "
            f"SFTP_HOST_FINGERPRINT={seen} (or add the server to known_hosts with ssh-keyscan).",
        )

    def _add(self, line: str) -> None:
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) < 3 or fields[0].startswith("#") or marker not in ("", "@revoked"):
            return  # a comment, or a certificate authority, which we do not follow
        try:
            key = base64.b64decode(fields[2], validate=True)
        except (binascii.Error, ValueError):
            return
        if _matches(self.host, fields[0]):
            (self.revoked if marker else self.keys).add(key)


def check_pinned(pinned: str, key: bytes) -> bool:
    """Whether the key has that fingerprint, written with or without `SHA256:` and padding."""
    wanted = pinned.strip().removeprefix("SHA256:").rstrip("=")
    return hmac.compare_digest(fingerprint(key).removeprefix("SHA256:"), wanted)


def _matches(host: str, patterns: str) -> bool:
    """Whether a first field of known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) names this host."""
    if patterns.startswith("|1|"):
        try:
            salt, digest = (base64.b64decode(part) for part in patterns.split("|")[2:4])
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(hmac.new(salt, host.encode(), hashlib.sha1).digest(), digest)
    named = False
    for pattern in patterns.lower().split(","):
        # Only `*` and `?` are special there; fnmatch would read the brackets of [host]:port as a set.
        escaped = pattern.removeprefix("!").replace("[", "[[]")
        if fnmatch.fnmatchcase(host.lower(), escaped):
            if pattern.startswith("!"):
                return False
            named = True
    return named


def _type_of(key: bytes) -> str:
    size = int.from_bytes(key[:4])
    return key[4 : 4 + size].decode("ascii", "replace")
