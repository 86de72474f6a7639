"""A loaded model: scores tables in memory as `textbatch score` scores files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from inspect import Signature
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import pyarrow as pa

from textbatch.data.choices import CHUNK_ROWS
from textbatch.data.output.columns import OutputColumns
from textbatch.data.readers.column_names import shown
from textbatch.data.readers.text_column import check_text_type, decode_texts, joined_lists
from textbatch.data.storage.location import Location
from textbatch.errors import ConflictError, DataError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_model
from textbatch.model.options import EngineOptions
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.model.predictors import Predictors
from textbatch.options import options_of
from textbatch.scoring.bundles import Bundles, columns_of
from textbatch.scoring.chunks import predict_chunks
from textbatch.scoring.config import AnswerOptions, TableOptions
from textbatch.scoring.model_handle import ModelHandle
from textbatch.scoring.multi_label import check_score_options
from textbatch.scoring.precision import label_thresholds
from textbatch.scoring.python_values import RENAME, frame_library, one_batch, table_of, texts_of
from textbatch.scoring.table_options import ScoreTablesOptions
from textbatch.types import Predictions, TextBatch

#: See `python_values.TABLES`; pandas and polars are imported only for their own frames.
TableT = TypeVar("TableT")


class Model:
    """A loaded model. Owns worker threads: use it in a `with` statement, or call `close`.

    Attributes:
        bundle: The bundle that was loaded.
    """

    def __init__(self, bundle: Bundle, predictor: Predictor) -> None:
        self.bundle = bundle
        self._predictor = predictor

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the probabilities."""
        return self.bundle.labels

    def predict(self, texts: Iterable[str | None]) -> Predictions:
        """Predict texts.

        Args:
            texts: A list, a Series of pandas or polars, or an Arrow array. None, NaN and NA mean
                a missing text; half a surrogate pair is a bad text. Shape `(rows,)`.

        Returns:
            Calibrated probabilities, shape `(rows, labels)`, and status codes, shape `(rows,)`.

        Raises:
            TypeError: It is a single text, a table or something else, or it holds numbers.
        """
        decoded, undecodable = decode_texts(texts_of(texts))
        return self._predictor.start(decoded, undecodable).result()

    def score_table(
        self,
        table: TableT,
        *,
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
        text_column: str | None = None,
    ) -> TableT:
        """Add the columns that `textbatch score` adds.

        Args:
            table: A DataFrame of pandas or polars, or an Arrow table or record batch; any columns,
                one of them text.
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
            text_column: Column that holds the text. None means the model's.

        Returns:
            A table of the same kind with the same rows in the same order.

        Raises:
            DataError: There is no such column, or it holds no text.
            ConflictError: An added column has the name of one that is there.
            QualityGateError: The model's held-out predictions show `min_precision` for no label; or
                one has too few of them, with `strict_precision`.
            UsageError: An option is out of its range.
            TypeError: The value is not a table.
        """
        options = TableOptions.given(locals())
        added = replace(added_columns(self.bundle, options), tokenizer=self._predictor.tokenizer)
        column = text_column or self.bundle.settings.text_column
        answering = Predictors([self._predictor], options.beside)
        return scored_table(table, column, added, answering, options.join_lists)

    def close(self) -> None:
        """Stop the worker threads."""
        self._predictor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def scored_table(
    table: TableT,
    column: str,
    added: OutputColumns,
    predictor: Predictors,
    join_lists: str | None,
) -> TableT:
    """Add columns to a table.

    Args:
        table: As in `Model.score_table`.
        column: The column that holds the texts.
        added: The columns.
        predictor: Answers.
        join_lists: As in `Model.score_table`.

    Returns:
        A table of the same kind.

    Raises:
        TextbatchError: As in `Model.score_table`.
    """
    if frame_library(table):
        return cast(TableT, _score_frame(table, column, added, predictor, join_lists))
    scored = _score_arrow(table_of(table), column, added, predictor, join_lists)
    if isinstance(table, pa.RecordBatch):
        return cast(TableT, one_batch(scored))
    return cast(TableT, scored)


def _score_arrow(
    table: pa.Table,
    column: str,
    added: OutputColumns,
    predictor: Predictors,
    join_lists: str | None,
) -> pa.Table:
    if table.schema.names.count(column) != 1:
        raise DataError(f"the table has no single column {shown(column)}", "name one, text_column")
    kind = table.schema.field(column).type
    check_text_type(kind, f"column {shown(column)}", join_lists)
    added.check_names(table.schema.names, RENAME)
    schema = added.output_schema(table.schema)
    chunks = _chunks(table, column, join_lists)
    batches = [
        added.assemble(chunk, predictions, schema)[0]
        for chunk, predictions in predict_chunks(chunks, predictor)
    ]
    return pa.Table.from_batches(batches, schema)


def _score_frame(
    frame: Any,  # noqa: ANN401 - of a library that need not be there
    column: str,
    added: OutputColumns,
    predictor: Predictors,
    join_lists: str | None,
) -> Any:  # noqa: ANN401
    library, names = frame_library(frame), list(frame.columns)
    if names.count(column) != 1:
        raise DataError(f"the frame has no single column {shown(column)}", "name one, text_column")
    added.check_names([str(name) for name in names], RENAME)
    texts = pa.table({column: _texts_in(frame[column], column, library)})
    answers = _score_arrow(texts, column, added, predictor, join_lists).drop_columns([column])
    if library == "polars":
        import polars as pl

        return frame.hstack(pl.from_arrow(answers))
    import pandas as pd

    return pd.concat([frame, answers.to_pandas().set_axis(frame.index)], axis=1)


def added_columns(bundle: Bundle, options: AnswerOptions) -> OutputColumns:
    """The columns that a model adds to a table.

    Args:
        bundle: The model.
        options: What is asked for.

    Raises:
        QualityGateError: See `label_thresholds`.
    """
    alone = Bundles(("",), (bundle,))
    check_score_options(options, alone)
    return columns_of([""], options, alone, [label_thresholds(bundle, options)])


def open_model(path: Location, options: EngineOptions) -> Model:
    """Load a bundle, and check that it predicts its golden rows as before.

    Args:
        path: The bundle's directory, also in an object store.
        options: What runs the network.

    Raises:
        BundleError: The bundle is missing, damaged or unsafe.
        ConflictError: A GPU was asked for and there is none.
    """
    bundle = load_model(path, several=True)
    check_score_options(options, Bundles(("",), (bundle,)))
    return Model(bundle, open_bundle(bundle, **options.opening()))


def score_in_memory(table: Any, given: Mapping[str, Any], known: Signature) -> Any:  # noqa: ANN401
    """Score a table with models that are loaded for it.

    Args:
        table: As in `Model.score_table`.
        given: What a caller gave to the function `score`, by name.
        known: The parameters of that function.

    Returns:
        A table of the same kind.

    Raises:
        ConflictError: Something is given that only files have.
        TextbatchError: As in `open_model` and `Model.score_table`.
    """
    own = {one.name for one in options_of(ScoreTablesOptions)}
    for name, parameter in known.parameters.items():
        if name != "inputs" and name not in own and given[name] != parameter.default:
            raise ConflictError(
                f"`inputs` is a table in memory, and `{name}` is for files",
                "leave it out, or name a file",
            )
    options = ScoreTablesOptions.given(given)
    with closing(ModelHandle(options)) as models:
        bundles = models.bundles()
        column = bundles.text_column(options.text_column)
        added = columns_of(bundles.names, options, bundles, models.thresholds(), options.on_long)
        return scored_table(table, column, added, models.predictor(), options.join_lists)


_CAST = "cast it to strings, missing values to None"


def _texts_in(series: Any, column: str, library: str) -> pa.Array:  # noqa: ANN401
    try:
        if library == "pandas":
            # The quick way, if all are texts; the type of the result shows whether they are.
            with suppress(pa.ArrowException, UnicodeEncodeError):
                return pa.Array.from_pandas(series)
        if library == "polars" and series.dtype.is_nested():
            return series.to_arrow()
        return texts_of(series)
    except TypeError as error:
        told = str(error).partition(";")[0]
        raise DataError(f"column {shown(column)} does not hold text only: {told}", _CAST) from error


def _chunks(table: pa.Table, column: str, join_lists: str | None) -> Iterator[TextBatch]:
    # A table without rows is one chunk too: its categories are those of all others.
    for batch in table.to_batches(max_chunksize=CHUNK_ROWS) or [one_batch(table)]:
        texts, undecodable = decode_texts(joined_lists(batch.column(column), join_lists))
        yield TextBatch(table=batch, texts=texts, undecodable=undecodable)
