"""Which input it was, and which job: what resuming and skipping go by."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from textbatch.data.storage.location import Location, RemotePath
from textbatch.data.storage.object_store import existing
from textbatch.errors import DataError, TryAgainError, storage_errors

_EDGE_BYTES = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class InputIdentity:
    """A file at one moment.

    Attributes:
        path: As given.
        size: In bytes.
        modified: Time of the last change, nanoseconds.
        inode: Device and number, which change when another file is moved over it.
        edges: sha256 of the first and the last 64 KiB, where Parquet has its footer.
    """

    path: Location
    size: int
    modified: int
    inode: tuple[int, int]
    edges: str

    @classmethod
    def of(cls, path: Location) -> InputIdentity:
        """Look at a file. Of a remote one there are size and time alone.

        Raises:
            InputNotFoundError: There is none.
            StorageError: It cannot be read.
        """
        if isinstance(path, RemotePath):
            info = existing(path)
            moment = int(info.version or 0)
            return cls(path=path, size=info.size, modified=moment, inode=(0, 0), edges="")
        with storage_errors(path, "cannot read"):
            found = path.stat()
            digest = hashlib.sha256()
            if path.is_file():
                with path.open("rb") as file:
                    digest.update(file.read(_EDGE_BYTES))
                    file.seek(max(0, found.st_size - _EDGE_BYTES))
                    digest.update(file.read(_EDGE_BYTES))
        return cls(
            path=path,
            size=found.st_size,
            modified=found.st_mtime_ns,
            inode=(found.st_dev, found.st_ino),
            edges=digest.hexdigest(),
        )

    def check_unchanged(self) -> None:
        """Check that the file is still the one that was looked at.

        Raises:
            DataError: It was changed, replaced or removed meanwhile.
        """
        try:
            unchanged = InputIdentity.of(self.path) == self
        except TryAgainError:
            raise
        except Exception as error:
            raise self._changed() from error
        if not unchanged:
            raise self._changed()

    def _changed(self) -> DataError:
        return DataError(
            f"{self.path} changed while it was being read",
            "write inputs under another name and move them into place, then run again",
        )


def job_key(source: InputIdentity, fingerprint: str, options: Mapping[str, object]) -> str:
    """What makes two runs the same job: one key for one output.

    Args:
        source: The input.
        fingerprint: The bundle's.
        options: Those that change the output.

    Returns:
        A sha256, 64 characters.
    """
    job = {
        "input": [_name(source.path), source.size, source.modified, source.edges],
        "fingerprint": fingerprint,
        "options": {name: str(value) for name, value in options.items()},
    }
    return hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()


def _name(path: Location) -> str:
    return str(path) if isinstance(path, RemotePath) else os.path.realpath(path)
