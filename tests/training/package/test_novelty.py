from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from support.bundles import random_bundle
from support.training import FILLERS, KEYWORDS, labelled_table

from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.model.beside import Beside
from textbatch.model.predictor import open_predictor
from textbatch.model.predictors import Predictors
from textbatch.training.calibrate import calibrate
from textbatch.training.package.held_out import held_out_reference
from textbatch.training.package.novelty import ordinary_texts
from textbatch.training.split.dataset import Splits

LABELS = tuple(sorted(KEYWORDS))


def rows(count: int, seed: int) -> LabelledRows:
    table = labelled_table(count, seed=seed)
    strings = table["body"].combine_chunks().cast(pa.large_string())
    return LabelledRows(texts=strings, labels=table["queue"].combine_chunks().cast(pa.string()))


@pytest.fixture(scope="module", params=[True, False], ids=["blended", "network"])
def calibrated(request):
    words = (*FILLERS, *(word for words in KEYWORDS.values() for word in words))
    network = replace(random_bundle(words=words, labels=LABELS).classifier, temperature=1.0)
    parts = {"training": rows(400, 1), "validation": rows(400, 2), "test": rows(20, 3)}
    return calibrate(network, Splits(**parts, labels=LABELS, warnings=[]), blend=request.param)


def novelty(calibrated, texts) -> np.ndarray:
    with open_predictor(calibrated.classifier, threads=1) as predictor:
        predictor.novelty = ordinary_texts(calibrated)
        extras = Predictors([predictor], Beside(novelty=True)).start(texts).result().extras
    return extras[:, 0]


def test_as_many_other_rows_are_below_a_limit_as_it_says(calibrated):
    found = novelty(calibrated, rows(2000, 9).texts)
    assert (found < 0.05).mean() == pytest.approx(0.05, abs=0.035)
    assert (found < 0.01).mean() == pytest.approx(0.01, abs=0.015)


def test_texts_of_unknown_words_are_unlike(calibrated):
    one = FILLERS[0]
    unlike = pa.array([f"{one} " + "zzz qqq " * 5, "zzz", None], pa.large_string())
    first, second, third = novelty(calibrated, unlike)
    assert first < 0.01
    assert np.isnan([second, third]).all()


def test_what_is_unknown_goes_by_a_vocabulary_that_has_not_seen_the_rows(calibrated):
    """As in a cross-fitting: the network's own vocabulary was made of these very rows."""
    held_out = calibrated.held_out
    lengths = calibrated.classifier.tokenizer.encode(held_out.rows.texts).lengths
    half = replace(calibrated, held_out=replace(held_out, known=lengths // 2, folds=lengths))
    unknown = 1 - (lengths // 2) / lengths
    assert ordinary_texts(half).means[2] == pytest.approx(unknown.mean())
    assert ordinary_texts(calibrated).means[2] == 0
    splits = Splits(
        training=held_out.rows,
        validation=held_out.rows,
        test=held_out.rows,
        labels=LABELS,
        warnings=[],
    )
    sums = held_out_reference(half, splits, None).unknown
    assert (sums.tokens, sums.unknown) == (lengths.sum(), (lengths - lengths // 2).sum())
