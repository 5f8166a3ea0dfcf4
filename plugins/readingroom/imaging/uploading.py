"""Whole uploads: one multipart request, one asset."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.http import parse_options_header

from readingroom.errors import BadRequest
from readingroom.identity import Caller
from readingroom.imaging.answers import AssetFields
from readingroom.imaging.filing import Filing, NewAsset
from readingroom.imaging.form import SOME_ROOM, read_form
from readingroom.imaging.once import Once
from readingroom.imaging.spool import Spool
from readingroom.routing import parse


class Uploading:
    """Takes whole uploads. Safe for many threads."""

    def __init__(self, filing: Filing, once: Once, spool: Spool, see_room: Callable[[int], None]) -> None:
        """`see_room` raises StorageFull unless so many bytes more fit on the disk."""
        self._filing = filing
        self._once = once
        self._spool = spool
        self._see_room = see_room

    def take(
        self, clinic: int, read: Callable[[int], bytes], content_type: str, length: int, key: str | None, caller: Caller
    ) -> int:
        """Read a form of `length` bytes and file what it holds; answers the asset's id.

        Raises BadRequest, BadFileName, and what `Filing.file` raises; with an Idempotency-Key Conflict and UploadBusy
        too.
        """
        boundary = boundary_of(content_type)
        self._filing.check_size(length - SOME_ROOM)
        self._see_room(2 * length)  # on its way, and where it is stored
        with self._spool.folder() as folder:
            path = folder / "original"
            form = read_form(read, boundary, path, self._filing.check_size)
            fields = parse(AssetFields, {name: said for name, said in form.fields.items() if said})
            new = NewAsset(
                clinic, fields.patient_id, fields.study_id, fields.modality, form.file_name, fields.captured_at,
                fields.source_device or None,
            )  # fmt: skip
            if key is None:
                return self._filing.file(new, path, caller)
            claimed = self._once.claim(key, caller.identity.user, new, path)
            if isinstance(claimed, int):
                return claimed
            try:
                return self._filing.file(new, path, caller, claimed)
            except BaseException:
                self._once.failed(claimed)
                raise


def boundary_of(content_type: str) -> bytes:
    """What stands between the parts (RFC 2046 section 5.1.1). Raises BadRequest."""
    mime, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if mime != "multipart/form-data" or not (0 < len(boundary) <= 200 and boundary.isascii()):
        raise BadRequest("An upload is a form: Content-Type multipart/form-data with a boundary.")
    return boundary.encode()
