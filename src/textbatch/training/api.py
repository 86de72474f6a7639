"""Training models and word vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from textbatch.data.choices import FailOrReplace
from textbatch.data.storage.location import PathLike, path_of, paths_of
from textbatch.model.choices import Algorithm, Cell, Pooling
from textbatch.report.training import TrainReport
from textbatch.report.vectors import VectorsReport
from textbatch.training.config.train import BlendMode, Preset, TrainConfig
from textbatch.training.config.vectors import VectorsConfig
from textbatch.training.train import train as train_files
from textbatch.training.vectors import train_vectors as train_vectors_file


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
    if_exists: FailOrReplace = "fail",
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
    refit: bool = False,
    self_train: bool = False,
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
        if_exists: What to do with an existing bundle: fail, or replace it.
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
        blend: `auto` adds a linear model where the held-out rows gain by it.
        require_baseline: Fail where a simple model does better on the test rows.
        report_texts: Let the bundle's `report.html` quote the texts of the surest mistakes.
        refit: Fit once more, to training and validation rows together.
        self_train: Learn from the surest answers to unlabelled texts, where that helps.

    Raises:
        TextbatchError: A subclass says what went wrong.
    """
    config = TrainConfig(
        inputs=paths_of(inputs),
        model=Path(model),
        text_column=text_column,
        label_column=label_column,
        validation=path_of(validation),
        test=path_of(test),
        preset=preset,
        vectors=paths_of(vectors),
        unlabelled=paths_of(unlabelled),
        keep_vectors=keep_vectors,
        seed=seed,
        if_exists=if_exists,
        report=path_of(report),
        cell=cell,
        layers=layers,
        units=None if units is None else tuple(units),
        bidirectional=bidirectional,
        pooling=pooling,
        blend=blend,
        require_baseline=require_baseline,
        report_texts=report_texts,
        refit=refit,
        self_train=self_train,
        settings=path_of(settings),
        folds=folds,
        jobs=jobs,
        out_of_fold=path_of(out_of_fold),
        resume=resume,
        augment=augment,
        template_file=path_of(template_file),
        synonyms=path_of(synonyms),
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
    if_exists: FailOrReplace = "fail",
    say: Callable[[str], None] | None = None,
) -> VectorsReport:
    """Train word vectors on texts; `config.VectorsConfig` explains the settings.

    Raises:
        TextbatchError: A subclass says what went wrong; an older output is still in place.
    """
    config = VectorsConfig(
        inputs=paths_of(inputs),
        output=Path(output),
        algorithm=algorithm,
        dim=dim,
        window=window,
        epochs=epochs,
        min_count=min_count,
        words=path_of(words),
        text_column=text_column,
        seed=seed,
        if_exists=if_exists,
    )
    return train_vectors_file(config, say=say)
