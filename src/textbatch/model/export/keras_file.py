"""A `.keras` file: token ids in, probabilities out. Keras loads it without textbatch."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa

from textbatch.data.json_text import json_text
from textbatch.data.storage.passing import passing_folder
from textbatch.errors import storage_errors
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.export.described import Difference, description_of, linear_part
from textbatch.model.export.keras_chain import build_chain_network
from textbatch.model.export.keras_linear import linear_logits
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.chain import Chain
from textbatch.model.network.keras_network import build_network, write_tensors
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import PAD_ID
from textbatch.types import Float32Array, Int32Array

#: What the archive holds beside what Keras puts into it.
DESCRIPTION = "textbatch.json"
_ROWS_AT_ONCE = 1024


def keras_model(classifier: Classifier) -> keras.Model:
    """Build the model.

    It takes token ids of shape `(batch, time)`, int32, padded with 0: on the right; for a network
    that was made with Keras to its length, on its side. It gives probabilities of shape
    `(batch, labels)`.

    Args:
        classifier: What answers.

    Raises:
        ConflictError: Keras 3 has no such layers.
    """
    model = logits_model(classifier)
    softmax = keras.layers.Softmax(name="probabilities")(model.output)
    return keras.Model(model.input, softmax, name="textbatch")


def logits_model(classifier: Classifier) -> keras.Model:
    """As `keras_model`, but it gives logits divided by the temperature.

    Args:
        classifier: What answers.
    """
    architecture, tensors = classifier.architecture, dict(classifier.weights.tensors)
    last = "logits" if isinstance(architecture, Architecture) else str(len(architecture.layers) - 1)
    for name in (f"{last}.W", f"{last}.B"):
        tensors[name] = np.asarray(tensors[name] / np.float32(classifier.temperature), np.float32)
    if isinstance(architecture, Chain):
        network = build_chain_network(architecture, tensors)
    else:
        network = build_network(architecture, train_embedding=True)
        write_tensors(network, architecture, tensors)
    if not classifier.blend:
        return network
    addend = linear_logits(classifier.blend, network.input, divided_by=classifier.temperature)
    return keras.Model(network.input, keras.ops.add(network.output, addend), name="textbatch")


def keras_file(
    bundle: Bundle,
    model: keras.Model,
    golden_rows: Difference,
    unknown_words: Difference | None,
) -> bytes:
    """Save the model, with all that another program needs as an entry of the archive.

    Args:
        bundle: The model.
        model: What `keras_model` has made of it.
        golden_rows: How far its answers are from the model's.
        unknown_words: The same with unknown words; None if nothing is left out.
    """
    described: dict[str, Any] = {
        **description_of(bundle),
        "linear_model": linear_part(bundle.classifier),
        "golden_rows": asdict(golden_rows),
        "unknown_words": asdict(unknown_words) if unknown_words else None,
    }
    with temporary_folder() as folder:
        path = folder / "model.keras"
        model.save(path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(DESCRIPTION, json_text(described, indent=1))
        return path.read_bytes()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for what a library can only write itself.

    Raises:
        StorageError: There is no space for it.
    """
    place = tempfile.gettempdir()
    with (
        storage_errors(place, "cannot write temporary files in"),
        passing_folder() as folder,
    ):
        yield folder


def answers_to(bundle: Bundle, model: Any) -> Callable[[pa.Array], Float32Array]:  # noqa: ANN401
    """What answers texts with a model that takes token ids.

    Args:
        bundle: The bundle, whose tokenizer is used.
        model: From `keras_model`, or loaded from its file.
    """

    def answers(texts: pa.Array) -> Float32Array:
        padded = padded_ids(bundle.classifier.tokenizer, bundle.classifier.architecture, texts)
        parts = [
            # Not `predict`, which compiles for longer than this takes.
            np.asarray(model(padded[start : start + _ROWS_AT_ONCE], training=False))
            for start in range(0, max(1, len(padded)), _ROWS_AT_ONCE)
        ]
        return np.concatenate(parts)

    return answers


def padded_ids(tokenizer: Tokenizer, network: Architecture | Chain, texts: pa.Array) -> Int32Array:
    """Token ids as the model takes them. Shape `(rows, max_sequence_length)`.

    Args:
        tokenizer: Makes the ids.
        network: Says how they are padded.
        texts: Shape `(rows,)`.
    """
    tokens, steps = tokenizer.encode(texts), network.max_sequence_length
    padded = np.full((len(tokens), steps), PAD_ID, np.int32)
    lengths = tokens.lengths
    rows = np.repeat(np.arange(len(tokens)), lengths)
    column = np.arange(len(tokens.token_ids)) - np.repeat(tokens.offsets[:-1], lengths)
    if isinstance(network, Chain) and network.padding == "pre":
        column = column + np.repeat(steps - lengths, lengths)
    padded[rows, column] = tokens.token_ids
    return padded
