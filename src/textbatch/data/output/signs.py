"""What an output tells of its texts and answers, to compare them with others: numbers of rows.

It holds no text. Signs of files, or of parts of a file, can be added, in any order.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Annotated

from msgspec import Meta

from textbatch.data.strict_json import Count
from textbatch.types import CONFIDENCE_BINS

#: Sums of confidences are whole numbers of this part of 1, so that their order does not matter.
CONFIDENCE_UNIT = 2**-20
#: The shortest length of each bin of lengths, in characters: two bins for each doubling. The last
#: one has all longer texts.
LENGTH_EDGES = (
    *(1, 2, 3, 4, 6, 8, 12, 16, 23, 32, 46, 64, 91, 128, 182, 256, 363, 512),
    *(725, 1_024, 1_449, 2_048, 2_897, 4_096, 5_793, 8_192, 11_586, 16_384),
)
_Bins = Annotated[list[Count], Meta(max_length=CONFIDENCE_BINS)]
_Lengths = Annotated[list[Count], Meta(max_length=len(LENGTH_EDGES))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """The answers of a model, and the lengths of the texts.

    Attributes:
        answers: Rows that the model answered, by their best label, also where it was withheld.
        confidences: The same rows by the confidence of the best label, in equal bins from 0 to 1.
        confidence_sums: For each of these bins the sum of the confidences, in `CONFIDENCE_UNIT`.
        lengths: Texts by their length in characters; see `LENGTH_EDGES`.
    """

    answers: dict[str, Count] = field(default_factory=dict)
    confidences: _Bins = field(default_factory=list)
    confidence_sums: _Bins = field(default_factory=list)
    lengths: _Lengths = field(default_factory=list)

    def __post_init__(self) -> None:
        same = len(self.confidences) == len(self.confidence_sums)
        if not same or sum(self.answers.values()) != sum(self.confidences):
            raise ValueError("the signs do not add up")

    @property
    def rows(self) -> int:
        """Rows that the model answered."""
        return sum(self.confidences)

    def __add__(self, other: Signs) -> Signs:
        answers = Counter(self.answers)
        answers.update(other.answers)
        return Signs(
            answers=dict(answers),
            confidences=_added(self.confidences, other.confidences),
            confidence_sums=_added(self.confidence_sums, other.confidence_sums),
            lengths=_added(self.lengths, other.lengths),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownTokens:
    """Tokens of texts, and those that a model does not know: what their share varies with.

    Attributes:
        texts: Number of texts.
        tokens: Sum of their tokens.
        unknown: Sum of their unknown tokens.
        tokens_squared: Sum of the squares of their tokens.
        products: Sum of their tokens times their unknown tokens.
        unknown_squared: Sum of the squares of their unknown tokens.
    """

    texts: Count = 0
    tokens: Count = 0
    unknown: Count = 0
    tokens_squared: Count = 0
    products: Count = 0
    unknown_squared: Count = 0

    def __add__(self, other: UnknownTokens) -> UnknownTokens:
        names = (one.name for one in fields(self))
        return UnknownTokens(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def __sub__(self, other: UnknownTokens) -> UnknownTokens:
        names = (one.name for one in fields(self))
        return UnknownTokens(**{name: getattr(self, name) - getattr(other, name) for name in names})


def _added(one: list[int], other: list[int]) -> list[int]:
    if not (one and other):
        return list(one or other)
    return [first + second for first, second in zip(one, other, strict=True)]
