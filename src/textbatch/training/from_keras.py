"""The function `from_keras`: a bundle from a network that was made elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textbatch.data.choices import FailOrReplace
from textbatch.data.storage.location import PathLike, path_of, paths_of
from textbatch.report.listener import messages_to
from textbatch.report.training import TrainReport
from textbatch.text.normalization import normalize
from textbatch.training.config.train import BlendMode, TrainConfig
from textbatch.training.import_keras import KerasNetwork, adopt

if TYPE_CHECKING:
    import keras

__all__ = ["from_keras", "normalize"]


def from_keras(
    network: keras.Model,
    vocabulary: Sequence[str],
    labels: Sequence[str],
    *,
    training: PathLike | Sequence[PathLike],
    validation: PathLike,
    test: PathLike,
    max_sequence_length: int,
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

    The network is a chain of layers over token ids that are padded on the right with 0: a masked
    embedding, GRU or LSTM layers, which may be bidirectional, mean pooling or the last state, and
    one or two dense layers. Its texts must have been split into words as `normalize` splits them.

    Args:
        network: The fitted network. Its outputs are logits or probabilities.
        vocabulary: Its tokens in the order of their ids, as
            `keras.layers.TextVectorization.get_vocabulary` gives them. The first two stand for
            padding and for unknown tokens.
        labels: The labels of its outputs, in order; for a single sigmoid output, both labels.
        training: Labelled rows that it was fitted to. The bundle's profile and the simple models
            are made from them.
        validation: Labelled rows that it was not fitted to, to calibrate with.
        test: Labelled rows that it was not fitted to, for the reported metrics.
        max_sequence_length: Longer texts keep their first tokens.
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
        UsageError: Network, vocabulary or labels cannot be used; the message says why.
        BundleError: The bundle's probabilities differ from the network's by more than 1e-4.
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
    source = KerasNetwork(
        network=network,
        vocabulary=vocabulary,
        labels=labels,
        max_sequence_length=max_sequence_length,
    )
    return adopt(source, config, listener=messages_to(log))
