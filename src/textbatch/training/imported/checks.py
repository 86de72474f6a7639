"""What is checked of an imported model, and what its user should know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textbatch.data.readers.label_values import LONGEST_LABEL, labels_alike
from textbatch.errors import BundleError
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.network.chain import Chain
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import softmax
from textbatch.training.imported.source import Imported, Source
from textbatch.types import Float32Array, Int32Array, has_evidence

#: How far a bundle's probabilities may be from its network's; rounding alone differs by less.
_TOLERANCE = 1e-4


def check_labels(classifier: Classifier, name: Path | str) -> None:
    """Check the labels of an imported network.

    Args:
        classifier: The network with its labels.
        name: Where they come from, for messages.

    Raises:
        BundleError: There are more or fewer than outputs, or two are alike.
    """
    labels, outputs = classifier.labels, classifier.architecture.num_labels
    if len(labels) != outputs:
        raise BundleError(
            f"{name} has {len(labels):,} labels, the network {outputs:,} outputs",
            "give a label for each output, in their order",
        )
    if labels_alike(labels) or not all(label.strip() for label in labels):
        raise BundleError(
            f"{name} has a blank label, or two that are the same but for upper case, blanks and "
            "the form of their letters",
            "write a file that gives each output a label of its own",
        )
    if long := sum(len(label) > LONGEST_LABEL for label in labels):
        raise BundleError(
            f"{name} has {long:,} labels of more than {LONGEST_LABEL:,} characters",
            "check --labels",
        )


def about_padding(classifier: Classifier) -> list[str]:
    """A warning about a network that reads padding.

    Args:
        classifier: The network.
    """
    chain = classifier.architecture
    if not isinstance(chain, Chain) or not chain.computes_padding:
        return []
    mask = "after layers that drop its mask" if chain.mask_zero else "without a mask"
    warning = (
        f"the model reads padding as if it were words ({mask}): its answers are those of Keras for "
        f"texts padded to {chain.max_sequence_length} tokens, and short texts answer mostly of "
        "padding; trained with mask_zero=True and layers that keep the mask, it would read the "
        "words alone, and often be right more often"
    )
    return [warning]


def check_same(
    imported: Imported, source: Source, texts: pa.Array, order: Sequence[int] | None = None
) -> float:
    """Check that a classifier answers as the network in memory that it was made of.

    Args:
        imported: The classifier.
        source: The network. If it came from a file, nothing is checked.
        texts: Texts to compare with. Shape `(rows,)`.
        order: For each label the number of its output; None if they are in the outputs' order.

    Returns:
        The largest difference of a probability.

    Raises:
        BundleError: It answers otherwise.
    """
    if source.live is None:
        return 0.0
    with open_predictor(imported.classifier) as predictor:
        logits, status = predictor.predict_logits(texts)
    answered = np.flatnonzero(has_evidence(status))
    if not len(answered):
        return 0.0
    texts = texts.take(pa.array(answered))
    if source.file.vectorization:
        found = _layer_by_layer(source.live, texts)
    else:
        padded = _ids(imported, source, texts)
        found = source.live.predict(padded, batch_size=64, verbose=0)
    theirs = _probabilities(np.asarray(found, np.float64), imported.activation)
    if order is not None:
        theirs = theirs[:, list(order)]
    worst = float(np.abs(softmax(logits[answered], 1.0) - theirs).max(initial=0.0))
    if not worst <= _TOLERANCE:
        raise BundleError(
            f"the bundle's probabilities are off from the network's by up to {worst:.2g}",
            "build the network as a plain chain of layers",
        )
    return worst


def _layer_by_layer(network: Any, texts: pa.Array) -> Any:  # noqa: ANN401 - Keras has no types
    """The network's outputs for texts, which `predict` of Keras 3 does not take from NumPy."""
    value: Any = texts.to_pylist()
    for layer in network.layers:
        if type(layer).__name__ != "InputLayer":
            value = layer(value)
    return value


def _ids(imported: Imported, source: Source, texts: pa.Array) -> Int32Array:
    """Keras's indexes of texts, padded as Keras pads them. Shape `(rows, steps)`."""
    tokens, steps = imported.classifier.tokenizer.encode(texts), source.max_sequence_length
    padded = np.zeros((len(tokens), steps), np.int32)
    ids = imported.indexes[tokens.token_ids]
    for row, (start, stop) in enumerate(zip(tokens.offsets, tokens.offsets[1:], strict=False)):
        first = steps - (stop - start) if source.padding == "pre" else 0
        padded[row, first : first + stop - start] = ids[start:stop]
    return padded


def _probabilities(found: NDArray[np.float64], activation: str) -> Float32Array:
    if activation == "sigmoid":
        found = np.concatenate([1 - found, found], axis=1)
    elif activation == "linear":
        if found.shape[1] == 1:
            found = np.concatenate([np.zeros_like(found), found], axis=1)
        found = np.exp(found - found.max(axis=1, keepdims=True))
        found /= found.sum(axis=1, keepdims=True)
    return found.astype(np.float32)
