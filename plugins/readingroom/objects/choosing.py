"""Picks the store that the settings name; boto3 is loaded only where S3 is one of them (a third of a second, 40 MB)."""

from __future__ import annotations

from readingroom.errors import SettingsError
from readingroom.objects.nfs import NfsStore
from readingroom.objects.store import Backend, ObjectStore
from readingroom.settings import Settings


def from_settings(settings: Settings, backend: Backend | None = None) -> ObjectStore:
    """The configured store, or (to move from one to the other) the one of that kind.

    Nothing is asked of it yet: an instance starts while its store is away. Raises SettingsError.
    """
    if (backend or settings.imaging_backend) == "s3":
        return _bucket(settings)
    return NfsStore(settings.imaging_nfs_base or settings.data / "imaging", settings.data)


def _bucket(settings: Settings) -> ObjectStore:
    from readingroom.objects.s3 import Bucket, S3Store  # noqa: PLC0415  # only here: see the first line

    access, secret = (
        key.get_secret_value() for key in (settings.imaging_s3_access_key, settings.imaging_s3_secret_key)
    )
    if not settings.imaging_s3_bucket:
        raise SettingsError("IMAGING_S3_BUCKET is not set: S3 has no bucket to use")
    if bool(access) != bool(secret):
        missing = "IMAGING_S3_SECRET_ACCESS_KEY" if access else "IMAGING_S3_ACCESS_KEY_ID"
        raise SettingsError(f"{missing} is not set; set both keys, or neither where the machine has a role of its own")
    try:
        return S3Store(
            Bucket(
                settings.imaging_s3_bucket, settings.imaging_s3_region, settings.imaging_s3_endpoint,
                access, secret, settings.imaging_s3_path_style,
            )
        )  # fmt: skip
    except ValueError as error:  # botocore's word for an endpoint that is no address
        raise SettingsError(f"IMAGING_S3_ENDPOINT makes no sense: {error}") from None
