"""One upload to S3: the object appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from textbatch.data.storage.failures import code_of
from textbatch.data.storage.file_state import FileState, replaced_meanwhile
from textbatch.data.storage.location import RemotePath
from textbatch.data.storage.retry import request_seconds, retried
from textbatch.errors import OutputError, TextbatchError, UsageError

#: Larger files are uploaded in parts of at least this size. S3 allows 10,000 parts.
PART_BYTES, _MAX_PARTS = 16 << 20, 9_000


class S3Upload:
    """One upload. A large file is a multipart upload, completed last and aborted on any failure.

    Args:
        local: The finished file.
        path: Where it goes.
        overwrite: Whether it may replace another object.
        instead_of: The one object that it may replace; None for any.
    """

    def __init__(
        self,
        local: Path,
        path: RemotePath,
        *,
        overwrite: bool,
        instead_of: FileState | None = None,
    ) -> None:
        self._local, self._path = local, path
        self._target = {"Bucket": path.bucket, "Key": path.key}
        self._condition = {} if overwrite else {"IfNoneMatch": "*"}
        if instead_of:
            self._condition = {"IfMatch": instead_of.tag}
        self._replaces = bool(instead_of)
        self._size = local.stat().st_size
        self._creations = 0
        # By this mark we recognise our own object, if the answer of the store was lost.
        self._mark = {"textbatch-upload": os.urandom(8).hex()}

    def run(self) -> None:
        """Upload it.

        Raises:
            OutputError: There is an object, and it must not be replaced.
            AccessError: The store does not allow it.
            TryAgainError: The store failed for too long.
        """
        if self._size <= PART_BYTES:
            self._call(self._put, size=self._size)
        else:
            self._multipart()

    def _put(self) -> None:
        with self._local.open("rb") as body:
            client().put_object(Body=body, Metadata=self._mark, **self._target, **self._condition)

    def _multipart(self) -> None:
        # If this run dies or the store stays down, a later run sees that an upload is left over.
        marker = self._local.with_name(f".{self._local.name}.uploading")
        left_over = marker.exists()
        marker.touch()
        if left_over:
            self._abort_all()
        try:
            upload_id = self._call(self._create)
            parts = [
                self._call(partial(self._part, upload_id, number, start, count), size=count)
                for number, (start, count) in enumerate(self._pieces(), 1)
            ]
            self._call(lambda: self._complete(upload_id, parts))
        except BaseException:
            with contextlib.suppress(TextbatchError):
                self._abort_all()
                marker.unlink()
            raise
        if self._creations > 1:  # an answer was lost, and with it the id of an upload
            self._abort_all()
        marker.unlink()

    def _create(self) -> str:
        self._creations += 1
        answer = client().create_multipart_upload(Metadata=self._mark, **self._target)
        return str(answer["UploadId"])

    def _part(self, upload_id: str, number: int, start: int, count: int) -> dict[str, Any]:
        with self._local.open("rb") as file:
            file.seek(start)
            body = file.read(count)
        answer = client().upload_part(
            UploadId=upload_id, PartNumber=number, Body=body, **self._target
        )
        # boto3 sends a checksum with each part. With these the store checks the whole once more.
        told = {name: answer[name] for name in ("ETag", "ChecksumCRC32") if name in answer}
        return {**told, "PartNumber": number}

    def _complete(self, upload_id: str, parts: list[dict[str, Any]]) -> None:
        client().complete_multipart_upload(
            UploadId=upload_id, MultipartUpload={"Parts": parts}, **self._target, **self._condition
        )

    def _pieces(self) -> Iterator[tuple[int, int]]:
        size = max(PART_BYTES, -(-self._size // _MAX_PARTS))
        for start in range(0, self._size, size):
            yield start, min(size, self._size - start)

    def _abort_all(self) -> None:
        """Abort all uploads to this key. Only this job may write it."""

        def call() -> None:
            bucket, key = self._target["Bucket"], self._target["Key"]
            pages = client().get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=bucket, Prefix=key):
                for found in page.get("Uploads", ()):
                    if found["Key"] == key:
                        client().abort_multipart_upload(UploadId=found["UploadId"], **self._target)

        retried(call, self._path, "cannot abort the upload of")

    def _call(self, call: Any, *, size: int = 0) -> Any:  # noqa: ANN401 - botocore has no types
        """Call the store. If an answer was lost, its effect counts."""
        from botocore.exceptions import ClientError

        def once() -> Any:  # noqa: ANN401 - botocore has no types
            try:
                return call()
            except ClientError as error:
                code = code_of(error)
                if code in ("PreconditionFailed", "NoSuchUpload") and self._is_ours():
                    return None
                if self._replaces and code in ("PreconditionFailed", "NoSuchKey", "404"):
                    raise replaced_meanwhile(self._path) from error
                if code == "PreconditionFailed":
                    raise OutputError(
                        f"{self._path} exists", "add --overwrite to replace it"
                    ) from error
                raise

        return retried(once, self._path, "cannot write", size=size)

    def _is_ours(self) -> bool:
        from botocore.exceptions import ClientError

        try:
            found = client().head_object(**self._target)
        except ClientError:
            return False
        return bool(found.get("Metadata", {}) == self._mark)


@cache
def client() -> Any:  # noqa: ANN401 - botocore has no types
    """The client of this process, which has its connections."""
    import boto3
    from botocore.config import Config

    timeout = request_seconds()
    config = Config(
        connect_timeout=min(10.0, timeout),
        read_timeout=timeout,
        retries={"total_max_attempts": 1, "mode": "standard"},  # `retried` tries again
    )
    # boto3 reads only the second variable.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    try:
        return boto3.client("s3", config=config, region_name=region or None)
    except ValueError as error:
        raise UsageError(
            "AWS_ENDPOINT_URL names no server", "give its address, such as http://host:9000"
        ) from error
