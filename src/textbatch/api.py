"""The Python interface: what the command line calls, with plain arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from textbatch.config import (
    CHUNK_ROWS,
    DeviceName,
    EngineName,
    InputFormat,
    Precision,
    Preset,
    ScoreConfig,
    TrainConfig,
)
from textbatch.evaluation import evaluate as evaluate_files
from textbatch.loaded import Model
from textbatch.model.bundle import load_bundle
from textbatch.model.engines import open_engine
from textbatch.model.predictor import Predictor
from textbatch.report.evaluation import Evaluation
from textbatch.report.progress import Progress
from textbatch.report.run import RunReport
from textbatch.report.training import TrainReport
from textbatch.scoring import score as score_file
from textbatch.training import train as train_files

PathLike = str | os.PathLike[str]


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
    augment: str = "none",
    template_file: PathLike | None = None,
    synonyms: PathLike | None = None,
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
        augment: `none`, `all`, `auto`, or methods with commas between.
        template_file: TOML with patterns for labels' texts.
        synonyms: Groups of synonyms, one a line.
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
        augment=augment,
        template_file=_path(template_file),
        synonyms=_path(synonyms),
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
    precision: Precision = "f32",
    threads: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
    batch_tokens: int | None = None,
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
        precision=precision,
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
    input_format: InputFormat = "auto",
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    precision: Precision = "f32",
    threads: int | None = None,
) -> Evaluation:
    """Measure a bundle on labelled files.

    Raises:
        TextbatchError: A subclass says what went wrong.
    """
    several = [inputs] if isinstance(inputs, str | os.PathLike) else inputs
    return evaluate_files(
        tuple(map(Path, several)),
        Path(model),
        text_column=text_column,
        label_column=label_column,
        input_format=input_format,
        engine=engine,
        device=device,
        precision=precision,
        threads=threads,
    )


def _path(path: PathLike | None) -> Path | None:
    return None if path is None else Path(path)


def load(
    path: PathLike,
    *,
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    precision: Precision = "f32",
    threads: int | None = None,
) -> Model:
    """Load a bundle, verified and with its golden rows replayed.

    Raises:
        BundleError: It is missing, damaged or unsafe.
        ConflictError: A GPU was asked for and there is none.
    """
    bundle = load_bundle(Path(path))
    opened = open_engine(bundle, name=engine, device=device, threads=threads, precision=precision)
    return Model(bundle, Predictor(bundle, opened))
