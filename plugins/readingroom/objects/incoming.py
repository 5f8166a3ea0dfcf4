"""Bytes on their way into a store: counted, hashed, and held against what was announced."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from readingroom.errors import ObjectIncomplete


class Incoming:
    """Measures what passes; `size` and `sha256` are of what passed so far."""

    def __init__(self, expected_size: int | None, expected_sha256: str | None) -> None:
        self._expected_size = expected_size
        self._expected_sha256 = expected_sha256.lower() if expected_sha256 else None
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """In hex."""
        return self._hash.hexdigest()

    def of(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks without empty ones. Raises ObjectIncomplete as soon as more came than was announced."""
        for chunk in chunks:
            if not chunk:
                continue
            self.size += len(chunk)
            if self._expected_size is not None and self.size > self._expected_size:
                raise ObjectIncomplete("More bytes came than were announced", detail={"announced": self._expected_size})
            self._hash.update(chunk)
            yield chunk

    def complete(self) -> None:
        """Raises ObjectIncomplete unless size and hash are the announced ones."""
        if self._expected_size is not None and self.size != self._expected_size:
            raise ObjectIncomplete(
                "Fewer bytes came than were announced",
                detail={"announced": self._expected_size, "received": self.size},
            )
        if self._expected_sha256 is not None and self.sha256 != self._expected_sha256:
            raise ObjectIncomplete(
                "The bytes that came do not have the announced SHA-256",
                detail={"announced": self._expected_sha256, "received": self.sha256},
            )


def same_bytes(incoming: Incoming, stored: Iterable[bytes]) -> bool:
    """Whether what is stored has the size and hash of what came."""
    there = Incoming(None, None)
    for _ in there.of(stored):
        if there.size > incoming.size:
            return False
    return (there.size, there.sha256) == (incoming.size, incoming.sha256)
