"""What is told of the files of a job: with their names, equal notes once, and not without end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

_TOLD_NOTES = 20


@dataclass(slots=True)
class FileNotes:
    """Notes about files, in the order in which they came.

    Attributes:
        files: Of each different note, the first file and the number of files.
        untold: How many other notes there are: only so many are told.
    """

    files: dict[str, tuple[object, int]] = field(default_factory=dict)
    untold: int = 0

    def add(self, file: object, notes: Iterable[str]) -> None:
        """Add the notes of a file.

        Args:
            file: Its name.
            notes: What is told of it.
        """
        for note in notes:
            if note not in self.files and len(self.files) >= _TOLD_NOTES:
                self.untold += 1
                continue
            first, count = self.files.get(note, (file, 0))
            self.files[note] = (first, count + 1)

    def told(self) -> list[str]:
        """The notes for the report."""
        told = []
        for note, (first, count) in self.files.items():
            others = f" and {count - 1:,} more" if count > 1 else ""
            told.append(f"{first}{others}: {note}")
        return told + ([f"{self.untold:,} more notes on files"] if self.untold else [])
