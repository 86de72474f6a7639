"""The option about sets of labels."""

from __future__ import annotations

from textbatch.options import Options, option, options


@options
class LabelSetOptions(Options):
    """How often a set of labels holds the true one."""

    label_sets: float | None = option(
        "Add all labels that may be right: the true one is among them this often, as 0.95.",
        default=None,
        low=0.5,
        high=0.999,
        unset="none",
    )
