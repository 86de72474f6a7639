"""The words of a Keras tokenizer as a vocabulary, and the embedding table in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from textbatch.errors import BundleError, UsageError
from textbatch.model.keras_files.tokenizer_file import KerasTokenizer
from textbatch.model.keras_files.vectorization import KerasVectorization
from textbatch.text.choices import Side
from textbatch.text.keras_text import KerasText
from textbatch.text.normalization import normalize
from textbatch.text.vectorized_text import PUNCTUATION, WHITE_SPACE, TextRules, VectorizedText
from textbatch.text.vocabulary import RESERVED, Vocabulary
from textbatch.types import Float32Array, Int64Array

_REMEDY = "give the tokenizer that the model was trained with"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of a network and how texts become them.

    Attributes:
        indexes: For each word its row of the embedding.
        unknown: The row of all other words; None if they vanish.
        rules: How texts are split; None for textbatch's own rules.
    """

    indexes: Mapping[str, int]
    unknown: int | None
    rules: TextRules | None


def words_of_tokenizer(tokenizer: KerasTokenizer, *, truncating: Side) -> Words:
    """The words of a `Tokenizer`.

    Args:
        tokenizer: What was read.
        truncating: Where tokens beyond the limit are cut off.

    Raises:
        BundleError: Its texts would not be split at all, or its rules are too long.
    """
    rules = KerasText(
        filters="".join(dict.fromkeys(tokenizer.filters)),
        lower=tokenizer.lower,
        split=tokenizer.split,
        char_level=tokenizer.char_level,
        keep_unknown=tokenizer.oov_token is not None,
        truncating=truncating,
    )
    words = {
        word: index
        for word, index in tokenizer.word_index.items()
        if not tokenizer.num_words or index < tokenizer.num_words
    }
    unknown = None
    if tokenizer.oov_token is not None:
        unknown = tokenizer.word_index.get(tokenizer.oov_token)
        words.pop(tokenizer.oov_token, None)
        if unknown is None:
            raise BundleError("the tokenizer has no index for its `oov_token`", _REMEDY)
    return Words(indexes=words, unknown=unknown, rules=rules)


def words_of_vectorization(layer: KerasVectorization) -> Words:
    """The words of a `TextVectorization` layer.

    Args:
        layer: What was read.
    """
    rules = VectorizedText(
        lower="lower" in layer.standardize,
        removed=PUNCTUATION if "strip" in layer.standardize else "",
        separators=WHITE_SPACE if layer.split == "whitespace" else "",
    )
    return _in_order(layer.words, rules)


def words_by_ids(vocabulary: Sequence[str]) -> Words:
    """The words of texts that textbatch's own rules split.

    Args:
        vocabulary: The tokens in the order of their ids. The first two stand for padding and for
            unknown tokens.

    Raises:
        UsageError: There are no tokens, one comes twice, or the bundle cannot hold it.
    """
    words = tuple(vocabulary[len(RESERVED) :])
    unfit = (not isinstance(word, str) or not word or "\n" in word for word in words)
    if not words or len({*words, *RESERVED}) < len(words) + len(RESERVED) or any(unfit):
        raise UsageError(
            "the vocabulary is empty, or has a token twice or one that is empty or of two lines",
            "give every id's token in order, first padding's and the unknown token's",
        )
    return _in_order(words, None)


def about_lost(words: Words) -> list[str]:
    """Warnings about tokens that no text can contain.

    Args:
        words: The words of a network.
    """
    if words.rules is not None:
        return []
    tokens = list(words.indexes)
    lost = sum(map(str.__ne__, tokens, normalize(tokens)))
    if not lost:
        return []
    share = f"{lost:,} of {len(tokens):,} tokens"
    return [f"{share} can come from no text: textbatch.normalize splits texts otherwise"]


def _in_order(words: Sequence[str], rules: TextRules | None) -> Words:
    """Words that have the rows from 2 on, behind padding and unknown words."""
    return Words(
        indexes={word: index for index, word in enumerate(words, start=len(RESERVED))},
        unknown=1,
        rules=rules,
    )


def words_and_table(
    words: Words, table: Float32Array
) -> tuple[Vocabulary, Float32Array, Int64Array]:
    """Number the words as a bundle does, and put the vectors into the same order.

    In a bundle, 0 is padding and 1 stands for all unknown tokens. Keras has 0 for padding too, and
    a `Tokenizer` has an index for unknown tokens only with `oov_token`.

    Args:
        words: The words.
        table: Keras's embedding table. Shape `(input_dim, dimensions)`.

    Returns:
        The vocabulary; its table, of shape `(len(vocabulary), dimensions)`; and for each of its
        tokens Keras's index, of shape `(len(vocabulary),)`.

    Raises:
        BundleError: The tokenizer gives ids that the table lacks, or has words that a bundle
            cannot hold.
    """
    indexes = sorted(words.indexes.values())
    largest = max([*indexes, words.unknown or 0], default=0)
    if not indexes or indexes[0] < 1 or len(set(indexes)) < len(indexes):
        raise BundleError("the tokenizer has no words, or two of one index", _REMEDY)
    if largest >= len(table):
        raise BundleError(
            f"the tokenizer gives ids up to {largest:,}, the embedding has {len(table):,} rows",
            _REMEDY,
        )
    ordered = sorted(words.indexes, key=words.indexes.__getitem__)
    if set(ordered) & set(RESERVED) or "" in words.indexes:
        raise BundleError(
            f"a word of the tokenizer is empty or one of {', '.join(RESERVED)}", _REMEDY
        )
    rows = np.array(
        [0, words.unknown or 0, *(words.indexes[word] for word in ordered)], dtype=np.int64
    )
    ours = np.ascontiguousarray(table[rows], np.float32)
    return Vocabulary(tokens=(*RESERVED, *ordered)), ours, rows
