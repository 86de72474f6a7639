"""The functions `from_keras` and `import_keras`: bundles from networks that were made elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textbatch.data.choices import FailOrReplace, InputFormat, Quoting
from textbatch.data.storage.location import PathLike, path_of, paths_of
from textbatch.report.importing import ImportReport
from textbatch.report.listener import messages_to
from textbatch.report.training import TrainReport
from textbatch.text.choices import Side, Split, Standardize
from textbatch.text.normalization import normalize
from textbatch.training.config.model_import import ImportSettings
from textbatch.training.config.train import BlendMode, TrainConfig
from textbatch.training.import_keras import adopt
from textbatch.training.imported.model_import import import_given
from textbatch.training.imported.source import Given

if TYPE_CHECKING:
    import keras

__all__ = ["from_keras", "import_keras", "normalize"]


def import_keras(
    network: keras.Model | PathLike,
    tokenizer: object | None = None,
    labels: Sequence[str] | PathLike | None = None,
    *,
    model: PathLike = "model",
    text_column: str = "text",
    padding: Side | None = None,
    truncating: Side | None = None,
    max_sequence_length: int | None = None,
    standardize: Standardize | None = None,
    split: Split | None = None,
    calibrate: PathLike | None = None,
    label_column: str = "label",
    input_format: InputFormat = "auto",
    encoding: str | None = None,
    delimiter: str | None = None,
    quoting: Quoting = "auto",
    null_text: Sequence[str] = (),
    join_lists: str | None = None,
    if_exists: FailOrReplace = "fail",
    report: PathLike | None = None,
    log: Callable[[str], None] | None = None,
) -> ImportReport:
    """Make a bundle from a Keras network, in memory or in a file. As the command `import`.

    A network in memory is read by the same rules as a file, and the bundle is compared with it.
    Files are read without Keras, and nothing in them is run.

    Args:
        network: The network, or the path of its `.keras` or `.h5` file.
        tokenizer: Its `Tokenizer` or `TextVectorization`, or the path of its file; a list of words
            by their ids, for texts that `normalize` has split. None for a network that begins with
            a `TextVectorization` layer.
        labels: Labels in the order of the outputs, or the path of their file. None means their
            numbers, from 0.
        model: Directory to write.
        text_column: Column that holds the text.
        padding: Where texts were padded. None means pre, as Keras; TextVectorization's is post.
        truncating: Where longer texts were cut. None means pre, as Keras; TextVectorization's is
            post.
        max_sequence_length: To how many tokens texts were padded. None means what the model's input
            says.
        standardize: What TextVectorization did to texts, if the tokenizer is a list of words. None
            means lower_and_strip_punctuation.
        split: How TextVectorization split them, likewise. None means whitespace.
        calibrate: Labelled file that the model has not seen, to calibrate with.
        label_column: Column that holds the label.
        input_format: Format of the input; auto takes it from the file name.
        encoding: Encoding of CSV and JSONL files. None means UTF-8.
        delimiter: Character between the cells of CSV files. None means a tab in .tsv, else a comma.
        quoting: Quotes in CSV files; none reads " as any other character.
        null_text: A text that means a missing one.
        join_lists: Join texts that are lists of strings, with this between. None means refuse them.
        if_exists: What to do if the output exists.
        report: Write the run's report to this JSON file, on failure too.
        log: Called with each message, one line.

    Raises:
        BundleError: Network or tokenizer cannot be reproduced; the message names the layer.
        TextbatchError: Its subclass tells the kind of error.
    """
    config = ImportSettings.given(locals())
    named = Path(labels) if isinstance(labels, str | os.PathLike) else labels
    return import_given(
        config, network=network, tokenizer=tokenizer, labels=named, listener=messages_to(log)
    )


def from_keras(
    network: keras.Model | PathLike,
    vocabulary: object | None,
    labels: Sequence[str],
    *,
    training: PathLike | Sequence[PathLike],
    validation: PathLike,
    test: PathLike,
    max_sequence_length: int | None = None,
    padding: Side | None = None,
    truncating: Side | None = None,
    model: PathLike = "model",
    text_column: str = "text",
    label_column: str = "label",
    blend: BlendMode = "off",
    seed: int = 0,
    if_exists: FailOrReplace = "fail",
    require_baseline: bool = False,
    report_texts: bool = False,
    report: PathLike | None = None,
    log: Callable[[str], None] | None = None,
) -> TrainReport:
    """Make a bundle from a Keras network: calibrate it, compare it with simple models, check it.

    It reads the network as `import_keras` does, and takes labelled rows to measure it with.

    Args:
        network: The fitted network, or the path of its file. Its outputs are logits or
            probabilities.
        vocabulary: What texts become token ids with, as `tokenizer` of `import_keras`: a Keras
            `Tokenizer` or `TextVectorization`, or the path of its file. Or a list of tokens by
            their ids, for texts that `normalize` has split; the first two stand for padding and
            for unknown tokens. None for a network that begins with a `TextVectorization` layer.
        labels: The labels of its outputs, in order; for a single sigmoid output, both labels.
        training: Labelled rows that it was fitted to. The bundle's profile and the simple models
            are made from them.
        validation: Labelled rows that it was not fitted to, to calibrate with.
        test: Labelled rows that it was not fitted to, for the reported metrics.
        max_sequence_length: To how many tokens texts were padded. None means what the network
            says.
        padding: Where texts were padded. None means pre for a `Tokenizer`, else post.
        truncating: Where longer texts were cut. None means pre for a `Tokenizer`, else post.
        model: Directory of the bundle to write.
        text_column: Column that holds the text.
        label_column: Column that holds the label.
        blend: `auto` adds a linear model if it helps on the validation rows.
        seed: Seed of the simple models and the golden texts.
        if_exists: What to do with an existing bundle: fail, or replace it.
        require_baseline: Fail if a simple model does better on the test rows.
        report_texts: Let the bundle's `report.html` quote the texts of the surest mistakes.
        report: JSON file for the report.
        log: Called with each message, one line.

    Raises:
        UsageError: Vocabulary or labels cannot be used; the message says why.
        BundleError: The network or its tokenizer cannot be reproduced; the message names the
            layer. Or the bundle's probabilities differ from the network's by more than 1e-4.
        TextbatchError: Its subclass tells the kind of error.
    """
    config = TrainConfig(
        inputs=paths_of(training),
        validation=path_of(validation),
        test=path_of(test),
        model=Path(model),
        text_column=text_column,
        label_column=label_column,
        blend=blend,
        seed=seed,
        if_exists=if_exists,
        require_baseline=require_baseline,
        report_texts=report_texts,
        report=path_of(report),
    )
    given = Given(
        network=network,
        tokenizer=vocabulary,
        padding=padding,
        truncating=truncating,
        max_sequence_length=max_sequence_length,
    )
    return adopt(given, labels, config, listener=messages_to(log))
