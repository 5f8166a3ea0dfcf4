"""Checksums that come with a part of an upload: `Content-Digest` (RFC 9530) or `X-Chunk-SHA256`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping

from readingroom.errors import BadRequest, ChunkDamaged

ALGORITHMS = {"sha-256": "sha256", "sha-512": "sha512"}
"""RFC 9530 section 5: the two that are to be used; others in the header are left aside, as it says."""

_MEMBER = re.compile(r"\s*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):\s*")


def check(said: Mapping[str, str], data: bytes) -> None:
    """Hold bytes against every checksum that the request's headers say; without one, nothing is checked.

    Raises ChunkDamaged, and BadRequest for a header that says no checksum.
    """
    headers = {name.lower(): value for name, value in said.items()}
    hexadecimal = headers.get("x-chunk-sha256")
    if hexadecimal is not None:
        if not re.fullmatch(r"[0-9A-Fa-f]{64}", hexadecimal.strip()):
            raise BadRequest("X-Chunk-SHA256 is 64 hex digits.")
        _same("sha256", bytes.fromhex(hexadecimal.strip()), data)
    if "content-digest" in headers:
        for algorithm, digest in _members(headers["content-digest"]).items():
            if algorithm in ALGORITHMS:
                _same(ALGORITHMS[algorithm], _decoded(digest), data)


def _members(header: str) -> dict[str, str]:
    """Digests by algorithm: of one that is named often, the last (RFC 9651 section 4.2.2), and one is computed."""
    found = {}
    for member in header.split(","):
        match = _MEMBER.fullmatch(member)
        if match is None:
            raise BadRequest("Content-Digest is written as sha-256=:BASE64: (RFC 9530).")
        found[match[1]] = match[2]
    return found


def _same(algorithm: str, said: bytes, data: bytes) -> None:
    if hashlib.new(algorithm, data).digest() != said:
        raise ChunkDamaged(f"This part has not the {algorithm.upper()} that came with it; send it again.")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise BadRequest("Content-Digest holds its checksum in Base64.") from None
