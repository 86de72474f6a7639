"""The words of a Keras tokenizer as a vocabulary, and the embedding table in their order."""

from __future__ import annotations

import numpy as np

from textbatch.errors import BundleError
from textbatch.model.keras_files.tokenizer_file import KerasTokenizer
from textbatch.text.choices import Side
from textbatch.text.keras_text import KerasText
from textbatch.text.vocabulary import RESERVED, Vocabulary
from textbatch.types import Float32Array

_REMEDY = "give the tokenizer that the model was trained with"


def text_rules(tokenizer: KerasTokenizer, *, truncating: Side) -> KerasText:
    """The rules of a tokenizer as data of a bundle.

    Args:
        tokenizer: What was read from its file.
        truncating: Where tokens beyond the limit are cut off.

    Raises:
        BundleError: Its texts would not be split at all, or its rules are too long.
    """
    return KerasText(
        filters="".join(dict.fromkeys(tokenizer.filters)),
        lower=tokenizer.lower,
        split=tokenizer.split,
        char_level=tokenizer.char_level,
        keep_unknown=tokenizer.oov_token is not None,
        truncating=truncating,
    )


def words_and_table(
    tokenizer: KerasTokenizer, table: Float32Array
) -> tuple[Vocabulary, Float32Array]:
    """Number the words as a bundle does, and put the vectors into the same order.

    In a bundle, 0 is padding and 1 stands for all unknown tokens. Keras has 0 for padding too, and
    an index for unknown tokens only with `oov_token`.

    Args:
        tokenizer: What was read from its file.
        table: Keras's embedding table. Shape `(input_dim, dimensions)`.

    Returns:
        The vocabulary and its table, of shape `(len(vocabulary), dimensions)`.

    Raises:
        BundleError: The tokenizer gives ids that the table lacks, or has words that a bundle
            cannot hold.
    """
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
    indexes = sorted(words.values())
    largest = max([*indexes, unknown or 0], default=0)
    if not indexes or indexes[0] < 1 or len(set(indexes)) < len(indexes):
        raise BundleError("the tokenizer has no words, or two of one index", _REMEDY)
    if largest >= len(table):
        raise BundleError(
            f"the tokenizer gives ids up to {largest:,}, the embedding has {len(table):,} rows",
            _REMEDY,
        )
    ordered = sorted(words, key=words.__getitem__)
    if set(ordered) & set(RESERVED) or "" in words:
        raise BundleError(
            f"a word of the tokenizer is empty or one of {', '.join(RESERVED)}", _REMEDY
        )
    rows = [0, unknown or 0, *(words[word] for word in ordered)]
    ours = np.ascontiguousarray(table[rows], np.float32)
    return Vocabulary(tokens=(*RESERVED, *ordered)), ours
