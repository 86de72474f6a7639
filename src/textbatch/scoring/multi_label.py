"""Which options a model has a meaning for that gives a row any number of labels."""

from __future__ import annotations

from textbatch.data.multi_options import refuse_others
from textbatch.errors import ConflictError
from textbatch.options import Options
from textbatch.scoring.bundles import Bundles

WITH_SUCH_A_MODEL = "with a model that gives a text any number of labels"
#: What runs the model, in full precision.
MODEL_OPTIONS = frozenset({"model", "engine", "device", "on_long", "threads", "json", "report"})
READING_OPTIONS = frozenset({
    *("inputs", "text_column", "input_format", "encoding", "delimiter", "quoting", "null_text"),
    "join_lists",
})  # fmt: skip
#: The options of `score`, of `Model.score_table` and of the function `score`.
SCORE_OPTIONS = (
    MODEL_OPTIONS
    | READING_OPTIONS
    | {
        *("output", "output_format", "columns", "strict_types", "min_rows", "prefix"),
        *("probabilities", "max_bad_rows", "bad_files", "max_bad_files", "quarantine"),
        *("quarantine_text", "chunk_rows", "batch_tokens", "if_exists", "dry_run", "incremental"),
        *("rescore", "work_dir", "partition_columns", "jobs"),
    }
)


def check_score_options(options: Options, bundles: Bundles) -> None:
    """Refuse options that have no meaning for a model.

    Args:
        options: The options of a run.
        bundles: Its models.

    Raises:
        ConflictError: One has none, or there are several models.
    """
    if not any(one.classifier.multi_label for one in bundles.each):
        return
    if len(bundles.each) > 1:
        raise ConflictError(
            "a model that gives a text any number of labels runs alone", "score once for each model"
        )
    refuse_others(options, SCORE_OPTIONS, WITH_SUCH_A_MODEL)
