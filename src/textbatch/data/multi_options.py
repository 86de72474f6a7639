"""The option for labelled files whose rows have several labels in one text."""

from __future__ import annotations

from collections.abc import Collection

from textbatch.data.weighted_options import WeightedOptions
from textbatch.errors import ConflictError, UsageError
from textbatch.options import Options, option, options, options_of


@options
class SeparatorOption(Options):
    """What stands between the labels of a row.

    Raises:
        UsageError: It is empty or blank, or has a line break.
    """

    label_separator: str | None = option(
        "What stands between the labels of a row, as ';', where they are one text.",
        default=None,
        metavar="SEP",
        decides=False,
        unset="the column holds lists",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        separator = self.label_separator
        if separator is not None and (not separator.strip() or {*separator} & {*"\r\n\0"}):
            raise UsageError(
                "--label-separator is blank or has a line break", "give a character such as ';'"
            )


@options
class SeveralOptions(WeightedOptions, SeparatorOption):
    """Labelled files whose rows have weights or several labels."""


def refuse_others(given: Options, allowed: Collection[str], why: str) -> None:
    """Refuse every option that is set and is not known to mean the same for several labels.

    So an option that is new is refused until somebody has thought about it.

    Args:
        given: The options.
        allowed: The names of those that mean the same.
        why: What they have no meaning with, as `with --multi-label`.

    Raises:
        ConflictError: One of the others is not its default.
    """
    for one in options_of(type(given)):
        if one.name not in allowed and getattr(given, one.name) != one.default:
            raise ConflictError(f"{one.shown} has no meaning {why} yet", "leave it out")
