"""Keras and TensorFlow: the job as Keras's users write it, and the network compiled."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np
import pandas as pd

from benchmarks.engine import FILE_TO_FILE, Answers, Engine, Job, PaddedEngine
from textbatch.model.bundle.bundle import Bundle, load_bundle
from textbatch.model.network.keras_backend import import_keras
from textbatch.model.quality.calibration import softmax
from textbatch.text.characters import ALONE, APOSTROPHES, IGNORED, PIECE, SEPARATOR, classes
from textbatch.text.normalization import PUNCTUATION
from textbatch.text.vocabulary import OOV_ID
from textbatch.types import Float32Array, Int32Array


class KerasPredict(Engine):
    """pandas, a Tokenizer in plain Python, `pad_sequences`, `Model.predict`, pandas."""

    covers = FILE_TO_FILE

    def __init__(self, batch_size: int) -> None:
        self.key = f"keras-{batch_size}"
        self.title = f"Keras predict, batch {batch_size:,}"
        self._batch_size = batch_size

    def prepare(self, job: Job) -> None:
        """Build the network from the bundle's weights."""
        self._bundle, self._source = load_bundle(job.model), job.source
        self._output = job.folder / f"{self.key}.parquet"
        tokens = self._bundle.classifier.vocabulary.tokens
        self._ids = {word: index for index, word in enumerate(tokens)}
        self._network = keras_network(self._bundle)

    def run(self) -> None:
        """The script that many a user has."""
        from keras.utils import pad_sequences

        frame = pd.read_parquet(self._source)
        token_ids = pad_sequences(
            texts_to_sequences(frame["text"], self._ids),
            maxlen=self._bundle.classifier.architecture.max_sequence_length,
            padding="post",
            truncating="post",
        )
        logits = self._network.predict(token_ids, batch_size=self._batch_size, verbose=0)
        probabilities = softmax(logits, self._bundle.calibration.temperature)
        frame["predicted_label"] = np.array(self._bundle.labels)[probabilities.argmax(axis=1)]
        frame["confidence"] = probabilities.max(axis=1)
        frame.to_parquet(self._output)

    def answers(self) -> Answers:
        """Read from the output."""
        return Answers.in_file(self._output, self._bundle.labels)


class TfFunction(PaddedEngine):
    """The Keras network as one `tf.function`."""

    def __init__(self, *, jit_compile: bool) -> None:
        self.key = "tf-xla" if jit_compile else "tf"
        self.title = f"tf.function{', jit_compile' * jit_compile}, batch {self.batch_size}"
        self._jit_compile = jit_compile

    def build(self, bundle: Bundle, job: Job) -> None:
        """Wrap the network."""
        network = keras_network(bundle)
        import tensorflow

        self._function = tensorflow.function(
            lambda token_ids: network(token_ids, training=False), jit_compile=self._jit_compile
        )
        self._constant = tensorflow.constant

    def logits(self, token_ids: Int32Array, lengths: Int32Array) -> Float32Array:
        """The mask comes from the padding, so that the lengths are not needed."""
        return self._function(self._constant(token_ids)).numpy()


def keras_network(bundle: Bundle):
    """The Keras network with the bundle's weights."""
    import_keras()
    from textbatch.model.network.keras_network import build_network, write_tensors

    network = build_network(bundle.classifier.architecture)
    write_tensors(network, bundle.classifier.architecture, bundle.classifier.weights.tensors)
    return network


def texts_to_sequences(texts: Iterable[str], ids: Mapping[str, int]) -> list[list[int]]:
    """What `keras.preprocessing.text.Tokenizer` did until Keras 3, on textbatch's rules."""
    return [[ids.get(word, OOV_ID) for word in words_of(text)] for text in texts]


def words_of(text: str) -> list[str]:
    """Filter, lower and split a text."""
    return unicodedata.normalize("NFKC", text).translate(_translation()).lower().split()


@cache
def _translation() -> dict[int, str]:
    """Keras's filters, and what else makes all engines see the same tokens.

    That is each CJK character alone, and two letters lowered regardless of their neighbours. A
    Latin letter right behind a Thai one is not parted from it: the data sets have none.
    """
    told = {SEPARATOR: " ", IGNORED: "", ALONE: " {} ", PIECE: " {}"}
    kinds = classes()
    beyond = {
        int(code): told[int(kinds[code])].format(chr(code))
        for kind in told
        for code in np.flatnonzero(kinds == kind)
    }
    filters = {ord(character): " " for character in PUNCTUATION}
    apostrophes = {ord(character): "'" for character in APOSTROPHES}
    return filters | beyond | apostrophes | {ord("İ"): "i", ord("Σ"): "σ"}
