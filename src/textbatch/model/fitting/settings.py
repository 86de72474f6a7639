"""The values that fitting takes and gives. They are here to be imported without Keras."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.types import Float32Array, Int64Array, TokenBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How to fit.

    Attributes:
        optimizer: Keras optimizer.
        learning_rate: Its step size.
        batch_size: Rows in a step.
        max_epochs: Limit on the number of epochs.
        patience: Training stops after this many epochs without a better validation loss.
        word_dropout: Share of the tokens that are replaced by OOV in training.
        averaging: Momentum of the running mean of the weights, which is validated and kept (Polyak
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
    """What one epoch measured: one time through all training rows.

    Attributes:
        number: Number of the epoch, from 1.
        loss: Mean loss on the training rows, with dropout and class weights.
        accuracy: Accuracy on the training rows, with dropout.
        validation_loss: Mean negative log-likelihood on the validation rows.
        validation_accuracy: Accuracy on the validation rows.
    """

    number: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float

    def line(self) -> str:
        """Describe the epoch in one line, for a person who waits."""
        return (
            f"epoch {self.number}: loss {self.loss:.3f}, validation {self.validation_loss:.3f} "
            f"({self.validation_accuracy:.1%})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledTokens:
    """Rows to fit on or to validate with.

    Attributes:
        tokens: Their token ids. No row is empty.
        label_ids: Their labels. Shape `(rows,)`.
        weights: Weight of each row in the loss. Shape `(rows,)`.
        targets: What the network should answer, each row adds up to 1; None where each row has
            its label alone. Shape `(rows, labels)`.
        several: Whether a row has any number of labels. Then its targets are 0 or 1, and each label
            has a loss of its own.
    """

    tokens: TokenBatch
    label_ids: Int64Array
    weights: Float32Array
    targets: Float32Array | None = None
    several: bool = False
