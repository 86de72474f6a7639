from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from textbatch.data.output.signs import LENGTH_EDGES, Signs, UnknownTokens
from textbatch.model.quality.drift import drift_between, drift_from
from textbatch.model.quality.reference import AnswerSigns, Reference, lengths_counted
from textbatch.model.quality.reference import unknown_tokens as counted

LABELS = ("a", "b", "c", "d")


def sample(random, rows, *, shares=(0.25, 0.25, 0.25, 0.25), sureness=8, length=5, unknown=0.06):
    """Signs and tokens of rows, whose unknown tokens come in bursts."""
    best = random.choice(len(LABELS), rows, p=shares)
    confidence = np.maximum(random.beta(sureness, 1, rows), 0.25).astype(np.float32)
    characters = np.maximum(1, random.lognormal(length, 0.5, rows)).astype(np.int64)
    tokens = characters // 6 + 1
    bursts = random.binomial(tokens, random.beta(0.5, 0.5 * (1 - unknown) / unknown, rows))
    answers = AnswerSigns(LABELS)
    answers.add_best(best, confidence)
    return answers.signs(lengths_counted(characters)), counted(tokens, tokens - bursts)


def test_jobs_without_drift_make_no_alarm_and_small_references_neither():
    random, alarms = np.random.default_rng(0), 0
    for _ in range(40):
        signs, unknown = sample(random, int(random.integers(100, 1_000)))
        reference = Reference(signs=signs, right=signs.confidences, unknown=unknown)
        for rows in np.exp(random.uniform(np.log(100), np.log(5_000), 25)).astype(int):
            now, tokens = sample(random, int(rows))
            alarms += drift_from(reference, now, tokens).drifted
    assert alarms <= 1


@pytest.mark.parametrize(
    ("of", "changes"),
    [
        ("labels", {"shares": (0.7, 0.1, 0.1, 0.1)}),
        ("confidences", {"sureness": 2}),
        ("lengths", {"length": 4}),
        ("unknown", {"unknown": 0.3}),
    ],
)
def test_each_kind_of_drift_is_seen_and_said_where(of, changes):
    random = np.random.default_rng(1)
    (before, known), (now, unknown) = sample(random, 400), sample(random, 1_000, **changes)
    found = drift_between(before, now, unknown_before=known, unknown_now=unknown)
    assert found.drifted
    assert found.worst[0].of == of
    assert found.p_value < 1e-4
    where = {"labels": "a", "unknown": ""}.get(of)
    assert where is None or found.worst[0].where == where


def test_a_difference_that_is_sure_but_small_is_no_drift():
    random = np.random.default_rng(2)
    before, now = (
        sample(random, 1_000_000, shares=(p, 0.5 - p, 0.25, 0.25))[0] for p in (0.2, 0.25)
    )
    found = drift_between(before, now)
    (labels,) = (one for one in found.measures if one.of == "labels")
    assert labels.p_value < 1e-12
    assert labels.effect == pytest.approx(0.05, abs=0.006)
    assert not found.drifted


def test_a_model_that_tells_less_is_compared_in_what_it_tells():
    random = np.random.default_rng(3)
    before, now = (sample(random, 500)[0] for _ in range(2))
    found = drift_between(replace(before, lengths=[]), now)
    assert [one.of for one in found.measures] == ["labels", "confidences"]
    assert drift_from(None, now) is None
    assert drift_between(Signs(), now) is None


def test_texts_without_answers_are_compared_by_their_lengths():
    short, long = ([0] * place + [200] + [0] * (len(LENGTH_EDGES) - place - 1) for place in (5, 15))
    found = drift_between(Signs(lengths=short), Signs(lengths=long))
    assert [(one.of, one.where) for one in found.worst] == [("lengths", "8 to 11 characters")]
    assert found.rows == found.reference_rows == 200


def test_one_text_that_repeats_an_unknown_word_is_no_drift():
    before = UnknownTokens(
        texts=100, tokens=1_000, unknown=50, tokens_squared=10_000, products=500, unknown_squared=50
    )
    odd = UnknownTokens(
        texts=1, tokens=900, unknown=900, tokens_squared=810_000, products=810_000,
        unknown_squared=810_000,
    )  # fmt: skip
    found = drift_between(Signs(), Signs(), unknown_before=before, unknown_now=before + odd)
    assert found.measures[0].effect > 0.3
    assert not found.drifted
