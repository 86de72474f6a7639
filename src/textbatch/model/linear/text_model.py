"""A linear model of texts: TF-IDF of words and pairs, and character n-grams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import pyarrow as pa

from textbatch.model.linear.character_ngrams import Subwords, subword_keys
from textbatch.model.linear.classifier import (
    Fitted,
    LinearModel,
    counted,
    fit_logistic,
    fit_several,
    fit_svm,
    inverse_frequencies,
    weighted,
)
from textbatch.model.linear.mean_vectors import MeanVectors
from textbatch.model.linear.ngram_features import subword_features
from textbatch.model.linear.ngrams import Ngrams
from textbatch.model.linear.row_sums import offsets_of, row_sums
from textbatch.model.linear.text_characters import TextNgrams
from textbatch.text.vocabulary import OOV_ID, RESERVED, Vocabulary
from textbatch.types import BoolArray, Float32Array, Float64Array, Int64Array, TokenBatch

#: Pairs and n-grams that occur in fewer rows are left out; and the most n-grams that are kept.
_MIN_ROWS, _MAX_SUBWORDS, _MAX_CHARACTERS = 2, 200_000, 300_000
#: With more training tokens than this, parts of words are not needed and would need much memory.
MAX_SUBWORD_TOKENS = 2_000_000
#: A word has many n-grams. This limits how many are in memory at a time.
_WORDS_AT_ONCE = 4096
_FITS = {"svm": fit_svm, "logistic": fit_logistic}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearFeatures:
    """The features of a linear model beside single words.

    Attributes:
        max_pairs: Limit on the pairs of words that are kept.
        subwords: Whether character n-grams of words are features too.
        characters: Whether character n-grams across words are features too.
        vectors: Whether the mean vector of the known words is a feature too. Only beside
            `subwords`, whose sums for each token then hold what the token's vector adds.
    """

    max_pairs: int = 0
    subwords: bool = False
    characters: bool = False
    vectors: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubwordModel:
    """The part of the margins that comes from character n-grams: the mean over the words of a row.

    Attributes:
        subwords: The n-grams that have weights.
        weights: Weights of each n-gram, in a row of one word. Shape `(subwords, labels)`.
        by_token: Sum of the weights of the n-grams of each token of the vocabulary, and what its
            vector adds. Shape `(vocabulary, labels)`.
    """

    subwords: Subwords
    weights: Float32Array
    by_token: Float32Array

    @classmethod
    def of(cls, subwords: Subwords, weights: Float32Array, vocabulary: Vocabulary) -> SubwordModel:
        """Make the model, with the sums for each token of a vocabulary.

        Args:
            subwords: The n-grams that have weights.
            weights: Weights of each n-gram. Shape `(subwords, labels)`.
            vocabulary: The tokens.
        """
        words = pa.array(vocabulary.words(), pa.large_string())
        reserved = np.zeros((len(RESERVED), weights.shape[1]), np.float32)
        by_token = np.concatenate([reserved, _sums(subwords, weights, words)])
        return cls(subwords=subwords, weights=weights, by_token=by_token)

    def margins(self, tokens: TokenBatch) -> Float32Array:
        """Compute the margins of rows. The margins of a row depend on that row alone.

        Args:
            tokens: Tokens of the rows, with the unknown ones.

        Returns:
            Shape `(rows, labels)`.
        """
        rows = np.repeat(np.arange(len(tokens)), tokens.lengths)
        known = tokens.token_ids != OOV_ID
        sums = row_sums(
            self.by_token, tokens.token_ids[known], offsets_of(rows[known], len(tokens))
        )
        if tokens.unknown is not None and len(tokens.unknown):
            # Each distinct word once: the same few names and misspellings occur again and again.
            distinct = tokens.unknown.dictionary_encode()
            table = _sums(self.subwords, self.weights, distinct.dictionary)
            offsets = offsets_of(rows[~known], len(tokens))
            sums += row_sums(table, np.asarray(distinct.indices), offsets)
        return np.asarray(sums / np.maximum(1, tokens.lengths)[:, None], np.float32)


def _sums(subwords: Subwords, weights: Float32Array, words: pa.Array) -> Float32Array:
    """Add up the weights of each word's n-grams. Shape `(words, labels)`."""
    sums = np.empty((len(words), weights.shape[1]), np.float32)
    for start in range(0, len(words), _WORDS_AT_ONCE):
        entries = subwords.of_words(words.slice(start, _WORDS_AT_ONCE))
        part = sums[start : start + _WORDS_AT_ONCE]
        part[:] = _by_row(weights, entries.subwords, entries.words, len(part))
    return sums


def _by_row(
    table: Float32Array, places: Int64Array, rows: Int64Array, num_rows: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Add up lines of a table for each row, in the given order."""
    sums = np.empty((num_rows, table.shape[1]))
    for label in range(table.shape[1]):
        sums[:, label] = np.bincount(rows, table[places, label], minlength=num_rows)
    return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterModel:
    """The part of the margins that comes from character n-grams across words, as TF-IDF.

    Attributes:
        ngrams: The n-grams that have weights.
        linear: Their weights; the bias is 0.
    """

    ngrams: TextNgrams
    linear: LinearModel

    def margins(self, tokens: TokenBatch) -> Float32Array:
        """Compute the margins of rows. The margins of a row depend on that row alone.

        Args:
            tokens: Tokens of the rows, with the unknown ones.

        Returns:
            Shape `(rows, labels)`.
        """
        margins = np.zeros((len(tokens), self.linear.weights.shape[1]), np.float32)
        for rows, places in self.ngrams.parts(tokens):
            if len(rows):
                first, last = int(rows.min()), int(rows.max()) + 1
                margins[first:last] = self.linear.sums(rows - first, places, last - first)
        return margins


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearTextModel:
    """A linear model of texts. Its outputs are called margins.

    Attributes:
        ngrams: The features: words and pairs of words.
        linear: The weights of their TF-IDF, and the bias.
        subwords: The weights of character n-grams of words, fitted together with the others; None
            if they are not used.
        characters: The same for character n-grams across words.
    """

    ngrams: Ngrams
    linear: LinearModel
    subwords: SubwordModel | None = None
    characters: CharacterModel | None = None

    def margins(self, tokens: TokenBatch) -> Float32Array:
        """Compute the margins of rows. The margins of a row depend on that row alone.

        Args:
            tokens: Tokens of the rows, with the unknown ones.

        Returns:
            Shape `(rows, labels)`.
        """
        margins = self.linear.logits(self.ngrams.features(tokens))
        for part in (self.subwords, self.characters):
            if part:
                margins = margins + part.margins(tokens)
        return margins


def fit_linear_text(
    tokens: TokenBatch,
    label_ids: Int64Array | BoolArray,
    *,
    vocabulary: Vocabulary,
    features: LinearFeatures,
    method: Literal["svm", "logistic"] = "svm",
    vectors: Float32Array | None = None,
    weights: Float64Array | None = None,
    targets: Float32Array | None = None,
) -> LinearTextModel:
    """Fit a linear model.

    Args:
        tokens: Tokens of the training texts, with the unknown ones.
        label_ids: Labels of the training texts, from 0 without a gap, shape `(rows,)`; or, where a
            text may have several, whether it has each, shape `(rows, labels)`: then there is one
            support vector machine for each label, and no weights, targets or other methods.
        vocabulary: The vocabulary that the token ids come from.
        features: Which features to use.
        method: Support vector machine, or logistic regression.
        vectors: Vectors of the tokens, for `features.vectors`; zeros for tokens that have none.
            Shape `(vocabulary, dim)`.
        weights: Of the rows; None if they count the same. Shape `(rows,)`.
        targets: Shares of the labels in each row; None where it has its label alone. Shape
            `(rows, labels)`.
    """
    ngrams = Ngrams.build(
        tokens, vocabulary_size=len(vocabulary), min_rows=_MIN_ROWS, max_pairs=features.max_pairs
    )
    fit: Callable[..., Fitted]
    asked = ngrams.features(tokens)
    if label_ids.ndim == 2:
        fit = partial(fit_several, asked, label_ids.astype(bool), num_features=len(ngrams))
    else:
        single = np.asarray(label_ids, np.int64)
        fit = partial(_FITS[method], asked, single, num_features=len(ngrams))
        fit = partial(fit, weights=weights, targets=targets)
    if features.characters:
        characters = TextNgrams.build(tokens, vocabulary, min_rows=_MIN_ROWS, most=_MAX_CHARACTERS)
        if len(characters):
            return _with_characters(ngrams, characters, tokens, fit)
    if not features.subwords:
        return LinearTextModel(ngrams=ngrams, linear=fit().linear)
    words, ids = _words_of(tokens, vocabulary)
    entries = subword_keys(words)
    keys, numbers = np.unique(entries.subwords, return_inverse=True)
    found = subword_features(
        tokens.lengths, ids, (entries.words, numbers), min_rows=_MIN_ROWS, most=_MAX_SUBWORDS
    )
    if not len(found.kept):
        return LinearTextModel(ngrams=ngrams, linear=fit().linear)
    if not features.vectors or vectors is None:
        fitted = fit(others=found.matrix)
        linear, of_ngrams, of_tokens = fitted.linear, fitted.others, None
    else:
        means = MeanVectors.of(tokens, vectors)
        fitted = fit(others=means.beside(found.matrix))
        of_ngrams, of_means = np.split(fitted.others, [len(found.kept)])
        of_tokens, constant = means.by_token(vectors, of_means)
        linear = replace(fitted.linear, bias=fitted.linear.bias + constant)
    subwords = SubwordModel.of(
        Subwords(keys=keys[found.kept]), of_ngrams * found.scale[:, None], vocabulary
    )
    if of_tokens is not None:
        subwords = replace(subwords, by_token=subwords.by_token + of_tokens)
    return LinearTextModel(ngrams=ngrams, linear=linear, subwords=subwords)


def _with_characters(
    ngrams: Ngrams, characters: TextNgrams, tokens: TokenBatch, fit: Callable[..., Fitted]
) -> LinearTextModel:
    parts = [*characters.parts(tokens)]
    rows, places = (np.concatenate(one) for one in zip(*parts, strict=True))
    counts = counted(rows, places, len(tokens), len(characters))
    idf = inverse_frequencies(counts, len(characters))
    fitted = fit(others=weighted(counts, idf).matrix(len(characters)))
    weights = fitted.others
    linear = LinearModel(idf=idf, weights=weights, bias=np.zeros(weights.shape[1], np.float32))
    return LinearTextModel(
        ngrams=ngrams,
        linear=fitted.linear,
        characters=CharacterModel(ngrams=characters, linear=linear),
    )


def _words_of(tokens: TokenBatch, vocabulary: Vocabulary) -> tuple[pa.Array, Int64Array]:
    """Find the distinct words of rows, and the number of each token's word. Shape `(tokens,)`."""
    strings = pa.array([], pa.large_string()) if tokens.unknown is None else tokens.unknown
    unknown = strings.dictionary_encode()
    known_ids, known = np.unique(tokens.token_ids, return_inverse=True)
    # No row uses the line of the unknown token itself.
    words = [vocabulary.tokens[token_id] for token_id in known_ids]
    ids = known.astype(np.int64)
    ids[tokens.token_ids == OOV_ID] = len(words) + np.asarray(unknown.indices)
    everything = [pa.array(words, pa.large_string()), unknown.dictionary.cast(pa.large_string())]
    return pa.concat_arrays(everything), ids
