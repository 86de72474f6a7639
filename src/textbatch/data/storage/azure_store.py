"""Azure: found and listed through adlfs, read and written through the client that it holds.

adlfs takes no condition, and asks for no checksum.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from textbatch.data.storage.conditional_upload import MARK, ConditionError, Standing, upload_once
from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.fsspec_store import FsspecStore
from textbatch.data.storage.location import RemotePath
from textbatch.data.storage.object_store import ReadAt
from textbatch.data.storage.retry import deadline_seconds, request_seconds
from textbatch.errors import DataError

_Result = TypeVar("_Result")

AZURE_SCHEMES = ("abfs", "abfss", "az")
#: The store tells a checksum of at most 4 MiB; so many such pieces are under way at once.
_AT_ONCE = 4


class AzureStore(FsspecStore):
    """Objects of `abfs://`."""

    def reader(self, path: RemotePath, state: FileState) -> ReadAt:
        """Open an object. Each request asks for the version that was looked at, and its MD5."""
        from azure.core import MatchConditions
        from azure.core.exceptions import HttpResponseError, ResourceModifiedError

        condition: dict[str, Any] = {}
        if state.tag:
            condition = {
                "etag": f'"{state.tag}"',
                "match_condition": MatchConditions.IfNotModified,
            }

        def read(start: int, size: int) -> bytes:
            async def call(blob: Any) -> bytes:  # noqa: ANN401 - of Azure's library
                stream = await blob.download_blob(
                    offset=start,
                    length=size,
                    validate_content=True,
                    max_concurrency=_AT_ONCE,
                    **condition,
                    **_once(),
                )
                data: bytes = await stream.readall()
                return data

            try:
                return self._ask(path, call, size=size)
            except HttpResponseError as error:
                if isinstance(error, ResourceModifiedError) or error.status_code in (412, 416):
                    raise DataError(
                        f"{path} was replaced while it was read",
                        "write inputs under another name, then run again",
                    ) from error
                raise

        return read

    def put(
        self,
        local: Path,
        path: RemotePath,
        *,
        overwrite: bool,
        instead_of: FileState | None = None,
    ) -> None:
        """Upload a finished file. The store checks the MD5 of each piece before it takes it."""
        from azure.core import MatchConditions
        from azure.core.exceptions import (
            HttpResponseError,
            ResourceExistsError,
            ResourceModifiedError,
        )

        size = local.stat().st_size

        def upload(standing: Standing, mark: str) -> None:
            condition: dict[str, Any] = {"match_condition": MatchConditions.IfMissing}
            if standing.version:
                condition = {
                    "etag": standing.version,
                    "match_condition": MatchConditions.IfNotModified,
                }

            async def call(blob: Any) -> None:  # noqa: ANN401 - of Azure's library
                with local.open("rb") as file:
                    await blob.upload_blob(
                        file,
                        length=size,
                        overwrite=True,  # the condition says what may be replaced
                        validate_content=True,
                        metadata={"is_directory": "false", MARK: mark},
                        max_concurrency=_AT_ONCE,
                        **condition,
                        **_once(),
                    )

            try:
                self._ask(path, call, size=size)
            except (ResourceExistsError, ResourceModifiedError):
                raise ConditionError("another object stands there by now") from None
            except HttpResponseError as error:
                if "md5" in str(error).lower():
                    raise OSError("what arrived is not what was sent") from None
                raise

        def look() -> Standing:
            return self._ask(path, _standing)

        upload_once(
            local, path, overwrite=overwrite, instead_of=instead_of, look=look, upload=upload
        )

    def _ask(
        self,
        path: RemotePath,
        call: Callable[[Any], Coroutine[Any, Any, _Result]],
        *,
        size: int = 0,
    ) -> _Result:
        """Call the store. A call that takes too long is cancelled: it sends no further request."""
        import asyncio  # it takes a while, and most jobs have no store

        store = self._fsspec
        container, name, _ = store.split_path(path.address)

        async def opened() -> _Result:
            async with store.service_client.get_blob_client(container, name) as blob:
                return await call(blob)

        future = asyncio.run_coroutine_threadsafe(opened(), store.loop)
        try:
            # A little before the caller stops to wait.
            return future.result(0.9 * deadline_seconds(size))
        finally:
            future.cancel()


async def _standing(blob: Any) -> Standing:  # noqa: ANN401 - of Azure's library
    from azure.core.exceptions import ResourceNotFoundError

    try:
        found = await blob.get_blob_properties(**_once())
    except ResourceNotFoundError as error:
        if _code(error) == "ContainerNotFound":
            raise
        return Standing()
    return Standing(version=found.etag, mark=(found.metadata or {}).get(MARK, ""))


def _once() -> dict[str, Any]:
    """What each request takes: `retried` tries again."""
    seconds = request_seconds()
    return {
        "retry_total": 0,
        "connection_timeout": min(10.0, seconds),
        "read_timeout": seconds,
    }


def _code(error: Any) -> str:  # noqa: ANN401 - of Azure's library
    code = getattr(error, "error_code", "") or ""
    return str(getattr(code, "value", code))
