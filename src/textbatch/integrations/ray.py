"""Scores a Dataset of Ray, with `Dataset.map_batches`: each actor holds the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from textbatch.data.storage.location import PathLike
from textbatch.model.choices import DeviceName, EngineName, PrecisionName
from textbatch.scoring.config import ScoreTableOptions
from textbatch.scoring.scorer import Scorer as _Scorer
from textbatch.text.choices import OnLong

if TYPE_CHECKING:
    from ray.data import ActorPoolStrategy, Dataset


class Scorer(_Scorer):
    """The class that an actor of `Dataset.map_batches` makes its own of.

        dataset.map_batches(
            textbatch.ray.Scorer,
            fn_constructor_kwargs={"model": "/models/queues"},
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=4),
        )

    It takes the options of `score`, and uses as many threads as the actor has CPUs.
    """

    def threads(self) -> int | None:
        """As many as the actor has CPUs, at least one."""
        import ray

        if self.options.threads or not ray.is_initialized():
            return self.options.threads
        resources = ray.get_runtime_context().get_assigned_resources()
        return max(1, int(resources.get("CPU", 1)))


class _Actor:
    """Gets a scorer from the driver, which has checked it."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        scorer.model()

    def __call__(self, table: pa.Table) -> pa.Table:
        return self._scorer.score(table)


def score(
    dataset: Dataset,
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
    compute: ActorPoolStrategy | None = None,
    batch_size: int = 4096,
    num_cpus: float = 1,
    num_gpus: float = 0,
) -> Dataset:
    """Add the columns that `textbatch score` adds, after a check of model, options and columns.

    Nothing is computed before Ray needs the rows.

    Args:
        dataset: Any columns, one of them text.
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
        compute: The pool of actors; None lets Ray begin with one and start more.
        batch_size: Rows that an actor scores at a time.
        num_cpus: CPUs of an actor, which uses as many threads.
        num_gpus: GPUs of an actor, for `device="gpu"`.

    Returns:
        The rows of `dataset`, with the columns added.

    Raises:
        DataError: There is no such column, or it holds no text, if Ray knows the columns yet.
        ConflictError: An added column has the name of one that is there.
        BundleError: The bundle is missing, damaged or unsafe.
        QualityGateError: As in `Model.score_table`.
        UsageError: An option is out of its range.
    """
    from ray.data import ActorPoolStrategy

    scorer = Scorer.of(ScoreTableOptions.given(locals()))
    schema = dataset.schema(fetch_if_missing=False)
    if schema is not None:
        kinds: Any = dict(zip(schema.names, schema.types, strict=True))
        kind = kinds.get(scorer.text_column)
        # A block of pandas has types of its own.
        scorer.check_columns(schema.names, kind if isinstance(kind, pa.DataType) else None)
    return dataset.map_batches(
        _Actor,
        fn_constructor_args=(scorer,),
        batch_format="pyarrow",
        batch_size=batch_size,
        compute=compute or ActorPoolStrategy(),
        num_cpus=num_cpus,
        num_gpus=num_gpus,
    )
