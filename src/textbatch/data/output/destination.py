"""Files on this machine or in an object store, for whom it makes no difference which."""

from __future__ import annotations

import tempfile
from pathlib import Path

from textbatch.data.output.parquet_file import check_output
from textbatch.data.storage.location import Location, RemotePath
from textbatch.data.storage.object_store import is_folder, look
from textbatch.data.storage.upload import check_uploads, upload
from textbatch.errors import storage_errors


def is_there(path: Location) -> bool:
    """Whether there is a file, or a directory on this machine.

    Raises:
        AccessError: It may not be looked at.
        TryAgainError: The store does not answer.
    """
    return look(path) is not None if isinstance(path, RemotePath) else path.exists()


def is_directory(path: Location) -> bool:
    """Whether there is a directory, or objects below the path.

    Raises:
        AccessError: It may not be looked at.
        TryAgainError: The store does not answer.
    """
    return is_folder(path) if isinstance(path, RemotePath) else path.is_dir()


def check_place(path: Location) -> None:
    """Check, before anything is computed, that a file may be made or replaced at a place.

    Raises:
        OutputError: It is a directory, or has none.
        AccessError: Its directory is not writable.
        UsageError: There is no library that writes to this store.
    """
    if isinstance(path, RemotePath):
        check_uploads(path)
    else:
        check_output(path, overwrite=True)


def upload_text(text: str, path: RemotePath) -> None:
    """Put a text into a store; names that are not UTF-8 become escapes.

    Raises:
        AccessError: The store does not allow it.
        TryAgainError: The store failed for too long.
        StorageError: There is no room for it on this machine.
    """
    with tempfile.TemporaryDirectory(prefix="textbatch-") as folder:
        local = Path(folder) / "text"
        with storage_errors(local, "cannot write"):
            local.write_text(text, encoding="utf-8", errors="backslashreplace")
        upload(local, path)
