"""A Keras network and its tokenizer, from files or from memory: one reader, one set of rules."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textbatch.errors import ConflictError, UsageError
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.keras_files.keras_layers import KerasFile
from textbatch.model.keras_files.live_objects import read_live_network, read_live_tokenizer
from textbatch.model.keras_files.network_file import read_network_file
from textbatch.model.keras_files.tokenizer_file import KerasTokenizer, read_tokenizer
from textbatch.model.keras_files.vectorization import KerasVectorization
from textbatch.model.network.weights import Weights
from textbatch.text.choices import Side, Split, Standardize
from textbatch.text.vectorized_text import VectorizedText
from textbatch.training.imported.layers import embedding_of, read_layers
from textbatch.training.imported.words import (
    Words,
    words_and_table,
    words_by_ids,
    words_of_tokenizer,
    words_of_vectorization,
)
from textbatch.types import Int64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a caller gives.

    Attributes:
        network: Path of a Keras file, or a network of Keras in memory.
        tokenizer: Path of its file, or a `Tokenizer` or `TextVectorization` in memory. Or a list
            of words by their ids, for texts that are split by textbatch's own rules. None for a
            network that begins with a `TextVectorization` layer.
        padding: On which side texts were padded; None for what the tokenizer does by default.
        truncating: On which side longer texts were cut; None likewise.
        max_sequence_length: To how many tokens; None for what the network says.
        standardize: What a `TextVectorization` did to texts, where only its words are given.
        split: How it split them, likewise.
    """

    network: Any
    tokenizer: Any | None
    padding: Side | None = None
    truncating: Side | None = None
    max_sequence_length: int | None = None
    standardize: Standardize | None = None
    split: Split | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A network and its tokenizer, read.

    Attributes:
        file: The network.
        words: Its words.
        padding: On which side texts were padded.
        max_sequence_length: To how many tokens texts were padded and cut.
        live: The network in memory; None if it came from a file.
    """

    file: KerasFile
    words: Words
    padding: Side
    max_sequence_length: int
    live: Any | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A network as a bundle's classifier, without calibration.

    Attributes:
        classifier: What answers.
        indexes: For each of its tokens Keras's index. Shape `(vocabulary_size,)`.
        activation: Of the original's output: `linear`, `softmax` or `sigmoid`.
    """

    classifier: Classifier
    indexes: Int64Array
    activation: str


def read_source(given: Given) -> Source:
    """Read a network and its tokenizer. Nothing in files is run.

    Args:
        given: What a caller gives.

    Raises:
        BundleError: Something is damaged or unsafe, or cannot be reproduced.
        UsageError: Something that nothing tells is missing.
        ConflictError: Something is told twice.
    """
    place = _place(given.network)
    file = read_network_file(place) if place else read_live_network(given.network)
    words, told = _words(given, file)
    ours, vectorized = words.rules is None, isinstance(words.rules, VectorizedText)
    if vectorized and "pre" in (given.padding, given.truncating):
        raise ConflictError(
            "a TextVectorization layer pads and cuts texts at their end",
            "leave --padding and --truncating out",
        )
    if ours and given.truncating == "pre":
        raise ConflictError(
            "texts that textbatch splits by its own rules keep their first tokens",
            "leave truncating out, or give the tokenizer",
        )
    return Source(
        file=file,
        words=words,
        padding=given.padding or ("post" if ours or vectorized else "pre"),
        max_sequence_length=_length(given, told, str(place or "the network")),
        live=None if place else given.network,
    )


def classifier_of(
    source: Source, labels: tuple[str, ...] | None, *, order: Sequence[int] | None = None
) -> Imported:
    """Make the classifier of a bundle.

    Args:
        source: The network.
        labels: The labels; None for the numbers of the outputs.
        order: For each label the number of its output; None if they are in the outputs' order.

    Raises:
        BundleError: A layer or the tokenizer cannot be reproduced.
    """
    file = source.file
    vocabulary, table, indexes = words_and_table(source.words, embedding_of(file).weights[0])
    read = read_layers(
        file,
        table,
        padding=source.padding,
        max_sequence_length=source.max_sequence_length,
        order=order,
    )
    classifier = Classifier(
        architecture=read.network,
        vocabulary=vocabulary,
        labels=tuple(map(str, range(read.outputs))) if labels is None else labels,
        weights=Weights.pack(read.tensors, read.network),
        text=source.words.rules,
    )
    return Imported(classifier=classifier, indexes=indexes, activation=read.activation)


def _place(value: object) -> Path | None:
    return Path(value) if isinstance(value, str | os.PathLike) else None


def _words(given: Given, file: KerasFile) -> tuple[Words, int | None]:
    """The words, and the tokens of a text where network or tokenizer say that."""
    read: KerasTokenizer | KerasVectorization | None = file.vectorization
    named = [f"--{name}" for name in ("standardize", "split") if getattr(given, name)]
    if given.tokenizer is None:
        if read is None:
            raise UsageError(
                "--tokenizer is missing",
                "give it; only a network that begins with a TextVectorization layer brings its own",
            )
    elif read is not None:
        raise ConflictError(
            "the network begins with a TextVectorization layer, which is its tokenizer",
            "leave --tokenizer out",
        )
    elif place := _place(given.tokenizer):
        found = read_tokenizer(place)
        if isinstance(found, tuple):
            plain = KerasVectorization(
                words=found,
                standardize=given.standardize or "lower_and_strip_punctuation",
                split=given.split or "whitespace",
            )
            return words_of_vectorization(plain), file.input_length
        read = found
    elif isinstance(given.tokenizer, list | tuple):
        return words_by_ids(given.tokenizer), file.input_length
    else:
        read = read_live_tokenizer(given.tokenizer)
    if named:
        raise ConflictError(
            f"{' and '.join(named)} is told by the tokenizer already",
            "leave it out: it is for a file of words alone",
        )
    if isinstance(read, KerasTokenizer):
        found_words = words_of_tokenizer(read, truncating=given.truncating or "pre")
        return found_words, file.input_length
    assert read is not None
    return words_of_vectorization(read), file.input_length or read.length


def _length(given: Given, told: int | None, name: str) -> int:
    length = given.max_sequence_length or told
    if not length:
        raise UsageError(
            f"{name} does not say to how many tokens texts were padded",
            "give --max-sequence-length, the `maxlen` of pad_sequences",
        )
    if told and length != told:
        raise UsageError(
            f"--max-sequence-length is {length}, the model's input has {told} tokens",
            "leave it out",
        )
    return length
