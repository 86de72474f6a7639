"""What is told of a row beside its probabilities: numbers that travel with them.

Of each row there are, in this order: with `novelty`, how unlike all labels the text is; for each of
`explain` tokens its place among the tokens that the model reads, and its weight. Where a row has
nothing to tell, they are NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textbatch.errors import ConflictError, QualityGateError
from textbatch.model.explain import answered, explained
from textbatch.model.quality.novelty import numbers_of
from textbatch.model.statuses import known_tokens
from textbatch.text.tokenizer import Tokenizer
from textbatch.types import Float32Array, Int64Array, TokenBatch

if TYPE_CHECKING:
    from textbatch.model.predictor import Predictor


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is asked for.

    Attributes:
        novelty: Whether to tell how unlike all labels a text is.
        explain: How many tokens that carried the decision.
    """

    novelty: bool = False
    explain: int = 0

    @property
    def width(self) -> int:
        """How many numbers a row has."""
        return self.novelty + 2 * self.explain

    def check(self, predictor: Predictor) -> None:
        """Check that a model can tell what is asked for.

        Args:
            predictor: Of the model.

        Raises:
            QualityGateError: It was trained before there was novelty, or on too few rows.
            ConflictError: It answers some rows without its network.
        """
        if not self.novelty:
            return
        if predictor.novelty is None:
            raise QualityGateError(
                "the model does not know what ordinary texts are like: it was made before there "
                "was a novelty, not by `train`, or with fewer than 20 validation rows",
                "train it again, or leave `score --novelty` and `score --max-novelty` out",
            )
        if predictor.exits is not None:
            raise ConflictError(
                "novelty needs the network's answer to each row, and early exit leaves some out",
                "leave one of both out; `score --precision int8` goes with novelty",
            )

    def told(
        self, tokens: TokenBatch, rows: Int64Array, predictor: Predictor
    ) -> Callable[[Float32Array], Float32Array] | None:
        """What finds the numbers, once the logits are there; None where none are asked for.

        Args:
            tokens: Tokens of the distinct texts.
            rows: Those of them that have evidence. Shape `(rows,)`.
            predictor: What answers them.
        """
        return partial(self._found, tokens, rows, predictor) if self.width else None

    def _found(
        self, tokens: TokenBatch, rows: Int64Array, predictor: Predictor, logits: Float32Array
    ) -> Float32Array:
        found = []
        if self.novelty and predictor.novelty is not None:
            temperature = predictor.classifier.temperature
            numbers = novelty_numbers(tokens, rows, logits, temperature, predictor.tokenizer)
            novelty = np.full((len(logits), 1), np.nan, np.float32)
            novelty[rows, 0] = predictor.novelty.of(numbers)
            found.append(novelty)
        if self.explain:
            ask = partial(answered, predictor)
            found.append(explained(tokens, rows, ask, logits, most=self.explain))
        return np.concatenate(found, axis=1)


def novelty_numbers(
    tokens: TokenBatch,
    rows: Int64Array,
    logits: Float32Array,
    temperature: float,
    tokenizer: Tokenizer,
    *,
    known: Int64Array | None = None,
) -> NDArray[np.float64]:
    """The numbers that say how unlike ordinary texts some texts are.

    Args:
        tokens: Tokens of the texts.
        rows: Those that have evidence. Shape `(rows,)`.
        logits: Of all texts, before calibration. Shape `(texts, labels)`.
        temperature: The calibrated temperature.
        tokenizer: What made the tokens.
        known: Number of known tokens of each text; None counts them. Shape `(texts,)`.

    Returns:
        Shape `(rows, 4)`.
    """
    lengths = tokens.lengths[rows]
    known = known_tokens(tokens) if known is None else known
    unknown = 1 - known[rows] / np.maximum(1, lengths)
    read = np.minimum(lengths, tokenizer.max_sequence_length)
    return numbers_of(logits[rows], temperature, unknown, read)


#: Nothing is asked for.
NOTHING = Beside()
