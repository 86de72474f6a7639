"""How many bad rows, or bad files, a command allows."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.errors import TooManyBadRowsError, UsageError
from textbatch.options.credentials import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRowLimit:
    """How many bad rows a job allows.

    Attributes:
        count: The number of rows, if `share` is None.
        share: The share of all rows, from 0 to 1; None if a number was given.
        text: The limit as it was given.
    """

    count: int = 0
    share: float | None = None
    text: str = "0"

    @classmethod
    def parse(cls, value: int | str, *, flag: str = "--max-bad-rows") -> BadRowLimit:
        """Read a number of rows, or a percentage like "0.5%".

        Args:
            value: What was given.
            flag: Where it was given, for the message.

        Raises:
            UsageError: It is neither, or out of range.
        """
        text = str(value).strip()
        try:
            if text.endswith("%"):
                share = float(text[:-1])
                if not 0 <= share <= 100:
                    raise ValueError
                return cls(share=share / 100, text=text)
            count = int(text)
            if not 0 <= count < 2**63:
                raise ValueError
        except ValueError:
            raise UsageError(
                f"{flag} is {quoted(text)}", "give a number of them, or a percentage like 1%"
            ) from None
        return cls(count=count, text=text)

    def left(self, bad: int) -> BadRowLimit:
        """The limit for the remaining files. A share is checked at the end, so it becomes 100%.

        Args:
            bad: Bad rows so far.
        """
        if self.share is not None:
            return BadRowLimit(share=1.0, text="100%")
        left = max(0, self.count - bad)
        return BadRowLimit(count=left, text=str(left))

    def exceeded(self, bad: int, *, rows: int | None) -> bool:
        """Whether there are too many bad rows.

        Args:
            bad: Bad rows so far.
            rows: All rows of the file or job; None if not known yet, when a share never fails.
        """
        if self.share is None:
            return bad > self.count
        return rows is not None and bad > self.share * rows

    def check(self, bad: int, *, rows: int) -> None:
        """Refuse too many bad rows.

        Args:
            bad: Rows that are bad.
            rows: All rows.

        Raises:
            TooManyBadRowsError: There are too many.
        """
        if self.exceeded(bad, rows=rows):
            raise TooManyBadRowsError(
                f"{bad} of {rows} rows are bad; --max-bad-rows allows {self.text}",
                "mend them, or allow that many",
            )


def count_or_share(value: int | str) -> int | str:
    """Turn digits into a number; return anything else as it is."""
    # Python makes no number of thousands of digits; those are told when the value is parsed.
    is_number = str(value).isdecimal() and len(str(value)) < 20
    return int(value) if is_number else value
