"""What a file was like when it was looked at."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.data.storage.location import Location
from textbatch.errors import TryAgainError


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A file at one moment.

    Attributes:
        size: Size in bytes.
        modified: Time of the last change, in nanoseconds; 0 if it is not known.
        tag: A text that changes with the content, even if the time does not: an ETag or a
            generation; on this machine device, inode and the time at which the inode changed.
    """

    size: int
    modified: int
    tag: str

    def is_same(self, other: FileState) -> bool:
        """Whether another look has found the same content, as far as the store tells."""
        if self.tag and other.tag:
            return (self.size, self.tag) == (other.size, other.tag)
        return (self.size, self.modified) == (other.size, other.modified)

    @property
    def version(self) -> str:
        """The version of the file in the manifests of outputs. It changes with the file."""
        return str(self.modified) if self.modified else self.tag


def check_unreplaced(location: Location, seen: FileState | None, now: FileState | None) -> None:
    """Check that a file is the one that was looked at.

    Args:
        location: The file.
        seen: What was found then; None for nothing.
        now: What is found now; None for nothing.

    Raises:
        TryAgainError: It is another one.
    """
    same = seen is now if seen is None or now is None else seen.is_same(now)
    if not same:
        raise replaced_meanwhile(location)


def replaced_meanwhile(location: Location) -> TryAgainError:
    """The error for a file that another run has written since it was looked at."""
    return TryAgainError(f"another run has written {location} meanwhile", "run again")
