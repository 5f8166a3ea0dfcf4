"""Reads one S3 object by any range; a lost line is taken up again where it broke."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from typing import Any

from botocore.exceptions import BotoCoreError
from urllib3.exceptions import HTTPError

from readingroom.errors import ObjectExists, StoredFileBroken
from readingroom.objects.ranges import inside
from readingroom.objects.s3_errors import InS3Words, told
from readingroom.objects.store import Stat

PIECE = 256 << 10
"""Bytes read at a time."""

TRIES = 3
"""How often in a row a line may be lost without one byte coming over it."""


class S3Blob:
    """An object of a bucket; each range is a request of its own."""

    def __init__(self, client: Any, bucket: str, stat: Stat, content_type: str) -> None:
        self._client = client
        self._bucket = bucket
        self._stat = stat
        self._content_type = content_type

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._stat.size

    @property
    def etag(self) -> str:
        """As `Stat` has it."""
        return self._stat.etag

    @property
    def content_type(self) -> str:
        """What it was stored as."""
        return self._content_type

    def read_range(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Those bytes, in pieces."""
        start, stop = inside(start, stop, self.size)
        return self._pieces(start, stop)

    def _pieces(self, start: int, stop: int) -> Iterator[bytes]:
        lost = 0
        while start < stop:
            try:
                with closing(self._line(start, stop)) as line:
                    for piece in line:
                        start += len(piece)
                        lost = 0
                        yield piece
            except (BotoCoreError, HTTPError) as error:
                lost += 1
                if lost == TRIES:
                    raise told(error, self._stat.key) from error
                time.sleep(0.2 * lost)

    def _line(self, start: int, stop: int) -> Generator[bytes]:
        """What comes over one line. Raises botocore's and urllib3's errors when it is lost on the way."""
        answer = self._asked(start, stop)
        body = answer["Body"]
        try:
            # Not every server heeds If-Match.
            if answer["ETag"].strip('"') != self.etag or answer["ContentLength"] != stop - start:
                raise self._replaced()
            while piece := body.read(PIECE):
                yield piece
        finally:
            with suppress(Exception):  # a line that is given up may say anything
                body.close()

    def _asked(self, start: int, stop: int) -> Any:
        key = self._stat.key
        try:
            with InS3Words(key):
                span = f"bytes={start}-{stop - 1}"
                return self._client.get_object(Bucket=self._bucket, Key=key, Range=span, IfMatch=f'"{self.etag}"')
        except ObjectExists as error:  # "a precondition failed": here the etag's
            raise self._replaced() from error

    def _replaced(self) -> StoredFileBroken:
        return StoredFileBroken("A stored object was replaced while it was read", detail={"key": self._stat.key})
