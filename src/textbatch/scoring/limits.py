"""How much of the input may be bad."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRowLimit:
    """How many bad rows a job accepts.

    Attributes:
        count: So many, or
        share: this share of all rows.
        text: As given.
    """

    count: int = 0
    share: float | None = None
    text: str = "0"

    @classmethod
    def parse(cls, value: int | str) -> BadRowLimit:
        """Read a count, or a percentage like "0.5%".

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
                f"--max-bad-rows is {text}", "give a number of rows, or a percentage like 1%"
            ) from None
        return cls(count=count, text=text)

    def left(self, bad: int) -> BadRowLimit:
        """What may still be bad; of a share, which is known only at the end, anything.

        Args:
            bad: Rows that were bad so far.
        """
        if self.share is not None:
            return BadRowLimit(share=1.0, text="100%")
        left = max(0, self.count - bad)
        return BadRowLimit(count=left, text=str(left))

    def exceeded(self, bad: int, *, rows: int | None) -> bool:
        """Whether there are too many; of a share that can be told only when `rows` are known."""
        if self.share is None:
            return bad > self.count
        return rows is not None and bad > self.share * rows


def count_or_share(value: int | str) -> int | str:
    """A number of rows as a number, whatever else is given as it is."""
    return int(value) if str(value).isdecimal() else value
