"""A loaded model: scores tables in memory as `textbatch score` scores files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar, cast

import pyarrow as pa

from textbatch.data.choices import CHUNK_ROWS
from textbatch.data.output.columns import OutputColumns
from textbatch.data.readers.text_column import check_text_type, decode_texts
from textbatch.errors import DataError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.predictor import Predictor
from textbatch.scoring.job import label_thresholds
from textbatch.scoring.score import predict_chunks
from textbatch.types import Predictions, TextBatch

if TYPE_CHECKING:
    import pandas as pd

#: A `pa.Table` or a `pd.DataFrame`; pandas is imported only for the latter.
TableT = TypeVar("TableT")


class Model:
    """A loaded model. Owns worker threads: use it in a `with` statement, or call `close`.

    Attributes:
        bundle: What was loaded.
    """

    def __init__(self, bundle: Bundle, predictor: Predictor) -> None:
        self.bundle = bundle
        self._predictor = predictor

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the probabilities."""
        return self.bundle.labels

    def predict(self, texts: Sequence[str | None]) -> Predictions:
        """Calibrated probabilities `(rows, labels)` and status codes `(rows,)` of texts."""
        return self._predictor.predict(pa.array(texts, pa.large_string()))

    def score_table(
        self,
        table: TableT,
        *,
        text_column: str | None = None,
        prefix: str = "",
        probabilities: bool = False,
        top_k: int = 0,
        min_confidence: float = 0.0,
        min_precision: float = 0.0,
    ) -> TableT:
        """Add the columns that `textbatch score` adds.

        Args:
            table: Any columns, one of them text.
            text_column: None takes the bundle's own.
            prefix: Put before each added column's name.
            probabilities: Add the probability of every label.
            top_k: Add the best labels with their probabilities; 0 adds none.
            min_confidence: Withhold labels below this probability.
            min_precision: Withhold labels that held-out answers do not show to be right this often.

        Returns:
            A table of the same kind with the same rows in the same order.

        Raises:
            DataError: There is no such column, or it holds no text.
            ConflictError: An added column has the name of one that is there.
            QualityGateError: The held-out answers are too few for `min_precision`.
        """
        added = OutputColumns(
            labels=self.labels,
            prefix=prefix,
            probabilities=probabilities,
            top_k=top_k,
            min_confidence=min_confidence,
            thresholds=label_thresholds(self.bundle, min_precision),
        )
        column = text_column or self.bundle.settings.text_column
        if isinstance(table, pa.Table):
            return cast(TableT, self._score_arrow(table, column, added))
        return cast(TableT, self._score_frame(cast("pd.DataFrame", table), column, added))

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

    def _score_arrow(self, table: pa.Table, column: str, added: OutputColumns) -> pa.Table:
        if table.schema.names.count(column) != 1:
            raise DataError(f"the table has no single column '{column}'", "name one, text_column")
        check_text_type(table.schema.field(column).type, f"column '{column}'")
        schema = added.output_schema(table.schema)
        batches = [
            added.assemble(chunk, predictions, schema)[0]
            for chunk, predictions in predict_chunks(_chunks(table, column), self._predictor)
        ]
        return pa.Table.from_batches(batches, schema)

    def _score_frame(self, frame: pd.DataFrame, column: str, added: OutputColumns) -> pd.DataFrame:
        import pandas as pd

        if list(frame.columns).count(column) != 1:
            raise DataError(f"the frame has no single column '{column}'", "name one, text_column")
        # For its check alone: the frame's own columns never become Arrow's.
        added.output_schema(pa.schema([(str(name), pa.null()) for name in frame.columns]))
        try:
            texts = pa.table({column: pa.Array.from_pandas(frame[column])})
        except (pa.ArrowException, UnicodeEncodeError) as error:
            # Arrow's own message would quote a cell.
            raise DataError(f"column '{column}' does not hold text only", _CAST) from error
        answers = self._score_arrow(texts, column, added).drop_columns([column]).to_pandas()
        scored: pd.DataFrame = pd.concat([frame, answers.set_axis(frame.index)], axis=1)
        return scored


_CAST = "cast it to strings, missing values to None"


def _chunks(table: pa.Table, column: str) -> Iterator[TextBatch]:
    for batch in table.to_batches(max_chunksize=CHUNK_ROWS):
        texts, undecodable = decode_texts(batch.column(column))
        yield TextBatch(table=batch, texts=texts, undecodable=undecodable)
