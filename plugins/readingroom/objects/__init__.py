"""Our own blobs: a folder or S3 behind a few verbs, with the same keys."""

from __future__ import annotations

from readingroom.objects.choosing import from_settings
from readingroom.objects.keys import ending_of, original_key, parts_of, thumb_key, type_of, web_key
from readingroom.objects.nfs import NfsStore
from readingroom.objects.store import Backend, Blob, ObjectStore, Put, Stat

__all__ = [
    "Backend",
    "Blob",
    "NfsStore",
    "ObjectStore",
    "Put",
    "Stat",
    "ending_of",
    "from_settings",
    "original_key",
    "parts_of",
    "thumb_key",
    "type_of",
    "web_key",
]
