"""The Python interface: what the command line calls, with plain arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import pyarrow as pa

from textbatch.batch import Predictions, TextBatch
from textbatch.config import (
    BATCH_TOKENS,
    CHUNK_ROWS,
    DeviceName,
    EngineName,
    InputFormat,
    Preset,
    ScoreConfig,
    TrainConfig,
)
from textbatch.data.contract import OutputColumns
from textbatch.data.texts import check_text_type, decode_texts
from textbatch.errors import DataError
from textbatch.evaluation import Evaluation
from textbatch.evaluation import evaluate as evaluate_files
from textbatch.model.bundle import Bundle, load_bundle
from textbatch.model.engines import open_engine
from textbatch.model.predictor import Predictor
from textbatch.report.progress import Progress
from textbatch.report.run import RunReport
from textbatch.scoring import predict_chunks
from textbatch.scoring import score as score_file
from textbatch.training import TrainReport
from textbatch.training import train as train_files

if TYPE_CHECKING:
    import pandas as pd

PathLike = str | os.PathLike[str]
TableT = TypeVar("TableT", pa.Table, "pd.DataFrame")


def train(
    inputs: PathLike | Sequence[PathLike],
    *,
    model: PathLike = "model",
    text_column: str = "text",
    label_column: str = "label",
    validation: PathLike | None = None,
    test: PathLike | None = None,
    preset: Preset = "default",
    seed: int = 0,
    overwrite: bool = False,
    report: PathLike | None = None,
    say: Callable[[str], None] | None = None,
) -> TrainReport:
    """Train a model and write its bundle; `config.TrainConfig` explains the settings.

    Args:
        inputs: One labelled file, or several.
        model: Directory of the bundle to write.
        text_column: Column that holds the text.
        label_column: Column that holds the label.
        validation: Labelled file for early stopping and calibration.
        test: Labelled file for the reported metrics.
        preset: Which network and recipe.
        seed: Of everything random.
        overwrite: Replace an existing bundle.
        report: JSON file for the run's report.
        say: Called with one line per step.

    Raises:
        TextbatchError: A subclass says what went wrong.
    """
    several = [inputs] if isinstance(inputs, str | os.PathLike) else inputs
    config = TrainConfig(
        inputs=tuple(map(Path, several)),
        model=Path(model),
        text_column=text_column,
        label_column=label_column,
        validation=_path(validation),
        test=_path(test),
        preset=preset,
        seed=seed,
        overwrite=overwrite,
        report=_path(report),
    )
    return train_files(config, say=say)


def score(
    input: PathLike,  # noqa: A002 - the word that the command line uses
    output: PathLike,
    *,
    model: PathLike = "model",
    text_column: str | None = None,
    columns: Sequence[str] | None = None,
    prefix: str = "",
    probabilities: bool = False,
    top_k: int = 0,
    min_confidence: float = 0.0,
    max_bad_rows: int = 0,
    input_format: InputFormat = "auto",
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    threads: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
    batch_tokens: int = BATCH_TOKENS,
    overwrite: bool = False,
    dry_run: bool = False,
    report: PathLike | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Score a file into a Parquet file; `config.ScoreConfig` explains the settings.

    Raises:
        TextbatchError: A subclass says what went wrong; the output's old state is untouched.
    """
    config = ScoreConfig(
        input=Path(input),
        output=Path(output),
        model=Path(model),
        text_column=text_column,
        columns=None if columns is None else tuple(columns),
        prefix=prefix,
        probabilities=probabilities,
        top_k=top_k,
        min_confidence=min_confidence,
        max_bad_rows=max_bad_rows,
        input_format=input_format,
        engine=engine,
        device=device,
        threads=threads,
        chunk_rows=chunk_rows,
        batch_tokens=batch_tokens,
        overwrite=overwrite,
        dry_run=dry_run,
        report=_path(report),
    )
    return score_file(config, progress=progress)


def evaluate(
    inputs: PathLike | Sequence[PathLike],
    *,
    model: PathLike = "model",
    text_column: str | None = None,
    label_column: str = "label",
) -> Evaluation:
    """Measure a bundle on labelled files.

    Raises:
        TextbatchError: A subclass says what went wrong.
    """
    several = [inputs] if isinstance(inputs, str | os.PathLike) else inputs
    return evaluate_files(
        tuple(map(Path, several)), Path(model), text_column=text_column, label_column=label_column
    )


def _path(path: PathLike | None) -> Path | None:
    return None if path is None else Path(path)


def load(
    path: PathLike,
    *,
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    threads: int | None = None,
) -> Model:
    """Load a bundle, verified and with its golden rows replayed.

    Raises:
        BundleError: It is missing, damaged or unsafe.
        ConflictError: A GPU was asked for and there is none.
    """
    bundle = load_bundle(Path(path))
    opened = open_engine(bundle, name=engine, device=device, threads=threads)
    return Model(bundle, Predictor(bundle, opened))


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
    ) -> TableT:
        """Add the columns that `textbatch score` adds.

        Args:
            table: Any columns, one of them text.
            text_column: None takes the bundle's own.
            prefix: Put before each added column's name.
            probabilities: Add the probability of every label.
            top_k: Add the best labels with their probabilities; 0 adds none.
            min_confidence: Withhold labels below this probability.

        Returns:
            A table of the same kind with the same rows in the same order.

        Raises:
            DataError: There is no such column, or it holds no text.
            ConflictError: An added column has the name of one that is there.
        """
        added = OutputColumns(
            labels=self.labels,
            prefix=prefix,
            probabilities=probabilities,
            top_k=top_k,
            min_confidence=min_confidence,
        )
        column = text_column or self.bundle.settings.text_column
        if isinstance(table, pa.Table):
            return self._score_arrow(table, column, added)
        import pandas as pd

        if column not in table.columns:
            raise DataError(f"the frame has no column '{column}'", "name one with text_column")
        added.output_schema(pa.schema([(str(name), pa.null()) for name in table.columns]))
        texts = pa.table({column: pa.Array.from_pandas(table[column])})
        answers = self._score_arrow(texts, column, added).drop_columns([column]).to_pandas()
        return pd.concat([table, answers.set_index(table.index)], axis=1)

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


def _chunks(table: pa.Table, column: str) -> Iterator[TextBatch]:
    for batch in table.to_batches(max_chunksize=CHUNK_ROWS):
        texts, undecodable = decode_texts(batch.column(column))
        yield TextBatch(table=batch, texts=texts, undecodable=undecodable)
