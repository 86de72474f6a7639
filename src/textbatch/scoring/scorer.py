"""What an engine sends to its workers: it scores tables in whichever process it is called."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Self

import pyarrow as pa

from textbatch.data.output.columns import OutputColumns
from textbatch.data.readers.column_names import listed, shown
from textbatch.data.readers.text_column import check_text_type
from textbatch.data.storage.location import Location, PathLike
from textbatch.errors import BundleError, DataError
from textbatch.model.bundle.fetch import load_placed
from textbatch.model.choices import DeviceName, EngineName, PrecisionName
from textbatch.model.options import EngineOptions
from textbatch.scoring.config import ScoreTableOptions, TableOptions
from textbatch.scoring.in_memory import Model, TableT, added_columns, open_model
from textbatch.scoring.python_values import RENAME
from textbatch.text.choices import OnLong


class Scorer:
    """Scores tables as the function `score` does, and can be sent to other processes.

    Each process that scores with it loads the model itself, once, and checks that it is the one
    that was there when the scorer was made.

    Attributes:
        options: What to score with. The model's path is absolute.
        fingerprint: Of the model.
        text_column: The column that holds the texts.
        added: The columns that are added.
    """

    options: ScoreTableOptions
    fingerprint: str
    text_column: str
    added: OutputColumns

    def __init__(
        self,
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
    ) -> None:
        """Check the model and the options.

        Args:
            model: Model directory, which all workers can read; or an address in an object store.
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
            join_lists: Join texts that are lists of strings, with this between. None means refuse
                them.
            engine: What runs the network.
            device: Where it runs.
            precision: int8 is faster, if the model allows it; fast is int8 with --early-exit.
            early_exit: The linear model answers alone where the network would not change the label.
            on_long: Of texts longer than the model reads: the part to use, or windows over all of
                it.
            threads: CPU threads to use. None means what this process may use.
        """
        self._check(ScoreTableOptions.given(locals()))

    @classmethod
    def of(cls, options: ScoreTableOptions) -> Self:
        """Make one of options.

        Raises:
            BundleError: The bundle is missing, damaged or unsafe.
            QualityGateError: As in `Model.score_table`.
        """
        made = cls.__new__(cls)
        made._check(options)
        return made

    def _check(self, options: ScoreTableOptions) -> None:
        place = options.model
        if isinstance(place, Path):
            # Workers stand in other folders.
            place = place.absolute()
        # Of releases all workers load the version that is the current one now.
        bundle, place = load_placed(place)
        options = ScoreTableOptions(**vars(options) | {"model": place})
        self.options, self.fingerprint = options, bundle.fingerprint
        self.text_column = options.text_column or bundle.settings.text_column
        self.added = added_columns(bundle, options)

    def check_columns(self, names: Sequence[str], text_type: pa.DataType | None = None) -> None:
        """Check that a table can be scored, before the first row of it is there.

        Args:
            names: Its columns.
            text_type: Type of the one that holds the texts, if it is known.

        Raises:
            DataError: The column of the texts is missing or holds no texts, or a name occurs twice.
            ConflictError: An added column has the name of one that is there.
        """
        if self.text_column not in names:
            told = f"no column {shown(self.text_column)}; the columns are {listed(names)}"
            raise DataError(told, "name one of them, text_column")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DataError(f"there are two columns of one name: {listed(twice)}", "rename one")
        if text_type is not None:
            check_text_type(text_type, f"column {shown(self.text_column)}", self.options.join_lists)
        self.added.check_names(names, RENAME)

    def threads(self) -> int | None:
        """CPU threads in this process; None for all that it may use. An engine knows better."""
        return self.options.threads

    def model(self, place: Location | None = None) -> Model:
        """The model, loaded by the first call in this process.

        Args:
            place: Where it is in this process; None for where it was when the scorer was made.

        Raises:
            BundleError: It is missing or damaged, or is another model than the scorer was made
                with.
        """
        options = EngineOptions(
            engine=self.options.engine,
            device=self.options.device,
            precision=self.options.precision,
            early_exit=self.options.early_exit,
            on_long=self.options.on_long,
            threads=self.threads(),
        )
        with _LOADING:
            # A forked process has none of its parent's threads, so it needs a model of its own.
            return _loaded(place or self.options.model, self.fingerprint, options, os.getpid())

    def score(self, table: TableT, place: Location | None = None) -> TableT:
        """Add the columns that `textbatch score` adds.

        Args:
            table: A DataFrame of pandas or polars, or an Arrow table or record batch.
            place: Where the model is in this process; None for where it was.

        Returns:
            A table of the same kind with the same rows in the same order.

        Raises:
            TextbatchError: See `Model.score_table`.
        """
        return self.model(place).score_table(
            table, **self.options.in_common(TableOptions), text_column=self.text_column
        )

    def __call__(self, table: TableT) -> TableT:
        """The same, for engines that call it."""
        return self.score(table)


def plain_type(kind: pa.DataType, text: pa.DataType) -> pa.DataType:
    """The type of an added column for an engine that has no dictionaries.

    Args:
        kind: Its own type.
        text: The type of texts.
    """
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
        return text
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(one.name, plain_type(one.type, text)) for one in kind])
    return pa.list_(plain_type(kind.value_type, text)) if kind.num_fields else kind


_LOADING = Lock()


@lru_cache(maxsize=4)
def _loaded(place: Location, fingerprint: str, options: EngineOptions, _process: int) -> Model:
    model = open_model(place, options)
    if model.bundle.fingerprint != fingerprint:
        model.close()
        raise BundleError(
            f"{place} is not the model that the job began with",
            "put the same model on all machines, and do not replace it while a job runs",
        )
    return model
