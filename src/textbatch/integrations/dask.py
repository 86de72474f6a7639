"""Scores a DataFrame of Dask, partition by partition: each worker process holds the model."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pyarrow as pa

from textbatch.data.storage.location import PathLike
from textbatch.model.choices import DeviceName, EngineName, PrecisionName
from textbatch.scoring.config import ScoreTableOptions
from textbatch.scoring.in_memory import TableT
from textbatch.scoring.scorer import Scorer as _Scorer
from textbatch.scoring.scorer import plain_type
from textbatch.text.choices import OnLong

if TYPE_CHECKING:
    from dask.dataframe import DataFrame


class Scorer(_Scorer):
    """A function for `map_partitions`: `frame.map_partitions(textbatch.dask.Scorer("model"))`.

    It takes the options of `score`, and uses as many threads as the worker has.
    """

    def threads(self) -> int | None:
        """As many as the worker has. Its tasks share them: there is one model in a process."""
        if self.options.threads or "distributed.worker" not in sys.modules:
            return self.options.threads
        from distributed import get_worker

        try:
            return int(get_worker().state.nthreads)
        except ValueError:  # this is no worker
            return None

    def __call__(self, table: TableT) -> TableT:
        """Score a partition. Columns of lists have Arrow's types, which Dask can write."""
        import pandas as pd

        scored = super().__call__(table)
        if not isinstance(scored, pd.DataFrame):
            return scored
        for field in self.added.fields():
            if pa.types.is_nested(field.type):
                kind = plain_type(field.type, pa.string())
                values = pa.array(scored[field.name].tolist(), kind)
                scored[field.name] = pd.arrays.ArrowExtensionArray(values)
        return scored


def score(
    frame: DataFrame,
    model: PathLike = "model",
    *,
    text_column: str | None = None,
    prefix: str = "",
    probabilities: bool = False,
    top_k: int = 0,
    min_confidence: float = 0.0,
    min_precision: float = 0.0,
    strict_precision: bool = False,
    novelty: bool = False,
    max_novelty: float = 0.0,
    explain: int = 0,
    label_sets: float | None = None,
    join_lists: str | None = None,
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    precision: PrecisionName = "f32",
    early_exit: bool = False,
    on_long: OnLong = "auto",
    threads: int | None = None,
) -> DataFrame:
    """Add the columns that `textbatch score` adds, after a check of model, options and columns.

    Nothing is computed before Dask needs the rows.

    Args:
        frame: Any columns, one of them text.
        model: Model directory, at the same path on all machines; or an address in an object store.
        text_column: Column that holds the text. None means the model's.
        prefix: Prefix for the names of the added columns.
        probabilities: Add the probability of every label.
        top_k: Add the K best labels.
        min_confidence: Withhold labels with a smaller confidence.
        min_precision: Withhold labels that are not shown to be right this often, as 0.95.
        strict_precision: Refuse labels with too few held-out answers for --min-precision.
        novelty: Add how unlike all labels the text is: the share of ordinary texts that are as
            unlike.
        max_novelty: Withhold labels of texts whose novelty is below this, as 0.01.
        explain: Add the K words that carried the decision, with weights; it takes long.
        label_sets: Add all labels that may be right: the true one is among them this often, as
            0.95. None means none.
        join_lists: Join texts that are lists of strings, with this between. None means refuse them.
        engine: What runs the network.
        device: Where it runs.
        precision: int8 is faster, if the model allows it; fast is int8 with --early-exit.
        early_exit: The linear model answers alone where the network would not change the label.
        on_long: Of texts longer than the model reads: the part to use, or windows over all of it.
        threads: CPU threads to use. None means what this process may use.

    Returns:
        The rows of `frame` with the same index and divisions, with the columns added.

    Raises:
        DataError: There is no such column, or it holds no text.
        ConflictError: An added column has the name of one that is there.
        BundleError: The bundle is missing, damaged or unsafe.
        QualityGateError: As in `Model.score_table`.
        UsageError: An option is out of its range.
    """
    scorer = Scorer.of(ScoreTableOptions.given(locals()))
    scorer.check_columns(list(frame.columns))
    return frame.map_partitions(scorer, meta=scorer(frame._meta))
