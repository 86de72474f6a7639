from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from support.bundles import random_bundle
from support.training import FILLERS, KEYWORDS, labelled_table

from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.model.linear.early_exit import margin_gaps
from textbatch.model.predictor import open_predictor
from textbatch.training.calibrate import calibrate
from textbatch.training.package.shortcuts import find_shortcuts
from textbatch.training.split.dataset import Splits

LABELS = tuple(sorted(KEYWORDS))


def rows(count: int, seed: int) -> LabelledRows:
    table = labelled_table(count, seed=seed)
    strings = table["body"].combine_chunks().cast(pa.large_string())
    return LabelledRows(texts=strings, labels=table["queue"].combine_chunks().cast(pa.string()))


@pytest.fixture(scope="module")
def splits() -> Splits:
    parts = {"training": rows(900, 1), "validation": rows(400, 2), "test": rows(400, 3)}
    return Splits(**parts, labels=LABELS, warnings=[])


@pytest.fixture(scope="module")
def network():
    """A network that knows nothing, so that the linear model decides nearly all."""
    words = (*FILLERS, *(word for words in KEYWORDS.values() for word in words))
    return replace(random_bundle(words=words, labels=LABELS).classifier, temperature=1.0)


@pytest.fixture(scope="module")
def found(network, splits):
    calibrated = calibrate(network, splits, blend=True)
    return find_shortcuts(calibrated.classifier, calibrated, splits, seed=0)


def test_the_limit_leaves_labels_as_they_are_on_other_rows(found):
    early = found.early_exit
    assert early.rows == 800
    assert early.share > 0.3
    assert early.agreement >= 0.999
    texts = rows(2000, 9).texts
    with open_predictor(found.classifier) as predictor:
        plain = predictor.predict(texts).probabilities
        predictor.exits = early.rule
        answers = predictor.predict(texts).probabilities
        assert predictor.early_rows > 0.3 * len(texts)
    assert (plain.argmax(axis=1) == answers.argmax(axis=1)).mean() >= 0.998
    assert abs(plain.max(axis=1).mean() - answers.max(axis=1).mean()) < 0.03


def test_int8_and_early_exit_are_measured_together(found):
    early, int8 = found.early_exit, found.int8
    assert early.int8_agreement is not None
    assert int8.agreement - (1 - early.agreement) <= early.int8_agreement + 1e-9
    assert early.int8_agreement <= early.agreement


def test_golden_rows_are_of_both_kinds_and_far_from_the_limit(found):
    golden, classifier = found.early_exit.golden, found.classifier
    texts = pa.array(golden.texts, pa.large_string())
    gaps = margin_gaps(classifier.blend.model.margins(classifier.tokenizer.encode(texts)))
    leaving = gaps >= found.early_exit.gap
    assert 1 <= leaving.sum() <= 16
    assert 1 <= (~leaving).sum() <= 16
    assert (np.abs(gaps / found.early_exit.gap - 1) > 0.009).all()


def test_a_linear_model_that_does_not_help_the_network_may_still_answer_alone(network, splits):
    calibrated = calibrate(network, splits, blend=True)
    # As if the network answered as the linear model does: the weight beside it would be 0.
    same = replace(calibrated.linear, weight=0.0)
    alone = replace(calibrated, linear=same)
    found = find_shortcuts(network, alone, splits, seed=0)
    if found.early_exit:
        assert found.classifier.blend.weight == 0
    else:
        assert found.classifier.blend is None


def test_without_a_linear_model_there_is_no_early_exit(network, splits):
    calibrated = calibrate(network, splits, blend=False)
    found = find_shortcuts(calibrated.classifier, calibrated, splits, seed=0)
    assert found.early_exit is None
    assert found.classifier.blend is None
    assert found.int8 is not None
