"""What training's steps take and tell, apart from their code so that it imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.types import Float32Array, Int64Array, TokenBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How to fit.

    Attributes:
        optimizer: Name of a Keras optimizer.
        learning_rate: Its step size.
        batch_size: Rows per step.
        max_epochs: Passes over the training rows at most.
        patience: Passes without a better validation loss before stopping.
        word_dropout: Share of tokens shown as OOV in training.
        averaging: Momentum of the running mean of the weights that is validated and kept (Polyak
            and Juditsky 1992); 0 keeps the weights themselves.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
    batch_size: int = 64
    max_epochs: int = 30
    patience: int = 4
    word_dropout: float = 0.1
    averaging: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One pass over the training rows, as measured.

    Attributes:
        number: From 1.
        loss: Mean training loss, dropout and class weights included.
        accuracy: On the training rows, dropout included.
        validation_loss: Mean negative log-likelihood on the validation rows.
        validation_accuracy: On the validation rows.
    """

    number: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float

    def line(self) -> str:
        """The pass on one line, for a person who waits."""
        return (
            f"epoch {self.number}: loss {self.loss:.3f}, validation {self.validation_loss:.3f} "
            f"({self.validation_accuracy:.1%})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledTokens:
    """Rows to fit on or to validate with.

    Attributes:
        tokens: Their token ids; no row is empty.
        label_ids: Shape `(rows,)`.
        weights: Weight of each row in the loss. Shape `(rows,)`.
    """

    tokens: TokenBatch
    label_ids: Int64Array
    weights: Float32Array
