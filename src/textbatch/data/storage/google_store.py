"""Google Cloud Storage: read through pyarrow, written through gcsfs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from typing import Any

from textbatch.data.storage.files import FileState
from textbatch.data.storage.fsspec_store import FsspecStore
from textbatch.data.storage.location import RemotePath
from textbatch.data.storage.object_store import ReadAt
from textbatch.data.storage.retry import request_seconds


class GoogleStore(FsspecStore):
    """Objects of `gs://`."""

    def look(self, path: RemotePath) -> FileState | None:
        """Look an object up."""
        info = self._arrow.get_file_info(path.address)
        return _state(info) if info.is_file else None

    def has_below(self, path: RemotePath) -> bool:
        """Whether there are objects below a name."""
        return bool(self._arrow.get_file_info(path.address).type.name == "Directory")

    def below(self, path: RemotePath) -> Iterator[tuple[str, FileState]]:
        """Yield all objects below a name."""
        from pyarrow.fs import FileSelector

        selector = FileSelector(path.address, recursive=True, allow_not_found=True)
        for info in self._arrow.get_file_info(selector):
            if info.is_file:
                yield info.path.removeprefix(f"{path.bucket}/"), _state(info)

    def reader(self, path: RemotePath, state: FileState) -> ReadAt:
        """Open an object. No generation is asked for, so its state is compared at the end."""
        file = self._arrow.open_input_file(path.address)

        def read(start: int, size: int) -> bytes:
            data: bytes = file.read_at(size, start)
            return data

        return read

    @cached_property
    def _arrow(self) -> Any:  # noqa: ANN401 - Arrow has no types
        from pyarrow import fs

        # Google's own clients find an emulator by this variable. An emulator has no credentials.
        emulator = os.environ.get("STORAGE_EMULATOR_HOST") or ""
        scheme, _, host = emulator.rpartition("://")
        return fs.GcsFileSystem(
            anonymous=bool(emulator),
            scheme=scheme or "https",
            endpoint_override=host or None,
            # The default is a quarter of an hour, also for looking for credentials.
            retry_time_limit=timedelta(seconds=request_seconds()),
        )


def _state(info: Any) -> FileState:  # noqa: ANN401 - Arrow's FileInfo
    return FileState(size=info.size, modified=info.mtime_ns if info.mtime else 0, tag="")
