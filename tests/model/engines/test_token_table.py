"""The lines of the first layer's input product: the same bits, whenever they are computed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from support.bundles import random_bundle

from textbatch.model.engines.token_table import TokenTable

CELLS = {"gru": 3, "lstm": 4}


def table(cell: str, **settings: int) -> TokenTable:
    bundle = random_bundle(layers=((cell, 10),), words=tuple(f"w{i}" for i in range(300)))
    classifier = bundle.classifier
    return TokenTable(classifier.architecture, classifier.weights.tensors, **settings)


def lines_of(one: TokenTable, tokens: np.ndarray) -> dict[str, np.ndarray]:
    feeds = one.feeds(tokens)
    return {name: feeds[name][feeds["tokens"]] for name in one.widths}


@pytest.mark.parametrize("cell", CELLS)
def test_a_line_has_the_same_bits_whatever_is_computed_with_it(cell):
    random = np.random.default_rng(0)
    tokens = random.integers(0, 302, (20, 30)).astype(np.int32)
    whole = lines_of(table(cell), tokens)
    assert sum(part.shape[-1] for part in whole.values()) == 10 * CELLS[cell]
    # Lines of 7 tokens are kept, those of the others are computed each time.
    small = table(cell, most_bytes=7 * 40 * CELLS[cell])
    one = table(cell)
    found = lines_of(small, tokens)
    assert all(np.array_equal(found[name], whole[name]) for name in whole)
    for place in np.ndindex(tokens.shape):
        for each in (one, small):
            found = lines_of(each, tokens[place].reshape(1, 1))
            assert all(np.array_equal(found[name][0, 0], whole[name][place]) for name in whole)


def test_several_threads_fill_one_table():
    random = np.random.default_rng(1)
    batches = [random.integers(0, 302, (5, 40)).astype(np.int32) for _ in range(60)]
    plain, shared = table("gru"), table("gru")
    with ThreadPoolExecutor(8) as pool:
        for tokens, found in zip(
            batches, pool.map(partial(lines_of, shared), batches), strict=True
        ):
            wanted = lines_of(plain, tokens)
            assert all(np.array_equal(found[name], wanted[name]) for name in wanted)
