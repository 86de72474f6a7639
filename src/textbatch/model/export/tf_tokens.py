"""Operations of TensorFlow from texts to token ids, by the rules of a model."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from textbatch.errors import ConflictError
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.export.tf_characters import Characters, Tensor, look_up, lowered, nfkc
from textbatch.model.export.unicode_tables import (
    CharacterTable,
    arrow_lower,
    classes,
    normal_form,
    own_classes,
    python_lower,
)
from textbatch.text.characters import (
    ALONE,
    APOSTROPHES,
    IGNORED,
    MARK,
    PIECE,
    SEPARATOR,
    WORD,
)
from textbatch.text.keras_text import KerasText
from textbatch.text.long_texts import MAX_CHARACTERS
from textbatch.text.normalization import OLDEST_RULES, WHITE_SPACE
from textbatch.text.vectorized_text import VectorizedText
from textbatch.text.vocabulary import OOV_ID, PAD_ID


class Tokens(NamedTuple):
    """Tokens of texts, text after text, as the model reads them.

    Attributes:
        ids: Their ids. Shape `(tokens,)`, int32.
        rows: Numbers of their texts, ascending. Shape `(tokens,)`, int64.
        columns: Their places in their texts. Shape `(tokens,)`, int32.
        lengths: Tokens of each text. Shape `(texts,)`, int32.
        truncated: Texts with more tokens. Shape `(texts,)`, bool.
        blank: Texts of white space alone. Shape `(texts,)`, bool.
        broken: Texts that are not UTF-8. Shape `(texts,)`, bool.
        words: Characters of each token, ragged. Shape `(tokens, characters)`.
    """

    ids: Tensor
    rows: Tensor
    columns: Tensor
    lengths: Tensor
    truncated: Tensor
    blank: Tensor
    broken: Tensor
    words: Tensor


class TokenMaker(tf.Module):  # type: ignore[misc]
    """Makes token ids as `text.tokenizer.Tokenizer` does.

    Args:
        classifier: Whose rules and vocabulary.

    Raises:
        ConflictError: The rules cannot be expressed in operations of TensorFlow.
    """

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self._rules = classifier.text
        self._version = classifier.text_rules
        self._longest = classifier.architecture.max_sequence_length
        rules = self._rules
        if isinstance(rules, KerasText) and not rules.char_level and len(rules.split) != 1:
            raise ConflictError(
                "the model's tokenizer splits at a text of several characters, which the "
                "operations of TensorFlow cannot do as Keras does",
                "give --format onnx or mlflow",
            )
        keys = tf.constant(list(classifier.vocabulary.tokens))
        values = tf.range(len(classifier.vocabulary), dtype=tf.int64)
        initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
        self.table = tf.lookup.StaticHashTable(initializer, OOV_ID)
        self._blank = classes(WHITE_SPACE)

    def __call__(self, texts: Any) -> Tokens:  # noqa: ANN401
        """Make tokens. Shape of `texts`: `(texts,)`, strings."""
        decoded = tf.strings.unicode_decode(texts, "UTF-8")
        broken = tf.strings.unicode_encode(decoded, "UTF-8") != texts
        keep_last = self._rules is not None and self._rules.truncating == "pre"
        counts = decoded.row_lengths()
        cut = counts > MAX_CHARACTERS
        decoded = decoded[:, -MAX_CHARACTERS:] if keep_last else decoded[:, :MAX_CHARACTERS]
        given = Characters(decoded.values, decoded.value_rowids())
        number = tf.size(counts, tf.int64)
        dark = look_up(self._blank, given.points) != SEPARATOR
        blank = tf.math.unsorted_segment_sum(tf.cast(dark, tf.int32), given.rows, number) == 0
        words, rows = self._words(given)
        ids = self.table.lookup(tf.strings.unicode_encode(words, "UTF-8"))
        ids = tf.cast(tf.where(ids == PAD_ID, tf.constant(OOV_ID, tf.int64), ids), tf.int32)
        if self._rules and not self._rules.keep_unknown:
            known = ids != OOV_ID
            ids, rows = tf.boolean_mask(ids, known), tf.boolean_mask(rows, known)
            words = tf.ragged.boolean_mask(words, known)
        lengths = tf.math.unsorted_segment_sum(tf.ones_like(ids), rows, number)
        kept = tf.minimum(lengths, self._longest)
        before = tf.gather(tf.cumsum(lengths, exclusive=True), rows)
        columns = tf.range(tf.size(ids)) - before
        if keep_last:
            columns -= tf.gather(lengths - kept, rows)
        inside = (columns >= 0) & (columns < self._longest)
        return Tokens(
            ids=tf.boolean_mask(ids, inside),
            rows=tf.boolean_mask(rows, inside),
            columns=tf.boolean_mask(columns, inside),
            lengths=kept,
            truncated=cut | (lengths > kept),
            blank=blank,
            broken=broken,
            words=tf.ragged.boolean_mask(words, inside),
        )

    def _words(self, given: Characters) -> tuple[Tensor, Tensor]:
        """The characters of each token, ragged, and the text of each token."""
        rules = self._rules
        if rules is None:
            given = nfkc(normal_form(), given)
            given = Characters(given.points + look_up(arrow_lower(), given.points), given.rows)
            if self._version > OLDEST_RULES:
                given = Characters(_plain_apostrophes(given.points), given.rows)
            return _split(given, own_classes(self._version))
        if isinstance(rules, VectorizedText):
            if rules.lower:
                capital = (given.points >= ord("A")) & (given.points <= ord("Z"))
                given = Characters(given.points + 32 * tf.cast(capital, tf.int32), given.rows)
            if rules.removed:
                kept = look_up(classes(rules.removed), given.points) != SEPARATOR
                given = Characters(
                    tf.boolean_mask(given.points, kept), tf.boolean_mask(given.rows, kept)
                )
            between, characters = rules.separators, not rules.separators
        else:
            if rules.lower:
                given = lowered(python_lower(), given)
            between, characters = rules.filters + rules.split, rules.char_level
        if characters:
            starts = tf.range(tf.size(given.points, tf.int64) + 1)
            return tf.RaggedTensor.from_row_splits(given.points, starts), given.rows
        return _split(given, classes(between))


def _plain_apostrophes(points: Tensor) -> Tensor:
    for one in APOSTROPHES:
        points = tf.where(points == ord(one), ord("'"), points)
    return points


def _split(given: Characters, table: CharacterTable) -> tuple[Tensor, Tensor]:
    seen = look_up(table, given.points) != IGNORED
    points, rows = tf.boolean_mask(given.points, seen), tf.boolean_mask(given.rows, seen)
    kind = look_up(table, points)
    number = tf.size(kind)
    before = tf.concat([[SEPARATOR], kind[:-1]], 0)[:number]
    first = (kind == ALONE) | (kind == PIECE) | (before == SEPARATOR) | (before == ALONE)
    first |= (kind == WORD) & ((before == PIECE) | (before == MARK))
    first |= tf.concat([[True], rows[1:] != rows[:-1]], 0)[:number]
    keep = kind != SEPARATOR
    points, rows = tf.boolean_mask(points, keep), tf.boolean_mask(rows, keep)
    starts = tf.boolean_mask(first, keep)
    token = tf.cumsum(tf.cast(starts, tf.int64)) - 1
    words = tf.reduce_sum(tf.cast(starts, tf.int64))
    return tf.RaggedTensor.from_value_rowids(points, token, words), tf.boolean_mask(rows, starts)
