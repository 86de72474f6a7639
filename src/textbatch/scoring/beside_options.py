"""Options about what is told of a row beside its label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textbatch.options import Options, option, options

if TYPE_CHECKING:
    from textbatch.model.beside import Beside


@options
class BesideOptions(Options):
    """What the output tells of a row beside its label."""

    novelty: bool = option(
        "Add how unlike all labels the text is: the share of ordinary texts that are as unlike.",
        default=False,
    )
    max_novelty: float = option(
        "Withhold labels of texts whose novelty is below this, as 0.01.",
        default=0.0,
        low=0.0,
        high=1.0,
    )
    explain: int = option(
        "Add the K words that carried the decision, with weights; it takes long.",
        default=0,
        low=0,
        high=100,
    )

    @property
    def beside(self) -> Beside:
        """What the models have to find out."""
        # Here, not at the top: it brings numpy and pyarrow, and `--help` must be quick.
        from textbatch.model.beside import Beside

        return Beside(novelty=self.novelty or self.max_novelty > 0, explain=self.explain)


@options
class ErrorOptions(Options):
    """What `evaluate` tells of single rows."""

    explain: int = option(
        "Show the surest mistakes, with the K words that carried each; this quotes texts.",
        default=0,
        low=0,
        high=100,
        decides=False,
    )
