"""What a file of texts is like, as numbers: it needs no model, and keeps no text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.output.signs import Signs, UnknownTokens
from textbatch.model.quality.distinct import DistinctCount
from textbatch.model.quality.reference import lengths_counted, unknown_tokens
from textbatch.model.quality.scripts import FIRST_LETTER, KINDS, kinds_in
from textbatch.types import BoolArray, Int64Array

#: Quantiles of lengths are exact up to so many characters; longer texts count as this long.
LONGEST = 1 << 16
#: What the text column of a row holds.
CONTENTS = ("text", "blank", "null", "bad UTF-8")
#: What the letters of a text are: mostly of one script, or there are none.
SCRIPTS = (*KINDS[FIRST_LETTER:], "no letters")
_BLANK = KINDS.index("blank")


class TextCounts:
    """Counts texts, chunk by chunk.

    Attributes:
        contents: Rows by what their text column holds; see `CONTENTS`.
        lengths: Texts by their number of characters, up to `LONGEST`. Shape `(LONGEST + 1,)`.
        characters: Characters of all texts.
        longest: Characters of the longest text.
        kinds: Characters by kind; see `KINDS`.
        scripts: Texts by the script of most of their letters; see `SCRIPTS`.
        marks: Characters that are not blank as tokens; those that are no letters as unknown ones.
        distinct: The distinct texts.
    """

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self.contents = np.zeros(len(CONTENTS), np.int64)
        self.lengths = np.zeros(LONGEST + 1, np.int64)
        self.characters = self.longest = 0
        self.kinds = np.zeros(len(KINDS), np.int64)
        self.scripts = np.zeros(len(SCRIPTS), np.int64)
        self.marks = UnknownTokens()
        self.distinct = DistinctCount()
        self._bins: Int64Array = lengths_counted(np.zeros(0, np.int64))

    @property
    def rows(self) -> int:
        """All rows."""
        return int(self.contents.sum())

    def add(self, texts: pa.Array, undecodable: BoolArray) -> pa.Array:
        """Count the rows of a chunk.

        Args:
            texts: Strings or null. Shape `(rows,)`.
            undecodable: True where a null means that the text is not UTF-8. Shape `(rows,)`.

        Returns:
            The texts that are there and not blank. Shape `(texts,)`.
        """
        whole = texts.cast(pa.large_string())
        there = pc.is_valid(whole).to_numpy(zero_copy_only=False)
        blanks = pc.or_(pc.equal(whole, ""), pc.utf8_is_space(whole))
        blank = pc.fill_null(blanks, fill_value=False).to_numpy(zero_copy_only=False)
        counts = (there & ~blank, blank, ~there & ~undecodable, ~there & undecodable)
        self.contents += np.array([one.sum() for one in counts])
        found = whole.filter(pa.array(there & ~blank))
        if len(found):
            self.distinct.add(found)
            for kinds in kinds_in(found):
                self._count(kinds)
        return found

    def _count(self, kinds: Int64Array) -> None:
        lengths = kinds.sum(axis=1)
        self.lengths += np.bincount(np.minimum(lengths, LONGEST), minlength=LONGEST + 1)
        self._bins = self._bins + lengths_counted(lengths)
        self.characters += int(lengths.sum())
        self.longest = max(self.longest, int(lengths.max()))
        self.kinds += kinds.sum(axis=0)
        letters = kinds[:, FIRST_LETTER:]
        most = np.where(letters.any(axis=1), letters.argmax(axis=1), len(SCRIPTS) - 1)
        self.scripts += np.bincount(most, minlength=len(SCRIPTS))
        seen = lengths - kinds[:, _BLANK]
        self.marks += unknown_tokens(seen, letters.sum(axis=1))

    def quantile(self, share: float) -> int | None:
        """The length below or at which a share of the texts is, in characters; None without texts.

        Args:
            share: From 0 to 1.
        """
        texts = int(self.lengths.sum())
        if not texts:
            return None
        place = int(np.searchsorted(np.cumsum(self.lengths), max(1.0, share * texts)))
        return self.longest if place == LONGEST else place

    @property
    def mean_length(self) -> float | None:
        """Characters of a text; None without texts."""
        texts = int(self.lengths.sum())
        return self.characters / texts if texts else None

    def signs(self, answers: Signs | None = None) -> Signs:
        """What texts, and answers to them, are compared by.

        Args:
            answers: Answers to the texts, whose lengths are replaced; None without any.
        """
        known = answers or Signs()
        return Signs(
            answers=known.answers,
            confidences=known.confidences,
            confidence_sums=known.confidence_sums,
            lengths=self._bins.tolist(),
        )
