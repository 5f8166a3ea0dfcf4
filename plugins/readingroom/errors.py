"""Every error that Reading Room raises on purpose; status and stable code stand on each class.

ReadingRoomError                    500 internal
├── BadRequest                      400 bad_request
│   ├── TooManyCases                400 too_many_cases
│   ├── BadFileName                 400 bad_file_name
│   └── ChunkDamaged                400 chunk_damaged
├── Unauthenticated                 401 unauthenticated
│   ├── TokenExpired                401 token_expired
│   └── TicketExpired               401 ticket_expired
├── Forbidden                       403 forbidden
│   ├── CrossSite                   403 cross_site
│   └── NoClinic                    403 no_clinic
├── NotFound                        404 not_found
│   ├── NoDicoms                    404 no_dicoms
│   └── NoThumbnail                 404 no_thumbnail
├── MethodNotAllowed                405 method_not_allowed
├── Conflict                        409 conflict
│   ├── CaseNumberTaken             409 case_number_taken
│   ├── CaseIdentifiable            409 case_identifiable
│   ├── ImportRunning               409 import_running
│   ├── IndexRunning                409 index_running
│   ├── SeriesChanged               409 series_changed
│   ├── ShareNotReady               409 share_not_ready
│   ├── ShareSpent                  409 share_spent
│   ├── UploadLost                  409 upload_lost
│   ├── UploadClosed                409 upload_closed
│   ├── UploadDiffers               409 upload_differs
│   └── UploadIncomplete            409 upload_incomplete
├── PayloadTooLarge                 413 payload_too_large
├── UnsupportedMedia                415 unsupported_media
├── RangeNotSatisfiable             416 range_not_satisfiable
├── BrokenPicture                   422 broken_picture
├── TooManyRequests                 429 too_many_requests
├── PicturesUnavailable             503 pictures_unavailable
├── UploadBusy                      503 upload_busy
├── DatabaseUnavailable             503 database_unavailable
├── PacsError                       502 pacs_error
│   ├── PacsNotFound                404 not_found
│   └── PacsUnreachable             503 pacs_unreachable
├── IssuerUnreachable               503 issuer_unreachable
├── ShareUnavailable                503 share_unavailable
├── StoredFileBroken                500 stored_file_broken
│   └── StoredFileAway              503 stored_file_away
├── SettingsError                   500 settings
├── ObjectError                     500 object_error       (our own blobs; see objects/)
│   ├── BadKey                      500 bad_key
│   ├── ObjectNotFound              404 not_found
│   ├── ObjectExists                409 object_exists
│   ├── ObjectIncomplete            400 object_incomplete
│   └── StorageUnavailable          503 storage_unavailable
│       ├── StorageRefused          503 storage_refused
│       └── StorageFull             507 storage_full
└── SourceError                     502 source_error       (files somewhere else; see sources/)
    ├── SourceUnreachable           503 source_unreachable
    ├── SourceRefused               502 source_refused
    ├── SourceNotFound              404 source_not_found
    ├── SourceForbidden             502 source_forbidden
    └── SourceChanged               502 source_changed
"""

from __future__ import annotations

from collections.abc import Mapping


class ReadingRoomError(Exception):
    """The root: `message` is for a person, `detail` for a program."""

    status = 500
    code = "internal"

    def __init__(self, message: str, *, detail: object = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.headers: dict[str, str] = dict(headers or {})


class BadRequest(ReadingRoomError):
    """The request cannot be understood or breaks a stated limit."""

    status = 400
    code = "bad_request"


class TooManyCases(BadRequest):
    """More cases were asked for than one download carries."""

    code = "too_many_cases"


class BadFileName(BadRequest):
    """What a file is called is a path, or nothing, or what nobody should meet in a name; `message` says which."""

    code = "bad_file_name"


class ChunkDamaged(BadRequest):
    """A part of an upload has not the checksum that came with it; nothing of it was kept."""

    code = "chunk_damaged"


class Unauthenticated(ReadingRoomError):
    """There is no valid identity behind the request."""

    status = 401
    code = "unauthenticated"


class TokenExpired(Unauthenticated):
    """The token was good and is past its end."""

    code = "token_expired"


class TicketExpired(Unauthenticated):
    """The download link was good and is past its end."""

    code = "ticket_expired"


class Forbidden(ReadingRoomError):
    """The identity is known and lacks the capability."""

    status = 403
    code = "forbidden"


class CrossSite(Forbidden):
    """Another site's page made a browser ask for a change."""

    code = "cross_site"


class NoClinic(Forbidden):
    """The identity has the capability and belongs to no clinic whose rows it could see."""

    code = "no_clinic"


class NotFound(ReadingRoomError):
    """Not there, or not yours: the two are never told apart."""

    status = 404
    code = "not_found"


class NoDicoms(NotFound):
    """The case is there and has no DICOM files."""

    code = "no_dicoms"


class NoThumbnail(NotFound):
    """The series is there and has nothing that can be shown as a picture."""

    code = "no_thumbnail"


class MethodNotAllowed(ReadingRoomError):
    """The address exists, the method does not."""

    status = 405
    code = "method_not_allowed"


class Conflict(ReadingRoomError):
    """The request is sound and does not fit the present state."""

    status = 409
    code = "conflict"


class CaseNumberTaken(Conflict):
    """Another case carries that number, or carried it before it was withdrawn."""

    code = "case_number_taken"


class CaseIdentifiable(Conflict):
    """Publishing would show headers that still identify a patient; an admin's explicit word is needed."""

    code = "case_identifiable"


class ImportRunning(Conflict):
    """That source is being imported at this moment."""

    code = "import_running"


class IndexRunning(Conflict):
    """That source is being indexed at this moment."""

    code = "index_running"


class SeriesChanged(Conflict):
    """The files of a series are no longer those that its manifest was made of; `detail` says the present version."""

    code = "series_changed"


class ShareNotReady(Conflict):
    """The link is good, and its de-identified copy is being made, or could not be."""

    code = "share_not_ready"


class ShareSpent(Conflict):
    """A download by a link that has none left was taken up again more often than a bad line asks for."""

    code = "share_spent"


class UploadLost(Conflict):
    """What came of an upload lies at another server, or is gone; a new one has to be begun."""

    code = "upload_lost"


class UploadClosed(Conflict):
    """The upload is complete, or was refused: it takes no more."""

    code = "upload_closed"


class UploadDiffers(Conflict):
    """Bytes that came before would be replaced by others: the file was changed, or two send to one upload."""

    code = "upload_differs"


class UploadIncomplete(Conflict):
    """Not all of an upload has come yet; `detail` says what is missing."""

    code = "upload_incomplete"


class PayloadTooLarge(ReadingRoomError):
    """The request body is larger than this route takes."""

    status = 413
    code = "payload_too_large"


class UnsupportedMedia(ReadingRoomError):
    """The file is of no type that is accepted, whatever its name says; `detail` lists the types that are."""

    status = 415
    code = "unsupported_media"


class RangeNotSatisfiable(ReadingRoomError):
    """The byte range lies outside the file (RFC 9110, section 15.5.17)."""

    status = 416
    code = "range_not_satisfiable"


class BrokenPicture(ReadingRoomError):
    """The file is of an accepted type, but damaged, not whole, or more than one thing at once."""

    status = 422
    code = "broken_picture"


class TooManyRequests(ReadingRoomError):
    """Too much at once; `retry_after` is in whole seconds."""

    status = 429
    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int, detail: object = None) -> None:
        super().__init__(message, detail=detail, headers={"Retry-After": str(retry_after)})
        self.retry_after = retry_after


class PicturesUnavailable(ReadingRoomError):
    """No picture can be made just now: no process can be started, or there is no room to write to."""

    status = 503
    code = "pictures_unavailable"


class UploadBusy(ReadingRoomError):
    """Another request works on the same upload; `retry_after` is in whole seconds."""

    status = 503
    code = "upload_busy"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})
        self.retry_after = retry_after


class DatabaseUnavailable(ReadingRoomError):
    """The database does not answer; `retry_after` is in whole seconds."""

    status = 503
    code = "database_unavailable"

    def __init__(self, message: str, *, retry_after: int = 10) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})
        self.retry_after = retry_after


class PacsError(ReadingRoomError):
    """Orthanc answered with an error of its own."""

    status = 502
    code = "pacs_error"


class PacsNotFound(PacsError):
    """Orthanc has no such resource."""

    status = 404
    code = "not_found"


class PacsUnreachable(PacsError):
    """Orthanc did not answer."""

    status = 503
    code = "pacs_unreachable"


class IssuerUnreachable(ReadingRoomError):
    """The issuer of an outside token does not say with which keys it signs."""

    status = 503
    code = "issuer_unreachable"


class ShareUnavailable(ReadingRoomError):
    """The link is good, and its series is not where it was."""

    status = 503
    code = "share_unavailable"


class StoredFileBroken(ReadingRoomError):
    """A stored file is missing, short, or no longer what was imported."""

    code = "stored_file_broken"


class StoredFileAway(StoredFileBroken):
    """The place where a stored file lies does not answer, or lets nobody in; trying again may help."""

    status = 503
    code = "stored_file_away"


class SettingsError(ReadingRoomError):
    """A setting is missing or makes no sense; the message names it."""

    code = "settings"


class ObjectError(ReadingRoomError):
    """A blob of ours could not be stored or read."""

    code = "object_error"


class BadKey(ObjectError):
    """A name that no stored object can have: a mistake of ours, or of whoever wrote the row."""

    code = "bad_key"


class ObjectNotFound(ObjectError):
    """No object has that key."""

    status = 404
    code = "not_found"


class ObjectExists(ObjectError):
    """The key holds other bytes already; they were left as they are."""

    status = 409
    code = "object_exists"


class ObjectIncomplete(ObjectError):
    """What came is not as long as was said, or has another hash; nothing of it was kept."""

    status = 400
    code = "object_incomplete"


class StorageUnavailable(ObjectError):
    """The store does not answer; `retry_after` is in whole seconds."""

    status = 503
    code = "storage_unavailable"

    def __init__(self, message: str, *, retry_after: int = 30, detail: object = None) -> None:
        super().__init__(message, detail=detail, headers={"Retry-After": str(retry_after)})
        self.retry_after = retry_after


class StorageRefused(StorageUnavailable):
    """The store does not accept us: key, bucket, rights or clock are wrong, and a person must mend it."""

    code = "storage_refused"


class StorageFull(StorageUnavailable):
    """There is no room for more (RFC 4918, section 11.5)."""

    status = 507
    code = "storage_full"


class SourceError(ReadingRoomError):
    """A file source failed; `error_type` and `suggestion` tell a person what to do."""

    status = 502
    code = "source_error"
    error_type = "system"

    def __init__(self, message: str, *, suggestion: str = "", path: str | None = None) -> None:
        super().__init__(message, detail={"errorType": self.error_type, "suggestion": suggestion, "path": path})
        self.suggestion = suggestion
        self.path = path


class SourceUnreachable(SourceError):
    """The line to the source is down; trying again may help."""

    status = 503
    code = "source_unreachable"
    error_type = "network"


class SourceRefused(SourceError):
    """The source does not accept us, or is not the host it should be."""

    code = "source_refused"
    error_type = "authentication"


class SourceNotFound(SourceError):
    """No such file or folder at the source."""

    status = 404
    code = "source_not_found"
    error_type = "filesystem"


class SourceForbidden(SourceError):
    """The source does not let this account read that path."""

    code = "source_forbidden"
    error_type = "filesystem"


class SourceChanged(SourceError):
    """A file was replaced, written to or cut short while it was read."""

    code = "source_changed"
    error_type = "filesystem"
