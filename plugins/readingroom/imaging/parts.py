"""Uploads in parts: begun, received chunk by chunk in any order, completed once, given up."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.errors import (
    BadRequest,
    BrokenPicture,
    Conflict,
    NotFound,
    PayloadTooLarge,
    ReadingRoomError,
    UnsupportedMedia,
    UploadBusy,
    UploadClosed,
    UploadDiffers,
    UploadIncomplete,
    UploadLost,
)
from readingroom.identity import Caller
from readingroom.imaging import upload_rows as rows
from readingroom.imaging.filing import Filing, NewAsset, check_modality
from readingroom.imaging.part_files import PartFile, PartFiles
from readingroom.imaging.received import Received
from readingroom.imaging.upload_events import UploadBegun, UploadCancelled, UploadReceives, UploadRefused
from readingroom.imaging.upload_rows import DONE, OPEN, REFUSED, NewUpload, Upload
from readingroom.pictures import ACCEPTED, EXTENSIONS, HEAD_BYTES, recognised

CHUNK_BYTES = 8 << 20
"""What clients are told to send at a time: 13 requests for 100 MB, and a broken line costs a second of work."""

MAX_CHUNK_BYTES = 16 << 20
"""The most that is taken at a time: Orthanc holds the body of a request in memory."""

TOLD_GAPS = 20
"""So many of the missing ranges are told."""

PATIENCE = 10.0
"""Seconds that a request waits for another one of the same upload."""

REFUSALS = (UnsupportedMedia, PayloadTooLarge, BrokenPicture)
"""What is said of a file that is bad, however often it comes."""


class Parts:
    """All uploads in parts; everybody's own are there for them, within their clinic."""

    def __init__(
        self, database: Database, clock: Clock, trail: Trail, files: PartFiles, filing: Filing, life: timedelta
    ) -> None:
        """An upload ends when nothing came of it for `life`."""
        self._database = database
        self._clock = clock
        self._trail = trail
        self._files = files
        self._filing = filing
        self._life = life

    @property
    def max_bytes(self) -> int:
        """The largest file that is taken."""
        return self._filing.max_bytes

    def begin(self, clinic: int, new: NewUpload, key: str | None, caller: Caller) -> Upload:
        """Begin an upload; with the Idempotency-Key of an earlier one, that one once more.

        Raises PayloadTooLarge, UnsupportedMedia, StorageFull, TooManyRequests, NotFound where patient or study are
        not this clinic's, Conflict when that key began something else.
        """
        self._check_announced(new)
        user = caller.identity.user
        with self._database.read() as connection:
            self._filing.check_place(connection, clinic, new.patient_id, new.study_id)
            earlier = _earlier(connection, clinic, user, new, key)
            waiting = rows.announced(connection, self.max_bytes)
        if earlier is not None:
            return self._again(earlier)
        still_to_come = max(0, waiting - self._files.taken())
        self._files.see_room((new.total_bytes or self.max_bytes) + still_to_come)
        return self._begin(clinic, new, key, caller)

    def receive(self, clinic: int, upload_id: str, offset: int, data: bytes, caller: Caller) -> Upload:
        """Take a part. What came before may come again; other bytes in its place are refused.

        Raises NotFound, UploadClosed, UploadDiffers, UploadLost, UploadBusy, PayloadTooLarge, UnsupportedMedia,
        StorageFull, BadRequest.
        """
        upload = _taking(self.find(clinic, upload_id, caller))
        self._check_part(upload, offset, data)
        self._files.see_room(len(data))
        try:
            with self._files.held(upload.id, PATIENCE) as file:
                self._write(_taking(self.find(clinic, upload_id, caller)), file, offset, data)
        except UploadLost:
            _taking(self.find(clinic, upload_id, caller))  # it may have ended while this request waited
            raise
        self._trail.record(UploadReceives(entity_id=upload.id), caller)
        return self.find(clinic, upload_id, caller)

    def find(self, clinic: int, upload_id: str, caller: Caller) -> Upload:
        """The caller's own upload. Raises NotFound for another one's, and for one that is not there, alike."""
        found = None
        if is_upload_id(upload_id):
            with self._database.read() as connection:
                found = rows.by_id(connection, upload_id, clinic, caller.identity.user)
        if found is None:
            raise NotFound("There is no such upload; one that nobody goes on with ends by itself.")
        return found

    def complete(self, clinic: int, upload_id: str, total: int, sha256: str | None, caller: Caller) -> int:
        """Make an asset of what has come; its id. Asked again, it is the same one.

        Raises UploadIncomplete, and what `Filing.file` raises: where that says that the file is bad, the upload ends.
        """
        upload = self.find(clinic, upload_id, caller)
        if upload.state == DONE:
            return _made(upload)
        try:
            with self._files.held(_taking(upload).id, PATIENCE) as file:
                return self._complete(self.find(clinic, upload_id, caller), file, total, sha256, caller)
        except UploadLost:
            upload = self.find(clinic, upload_id, caller)
            if upload.state == DONE:  # by the request that was waited for
                return _made(upload)
            _taking(upload)
            raise

    def cancel(self, clinic: int, upload_id: str, caller: Caller) -> None:
        """Give an upload up; what had come of it goes. Raises NotFound, UploadClosed when it is an asset already."""
        upload = self.find(clinic, upload_id, caller)
        try:
            with self._files.held(upload.id, PATIENCE):
                self._give_up(self.find(clinic, upload_id, caller), caller)
                self._files.remove(upload.id)
        except UploadLost:
            self._give_up(self.find(clinic, upload_id, caller), caller)

    def _complete(self, upload: Upload, file: PartFile, total: int, sha256: str | None, caller: Caller) -> int:
        if upload.state == DONE:
            return _made(upload)
        new = _asset(upload.clinic_id, _taking(upload).new)
        self._check_whole(upload, file, total)
        if sha256 is not None and sha256 != (new.sha256 or sha256):
            raise BadRequest("Another SHA-256 was announced when this upload began.")
        self._filing.abandon(upload.asset_id)  # whoever was at it before us died
        try:
            made = self._filing.file(replace(new, sha256=sha256 or new.sha256), file.path, caller, upload.id)
        except REFUSALS as error:
            self._refuse(upload, error, caller)
            raise
        self._files.remove(upload.id)
        return made

    def _check_whole(self, upload: Upload, file: PartFile, total: int) -> None:
        self._filing.check_size(total)
        if total != (upload.new.total_bytes or total):
            raise BadRequest(f"{upload.new.total_bytes} bytes were announced when this upload began, not {total}.")
        if upload.received.end > total:
            raise BadRequest(f"More than {total} bytes have come.", detail={"received": upload.received.end})
        missing = upload.received.missing(total)
        if missing:
            raise UploadIncomplete(
                f"{total - upload.received.count} bytes of this upload have not come yet.",
                detail={"missing": [list(gap) for gap in missing[:TOLD_GAPS]]},
            )
        # Bytes past that may be there: of a request that died before it said that they came.
        file.cut(total)

    def _refuse(self, upload: Upload, error: ReadingRoomError, caller: Caller) -> None:
        with self._database.write() as connection:
            rows.set_state(connection, upload, REFUSED, self._clock.now())
            self._trail.record(UploadRefused(entity_id=upload.id, reason=error.code), caller, connection)
        self._files.remove(upload.id)

    def _give_up(self, upload: Upload, caller: Caller) -> None:
        if upload.state == DONE:
            raise UploadClosed("This upload is complete; delete the asset that it became.")
        self._filing.abandon(upload.asset_id)
        with self._database.write() as connection:
            if not rows.remove(connection, upload):
                raise _at_work()
            self._trail.record(UploadCancelled(entity_id=upload.id), caller, connection)

    def _begin(self, clinic: int, new: NewUpload, key: str | None, caller: Caller) -> Upload:
        now, user = self._clock.now(), caller.identity.user
        upload = Upload(
            str(uuid.uuid4()), clinic, user, new, Received(), OPEN, None, key, now + self._life
        )  # fmt: skip
        self._files.create(upload.id)  # first: a row without its file would be an upload that can never go on
        try:
            with self._database.write() as connection:
                rows.see_places(connection, clinic, user)
                rows.add(connection, upload, now)
                event = UploadBegun(
                    entity_id=upload.id, study_id=new.study_id, patient_id=new.patient_id, modality=new.modality,
                    mime_type=new.mime_type, bytes=new.total_bytes or 0,
                )  # fmt: skip
                self._trail.record(event, caller, connection)
        except IntegrityError:
            self._files.remove(upload.id)
            with self._database.read() as connection:
                earlier = _earlier(connection, clinic, user, new, key)
            if earlier is None:
                raise
            return self._again(earlier)
        except BaseException:
            self._files.remove(upload.id)
            raise
        return upload

    def _again(self, upload: Upload) -> Upload:
        if upload.state == OPEN and not upload.received.ranges:
            self._files.create(upload.id)  # its folder may have been lost, and nothing with it
        return upload

    def _write(self, upload: Upload, file: PartFile, offset: int, data: bytes) -> None:
        differs = file.differing(offset, data, upload.received)
        if differs is not None:
            raise UploadDiffers(
                "Other bytes came for this part before: the file has changed since. Begin a new upload.",
                detail={"range": list(differs)},
            )
        received = upload.received.with_range(offset, offset + len(data))
        file.write(offset, data)
        now = self._clock.now()
        with self._database.write() as connection:
            if not rows.advance(connection, upload, received, now, now + self._life):
                raise _at_work()

    def _check_announced(self, new: NewUpload) -> None:
        if new.mime_type not in EXTENSIONS:
            raise UnsupportedMedia(f"Accepted are {ACCEPTED}.", detail={"accepted": sorted(EXTENSIONS)})
        check_modality(new.modality, new.mime_type)
        self._filing.check_size(new.total_bytes or 0)

    def _check_part(self, upload: Upload, offset: int, data: bytes) -> None:
        stop, total = offset + len(data), upload.new.total_bytes
        if not data:
            raise BadRequest("This part is empty.")
        if len(data) > MAX_CHUNK_BYTES:
            raise PayloadTooLarge(
                f"A part has at most {MAX_CHUNK_BYTES} bytes.", detail={"maxChunkBytes": MAX_CHUNK_BYTES}
            )
        self._filing.check_size(stop)
        if total is not None and stop > total:
            raise BadRequest(
                f"This part ends past the {total} bytes that were announced.", detail={"totalBytes": total}
            )
        if offset == 0 and (len(data) >= HEAD_BYTES or len(data) == total):
            recognised(data[:HEAD_BYTES])  # what can be nothing that is filed need not come whole


def is_upload_id(text: str) -> bool:
    """Whether that can be one of ours."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _taking(upload: Upload) -> Upload:
    if upload.state != OPEN:
        raise UploadClosed(f"This upload takes no more: it is {upload.state}.", detail={"state": upload.state})
    return upload


def _made(upload: Upload) -> int:
    if upload.asset_id is None:
        raise UploadClosed("The asset that this upload became is not there any more.")
    return upload.asset_id


def _asset(clinic: int, new: NewUpload) -> NewAsset:
    return NewAsset(
        clinic, new.patient_id, new.study_id, new.modality, new.file_name, new.captured_at, new.source_device,
        new.sha256,
    )  # fmt: skip


def _at_work() -> UploadBusy:
    return UploadBusy("Another server works on this upload at the same time.", retry_after=2)


def _earlier(connection: Connection, clinic: int, user: str, new: NewUpload, key: str | None) -> Upload | None:
    found = rows.by_key(connection, key, clinic, user) if key else None
    if found is None:
        return None
    upload, in_parts = found
    if not in_parts or upload.new != new:
        raise Conflict("That Idempotency-Key began another upload.")
    return upload
