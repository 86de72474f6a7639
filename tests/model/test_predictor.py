from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from support.bundles import random_texts

from textbatch.errors import BundleError
from textbatch.model.engines import open_engine
from textbatch.model.predictor import Predictor, open_bundle, open_predictor
from textbatch.types import Status, has_evidence

TEXTS = ["refund the card", "login", "", None, "!!!", "zzz", "the " * 30, "refund the card", " "]


def opened(bundle, **settings) -> Predictor:
    return open_bundle(bundle, threads=2, **settings)


def strings(texts: list[str | None]) -> pa.Array:
    return pa.array(texts, pa.large_string())


@pytest.fixture(scope="module")
def predictor(bundle):
    with opened(bundle) as predictor:
        yield predictor


def test_every_kind_of_text_has_its_status_and_only_evidence_has_probabilities(predictor):
    predictions = predictor.predict(strings(TEXTS))
    names = [Status(code).name for code in predictions.status]
    assert names == [
        *("OK", "OK", "EMPTY_TEXT", "NULL_TEXT", "NO_KNOWN_TOKENS", "NO_KNOWN_TOKENS"),
        *("TRUNCATED", "OK", "EMPTY_TEXT"),
    ]
    evidence = has_evidence(predictions.status)
    assert np.isnan(predictions.probabilities[~evidence]).all()
    assert np.allclose(predictions.probabilities[evidence].sum(axis=1), 1)


def test_a_texts_bits_are_its_own(predictor, bundle):
    texts = random_texts(300, seed=9)
    together = predictor.predict(strings(texts))
    for row in range(0, 300, 7):
        alone = predictor.predict(strings([texts[row]]))
        assert alone.probabilities.tobytes() == together.probabilities[row].tobytes()
        beside = predictor.predict(strings(["", None, texts[row], "", texts[row], "the"]))
        for other in (2, 4):
            assert beside.probabilities[other].tobytes() == together.probabilities[row].tobytes()
            assert beside.status[other] == together.status[row]
    turned = predictor.predict(strings(texts[::-1]))
    assert turned.probabilities[::-1].tobytes() == together.probabilities.tobytes()
    for batch_tokens in (1, 40, 10**6):
        with opened(bundle, batch_tokens=batch_tokens) as other:
            answers = other.predict(strings(texts)).probabilities
        assert answers.tobytes() == together.probabilities.tobytes()


def test_a_slice_of_an_array_counts_from_its_own_start(predictor):
    whole = predictor.predict(strings(TEXTS))
    part = predictor.predict(strings(["login", *TEXTS, "login"]).slice(1, len(TEXTS)))
    assert part.probabilities.tobytes() == whole.probabilities.tobytes()
    assert np.array_equal(part.status, whole.status)


def test_undecodable_rows_are_told_from_null_ones(predictor):
    texts = strings(["login", None, None, "login"])
    undecodable = np.array([False, True, False, False])
    predictions = predictor.start(texts, undecodable).result()
    assert predictions.status.tolist() == [
        Status.OK,
        Status.BAD_TEXT,
        Status.NULL_TEXT,
        Status.OK,
    ]
    assert np.isnan(predictions.probabilities[1:3]).all()


@pytest.mark.parametrize("texts", [[], [None], [""], ["zzz", None]])
def test_without_evidence_the_network_is_not_asked(bundle, texts):
    class Silent:
        name, device, workers, batch_tokens, precision = "silent", "cpu", 1, 100, "f32"

        def predict_logits(self, batch):
            raise AssertionError("asked")

    with Predictor(bundle.classifier, Silent()) as predictor:
        predictions = predictor.predict(strings(texts))
    assert predictions.probabilities.shape == (len(texts), len(bundle.labels))
    assert np.isnan(predictions.probabilities).all()


def test_equal_texts_are_computed_once(bundle):
    engine = open_engine(bundle.classifier, name="onnx", device="cpu", threads=1)
    seen: list[int] = []
    predict_logits = engine.predict_logits

    def counted(batch):
        seen.append(len(batch.rows))
        return predict_logits(batch)

    with Predictor(bundle.classifier, engine) as predictor:
        engine.predict_logits = counted
        predictor.predict(strings(["login", "refund", "login"] * 50))
    assert sum(seen) == 2


def test_temperature_divides_the_logits_and_changes_no_label(bundle):
    texts = strings([text for text in random_texts(100) if text and "the" in text])
    cold = replace(bundle.classifier, temperature=3.0)
    with opened(bundle) as warm_predictor, open_predictor(cold) as cold_predictor:
        warm, cool = warm_predictor.predict(texts), cold_predictor.predict(texts)
        logits, _ = cold_predictor.predict_logits(texts)
    assert np.array_equal(warm.probabilities.argmax(axis=1), cool.probabilities.argmax(axis=1))
    assert (cool.probabilities.max(axis=1) < warm.probabilities.max(axis=1)).all()
    expected = np.exp(logits / 3) / np.exp(logits / 3).sum(axis=1, keepdims=True)
    assert np.allclose(cool.probabilities, expected, atol=1e-6)


def test_logits_of_many_chunks_are_those_of_one(bundle, predictor, monkeypatch):
    texts = strings(random_texts(200))
    whole, status = predictor.predict_logits(texts)
    monkeypatch.setattr("textbatch.model.predictor.CHUNK_ROWS", 7)
    chunked, same_status = predictor.predict_logits(texts)
    assert chunked.tobytes() == whole.tobytes()
    assert np.array_equal(same_status, status)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_answer_that_is_not_finite_is_an_error(bundle, value):
    engine = open_engine(bundle.classifier, name="onnx", device="cpu", threads=1)
    with Predictor(bundle.classifier, engine) as predictor:
        engine.predict_logits = lambda batch: np.full((len(batch.rows), 4), value, np.float32)
        with pytest.raises(BundleError, match="answers with NaN or infinity"):
            predictor.predict(strings(["login"]))


def test_golden_rows_may_be_off_by_rounding_and_no_more(bundle):
    def shifted(by: float):
        rows = (np.array(bundle.golden.probabilities) + by).tolist()
        return replace(bundle, golden=replace(bundle.golden, probabilities=rows))

    opened(shifted(5e-5)).close()
    with pytest.raises(BundleError, match=r"golden rows .* are off by 0\.001 on onnx"):
        opened(shifted(1e-3))
