"""Google Cloud Storage, through Google's own client.

It takes a generation as a condition of each request, and checks crc32c both ways. Arrow's file
system and gcsfs do neither.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from textbatch.data.storage.checksums import Checksum, Summing
from textbatch.data.storage.conditional_upload import MARK, ConditionError, Standing, upload_once
from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.location import RemotePath
from textbatch.data.storage.object_store import ObjectStore, ReadAt
from textbatch.data.storage.retry import request_seconds
from textbatch.errors import DataError, storage_errors

#: Larger files are uploaded in pieces of this size, in bytes: a multiple of 256 KiB.
PIECE_BYTES = 16 << 20


class GoogleStore(ObjectStore):
    """Objects of `gs://`."""

    def look(self, path: RemotePath) -> FileState | None:
        """Look an object up."""
        found = self._blob(path) if path.key else None
        return _state(found) if found else None

    def has_below(self, path: RemotePath) -> bool:
        """Whether there are objects below a name, and none with exactly this name."""
        from google.api_core.exceptions import NotFound

        try:
            found = list(self._listed(path, max_results=1))
        except NotFound:
            return False
        return bool(found) and self.look(path) is None

    def below(self, path: RemotePath) -> Iterator[tuple[str, FileState]]:
        """Yield all objects below a name."""
        for found in self._listed(path):
            yield found.name, _state(found)

    def reader(self, path: RemotePath, state: FileState) -> ReadAt:
        """Open an object. Each request asks for the generation that was looked at."""
        from google.api_core.exceptions import PreconditionFailed, RequestRangeNotSatisfiable
        from google.cloud.storage import Blob

        bucket = self._client.bucket(path.bucket)

        def read(start: int, size: int) -> bytes:
            whole = size == state.size
            blob = Blob(path.key, bucket)
            try:
                data: bytes = blob.download_as_bytes(
                    start=None if whole else start,
                    end=None if whole else start + size - 1,
                    raw_download=True,  # as it is stored, also with an encoding of the content
                    if_generation_match=int(state.tag) if state.tag else None,
                    checksum="crc32c" if whole else None,
                    **self._once,
                )
            except (PreconditionFailed, RequestRangeNotSatisfiable) as error:
                raise DataError(
                    f"{path} was replaced while it was read",
                    "write inputs under another name, then run again",
                ) from error
            if whole and len(data) != size:
                raise OSError("an answer of another length than the object")
            return data

        return read

    def checksum(self, path: RemotePath, state: FileState) -> Checksum | None:
        """The crc32c of an object."""
        found = self._blob(path)
        if not found or not found.crc32c or not _state(found).is_same(state):
            return None
        return Checksum(_crc32c, base64.b64decode(found.crc32c))

    def put(
        self,
        local: Path,
        path: RemotePath,
        *,
        overwrite: bool,
        instead_of: FileState | None = None,
    ) -> None:
        """Upload a finished file. The store checks its crc32c before it takes it."""
        with storage_errors(local, "cannot read"):
            checksum = _crc32c_of(local)

        def look() -> Standing:
            if not (found := self._blob(path)):
                return Standing()
            mark = (found.metadata or {}).get(MARK, "")
            return Standing(version=str(found.generation), mark=mark)

        def upload(standing: Standing, mark: str) -> None:
            from google.api_core.exceptions import BadRequest, PreconditionFailed

            blob = self._client.bucket(path.bucket).blob(path.key, chunk_size=PIECE_BYTES)
            blob.metadata, blob.crc32c = {MARK: mark}, checksum
            generation = int(standing.version or 0)  # 0: nothing stands there
            try:
                blob.upload_from_filename(
                    str(local), if_generation_match=generation, checksum="crc32c", **self._once
                )
            except PreconditionFailed:
                raise ConditionError("another object stands there by now") from None
            except BadRequest as error:
                if "crc32c" in str(error).lower():
                    raise OSError("what arrived is not what was sent") from None
                raise

        upload_once(
            local, path, overwrite=overwrite, instead_of=instead_of, look=look, upload=upload
        )

    def remove(self, path: RemotePath) -> None:
        """Remove an object, if it is there."""
        from google.api_core.exceptions import NotFound

        try:
            self._client.bucket(path.bucket).blob(path.key).delete(**self._once)
        except NotFound:
            return

    def probe(self, path: RemotePath) -> bool:
        """False: Google's roles for objects do not allow a look at the bucket."""
        return False

    def check_writable(self) -> None:
        """Check that there is a library to write with."""
        self._client  # noqa: B018

    def _blob(self, path: RemotePath) -> Any:  # noqa: ANN401 - Google's client has no types
        return self._client.bucket(path.bucket).get_blob(path.key, **self._once)

    def _listed(self, path: RemotePath, **limits: int) -> Any:  # noqa: ANN401
        return self._client.list_blobs(path.bucket, prefix=path.prefix, **limits, **self._once)

    @property
    def _once(self) -> dict[str, Any]:
        """What each request takes: `retried` tries again."""
        seconds = request_seconds()
        return {"timeout": (min(10.0, seconds), seconds), "retry": None}

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - Google's client has no types
        # Its telemetry alone asks for the bucket, and needs a right of its own for that.
        os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        from google.cloud.storage import Client

        # No request needs a project. The client finds an emulator by STORAGE_EMULATOR_HOST.
        return Client(project=None)


def _crc32c() -> Summing:
    from google_crc32c import Checksum as Crc32c

    begun: Summing = Crc32c()  # type: ignore[no-untyped-call]
    return begun


def _crc32c_of(local: Path) -> str:
    total = _crc32c()
    with local.open("rb") as file:
        while piece := file.read(1 << 20):
            total.update(piece)
    return base64.b64encode(total.digest()).decode("ascii")


def _state(blob: Any) -> FileState:  # noqa: ANN401 - Google's client has no types
    moment = blob.updated
    nanoseconds = round(moment.timestamp() * 1e6) * 1000 if moment else 0
    return FileState(size=blob.size, modified=nanoseconds, tag=str(blob.generation or ""))
