"""An output of several parts, on this machine or in an object store."""

from __future__ import annotations

from textbatch.data.output.folder import OutputFolder
from textbatch.data.output.remote_folder import RemoteFolder
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.location import Location, local

Folder = OutputFolder | RemoteFolder


def folder_at(path: Location) -> Folder:
    """Open an output of several parts, to read it."""
    return RemoteFolder(path) if new_output(path).staged else OutputFolder(local(path))
