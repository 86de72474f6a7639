"""The Python interface: what the command line calls, with plain arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from textbatch.config import (
    CHUNK_ROWS,
    Algorithm,
    BlendMode,
    Cell,
    DeviceName,
    EngineName,
    IfExists,
    InputFormat,
    Pooling,
    Precision,
    Preset,
    ScoreConfig,
    TrainConfig,
    VectorsConfig,
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
from textbatch.vectorizing import VectorsReport
from textbatch.vectorizing import train_vectors as train_vectors_file

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
    vectors: PathLike | Sequence[PathLike] = (),
    unlabelled: PathLike | Sequence[PathLike] = (),
    keep_vectors: int = 20_000,
    seed: int = 0,
    overwrite: bool = False,
    report: PathLike | None = None,
    cell: Cell | None = None,
    layers: int | None = None,
    units: Sequence[int] | None = None,
    bidirectional: bool | None = None,
    pooling: Pooling | None = None,
    settings: PathLike | None = None,
    folds: int = 0,
    jobs: int | None = None,
    out_of_fold: PathLike | None = None,
    resume: bool = False,
    augment: str = "none",
    template_file: PathLike | None = None,
    synonyms: PathLike | None = None,
    say: Callable[[str], None] | None = None,
    blend: BlendMode = "auto",
    require_baseline: bool = False,
    report_texts: bool = False,
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
        vectors: Files of pretrained word vectors.
        unlabelled: Files of texts to train word vectors on too.
        keep_vectors: Words to keep that have a vector but that training never saw.
        seed: Of everything random.
        overwrite: Replace an existing bundle.
        report: JSON file for the run's report.
        cell: Of every recurrent layer.
        layers: How many recurrent layers.
        units: Width of each, or one for all.
        bidirectional: Whether they read both ways.
        pooling: What the states of the last one become.
        settings: TOML or JSON file with settings of the recipe.
        folds: Parts of a cross-validation; 0 for none.
        jobs: Folds trained at a time.
        out_of_fold: Parquet file for the answers of the cross-validation.
        resume: Go on from the last checkpoint of an interrupted run.
        augment: `none`, `all`, `auto`, or methods with commas between.
        template_file: TOML with patterns for labels' texts.
        synonyms: Groups of synonyms, one a line.
        say: Called with one line per step.
        blend: `auto` adds a linear model where the validation rows gain by it.
        require_baseline: Fail where a simple model does better on the test rows.
        report_texts: Let the bundle's `report.html` quote the texts of the surest mistakes.

    Raises:
        TextbatchError: A subclass says what went wrong.
    """
    config = TrainConfig(
        inputs=_paths(inputs),
        model=Path(model),
        text_column=text_column,
        label_column=label_column,
        validation=_path(validation),
        test=_path(test),
        preset=preset,
        vectors=_paths(vectors),
        unlabelled=_paths(unlabelled),
        keep_vectors=keep_vectors,
        seed=seed,
        overwrite=overwrite,
        report=_path(report),
        cell=cell,
        layers=layers,
        units=None if units is None else tuple(units),
        bidirectional=bidirectional,
        pooling=pooling,
        blend=blend,
        require_baseline=require_baseline,
        report_texts=report_texts,
        settings=_path(settings),
        folds=folds,
        jobs=jobs,
        out_of_fold=_path(out_of_fold),
        resume=resume,
        augment=augment,
        template_file=_path(template_file),
        synonyms=_path(synonyms),
    )
    return train_files(config, say=say)


def train_vectors(
    inputs: PathLike | Sequence[PathLike],
    output: PathLike,
    *,
    algorithm: Algorithm = "word2vec",
    dim: int = 100,
    window: int = 8,
    epochs: int = 5,
    min_count: int = 5,
    words: PathLike | None = None,
    text_column: str = "text",
    seed: int = 0,
    overwrite: bool = False,
    say: Callable[[str], None] | None = None,
) -> VectorsReport:
    """Train word vectors on texts; `config.VectorsConfig` explains the settings.

    Raises:
        TextbatchError: A subclass says what went wrong; an older output is still in place.
    """
    config = VectorsConfig(
        inputs=_paths(inputs),
        output=Path(output),
        algorithm=algorithm,
        dim=dim,
        window=window,
        epochs=epochs,
        min_count=min_count,
        words=_path(words),
        text_column=text_column,
        seed=seed,
        overwrite=overwrite,
    )
    return train_vectors_file(config, say=say)


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
    overwrite: bool = False,
    if_exists: IfExists = "fail",
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
        min_precision=min_precision,
        max_bad_rows=max_bad_rows,
        quarantine=_path(quarantine),
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
        overwrite=overwrite,
        if_exists=if_exists,
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
    html: PathLike | None = None,
    report_texts: bool = False,
) -> Evaluation:
    """Measure a bundle on labelled files; `evaluation.evaluate` explains the settings.

    Raises:
        TextbatchError: A subclass says what went wrong.
    """
    return evaluate_files(
        _paths(inputs),
        Path(model),
        text_column=text_column,
        label_column=label_column,
        input_format=input_format,
        engine=engine,
        device=device,
        precision=precision,
        threads=threads,
        html=_path(html),
        report_texts=report_texts,
    )


def _paths(paths: PathLike | Sequence[PathLike]) -> tuple[Path, ...]:
    several = [paths] if isinstance(paths, str | os.PathLike) else paths
    return tuple(map(Path, several))


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
