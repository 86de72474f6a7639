"""Amazon S3, and stores with its protocol, through boto3.

Arrow's file system for S3 takes no condition on a read. It also takes an answer that was cut off,
and has no length, for a whole one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from textbatch.data.storage.checksums import Checksum
from textbatch.data.storage.failures import code_of
from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.location import RemotePath
from textbatch.data.storage.object_store import ObjectStore, ReadAt, no_bucket
from textbatch.data.storage.s3_checksums import s3_checksum
from textbatch.data.storage.s3_upload import S3Upload, client
from textbatch.errors import DataError, storage_errors

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_ABSENT = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")


class S3Store(ObjectStore):
    """Objects of `s3://`."""

    def look(self, path: RemotePath) -> FileState | None:
        """Look an object up."""
        from botocore.exceptions import ClientError

        if not path.key:
            return None
        try:
            found = client().head_object(Bucket=path.bucket, Key=path.key)
        except ClientError as error:
            if code_of(error) in _ABSENT:
                return None
            raise
        return _state(found["ContentLength"], found.get("LastModified"), found.get("ETag"))

    def has_below(self, path: RemotePath) -> bool:
        """Whether there are objects below a name, and none with exactly this name."""
        from botocore.exceptions import ClientError

        try:
            found = client().list_objects_v2(Bucket=path.bucket, Prefix=path.prefix, MaxKeys=1)
        except ClientError as error:
            if code_of(error) in _ABSENT:
                return False
            raise
        return bool(found.get("Contents")) and self.look(path) is None

    def below(self, path: RemotePath) -> Iterator[tuple[str, FileState]]:
        """Yield all objects below a name."""
        pages = client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=path.bucket, Prefix=path.prefix):
            for found in page.get("Contents", ()):
                state = _state(found["Size"], found.get("LastModified"), found.get("ETag"))
                yield found["Key"], state

    def reader(self, path: RemotePath, state: FileState) -> ReadAt:
        """Open an object. Each request asks for the version that was looked at."""
        from botocore.exceptions import ClientError

        condition = {"IfMatch": state.tag} if state.tag else {}

        def read(start: int, size: int) -> bytes:
            whole = size == state.size
            if whole:
                wanted = {"ChecksumMode": "ENABLED"}
            else:
                wanted = {"Range": f"bytes={start}-{start + size - 1}"}
            try:
                answer = client().get_object(
                    Bucket=path.bucket, Key=path.key, **wanted, **condition
                )
            except ClientError as error:
                if code_of(error) in ("PreconditionFailed", "412", "InvalidRange", "416"):
                    raise DataError(
                        f"{path} was replaced while it was read",
                        "write inputs under another name, then run again",
                    ) from error
                raise
            data: bytes = answer["Body"].read()
            told = answer.get("ContentRange") or ""
            return _whole(data, size) if whole and not told else _checked(data, start, told)

        return read

    def checksum(self, path: RemotePath, state: FileState) -> Checksum | None:
        """The checksum that an object was uploaded with, or that S3 has computed."""
        from botocore.exceptions import ClientError

        condition = {"IfMatch": state.tag} if state.tag else {}
        try:
            found = client().head_object(
                Bucket=path.bucket, Key=path.key, ChecksumMode="ENABLED", **condition
            )
        except ClientError as error:
            # Of another version there is none. Some stores do not know the question.
            if error.response["ResponseMetadata"].get("HTTPStatusCode") in (400, 412, 501):
                return None
            raise
        return s3_checksum(found)

    def put(
        self,
        local: Path,
        path: RemotePath,
        *,
        overwrite: bool,
        instead_of: FileState | None = None,
    ) -> None:
        """Upload a finished file; see `S3Upload`."""
        with storage_errors(local, "cannot read"):
            S3Upload(local, path, overwrite=overwrite, instead_of=instead_of).run()

    def remove(self, path: RemotePath) -> None:
        """Remove an object, if it is there."""
        client().delete_object(Bucket=path.bucket, Key=path.key)

    def probe(self, path: RemotePath) -> bool:
        """Begin an upload, and abort it: a store asks for the same permission as for writing."""
        from botocore.exceptions import ClientError

        target = {"Bucket": path.bucket, "Key": path.key}
        try:
            begun = client().create_multipart_upload(**target)
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":
                raise no_bucket(path) from error
            raise
        client().abort_multipart_upload(UploadId=begun["UploadId"], **target)
        return True

    def check_writable(self) -> None:
        """Check that there is a library to write with."""
        client()


def _state(size: int, modified: datetime | None, tag: str | None) -> FileState:
    # Whole seconds, because some stores have more digits in a listing than for a single object.
    seconds = int(modified.timestamp()) if modified else 0
    return FileState(size=size, modified=seconds * 1_000_000_000, tag=tag or "")


def _whole(data: bytes, size: int) -> bytes:
    """Check that an answer holds all of an object, whose checksum boto3 has checked."""
    if len(data) != size:
        raise OSError("an answer of another length than the object")
    return data


def _checked(data: bytes, start: int, told: str) -> bytes:
    """Check that an answer holds the range that its header says."""
    found = _RANGE.fullmatch(told)
    if not found or int(found[1]) != start or int(found[2]) - start + 1 != len(data):
        raise OSError("an answer of another length than it tells")
    return data
