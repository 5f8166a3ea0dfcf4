"""What every place for our own blobs can do, whether a folder or S3: a few verbs and what they answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Backend = Literal["nfs", "s3"]


@dataclass(frozen=True)
class Put:
    """What was stored: `size` in bytes, `sha256` in hex, `etag` as `Stat` has it."""

    size: int
    sha256: str
    etag: str


@dataclass(frozen=True)
class Stat:
    """A stored object: `size` in bytes, `etag` without quotes (other bytes, other etag), `modified` in UTC."""

    key: str
    size: int
    etag: str
    modified: datetime


class Blob(Protocol):
    """An object that is open for reading. One thread at a time."""

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    @property
    def etag(self) -> str:
        """As `Stat` has it."""
        ...

    @property
    def content_type(self) -> str:
        """What it was stored as; a folder knows it by the key's ending."""
        ...

    def read_range(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to, and without, `stop` (None: the end), in pieces of at most 1 MB.

        Raises ValueError for a range outside the object, StoredFileBroken when it was cut short or replaced
        meanwhile, StorageUnavailable when the store is lost on the way, after lost lines were tried again.
        """
        ...


class ObjectStore(Protocol):
    """Our own blobs by key (see keys.py). Threads may share it.

    Every verb raises BadKey for a key that is none, StorageUnavailable (503, with Retry-After) when the store does
    not answer or does not accept us, and nothing of a vendor's own.
    """

    @property
    def name(self) -> Backend:
        """What rows say of where their object is."""
        ...

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        *,
        expected_size: int | None = None,
        expected_sha256: str | None = None,
        content_type: str = "",
    ) -> Put:
        """Store what `chunks` gives, whole or not at all: never seen half, never whole in memory, safe on the disk
        when this returns. "" as content type: what the key's ending stands for.

        Storing the same bytes again is no error. Raises ObjectExists when the key holds other bytes (they stay),
        ObjectIncomplete when size or hash is not the expected one, StorageFull, and whatever `chunks` raises.
        """
        ...

    def open(self, key: str) -> AbstractContextManager[Blob]:
        """The object, open for reading. Raises ObjectNotFound."""
        ...

    def stat(self, key: str) -> Stat | None:
        """What is known of the object; None where there is none."""
        ...

    def delete(self, key: str) -> None:
        """Remove it; nothing happens where there is none."""
        ...

    def walk(self, prefix: str = "") -> Iterator[Stat]:
        """Every object below that folder of keys, streamed in the order of keys; what is not ours is left out."""
        ...

    def check(self) -> None:
        """See that objects can be stored here. Raises StorageUnavailable saying, for a person, what is wrong."""
        ...

    def sweep_unfinished(self, begun_before: datetime) -> int:
        """Remove what puts that died left behind and nobody wrote to since that moment; how many there were."""
        ...

    def close(self) -> None:
        """Close connections; the store can be used no more."""
        ...
