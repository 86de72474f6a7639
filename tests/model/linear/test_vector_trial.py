from __future__ import annotations

import numpy as np
import pyarrow as pa

from textbatch.model.linear import vector_trial
from textbatch.model.linear.vector_trial import TokenRows, VectorTrial, mean_of, try_vectors

WORDS = tuple(f"w{number}" for number in range(400))


def rows(count: int, seed: int, labels: int = 2) -> TokenRows:
    """Texts of four words; the number of a word tells the label of its texts."""
    random = np.random.default_rng(seed)
    label_ids = np.arange(count) % labels
    numbers = random.integers(0, len(WORDS) // labels, (count, 4)) * labels + label_ids[:, None]
    tokens = pa.array([WORDS[number] for number in numbers.ravel()], pa.large_string())
    return TokenRows(tokens=tokens, offsets=np.arange(count + 1) * 4, label_ids=label_ids)


def table(knows: float, labels: int = 2) -> np.ndarray:
    """Vectors of noise, which know the label of a word by so much."""
    noise = np.random.default_rng(9).normal(size=(len(WORDS), 8))
    noise[:, :labels] += knows * np.eye(labels)[np.arange(len(WORDS)) % labels]
    return noise.astype(np.float32)


def test_vectors_that_know_something_gain_and_noise_does_not():
    training, held_out = rows(200, 0), rows(200, 1)
    with_knowledge = try_vectors(training, held_out, WORDS, table(3.0))
    assert with_knowledge.gains
    assert not try_vectors(training, held_out, WORDS, table(0.0)).gains
    assert try_vectors(training, held_out, WORDS, table(3.0)) == with_knowledge


def test_words_without_a_vector_and_empty_texts_are_no_trouble():
    training, held_out = rows(200, 0), rows(20, 1)
    empty = TokenRows(tokens=held_out.tokens, offsets=np.r_[0, held_out.offsets[:-1]],
                      label_ids=held_out.label_ids)  # fmt: skip
    assert np.isfinite(try_vectors(training, empty, WORDS[:10], table(1.0)[:10]).with_vectors)


def test_of_many_rows_a_part_is_fitted_to(monkeypatch):
    training, held_out = rows(2000, 0), rows(200, 1)
    monkeypatch.setattr(vector_trial, "_MOST_CELLS", 400)
    assert try_vectors(training, held_out, WORDS, table(3.0)).gains


def test_a_gain_is_more_than_chance():
    assert not VectorTrial(without=1.0, with_vectors=0.995).gains
    assert VectorTrial(without=1.0, with_vectors=0.98).gains
    assert not VectorTrial(without=0.0, with_vectors=0.0).gains
    lucky, unlucky = (
        VectorTrial(without=1, with_vectors=0.8),
        VectorTrial(without=2, with_vectors=2.2),
    )
    assert mean_of([lucky, unlucky]) == VectorTrial(without=1.5, with_vectors=1.5)


def test_where_nothing_can_be_measured_nothing_gains():
    training, held_out = rows(200, 0), rows(20, 1)
    alone = TokenRows(tokens=held_out.tokens, offsets=held_out.offsets,
                      label_ids=np.full(20, 7))  # fmt: skip
    assert not try_vectors(training, alone, WORDS, table(3.0)).gains
