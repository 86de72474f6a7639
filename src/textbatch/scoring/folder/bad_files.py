"""The input files of a job that cannot be scored: all are named, or set aside where asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from textbatch.data.bad_row_limit import BadRowLimit
from textbatch.data.output.records import BadFile
from textbatch.data.readers.listing import ListedFile
from textbatch.errors import DataError, TooManyBadFilesError, bounded, printable
from textbatch.scoring.config import ScoreConfig

#: How many files an error message names.
_NAMED = 10
#: Of a longer reason only the beginning is told where there are several files, in characters.
_REASON = 160


class BadFiles:
    """The bad files of a job. They are told in the order of their parts' names.

    Attributes:
        limit: How many there may be.
    """

    def __init__(self, config: ScoreConfig, found: int) -> None:
        """There is none yet.

        Args:
            config: Says whether bad files are set aside, and how many.
            found: How many input files the job has.
        """
        self._skip, self._found = config.bad_files == "skip", found
        allowed = "100%" if config.max_bad_files is None else config.max_bad_files
        self.limit = BadRowLimit.parse(allowed, flag="--max-bad-files")
        self._errors: dict[str, DataError] = {}
        self._files: dict[str, BadFile] = {}

    def __contains__(self, part: str) -> bool:
        """Whether the file of this part is bad."""
        return part in self._files

    def __len__(self) -> int:
        return len(self._files)

    def told(self) -> tuple[BadFile, ...]:
        """All of them, for the report and for `_SUCCESS`."""
        return tuple(one for _, one in sorted(self._files.items()))

    @contextmanager
    def noted(self, file: ListedFile, *, kept: bool) -> Iterator[None]:
        """Note that a file is bad if the body finds that it is malformed; no error leaves the body.

        Args:
            file: The file.
            kept: Whether the part of an earlier version of it stays in the output.
        """
        try:
            yield
        except DataError as error:
            self.add(file, error, kept=kept)

    def add(self, file: ListedFile, error: DataError, *, kept: bool) -> None:
        """Note a bad file.

        Args:
            file: The file.
            error: What is wrong with it.
            kept: Whether the part of an earlier version of it stays in the output.
        """
        name = printable(str(file.file))
        told = printable(error.what)
        self._errors[file.part] = error
        self._files[file.part] = BadFile(
            file=name,
            part=file.part,
            state=file.state,
            error=bounded(told if name in told else f"{name}: {told}"),
            kept=kept,
        )

    def take(self, files: tuple[BadFile, ...]) -> None:
        """Take over what an earlier run has set aside."""
        for one in files:
            self._files[one.part] = one
            self._errors[one.part] = DataError(one.error, "mend it, or move it away")

    def check(self) -> None:
        """Refuse bad files that are not to be set aside, and too many of them.

        Raises:
            DataError: There are bad files; the message names them.
            TooManyBadFilesError: There are more than is allowed, or no file is good.
        """
        if not self._files:
            return
        if not self._skip:
            raise self._refusal()
        self.check_limit()

    def check_limit(self) -> None:
        """Refuse too many bad files.

        Raises:
            TooManyBadFilesError: There are more than is allowed, or no file is good.
        """
        bad = len(self._files)
        if not bad or not (bad == self._found or self.limit.exceeded(bad, rows=self._found)):
            return
        allowed = "" if bad == self._found else f"; --max-bad-files allows {self.limit.text}"
        raise TooManyBadFilesError(
            f"{bad:,} of {self._found:,} input files cannot be scored{allowed}: {self._named()}",
            "mend them or move them away"
            + ("" if bad == self._found else ", or allow that many with --max-bad-files"),
        )

    def notes(self) -> list[str]:
        """What is told of the files that were set aside, each in a line."""
        told = []
        for one in self.told():
            kept = "; the part of its earlier version stays" if one.kept else ""
            told.append(f"set aside: {one.error}{kept}")
        return told

    def _refusal(self) -> DataError:
        if len(self._errors) == 1:
            (only,) = self._errors.values()
            return only
        return DataError(
            f"{len(self._errors):,} of {self._found:,} input files cannot be scored: "
            f"{self._named()}",
            "mend them or move them away, or set them aside with --bad-files skip",
        )

    def _named(self) -> str:
        """The first of them, each with its reason; the report has all."""
        first = [_short(one) for one in self.told()[:_NAMED]]
        more = len(self._files) - len(first)
        return ", ".join(first) + (f" and {more:,} more (--report lists all)" if more else "")


def _short(one: BadFile) -> str:
    """The reason with the whole name of the file."""
    if not one.error.startswith(one.file):
        return one.error if len(one.error) <= _REASON else one.file
    reason = one.error.removeprefix(one.file)
    return one.file + (reason if len(reason) <= _REASON else f"{reason[:_REASON]}…")
