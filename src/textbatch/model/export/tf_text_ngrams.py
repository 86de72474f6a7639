"""Character n-grams across words in operations of TensorFlow; see `linear.text_characters`."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from textbatch.model.export.tf_characters import look_up
from textbatch.model.export.tf_tokens import Tokens
from textbatch.model.export.unicode_tables import CharacterTable
from textbatch.model.linear.character_ngrams import MAX_CHARACTERS, PRIME
from textbatch.model.linear.text_characters import LONGEST, SHORTEST
from textbatch.model.linear.text_model import CharacterModel
from textbatch.text.characters import ALONE, PIECE, classes

_SPACE = 0x20


def character_margins(model: CharacterModel, tokens: Tokens, number: Any) -> Any:  # noqa: ANN401
    """The margins that come from the character n-grams of texts.

    Args:
        model: The n-grams and their weights.
        tokens: Tokens of the texts.
        number: Number of texts.

    Returns:
        Shape `(texts, labels)`.
    """
    characters, rows = _joined(tokens)
    keys = tf.constant(model.ngrams.keys)
    # Multiplication of whole numbers keeps the lower 64 bits.
    prime = tf.constant(np.uint64(PRIME).astype(np.int64))
    found = tf.zeros_like(characters)
    pairs = []
    for size in range(1, LONGEST + 1):
        windows = tf.maximum(tf.size(characters) - size + 1, 0)
        found = tf.bitwise.bitwise_xor(found[:windows], characters[size - 1 :][:windows]) * prime
        if size < SHORTEST:
            continue
        place = tf.minimum(tf.searchsorted(keys, found), len(model.ngrams.keys) - 1)
        first, last = rows[:windows], rows[size - 1 :][:windows]
        hits = (first == last) & (tf.gather(keys, place) == found)
        pair = first * len(model.ngrams.keys) + tf.cast(place, tf.int64)
        pairs.append(tf.boolean_mask(pair, hits))
    distinct, _, counts = tf.unique_with_counts(tf.concat(pairs, 0))
    of_row, place = distinct // len(model.ngrams.keys), distinct % len(model.ngrams.keys)
    values = 1 + tf.math.log(tf.cast(counts, tf.float32))
    values *= tf.gather(tf.constant(model.linear.idf), place)
    squares = tf.math.unsorted_segment_sum(values**2, of_row, number)
    values /= tf.sqrt(tf.gather(squares, of_row))
    lines = tf.gather(tf.constant(model.linear.weights), place) * values[:, None]
    return tf.math.unsorted_segment_sum(lines, of_row, number)


def _joined(tokens: Tokens) -> tuple[Any, Any]:
    """The characters of the texts, with spaces between words, and the text of each character."""
    kinds = look_up(CharacterTable.of(classes().astype(np.int32)), tokens.words[:, :1].values)
    words = tf.cast(tokens.words[:, :MAX_CHARACTERS], tf.int64)
    close = (kinds == ALONE) | (kinds == PIECE)
    same = tokens.rows[1:] == tokens.rows[:-1]
    count = tf.size(tokens.rows)
    joined = tf.concat([[False], close[1:] & close[:-1] & same], 0)[:count]
    last = tf.concat([~same, [True]], 0)[:count]
    before, behind = (
        tf.RaggedTensor.from_row_lengths(
            tf.fill([tf.reduce_sum(tf.cast(one, tf.int32))], tf.constant(_SPACE, tf.int64)),
            tf.cast(one, tf.int64),
        )
        for one in (~joined, last)
    )
    marked = tf.concat([before, words, behind], axis=1)
    return marked.values, tf.gather(tokens.rows, marked.value_rowids())
