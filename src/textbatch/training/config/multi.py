"""Options for rows that have any number of labels."""

from __future__ import annotations

from textbatch.data.multi_options import SeparatorOption, refuse_others
from textbatch.errors import ConflictError
from textbatch.options import option, options
from textbatch.training.config.soft import SoftOptions

#: The options of `train` that mean the same where rows have several labels. All others are refused.
ALLOWED = frozenset({
    *("inputs", "model", "text_column", "label_column", "multi_label", "label_separator"),
    *("vectors", "installed_vectors", "unlabelled", "keep_vectors", "quick", "resume"),
    *("cell", "layers", "units", "bidirectional", "pooling", "blend", "require_baseline"),
    *("preset", "settings", "seed", "validation", "test", "skip_unlabelled", "if_exists"),
    *("input_format", "encoding", "delimiter", "quoting", "null_text", "join_lists"),
    *("quarantine", "max_bad_rows", "report", "json"),
})  # fmt: skip


@options
class MultiOptions(SoftOptions, SeparatorOption):
    """Any number of labels for each row.

    Raises:
        ConflictError: An option has no meaning for such rows, or only for them.
    """

    # The rows tell which labels they have, and a checkpoint belongs to its rows.
    multi_label: bool = option(
        "Rows have any number of labels: a list, or a text with --label-separator.",
        default=False,
        decides=False,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.label_separator is not None and not self.multi_label:
            raise ConflictError("--label-separator without --multi-label", "add --multi-label")
        if self.multi_label:
            self.check_multi_label()

    def check_multi_label(self) -> None:
        """Check that no option is set that has no meaning for several labels.

        Raises:
            ConflictError: One is.
        """
        refuse_others(self, ALLOWED, "with --multi-label")
