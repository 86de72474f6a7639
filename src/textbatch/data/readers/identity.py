"""Identifies an input and a job. Resuming and skipping depend on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from textbatch.data.readers.shard_file import ShardFile
from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.files import InputFile
from textbatch.errors import DataError, InputNotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class InputMark:
    """What an output remembers of its input, to recognise it where size and time are the same.

    Attributes:
        tag: The tag of its state.
        content: A hash of its content. It decides if the tag is another one: a file that was copied
            or restored with its old time has another inode.
    """

    tag: str = ""
    content: str = ""

    @classmethod
    def of(cls, file: InputFile, state: FileState) -> InputMark:
        """Make the mark of a file. It is read once more, where it is on this machine.

        Args:
            file: The file.
            state: Its state when it was looked at.

        Raises:
            StorageError: It cannot be read.
        """
        # The tag is that of this machine, and a shard's part has the same bytes from each machine.
        tag = "" if isinstance(file, ShardFile) else state.tag
        return cls(tag=tag, content=file.content_hash())

    def fits(self, file: InputFile, state: FileState) -> bool:
        """Whether a file has the same content.

        Args:
            file: The file.
            state: Its state now.

        Raises:
            StorageError: It cannot be read.
        """
        return self.tag == state.tag or self.content == file.content_hash()


@dataclass(frozen=True, slots=True, kw_only=True)
class InputIdentity:
    """A file at one moment.

    Attributes:
        file: The file.
        state: Size, time of the last change, and a tag that changes when it is replaced.
        fingerprint: A text that identifies its content, as far as this is cheap.
    """

    file: InputFile
    state: FileState
    fingerprint: str

    @classmethod
    def of(cls, file: InputFile) -> InputIdentity:
        """Look at a file.

        Raises:
            InputNotFoundError: There is no such file.
            StorageError: It cannot be read.
        """
        return cls(file=file, state=file.look(), fingerprint=file.fingerprint())

    def check_unchanged(self) -> None:
        """Check that the file is still the one that was looked at.

        Raises:
            DataError: It was changed, replaced or removed in the meantime.
            AccessError: Looking is not allowed any more.
            StorageError: Looking fails.
            TryAgainError: The store does not answer.
        """
        try:
            unchanged = self.file.look().is_same(self.state)
            unchanged = unchanged and self.file.fingerprint() == self.fingerprint
        except InputNotFoundError as error:
            raise self._changed() from error
        if not unchanged:
            raise self._changed()

    def mark(self) -> InputMark:
        """What the output remembers of it. A file on this machine is read once more for that.

        Raises:
            DataError: It is not there any more.
            StorageError: It cannot be read.
        """
        try:
            return InputMark.of(self.file, self.state)
        except InputNotFoundError as error:
            raise self._changed() from error

    def fits(self, mark: InputMark) -> bool:
        """Whether an output with this mark was made from the same content."""
        return mark.fits(self.file, self.state)

    def _changed(self) -> DataError:
        return DataError(
            f"{self.file} changed while it was being read",
            "write inputs under another name and move them into place, then run again",
        )


def job_key(source: InputIdentity, fingerprint: str, options: Mapping[str, object]) -> str:
    """Make the key of a job. Two runs with the same key make the same output.

    Args:
        source: The input.
        fingerprint: Fingerprint of the bundle.
        options: The options that change the output.

    Returns:
        A sha256, 64 characters.
    """
    job = {
        "input": [
            source.file.canonical,
            source.state.size,
            source.state.modified,
            source.fingerprint,
        ],
        "fingerprint": fingerprint,
        "options": {name: str(value) for name, value in options.items()},
    }
    return hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()
