"""The option about another mix of labels than in training."""

from __future__ import annotations

from textbatch.errors import ConflictError
from textbatch.options import option, options
from textbatch.scoring.beside_options import BesideOptions
from textbatch.scoring.drift_options import DriftOptions


@options
class PriorOptions(DriftOptions, BesideOptions):
    """What happens where labels are mixed otherwise than in training.

    Raises:
        ConflictError: Labels are to be explained that may not be those of the output.
    """

    adapt_priors: bool = option(
        "Where the file surely has another mix of labels than training, allow for it.",
        default=False,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.adapt_priors and self.explain:
            raise ConflictError(
                "--explain tells what carried the model's own label, and --adapt-priors may give "
                "a row another one",
                "leave one out",
            )
