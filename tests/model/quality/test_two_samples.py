from __future__ import annotations

import numpy as np
import pytest

from textbatch.model.quality.two_samples import mix_difference

MIXES = {
    "even": np.full(4, 0.25),
    "many": np.random.default_rng(0).dirichlet(np.full(77, 3.0)),
    "sparse": np.array([0.001] * 10 + [0.01] * 5 + [0.94]),
}


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize(("first", "second"), [(461, 100), (461, 5_000), (60, 100), (100, 10**6)])
@pytest.mark.parametrize("ordered", [False, True])
def test_samples_of_one_population_are_as_surprising_as_the_p_value_says(
    mix, first, second, ordered
):
    random, shares = np.random.default_rng(1), MIXES[mix] / MIXES[mix].sum()
    tables = zip(*(random.multinomial(rows, shares, 400) for rows in (first, second)), strict=True)
    found = np.array([mix_difference(*table, ordered=ordered).p_value for table in tables])
    # Four standard deviations of 400 draws.
    assert (found <= 0.05).mean() <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)
    assert (found <= 0.5).mean() == pytest.approx(0.5, abs=0.12)
    assert found.min() > 1e-5


def test_the_p_value_is_about_that_of_all_permutations():
    random = np.random.default_rng(2)
    classes = np.repeat([0, 1, 2], [40, 30, 50])
    tables = [
        [[19, 9, 22], [21, 21, 28]],
        [[10, 17, 23], [30, 13, 27]],
        [[25, 7, 18], [15, 23, 32]],
    ]
    drawn = []
    for _ in range(4_000):
        random.shuffle(classes)
        parts = (classes[:50], classes[50:])
        drawn.append(chi_square(np.array([np.bincount(part, minlength=3) for part in parts])))
    for table in tables:
        wanted = np.mean(np.array(drawn) >= chi_square(np.array(table)) - 1e-9)
        found = mix_difference(*table, ordered=False).p_value
        assert found == pytest.approx(wanted, rel=0.25, abs=0.004)


def chi_square(table):
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return ((table - expected) ** 2 / expected)[:, table.sum(axis=0) > 0].sum()


def test_the_effect_is_the_share_of_rows_that_moved():
    found = mix_difference([50_000, 50_000, 0], [30_000, 50_000, 20_000], ordered=False)
    assert found.effect == pytest.approx(0.2, abs=0.001)
    assert (found.moved, found.before, found.now) == (0, 0.5, 0.3)
    assert found.p_value < 1e-12


def test_what_chance_makes_is_no_effect():
    random = np.random.default_rng(3)
    found = [
        mix_difference(*random.multinomial(200, MIXES["even"], 2), ordered=False).effect
        for _ in range(300)
    ]
    assert np.median(found) < 0.03


def test_few_rows_are_never_surprising_alone():
    assert mix_difference([1], [5], ordered=False).p_value == 1
    assert mix_difference([1, 0], [0, 1], ordered=False).p_value == 1
    assert mix_difference([461, 0], [0, 3], ordered=True).p_value > 1e-6


@pytest.mark.parametrize("table", [([0, 0], [1, 1]), ([1, 1], [0, 0]), ([], [])])
def test_an_empty_sample_has_nothing_to_compare(table):
    assert mix_difference(*table, ordered=True) is None
