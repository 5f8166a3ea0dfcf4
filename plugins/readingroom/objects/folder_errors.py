"""What a file system says, in the words of errors.py."""

from __future__ import annotations

import errno
import os
from types import TracebackType

from readingroom.errors import ObjectNotFound, StorageFull, StorageRefused, StorageUnavailable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_GONE = {errno.ENOENT, errno.ENOTDIR}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


class InOurWords:
    """A block whose OSErrors leave it as errors of ours; a class, because puts enter one per chunk."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            raise told(error, self._key) from error


def told(error: OSError, key: str = "") -> ObjectNotFound | StorageUnavailable:
    """The error of ours that this one is. Paths stay out of the message: it may reach a browser."""
    detail = {"key": key} if key else None
    said = os.strerror(error.errno) if error.errno else type(error).__name__
    if error.errno in _FULL:
        return StorageFull("There is no room left where pictures are stored", retry_after=600, detail=detail)
    if error.errno in _GONE:
        return ObjectNotFound("There is no such stored object", detail=detail)
    if error.errno in _REFUSED:
        return StorageRefused(
            f"The folder where pictures are stored may not be used as needed: {said}", retry_after=300, detail=detail
        )
    return StorageUnavailable(f"The folder where pictures are stored does not answer: {said}", detail=detail)
