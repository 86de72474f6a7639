"""Early exit in the predictor: who answers which row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from support.bundles import (
    blended_bundle,
    exiting_bundle,
    random_texts,
    with_classifier,
    with_golden,
    write_bundle,
)

from textbatch.errors import BundleError, QualityGateError
from textbatch.model.bundle.bundle import Bundle, load_bundle
from textbatch.model.linear.early_exit import margin_gaps
from textbatch.model.predictor import open_bundle
from textbatch.model.quality.calibration import softmax
from textbatch.types import has_evidence


@pytest.fixture(scope="module")
def exiting() -> Bundle:
    return exiting_bundle()


@pytest.fixture(scope="module")
def strings() -> pa.Array:
    return pa.array(random_texts(3000, seed=5), pa.large_string())


def gaps_of(bundle: Bundle, texts: pa.Array) -> np.ndarray:
    classifier = bundle.classifier
    return margin_gaps(classifier.blend.model.margins(classifier.tokenizer.encode(texts)))


@pytest.mark.parametrize("precision", ["f32", "int8"])
def test_rows_beyond_the_limit_have_the_linear_models_answer_and_others_the_networks(
    exiting, strings, precision
):
    with open_bundle(exiting, threads=2, precision=precision) as predictor:
        plain = predictor.predict(strings)
        assert predictor.early_rows == 0
    with open_bundle(exiting, threads=2, precision=precision, early_exit=True) as predictor:
        answers = predictor.predict(strings)
        early = predictor.early_rows
    assert (answers.status == plain.status).all()
    texts = strings.fill_null("")
    leaving = has_evidence(plain.status) & (gaps_of(exiting, texts) >= exiting.early_exit.gap)
    assert 300 < early == leaving.sum() < 2700
    stay = ~leaving
    assert answers.probabilities[stay].tobytes() == plain.probabilities[stay].tobytes()
    classifier = exiting.classifier
    margins = classifier.blend.model.margins(classifier.tokenizer.encode(texts))[leaving]
    expected = softmax(margins, exiting.early_exit.temperature)
    np.testing.assert_allclose(answers.probabilities[leaving], expected, atol=1e-6)
    assert (answers.probabilities[leaving].argmax(axis=1) == margins.argmax(axis=1)).all()


def test_a_rows_bits_depend_on_its_text_alone(exiting, strings):
    def answers(texts, **settings):
        with open_bundle(exiting, early_exit=True, **settings) as predictor:
            return predictor.predict(texts).probabilities

    together = answers(strings, threads=1)
    for settings in ({"threads": 2}, {"threads": 3, "batch_tokens": 40}):
        assert answers(strings, **settings).tobytes() == together.tobytes()
    assert answers(strings[::-1], threads=2)[::-1].tobytes() == together.tobytes()
    for start, rows in ((0, 1), (17, 2), (600, 700), (2999, 1)):
        part = answers(strings.slice(start, rows), threads=2)
        assert part.tobytes() == together[start : start + rows].tobytes()


def test_a_linear_model_for_early_exit_only_leaves_the_other_rows_to_the_network(exiting, strings):
    blend = replace(exiting.classifier.blend, weight=0.0)
    alone = with_classifier(exiting, blend=None)
    beside = replace(with_golden(with_classifier(exiting, blend=blend)), early_exit=None)
    with open_bundle(with_golden(alone), threads=1) as predictor:
        expected = predictor.predict(strings).probabilities
    with open_bundle(beside, threads=1) as predictor:
        assert predictor.predict(strings).probabilities.tobytes() == expected.tobytes()
        predictor.exits = exiting.early_exit.rule
        answers = predictor.predict(strings).probabilities
        assert predictor.early_rows
    stay = gaps_of(exiting, strings.fill_null("")) < exiting.early_exit.gap
    assert answers[stay].tobytes() == expected[stay].tobytes()


def test_an_empty_chunk_and_one_without_evidence(exiting):
    with open_bundle(exiting, threads=2, early_exit=True) as predictor:
        assert len(predictor.predict(pa.array([], pa.large_string()))) == 0
        nothing = predictor.predict(pa.array([None, "", "!!!", "zzz"], pa.large_string()))
        assert np.isnan(nothing.probabilities).all()
        assert predictor.early_rows == 0


def test_every_row_of_a_repeated_text_counts(exiting):
    with open_bundle(exiting, threads=1, early_exit=True) as predictor:
        texts = pa.array(exiting.golden.texts * 3, pa.large_string())
        predictor.predict(texts)
        assert predictor.early_rows == 3 * int(
            (gaps_of(exiting, texts[: len(texts) // 3]) >= exiting.early_exit.gap).sum()
        )


def test_it_is_refused_where_it_changed_too_many_labels_or_nobody_looked(exiting):
    with pytest.raises(QualityGateError, match="no early exit"):
        open_bundle(blended_bundle(), early_exit=True)
    for name, precision in (("agreement", "f32"), ("int8_agreement", "int8")):
        for share in (0.9949, float("nan")):
            poor = replace(exiting, early_exit=replace(exiting.early_exit, **{name: share}))
            with pytest.raises(QualityGateError, match=r"fewer than 99\.5%"):
                open_bundle(poor, early_exit=True, precision=precision)
            open_bundle(poor, precision=precision).close()


def test_the_bundle_keeps_it_and_its_golden_rows_are_checked(exiting, tmp_path):
    path = write_bundle(tmp_path / "m", exiting)
    read = load_bundle(path)
    assert read.early_exit == exiting.early_exit
    assert (
        read.fingerprint != load_bundle(write_bundle(tmp_path / "n", blended_bundle())).fingerprint
    )
    open_bundle(read, threads=1, early_exit=True).close()
    golden = exiting.early_exit.golden
    wrong = [row[::-1] for row in golden.probabilities]
    other = replace(exiting.early_exit, golden=replace(golden, probabilities=wrong))
    changed = replace(exiting, early_exit=other)
    open_bundle(changed, threads=1).close()
    with pytest.raises(BundleError, match="golden rows"):
        open_bundle(changed, threads=1, early_exit=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("gap", bad) for bad in (0.0, -1.0, float("nan"), 1e9)),
        *(("temperature", bad) for bad in (0.0, float("inf"))),
        *(("agreement", bad) for bad in (-0.1, 1.1)),
        ("share", 2.0),
        ("rows", -1),
    ],
)
def test_values_out_of_range_make_the_bundle_malformed(exiting, tmp_path, field, value):
    bad = replace(exiting, early_exit=replace(exiting.early_exit, **{field: value}))
    with pytest.raises((BundleError, ValueError)):
        load_bundle(write_bundle(tmp_path / "m", bad))


def test_early_exit_without_a_linear_model_is_malformed(exiting, tmp_path):
    alone = with_golden(with_classifier(exiting, blend=None))
    with pytest.raises(BundleError, match="no linear model"):
        load_bundle(write_bundle(tmp_path / "m", alone))
