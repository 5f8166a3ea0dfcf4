"""What an S3 server, or the line to it, says, in the words of errors.py.

Messages name the setting to look at, never its value: they are shown at /health.
"""

from __future__ import annotations

from types import TracebackType

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSLError,
)
from urllib3.exceptions import HTTPError

from readingroom.errors import (
    ObjectError,
    ObjectExists,
    ObjectNotFound,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
)

MISSING = {"NoSuchKey", "NotFound", "404"}
EXISTS = {"PreconditionFailed", "412", "ConditionalRequestConflict"}
NO_CONDITIONS = {"NotImplemented", "501"}
"""A server that does not know If-None-Match may say so."""

_NO_KEYS = "No access key is set; look at IMAGING_S3_ACCESS_KEY_ID and IMAGING_S3_SECRET_ACCESS_KEY"
_CLOCK = "This machine's clock and the S3 server's differ by more than S3 allows (15 minutes); set the clock"
_REGION = "The bucket is in another region; look at IMAGING_S3_REGION"

_SAID = {
    "NoSuchBucket": "The bucket is not there; create it, or look at IMAGING_S3_BUCKET",
    "InvalidBucketName": "No bucket can have that name; look at IMAGING_S3_BUCKET",
    "InvalidAccessKeyId": "The S3 server does not know the access key; look at IMAGING_S3_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "The S3 server refuses the secret key; look at IMAGING_S3_SECRET_ACCESS_KEY",
    "ExpiredToken": "The access key has expired; look at IMAGING_S3_ACCESS_KEY_ID",
    "AccessDenied": "The access key may not do this in the bucket; give it the right to list, read, write and delete",
    "AllAccessDisabled": "The S3 server has closed the bucket",
    "RequestTimeTooSkewed": _CLOCK,
    "RequestExpired": _CLOCK,
    "AuthorizationHeaderMalformed": _REGION,
    "PermanentRedirect": _REGION,
    "IllegalLocationConstraintException": _REGION,
}

_FULL = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "EntityTooLargeQuota", "507"}


class InS3Words:
    """A block whose boto3 errors leave it as errors of ours."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, (BotoCoreError, ClientError, HTTPError)):
            raise told(error, self._key) from error


def code_of(error: ClientError) -> str:
    """S3's own code; the HTTP status where an answer had no body (HEAD)."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    """The answer's HTTP status."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def told(error: BotoCoreError | ClientError | HTTPError, key: str = "") -> ObjectError:
    """The error of ours that this one is."""
    detail = {"key": key} if key else None
    if isinstance(error, ClientError):
        return _answered(error, detail)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)):
        return StorageRefused(_NO_KEYS, retry_after=300, detail=detail)
    if isinstance(error, SSLError):
        return StorageRefused(
            "The S3 server's certificate is not trusted; look at IMAGING_S3_ENDPOINT", retry_after=300, detail=detail
        )
    return StorageUnavailable("The S3 server does not answer; look at IMAGING_S3_ENDPOINT", detail=detail)


def _answered(error: ClientError, detail: object) -> ObjectError:
    code, status = code_of(error), status_of(error)
    if code in MISSING:
        return ObjectNotFound("There is no such stored object", detail=detail)
    if code in EXISTS:
        return ObjectExists("Other bytes are stored under that key", detail=detail)
    if code in _FULL or status == 507:
        return StorageFull("There is no room left where pictures are stored", retry_after=600, detail=detail)
    if code in _SAID:
        return StorageRefused(_SAID[code], retry_after=300, detail=detail)
    if status in (401, 403):
        return StorageRefused(f"The S3 server refuses us ({code})", retry_after=300, detail=detail)
    return StorageUnavailable(f"The S3 server answers with an error ({code or status})", detail=detail)
