"""A bucket as a store: Amazon's S3, MinIO, or whatever else speaks the same protocol."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from readingroom.errors import ObjectError, ObjectExists, ObjectNotFound, StorageUnavailable
from readingroom.objects.incoming import Incoming, same_bytes
from readingroom.objects.keys import checked, checked_prefix, is_key, type_of
from readingroom.objects.s3_errors import NO_CONDITIONS, InS3Words, code_of, status_of
from readingroom.objects.s3_reading import S3Blob
from readingroom.objects.store import Backend, Put, Stat

PART = 8 << 20
"""Bytes of a part, and what a put holds in memory. S3 takes 5 MB at least and 10,000 parts: 80 GB an object."""

CONNECT_SECONDS, READ_SECONDS = 5, 30
"""A store in the same building connects in milliseconds, and answers a part of 8 MB in far less than half a minute."""

ATTEMPTS = 3
"""Of a request whose line was lost, or that the server was too busy to take; refusals are not tried again."""

PAGE = 1000
"""Objects told in one answer; S3 tells no more."""

CONNECTIONS = 32
"""Kept open at most: more threads than these wait for none, they open and close their own."""


@dataclass(frozen=True)
class Bucket:
    """Where a bucket is and who we are there. Empty: endpoint Amazon's own, keys from where boto3 finds them."""

    name: str
    region: str
    endpoint: str = ""
    access_key: str = ""
    secret_key: str = ""
    path_style: bool = True

    def __repr__(self) -> str:
        return f"<Bucket {self.name}>"


class S3Store:
    """Objects of one bucket. Threads may share it; each process needs its own."""

    name: Backend = "s3"

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket.name
        self._client: Any = boto3.session.Session().client(
            "s3",
            region_name=bucket.region,
            endpoint_url=bucket.endpoint or None,
            aws_access_key_id=bucket.access_key or None,
            aws_secret_access_key=bucket.secret_key or None,
            config=Config(
                signature_version="s3v4",
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                max_pool_connections=CONNECTIONS,
                tcp_keepalive=True,
                # The signature covers the bytes; the newer checksums are unknown to most servers that are not Amazon's.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={
                    "addressing_style": "path" if bucket.path_style else "virtual",
                    "payload_signing_enabled": True,
                },
            ),
        )

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        *,
        expected_size: int | None = None,
        expected_sha256: str | None = None,
        content_type: str = "",
    ) -> Put:
        """In one request where it is small, else in parts that become an object together or not at all."""
        checked(key)
        incoming = Incoming(expected_size, expected_sha256)
        parts = _parts(incoming.of(chunks))
        target = {"Bucket": self._bucket, "Key": key}
        typed = {**target, "ContentType": content_type or type_of(key)}
        try:
            first = next(parts)
            self._see_free(key, parts, incoming)
            self._send(target, typed, first, parts, incoming)
        except ObjectExists:
            # Told so too when the answer to our own request was lost and boto3 asked again.
            with self.open(key) as blob:
                if not same_bytes(incoming, blob.read_range()):
                    raise
        stat = self.stat(key)
        if stat is None or stat.size != incoming.size:
            raise StorageUnavailable("The S3 server did not keep what it accepted", detail={"key": key})
        return Put(incoming.size, incoming.sha256, stat.etag)

    @contextmanager
    def open(self, key: str) -> Iterator[S3Blob]:
        """Asks for size and etag; bytes come by one request a range."""
        answer = self._head(checked(key))
        if answer is None:
            self.check()
            raise ObjectNotFound("There is no such stored object", detail={"key": key})
        yield S3Blob(self._client, self._bucket, _stat_of(key, answer), answer.get("ContentType") or type_of(key))

    def stat(self, key: str) -> Stat | None:
        """Size, etag and time that the server knows."""
        answer = self._head(checked(key))
        if answer is None:
            self.check()  # a HEAD says 404 for a bucket that is not there, too
            return None
        return _stat_of(key, answer)

    def delete(self, key: str) -> None:
        """Where the bucket keeps versions, the older ones stay."""
        with InS3Words(checked(key)):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def walk(self, prefix: str = "") -> Iterator[Stat]:
        """By pages of a thousand."""
        prefix = checked_prefix(prefix)
        paginator = self._client.get_paginator("list_objects_v2")
        pages = iter(paginator.paginate(Bucket=self._bucket, Prefix=prefix, PaginationConfig={"PageSize": PAGE}))
        while True:
            with InS3Words(prefix):
                page = next(pages, None)
            if page is None:
                return
            for found in page.get("Contents", []):
                if is_key(found["Key"]):
                    yield Stat(found["Key"], found["Size"], _bare(found["ETag"]), found["LastModified"].astimezone(UTC))

    def check(self) -> None:
        """List one object: line, name, keys, clock and bucket are right then; the right to write shows at a put."""
        with InS3Words(""):
            self._client.list_objects_v2(Bucket=self._bucket, MaxKeys=1)

    def sweep_unfinished(self, begun_before: datetime) -> int:
        """Abort uploads in parts that were begun before; those of others in the same bucket are left alone."""
        swept = 0
        pages = iter(self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket))
        while True:
            with InS3Words(""):
                try:
                    page = next(pages, None)
                except ClientError as error:
                    if code_of(error) != "NoSuchUpload":  # rclone's word for "none at all"
                        raise
                    page = None
            if page is None:
                return swept
            for upload in page.get("Uploads", []):
                if is_key(upload["Key"]) and upload["Initiated"] < begun_before:
                    self._abort({"Bucket": self._bucket, "Key": upload["Key"]}, upload["UploadId"])
                    swept += 1

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _head(self, key: str) -> Any:
        """None where the object is not there, or its bucket."""
        try:
            with InS3Words(key):
                return self._client.head_object(Bucket=self._bucket, Key=key)
        except ObjectNotFound:
            return None
        except StorageUnavailable as error:
            # A HEAD's answer has no body: what else is asked says why it was refused.
            if isinstance(error.__cause__, ClientError) and status_of(error.__cause__) < 500:
                self.check()
            raise

    def _see_free(self, key: str, parts: Iterator[io.BytesIO], incoming: Incoming) -> None:
        """Raises ObjectExists, after all bytes came, when the key holds something.

        Asked beside If-None-Match, which not every server heeds.
        """
        if self._head(key) is not None:
            for _ in parts:
                pass
            incoming.complete()
            raise ObjectExists("Other bytes are stored under that key", detail={"key": key})

    def _send(
        self,
        target: dict[str, str],
        typed: dict[str, str],
        first: io.BytesIO,
        parts: Iterator[io.BytesIO],
        incoming: Incoming,
    ) -> None:
        if first.getbuffer().nbytes < PART:
            incoming.complete()
            self._once(self._client.put_object, **typed, Body=first)
            return
        with InS3Words(target["Key"]):
            upload = self._client.create_multipart_upload(**typed)["UploadId"]
        try:
            done: list[dict[str, object]] = []
            part: io.BytesIO | None = first
            while part is not None:
                number = len(done) + 1
                with InS3Words(target["Key"]):
                    answer = self._client.upload_part(**target, UploadId=upload, PartNumber=number, Body=part)
                done.append({"PartNumber": number, "ETag": answer["ETag"]})
                part = next(parts, None)
            incoming.complete()
            self._see_free(target["Key"], parts, incoming)
            self._complete(target, upload, done)
        except BaseException:
            # Whatever it was, also a thread that is told to end: nothing of it may stay to be paid for.
            with suppress(ObjectError):
                self._abort(target, upload)
            raise

    def _complete(self, target: dict[str, str], upload: str, parts: list[dict[str, object]]) -> None:
        try:
            whole = {"Parts": parts}
            self._once(self._client.complete_multipart_upload, **target, UploadId=upload, MultipartUpload=whole)
        except StorageUnavailable as error:
            # The answer was lost, boto3 asked again, and the upload had become an object meanwhile.
            if isinstance(error.__cause__, ClientError) and code_of(error.__cause__) == "NoSuchUpload":
                raise ObjectExists("Other bytes are stored under that key", detail={"key": target["Key"]}) from error
            raise

    def _once(self, ask: Any, **arguments: object) -> None:
        """Ask on condition that the key holds nothing; without it where the server knows no conditions."""
        with InS3Words(str(arguments["Key"])):
            try:
                ask(**arguments, IfNoneMatch="*")
            except ClientError as error:
                if code_of(error) not in NO_CONDITIONS:
                    raise
                ask(**arguments)

    def _abort(self, target: dict[str, str], upload: str) -> None:
        with InS3Words(target["Key"]):
            try:
                self._client.abort_multipart_upload(**target, UploadId=upload)
            except ClientError as error:
                if code_of(error) != "NoSuchUpload":
                    raise


def _parts(chunks: Iterator[bytes]) -> Iterator[io.BytesIO]:
    """The chunks as parts of PART bytes, the last of what is left; at least one, perhaps empty.

    Each is good until the next is asked for: they are one buffer, so that a put holds one part and no copy.
    """
    buffer = io.BytesIO()
    some = False
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            view = view[buffer.write(view[: PART - buffer.tell()]) :]
            if buffer.tell() == PART:
                buffer.seek(0)
                yield buffer
                some = True
                buffer.seek(0)
                buffer.truncate()
    if buffer.tell() or not some:
        buffer.seek(0)
        yield buffer


def _stat_of(key: str, answer: Any) -> Stat:
    return Stat(key, answer["ContentLength"], _bare(answer["ETag"]), answer["LastModified"].astimezone(UTC))


def _bare(etag: str) -> str:
    return etag.strip('"')
