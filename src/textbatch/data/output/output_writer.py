"""What writes one output: beside its final path, moved there in one step at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from textbatch.data.storage.atomic_file import AtomicFile, sync_directory, temporary_of
from textbatch.data.storage.file_io import new_output
from textbatch.errors import OutputError, storage_errors
from textbatch.failpoints import failpoint


class OutputWriter(ABC):
    """An output of any format that appears whole or not at all.

    Call `commit` at the end, or `abort` on any failure.

    Attributes:
        path: The final path.
        rows: Number of rows that were given to `write`.
        seal: The seal; empty before `commit`.
    """

    def __init__(self, path: Path, *, run_id: str, overwrite: bool) -> None:
        """Create the temporary file, so that it is known now whether it can be written.

        Args:
            path: The final path.
            run_id: Id of this run, for the name of the temporary file.
            overwrite: Whether an existing file may be replaced.

        Raises:
            OutputError: The output exists, or its directory does not.
            AccessError: The directory is not writable.
        """
        self.path = path
        self.rows = 0
        self.seal = ""
        self._overwrite = overwrite
        new_output(path).check(overwrite=overwrite)
        with storage_errors(path, "cannot create", missing=OutputError):
            self._file = AtomicFile(path, temporary=temporary_of(path, run_id))
        failpoint("output-created")

    @property
    def published(self) -> bool:
        """Whether it is at its final path. A power cut may still undo this."""
        return self._file.published

    @property
    def notes(self) -> list[str]:
        """What the user should know of the values that were written."""
        return []

    @abstractmethod
    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows.

        Raises:
            StorageError: The disk is full or failing.
        """

    def commit(self, metadata: Mapping[str, str], *, sync: bool = True) -> None:
        """Finish the file, check it, and move it to its final path.

        Args:
            metadata: What the output says about itself.
            sync: Whether to sync its directory. Without it the file is whole at its path, if it is
                there, but a power cut may still undo that; the caller syncs.

        Raises:
            StorageError: Writing failed, or the finished file does not hold what was written.
            OutputError: Another process has made the output in the meantime.
        """
        with storage_errors(self.path, "cannot write", missing=OutputError):
            self._finish(metadata)
            failpoint("output-sealed")
            self._file.sync()
            failpoint("output-synced")
            self._check()
            self._file.close()
            failpoint("output-checked")
            new_output(self.path).check(overwrite=self._overwrite)
            self._write_record()
            self._file.move_into_place()
            failpoint("output-published")
            if sync:
                sync_directory(self.path.parent)
            failpoint("directory-synced")

    @abstractmethod
    def abort(self) -> None:
        """Drop what was written. The old output stays as it was."""

    @abstractmethod
    def _finish(self, metadata: Mapping[str, str]) -> None:
        """Write what is left, and make the seal."""

    @abstractmethod
    def _check(self) -> None:
        """Check that the temporary file holds what was written."""

    def _write_record(self) -> None:  # noqa: B027 - most formats have no record
        """Write the file beside the output that tells about it, where the format needs one."""
