"""Files, wherever they are.

    new_input(place)      → InputFile    look at it, open it
    new_output(place)     → OutputFile   check the place, put a finished file there
    file_io_of(place)     → FileIO       list a folder, match a pattern

No code outside this package asks whether a place is on this machine or in a store.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from textbatch.data.storage.azure_store import AZURE_SCHEMES, AzureStore
from textbatch.data.storage.files import FileIO, InputFile, OutputFile
from textbatch.data.storage.foreign_settings import check_files_of_settings
from textbatch.data.storage.fsspec_store import FsspecStore
from textbatch.data.storage.google_store import GoogleStore
from textbatch.data.storage.hub_store import HubStore
from textbatch.data.storage.local import LocalFileIO
from textbatch.data.storage.location import Location, RemotePath
from textbatch.data.storage.remote import RemoteFileIO
from textbatch.data.storage.s3_store import S3Store


def file_io_of(location: Location) -> FileIO[Any]:
    """Choose who reads and writes a place, by its scheme."""
    return _file_io(location.scheme if isinstance(location, RemotePath) else "file")


@cache
def _file_io(scheme: str) -> FileIO[Any]:
    if scheme == "file":
        return LocalFileIO()
    check_files_of_settings()
    if scheme in ("s3", "s3a"):
        return RemoteFileIO(S3Store())
    if scheme in ("gs", "gcs"):
        return RemoteFileIO(GoogleStore())
    if scheme in AZURE_SCHEMES:
        return RemoteFileIO(AzureStore(scheme))
    if scheme == "hf":
        return RemoteFileIO(HubStore(scheme))
    return RemoteFileIO(FsspecStore(scheme))


def new_input(location: Location) -> InputFile:
    """A file to be read, wherever it is."""
    return file_io_of(location).new_input(location)


def new_output(location: Location) -> OutputFile:
    """A place for a file, wherever it is."""
    return file_io_of(location).new_output(location)


def is_folder(location: Location) -> bool:
    """Whether there is a folder, or objects below the name.

    Raises:
        AccessError: Looking is not allowed.
        TryAgainError: The store does not answer.
    """
    return file_io_of(location).is_folder(location)


def is_pattern(location: Location) -> bool:
    """Whether a name is a glob, and not the name of a file."""
    return file_io_of(location).is_pattern(location)


def exists(location: Location) -> bool:
    """Whether there is a file, or a folder of this machine."""
    return file_io_of(location).new_output(location).exists()
