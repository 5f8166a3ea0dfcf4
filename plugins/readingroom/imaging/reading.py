"""Answers with an asset's bytes: the original or one of its pictures, whole, in part, or not again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from flask import Response

from readingroom.downloads.answers import byte_range, disposition
from readingroom.errors import ObjectNotFound, StorageUnavailable, TooManyRequests
from readingroom.identity import Caller
from readingroom.imaging.answers import Variant
from readingroom.imaging.assets import Asset, original_of
from readingroom.imaging.file_names import saving_name
from readingroom.imaging.variants_kept import KeptVariants
from readingroom.objects import Blob, ObjectStore
from readingroom.pictures import EXTENSIONS

FRESH_SECONDS = 300
"""How long a browser shows what it has without asking: a deleted picture is gone everywhere after this."""

LARGEST_PART = 8 << 20
"""A 206 leaves Orthanc with its body in memory; a longer range is answered by its beginning, as RFC 9110 section 15.3.7
lets a server do. The gateway asks for the whole, and cuts ranges of any length itself."""

STREAMS = 24
"""Originals on their way at a time; each holds one of Orthanc's 50 threads."""

AT_THE_STORE = 12
"""Requests that wait for the store's first bytes at a time. A mount whose server is gone holds whoever touches it, a
bucket that is away holds them for half a minute: the rest of Orthanc's threads stay free for everybody else."""

PATIENCE = 1.0
"""Seconds that a request waits for one of those places: a store that is well gives bytes within hundredths of one."""

UNKNOWN = "application/octet-stream"


class Reading:
    """Opens what is asked for. Safe for many threads."""

    def __init__(self, objects: ObjectStore, variants: KeptVariants) -> None:
        self._objects = objects
        self._variants = variants
        self._streams = threading.BoundedSemaphore(STREAMS)
        self._places = threading.BoundedSemaphore(AT_THE_STORE)

    def answer(
        self, asset: Asset, variant: Variant, caller: Caller, *, known: str = "", wanted: str = "", if_range: str = ""
    ) -> Response:
        """The asset in that form; `known`, `wanted` and `if_range` are If-None-Match, Range and If-Range.

        Raises ObjectNotFound, StorageUnavailable, RangeNotSatisfiable, TooManyRequests, and what
        `KeptVariants.again` raises for a picture that is missing and cannot be made.
        """
        etag = f'"{asset.sha256}"'
        if variant == "original" and matches(known, etag):
            return _described(Response(status=304), asset, variant, etag)
        with ExitStack() as stack:
            blob = self._opened(asset, variant, caller, stack)
            if variant != "original":
                etag = f'"{asset.sha256[:32]}-{variant}-{blob.etag}"'
                if matches(known, etag):
                    return _described(Response(status=304), asset, variant, etag)
            span = byte_range(wanted, blob.size) if if_range in ("", etag) else None
            response = self._part(blob, *span) if span is not None else self._whole(blob, stack)
            return _described(response, asset, variant, etag)

    def _opened(self, asset: Asset, variant: Variant, caller: Caller, stack: ExitStack) -> Blob:
        if variant == "original":
            with self._at_the_store():
                return stack.enter_context(original_of(asset, self._objects))
        if key := asset.thumb_key if variant == "thumb" else asset.web_key:
            with suppress(ObjectNotFound), self._at_the_store():
                return stack.enter_context(self._objects.open(key))
        keys = self._variants.again(asset, caller)
        with self._at_the_store():
            return stack.enter_context(self._objects.open(keys.thumb if variant == "thumb" else keys.web))

    @contextmanager
    def _at_the_store(self) -> Iterator[None]:
        """Touch the store. Raises StorageUnavailable where too many wait for it."""
        if not self._places.acquire(timeout=PATIENCE):
            raise StorageUnavailable("The store of pictures is slow to answer; try again in a moment.", retry_after=5)
        try:
            yield
        finally:
            self._places.release()

    def _part(self, blob: Blob, start: int, stop: int) -> Response:
        stop = min(stop, start + LARGEST_PART)
        with self._at_the_store():
            response = Response(b"".join(blob.read_range(start, stop)), status=206)
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{blob.size}"
        return response

    def _whole(self, blob: Blob, stack: ExitStack) -> Response:
        pieces = blob.read_range()
        # Before the status line leaves: what is wrong with the store can still be said in words.
        with self._at_the_store():
            first = next(pieces, b"")
        if blob.size <= len(first):
            return Response(first)
        if not self._streams.acquire(blocking=False):
            raise TooManyRequests("Many files are being sent; try again in a moment.", retry_after=5)
        stack.callback(self._streams.release)
        return Response(Body(first, pieces, stack.pop_all()), headers={"Content-Length": str(blob.size)})


class Body:
    """An original for WSGI; `close` gives back what it holds, even when nobody ever read from it."""

    def __init__(self, first: bytes, rest: Iterator[bytes], held: ExitStack) -> None:
        self._first = first
        self._rest = rest
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        yield from self._rest

    def close(self) -> None:
        """The answer is over, one way or another."""
        self._held.close()


def matches(known: str, etag: str) -> bool:
    """Whether If-None-Match names what there is (RFC 9110 section 13.1.2)."""
    return known.strip() == "*" or etag in (each.strip().removeprefix("W/") for each in known.split(","))


def _described(response: Response, asset: Asset, variant: Variant, etag: str) -> Response:
    headers = response.headers
    if variant == "original":
        response.mimetype = asset.mime_type if asset.mime_type in EXTENSIONS else UNKNOWN
        headers["Content-Disposition"] = disposition(saving_name(asset.file_name, asset.id, asset.mime_type))
    else:
        response.mimetype = "image/webp"
    headers["ETag"] = etag
    headers["Accept-Ranges"] = "bytes"
    headers["Cache-Control"] = f"private, max-age={FRESH_SECONDS}"
    headers["Vary"] = "Authorization"  # two people at one browser may be of two clinics
    headers["Content-Security-Policy"] = "default-src 'none'; sandbox"  # whatever it is, it runs nothing
    return response
