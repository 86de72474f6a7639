"""A SavedModel of TensorFlow: texts in, labels and probabilities out.

The tokenizer is made of TensorFlow's own operations and tables; the network is Keras's, as in the
`.keras` file. Parts of unknown words are inside too, because here their characters are known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from textbatch.data.json_text import json_text
from textbatch.errors import StorageError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.export.described import Difference, description_of
from textbatch.model.export.keras_file import logits_model, temporary_folder
from textbatch.model.export.tf_subwords import subword_sums
from textbatch.model.export.tf_text_ngrams import character_margins
from textbatch.model.export.tf_tokens import TokenMaker, Tokens
from textbatch.model.network.chain import Chain
from textbatch.text.vocabulary import OOV_ID
from textbatch.types import Float32Array

#: Where TensorFlow keeps files that are not its own.
DESCRIPTION = "assets.extra/textbatch.json"


class TextModel(tf.Module):  # type: ignore[misc]
    """From texts to answers, as one function of TensorFlow.

    Args:
        classifier: What answers.

    Raises:
        ConflictError: Its rules of texts, or its layers, cannot be expressed.
    """

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.tokens = TokenMaker(classifier)
        self._network = classifier.architecture
        self._blend = classifier.blend
        self._temperature = classifier.temperature
        self._labels = classifier.labels
        model = logits_model(classifier)
        # Keras's variables hold TensorFlow's, which are what is saved.
        self.weights = [one.value for one in model.variables]
        self._logits: Callable[[Any], Any] = lambda ids: model(ids, training=False)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])  # type: ignore[untyped-decorator]
    def answer(self, text: Any) -> dict[str, Any]:  # noqa: ANN401 - TensorFlow has no types
        """Answer texts.

        Args:
            text: Shape `(texts,)`, strings.

        Returns:
            `predicted_label`, empty without evidence; `confidence` and `probabilities`, NaN without
            evidence; `status`, as `score` has it.
        """
        tokens = self.tokens(text)
        number = tf.size(tokens.lengths)
        known = tf.cast(tokens.ids > OOV_ID, tf.int32)
        known = tf.math.unsorted_segment_sum(known, tokens.rows, number)
        evidence = (known > 0) & ~tokens.broken
        # Convolutions do not take a batch of no rows.
        logits = self._logits(self._padded(tokens, tf.maximum(number, 1)))[:number]
        if self._blend and self._blend.model.subwords:
            factor = self._blend.weight / self._temperature
            sums = subword_sums(self._blend.model.subwords, tokens, number)
            lengths = tf.cast(tf.maximum(tokens.lengths, 1), tf.float32)[:, None]
            logits += sums / lengths * np.float32(factor)
        if self._blend and self._blend.model.characters:
            factor = self._blend.weight / self._temperature
            margins = character_margins(self._blend.model.characters, tokens, number)
            logits += margins * np.float32(factor)
        nothing = tf.constant(np.nan, tf.float32)
        probabilities = tf.where(evidence[:, None], tf.nn.softmax(logits), nothing)
        best = tf.gather(tf.constant(self._labels), tf.argmax(logits, axis=1))
        return {
            "predicted_label": tf.where(evidence, best, ""),
            "confidence": tf.reduce_max(probabilities, axis=1),
            "probabilities": probabilities,
            "status": _status(tokens, evidence),
        }

    def _padded(self, tokens: Tokens, number: Any) -> Any:  # noqa: ANN401
        columns, longest = tokens.columns, self._network.max_sequence_length
        width: Any = tf.maximum(tf.reduce_max(tf.concat([tokens.lengths, [1]], 0)), 1)
        if isinstance(self._network, Chain):
            width = tf.constant(longest)
            if self._network.padding == "pre":
                columns += tf.gather(longest - tokens.lengths, tokens.rows)
        places = tf.stack([tf.cast(tokens.rows, tf.int32), columns], axis=1)
        ids = tf.scatter_nd(places, tokens.ids, tf.stack([number, width]))
        # A row without a token would crash cuDNN. Its answer is not used.
        lengths = tf.concat([tokens.lengths, [0]], 0)[:number]
        empty = tf.boolean_mask(tf.range(number), lengths == 0)
        at = tf.stack([empty, tf.fill([tf.size(empty)], width - 1 if self._is_pre else 0)], axis=1)
        ids = tf.tensor_scatter_nd_update(ids, at, tf.fill([tf.size(empty)], OOV_ID))
        if isinstance(self._network, Chain):
            ids = tf.ensure_shape(ids, [None, longest])
        return ids

    @property
    def _is_pre(self) -> bool:
        return isinstance(self._network, Chain) and self._network.padding == "pre"


def _status(tokens: Tokens, evidence: Any) -> Any:  # noqa: ANN401
    """The status of each text, by the rules of `score`."""
    status = tf.where(tokens.truncated, "truncated", "ok")
    status = tf.where(evidence, status, "no_known_tokens")
    status = tf.where((tokens.lengths == 0) & tokens.blank, "empty_text", status)
    return tf.where(tokens.broken, "bad_text", status)


def saved_model_files(bundle: Bundle, model: TextModel) -> dict[str, bytes]:
    """Save the model.

    Args:
        bundle: The bundle that it was made of.
        model: What is saved.

    Returns:
        The files of its directory, by path.

    Raises:
        StorageError: The folder for temporary files is full.
    """
    with temporary_folder() as folder:
        root = folder / "model"
        try:
            tf.saved_model.save(model, str(root), signatures={"serving_default": model.answer})
        except tf.errors.OpError as error:
            raise StorageError(
                f"TensorFlow cannot write in {folder}", "free space there, or set TMPDIR"
            ) from error
        found = {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }
    described = json_text(description_of(bundle), indent=1)
    return {**found, DESCRIPTION: described.encode()}


def answers_to(model: TextModel) -> Callable[[pa.Array], Float32Array]:
    """What answers texts with the model.

    Args:
        model: The model.
    """

    def answers(texts: pa.Array) -> Float32Array:
        given = tf.constant([text.encode() for text in texts.to_pylist()], tf.string)
        return np.asarray(model.answer(given)["probabilities"])

    return answers


def difference_of(model: TextModel, texts: pa.Array, expected: Float32Array) -> Difference:
    """Compare the model with what is known.

    Args:
        model: The model.
        texts: Shape `(rows,)`.
        expected: Their probabilities. Shape `(rows, labels)`.
    """
    return Difference.between(expected, answers_to(model)(texts))
