"""Scoring files, and measuring and loading models."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from textbatch.data.choices import CHUNK_ROWS, IfExists, InputFormat
from textbatch.data.storage.location import (
    PathLike,
    location_of,
    location_or_none,
    path_of,
    paths_of,
)
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.choices import DeviceName, EngineName, Precision
from textbatch.model.predictor import open_bundle
from textbatch.report.evaluation import Evaluation
from textbatch.report.scoring import RunReport
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.evaluate import evaluate as evaluate_files
from textbatch.scoring.in_memory import Model
from textbatch.scoring.score import score as score_file


def score(
    inputs: PathLike | Sequence[PathLike],
    output: PathLike,
    *,
    incremental: bool = False,
    partition_columns: bool = False,
    work_dir: PathLike | None = None,
    model: PathLike = "model",
    text_column: str | None = None,
    columns: Sequence[str] | None = None,
    prefix: str = "",
    probabilities: bool = False,
    top_k: int = 0,
    min_confidence: float = 0.0,
    min_precision: float = 0.0,
    max_bad_rows: int | str = 0,
    quarantine: PathLike | None = None,
    quarantine_text: bool = False,
    input_format: InputFormat = "auto",
    encoding: str | None = None,
    null_text: Sequence[str] = (),
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    precision: Precision = "f32",
    threads: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
    batch_tokens: int | None = None,
    if_exists: IfExists = "fail",
    dry_run: bool = False,
    report: PathLike | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Score a file into a Parquet file, or files into a folder.

    `config.ScoreConfig` explains the settings. An output that ends with `/` is a folder.

    Raises:
        TextbatchError: A subclass says what went wrong; the output's old state is untouched.
    """
    several = [inputs] if isinstance(inputs, str | os.PathLike) else inputs
    config = ScoreConfig(
        inputs=tuple(map(location_of, several)),
        output=location_of(output),
        as_folder=os.fspath(output).endswith("/"),
        incremental=incremental,
        partition_columns=partition_columns,
        model=location_of(model),
        work_dir=path_of(work_dir),
        text_column=text_column,
        columns=None if columns is None else tuple(columns),
        prefix=prefix,
        probabilities=probabilities,
        top_k=top_k,
        min_confidence=min_confidence,
        min_precision=min_precision,
        max_bad_rows=max_bad_rows,
        quarantine=location_or_none(quarantine),
        quarantine_text=quarantine_text,
        input_format=input_format,
        encoding=encoding,
        null_text=tuple(null_text),
        engine=engine,
        device=device,
        precision=precision,
        threads=threads,
        chunk_rows=chunk_rows,
        batch_tokens=batch_tokens,
        if_exists=if_exists,
        dry_run=dry_run,
        report=location_or_none(report),
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
    html: PathLike | None = None,
    report_texts: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure a bundle on labelled files; `evaluation.evaluate` explains the settings.

    Raises:
        TextbatchError: A subclass says what went wrong.
    """
    return evaluate_files(
        paths_of(inputs),
        Path(model),
        text_column=text_column,
        label_column=label_column,
        input_format=input_format,
        engine=engine,
        device=device,
        precision=precision,
        threads=threads,
        html=path_of(html),
        report_texts=report_texts,
        progress=progress,
    )


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
    predictor = open_bundle(
        bundle, name=engine, device=device, threads=threads, precision=precision
    )
    return Model(bundle, predictor)
