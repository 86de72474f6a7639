"""The parts of unknown words in operations of TensorFlow; see `linear.character_ngrams`."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from textbatch.model.export.tf_tokens import Tokens
from textbatch.model.linear.character_ngrams import LONGEST, MAX_CHARACTERS, PRIME, SHORTEST
from textbatch.model.linear.text_model import SubwordModel
from textbatch.text.vocabulary import OOV_ID


def subword_sums(model: SubwordModel, tokens: Tokens, number: Any) -> Any:  # noqa: ANN401
    """The weights of all n-grams of a text's unknown words, added up.

    Args:
        model: The n-grams and their weights.
        tokens: Tokens of the texts.
        number: Number of texts.

    Returns:
        Shape `(texts, labels)`.
    """
    unknown = tokens.ids == OOV_ID
    rows = tf.boolean_mask(tokens.rows, unknown)
    words = tf.ragged.boolean_mask(tokens.words, unknown)[:, :MAX_CHARACTERS]
    count = tf.size(rows)
    left, right = (tf.fill([count, 1], ord(mark)) for mark in "<>")
    marked = tf.concat([left, tf.cast(words, tf.int32), right], axis=1)
    characters = tf.cast(marked.values, tf.int64)
    word_of = marked.value_rowids()
    keys, weights = tf.constant(model.subwords.keys), tf.constant(model.weights)
    most = len(model.subwords.keys) - 1
    # Multiplication of whole numbers keeps the lower 64 bits.
    prime = tf.constant(np.uint64(PRIME).astype(np.int64))
    found = tf.zeros_like(characters)
    sums = tf.zeros(tf.stack([number, weights.shape[1]]), tf.float32)
    for size in range(1, LONGEST + 1):
        windows = tf.maximum(tf.size(characters) - size + 1, 0)
        found = tf.bitwise.bitwise_xor(found[:windows], characters[size - 1 :][:windows]) * prime
        if size < SHORTEST:
            continue
        place = tf.minimum(tf.searchsorted(keys, found), most)
        first, last = word_of[:windows], word_of[size - 1 :][:windows]
        hits = (first == last) & (tf.gather(keys, place) == found)
        added = tf.gather(weights, tf.boolean_mask(place, hits))
        texts = tf.gather(rows, tf.boolean_mask(first, hits))
        sums += tf.math.unsorted_segment_sum(added, texts, number)
    return sums
