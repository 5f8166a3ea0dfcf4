"""Where every byte of a zip lies, known before any byte of any file was read.

The size of every file is known beforehand, so the archive's length, its ETag and the meaning of each byte range
follow from a few arrays: about 80 bytes an entry and its name. A file whose CRC-32 is known too is STORED. One whose
CRC-32 is not goes as deflate blocks that are not compressed (see `blocks`), with a data descriptor behind it, and its
central header is made when it is asked for: by then its bytes have passed, or they are read once more.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from readingroom.zipstream import records
from readingroom.zipstream.blocks import packed_length
from readingroom.zipstream.checks import Learnt
from readingroom.zipstream.limits import MAX_NAME_BYTES
from readingroom.zipstream.names import safe_names
from readingroom.zipstream.stamps import dos_stamp


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive.

    `offset` is where its local header begins, `data` where its bytes do; there they take `packed` bytes.
    """

    index: int
    name: bytes
    size: int
    packed: int
    crc32: int | None  # None: not known beforehand, so the file goes as blocks
    stamp: int
    offset: int
    data: int


@dataclass(frozen=True, slots=True)
class FilePart:
    """Bytes `start` up to `stop` of an entry's file (empty for an empty file), or of its blocks where it goes so."""

    entry: Entry
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class LatePart:
    """Bytes `start` up to `stop` of what can be written only with an entry's CRC-32."""

    entry: Entry
    kind: Literal["descriptor", "central"]
    start: int
    stop: int

    def made(self, crc32: int) -> bytes:
        """Those bytes."""
        e = self.entry
        if self.kind == "descriptor":
            return records.descriptor(e.size, e.packed, crc32)[self.start : self.stop]
        header = records.central_header(e.name, e.size, e.packed, crc32, e.stamp, e.offset)
        return header[self.start : self.stop]


Piece = bytes | FilePart | LatePart
"""What a range is made of: bytes of the archive's own, a part of a file, bytes that wait for a CRC-32."""


class Layout:
    """The archive's plan. Names are made safe and unique; entries keep the order they were given in."""

    def __init__(
        self,
        names: Sequence[str],
        sizes: Sequence[int],
        crc32s: Sequence[int | None],
        seconds: Sequence[int],
        *,
        identity: str = "",
        learnt: Learnt | None = None,
    ) -> None:
        """Plan an archive; the four sequences run side by side, one value per file.

        `sizes` in bytes, `seconds` since 1970. `identity` goes into the ETag: the same names, sizes and CRCs
        under another identity are another archive. `learnt` takes the CRCs that are not known yet, and may know
        of some already.
        """
        encoded = [name.encode() for name in safe_names(names)]
        lengths = [len(name) for name in encoded]
        if max(lengths, default=0) > MAX_NAME_BYTES:
            raise ValueError("a name is longer than the zip format holds")
        self.learnt: Learnt = learnt or Learnt()
        self._names = b"".join(encoded)
        self._name_ends = array("Q", accumulate(lengths))
        self._sizes = array("Q", sizes)
        self._late = bytes(value is None for value in crc32s)
        self._crc32s = array("I", (value or 0 for value in crc32s))
        self._seconds = array("q", seconds)
        if not len(lengths) == len(self._sizes) == len(self._crc32s) == len(self._seconds):
            raise ValueError("names, sizes, CRCs and times differ in number")
        packed = [packed_length(s) if late else s for s, late in zip(self._sizes, self._late, strict=True)]
        spans = [
            records.local_length(n, p) + p + (records.descriptor_length(p) if late else 0)
            for n, p, late in zip(lengths, packed, self._late, strict=True)
        ]
        self._offsets = array("Q", accumulate(spans, initial=0))
        self.directory_start: int = self._offsets[-1]
        central = map(records.central_length, lengths, packed, self._offsets)
        self._centrals = array("Q", accumulate(central, initial=self.directory_start))
        self.directory_end: int = self._centrals[-1]
        directory_length = self.directory_end - self.directory_start
        self._end = records.end_records(len(lengths), self.directory_start, directory_length)
        self.length: int = self.directory_end + len(self._end)
        self.etag: str = self._made_etag(identity)

    def __len__(self) -> int:
        """How many files."""
        return len(self._sizes)

    @property
    def weight(self) -> int:
        """Bytes of memory that this plan takes, about; for a cache that counts."""
        arrays = (self._name_ends, self._sizes, self._crc32s, self._seconds, self._offsets, self._centrals)
        late = 100 * sum(self._late)  # what will be learnt of them
        return len(self._names) + sum(len(a) * a.itemsize for a in arrays) + len(self._late) + late + 1000

    def _made_etag(self, identity: str) -> str:
        digest = hashlib.sha256(identity.encode() + b"\0" + self._names)
        for values in (self._name_ends, self._sizes, self._crc32s, self._seconds):
            digest.update(values)
        if any(self._late):
            digest.update(self._late)
        # Strong (RFC 9110 section 8.8.1): a range of one version must never be joined to a range of another.
        return f'"{digest.hexdigest()[:32]}"'

    def name(self, index: int) -> bytes:
        """The entry's name in the archive, UTF-8."""
        return self._names[self._name_ends[index - 1] if index else 0 : self._name_ends[index]]

    def entry(self, index: int) -> Entry:
        """All about one file."""
        name, size, offset = self.name(index), self._sizes[index], self._offsets[index]
        late = self._late[index]
        packed = packed_length(size) if late else size
        data = offset + records.local_length(len(name), packed)
        crc32 = None if late else self._crc32s[index]
        return Entry(index, name, size, packed, crc32, dos_stamp(self._seconds[index]), offset, data)

    def resting_place(self, start: int, stop: int) -> int:
        """Where to stop between the two: behind a file, if one ends in the second half, so it is not opened twice."""
        behind = self._offsets[bisect_right(self._offsets, stop) - 1]
        return behind if behind - start > (stop - start) // 2 else stop

    def pieces(self, start: int, stop: int) -> Iterator[Piece]:
        """What makes up bytes `start` up to `stop`, in order; finding the first takes O(log n)."""
        if not 0 <= start <= stop <= self.length:
            raise ValueError("the range lies outside the archive")
        if start < min(stop, self.directory_start):
            yield from self._local_pieces(start, min(stop, self.directory_start))
        if max(start, self.directory_start) < min(stop, self.directory_end):
            yield from self._central_pieces(max(start, self.directory_start), min(stop, self.directory_end))
        if stop > self.directory_end:
            yield self._end[max(start - self.directory_end, 0) : stop - self.directory_end]

    def _local_pieces(self, start: int, stop: int) -> Iterator[Piece]:
        for index in range(bisect_right(self._offsets, start) - 1, len(self)):
            entry = self.entry(index)
            if entry.offset >= stop:
                return
            if start < entry.data:
                yield _local_header(entry)[max(start - entry.offset, 0) : stop - entry.offset]
            behind = entry.data + entry.packed
            # An empty file counts as read where its header ends, so that a missing one is noticed too.
            if (stop > entry.data and start < behind) or (entry.packed == 0 and stop >= entry.data):
                yield FilePart(entry, max(start - entry.data, 0), min(stop - entry.data, entry.packed))
            if entry.crc32 is None and stop > behind:
                length = records.descriptor_length(entry.packed)
                yield LatePart(entry, "descriptor", max(start - behind, 0), min(stop - behind, length))

    def _central_pieces(self, start: int, stop: int) -> Iterator[Piece]:
        for index in range(bisect_right(self._centrals, start) - 1, len(self)):
            begins = self._centrals[index]
            if begins >= stop:
                return
            entry = self.entry(index)
            late = LatePart(entry, "central", max(start - begins, 0), stop - begins)
            yield late if entry.crc32 is None else late.made(entry.crc32)


def _local_header(entry: Entry) -> bytes:
    if entry.crc32 is None:
        return records.open_header(entry.name, entry.packed, entry.stamp)
    return records.local_header(entry.name, entry.size, entry.crc32, entry.stamp)
