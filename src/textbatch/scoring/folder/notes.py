"""What is told of the files of a job: with their names, equal notes once, and not without end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

_TOLD_NOTES = 20
#: More different ones are only counted: each may be long.
_KEPT_NOTES = 1000


@dataclass(slots=True)
class FileNotes:
    """Notes about files. They are told by the files' names, whichever file was done first.

    Attributes:
        files: Of each different note, the first file by name, its place among the notes of this
            file, and the number of files.
        untold: How many notes there are beside those.
    """

    files: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    untold: int = 0

    def add(self, file: object, notes: Iterable[str]) -> None:
        """Add the notes of a file.

        Args:
            file: Its name.
            notes: What is told of it.
        """
        for place, note in enumerate(notes):
            if note not in self.files and len(self.files) >= _KEPT_NOTES:
                self.untold += 1
                continue
            name, at, count = self.files.get(note, (str(file), place, 0))
            self.files[note] = (*min((name, at), (str(file), place)), count + 1)

    def told(self) -> list[str]:
        """The notes for the report."""
        told = []
        ordered = sorted(self.files.items(), key=lambda one: one[1][:2])
        for note, (first, _, count) in ordered[:_TOLD_NOTES]:
            others = f" and {count - 1:,} more" if count > 1 else ""
            told.append(f"{first}{others}: {note}")
        untold = self.untold + sum(count for _, (_, _, count) in ordered[_TOLD_NOTES:])
        return told + ([f"{untold:,} more notes on files"] if untold else [])
