from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa

from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import RESERVED, Vocabulary
from textbatch.training.cross_fit.fold import _start_of
from textbatch.training.fit.fitted import NetworkStart
from textbatch.training.recipes.presets import RECIPES

WORDS = ("common", "often", "here", "once")


def rows(*texts: str) -> LabelledRows:
    return LabelledRows(
        texts=pa.array(texts, pa.large_string()), labels=pa.array(["a"] * len(texts))
    )


def fold(*, own_words: bool = True) -> SimpleNamespace:
    vocabulary = Vocabulary(tokens=(*RESERVED, *WORDS))
    size = len(vocabulary)
    start = NetworkStart(
        tokenizer=Tokenizer(vocabulary=vocabulary, max_sequence_length=9),
        architecture=RECIPES["default"].architecture(
            vocabulary_size=size, num_labels=2, max_sequence_length=9
        ),
        vectors=np.arange(3 * size, dtype=np.float32).reshape(size, 3),
    )
    splits = SimpleNamespace(
        training=rows("common often", "common often common"), test=rows("here often", "here often")
    )
    return SimpleNamespace(start=start, splits=splits, own_words=own_words)


def test_words_that_only_its_own_rows_have_are_unknown_to_a_fold():
    given = fold()
    start = _start_of(given, min_count=2)
    # `once` is in no text: it is known from elsewhere, and stays.
    assert start.tokenizer.vocabulary.words() == ("common", "often", "once")
    assert start.architecture.vocabulary_size == len(start.tokenizer.vocabulary) == 5
    assert np.array_equal(start.vectors, given.start.vectors[[0, 1, 2, 3, 5]])


def test_words_of_other_sources_stay_known():
    given = fold(own_words=False)
    assert _start_of(given, min_count=2) is given.start
