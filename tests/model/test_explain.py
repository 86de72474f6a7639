from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from support.bundles import blended_bundle, exiting_bundle, random_bundle, random_texts

from textbatch.data.output.explanations import EXPLANATION, explanations
from textbatch.model import explain
from textbatch.model.beside import Beside
from textbatch.model.predictor import open_bundle
from textbatch.model.predictors import Predictors
from textbatch.types import has_evidence

TEXTS = [
    "refund the card card",
    "login",
    None,
    "",
    "zzz",
    "zzz refund qqq",
    "the price of the late parcel and the lost address",
]


def strings(texts):
    return pa.array(texts, pa.large_string())


def told(predictor, texts, most=3):
    found = Predictors([predictor], Beside(explain=most)).start(strings(texts)).result()
    evidence = has_evidence(found.status)
    return found, explanations(predictor.tokenizer, strings(texts), evidence, found.extras)


def log_odds(predictor, text, label):
    """Computed from the probabilities that `score` writes."""
    found = predictor.predict(strings([text])).probabilities[0].astype(np.float64)
    if np.isnan(found[0]):
        return -np.log(len(found) - 1)
    return np.log(found[label] / (1 - found[label]))


@pytest.fixture(scope="module", params=[random_bundle, blended_bundle])
def predictor(request):
    with open_bundle(request.param(), threads=2) as predictor:
        yield predictor


def test_each_token_is_the_one_without_which_the_label_loses_most(predictor):
    found, column = told(predictor, TEXTS)
    assert column.type == EXPLANATION
    for text, probabilities, tokens in zip(
        TEXTS, found.probabilities, column.to_pylist(), strict=True
    ):
        if np.isnan(probabilities[0]):
            assert tokens is None
            continue
        label, words = int(probabilities.argmax()), text.split()
        assert len(tokens) == min(3, len(set(words)))
        now = log_odds(predictor, text, label)
        for one in tokens:
            falls = {
                word: now - log_odds(predictor, " ".join(w for w in words if w != word), label)
                for word in words
            }
            assert falls[one["token"]] == pytest.approx(max(falls.values()), abs=2e-4)
            assert one["weight"] == pytest.approx(falls[one["token"]], abs=2e-4)
            words = [word for word in words if word != one["token"]]
            now = log_odds(predictor, " ".join(words), label)


def test_unknown_words_are_told_apart_and_named(predictor):
    _, column = told(predictor, ["zzz refund qqq zzz"], most=9)
    assert sorted(one["token"] for one in column.to_pylist()[0]) == ["qqq", "refund", "zzz"]


def test_a_row_has_the_same_bits_whatever_rows_are_beside_it(predictor, monkeypatch):
    texts = [*TEXTS, *random_texts(25, longest=12)]
    whole, _ = told(predictor, texts)
    alone = np.concatenate([told(predictor, [text])[0].extras for text in texts])
    np.testing.assert_array_equal(whole.extras, alone)
    monkeypatch.setattr(explain, "_TOKENS_AT_ONCE", 50)
    np.testing.assert_array_equal(told(predictor, texts)[0].extras, alone)


def test_what_is_asked_for_changes_no_probability_and_fewer_tokens_are_the_first(predictor):
    plain = predictor.predict(strings(TEXTS))
    found, _ = told(predictor, TEXTS, most=3)
    assert plain.extras is None
    np.testing.assert_array_equal(found.probabilities, plain.probabilities)
    one, _ = told(predictor, TEXTS, most=1)
    np.testing.assert_array_equal(one.extras, found.extras[:, :2])


def test_of_a_very_long_row_the_first_tokens_are_tried(monkeypatch):
    monkeypatch.setattr(explain, "MOST_TRIED", 2)
    with open_bundle(random_bundle(), threads=1) as predictor:
        _, column = told(predictor, ["login card refund price"], most=4)
    assert {one["token"] for one in column.to_pylist()[0]} == {"login", "card"}


def test_with_early_exit_and_windows_the_whole_classifier_answers():
    long = "refund the card price " * 6 + "parcel login"
    with open_bundle(exiting_bundle(), threads=2, early_exit=True) as exiting:
        _, column = told(exiting, ["refund the card"])
        exiting.exits = None
        assert column.equals(told(exiting, ["refund the card"])[1])
    with open_bundle(blended_bundle(), threads=2, on_long="window") as windowed:
        _, column = told(windowed, [long], most=9)
    assert {one["token"] for one in column.to_pylist()[0]} == set(long.split())


def test_a_model_of_one_label_explains_nothing_and_does_not_fail():
    with open_bundle(random_bundle(labels=("only",)), threads=1) as predictor:
        _, column = told(predictor, ["refund the card"])
    assert [one["weight"] for one in column.to_pylist()[0]] == [0.0] * 3
