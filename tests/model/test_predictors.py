"""Several models at once: each gives the bits that it gives alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from support.bundles import random_bundle, random_texts, with_classifier

from textbatch.model.predictor import open_bundle, open_predictor
from textbatch.model.predictors import Predictors
from textbatch.text.keras_text import KerasText
from textbatch.text.normalization import RULES_VERSION
from textbatch.text.tokenizer import Tokenizer

KERAS = KerasText(
    filters="!.,", lower=True, split=" ", char_level=False, keep_unknown=True, truncating="pre"
)


@pytest.fixture(scope="module")
def bundles(bundle):
    other = random_bundle(words=("refund", "card", "the"), labels=("yes", "no"), seed=4)
    keras = with_classifier(random_bundle(seed=5, max_sequence_length=5), text=KERAS)
    return [bundle, other, keras]


def opened(bundles) -> Predictors:
    # The golden rows of a bundle whose rules were changed after them are others.
    return Predictors([open_predictor(one.classifier, threads=2) for one in bundles])


def test_each_model_answers_as_it_does_alone(bundles):
    texts = pa.array([*random_texts(200, seed=3), None, "", "zzz", None], pa.large_string())
    undecodable = np.array([False] * 203 + [True])
    with opened(bundles) as predictors:
        together = predictors.start(texts, undecodable).result()
        counted = predictors.work
    assert len(together.each) == len(bundles)
    for one, found, work in zip(bundles, together.each, counted, strict=True):
        with open_predictor(one.classifier, threads=1) as predictor:
            alone = predictor.start(texts, undecodable).result()
        assert found.probabilities.tobytes() == alone.probabilities.tobytes()
        assert found.status.tobytes() == alone.status.tobytes()
        assert (work.tokens, work.unknown, work.early) == (
            predictor.seen.tokens,
            predictor.seen.unknown,
            0,
        )


def test_texts_are_split_once_for_models_with_equal_rules(bundles, monkeypatch):
    splits = Counter()
    split = Tokenizer.split

    def counting(tokenizer, texts):
        splits[tokenizer.splitting] += 1
        return split(tokenizer, texts)

    monkeypatch.setattr(Tokenizer, "split", counting)
    with opened([*bundles, bundles[0], bundles[2]]) as predictors:
        predictors.start(pa.array(random_texts(20), pa.large_string())).result()
    assert splits == {(RULES_VERSION, "head"): 1, (KERAS, "tail"): 1}


def test_models_share_their_threads(bundle):
    each = [open_bundle(bundle, threads=threads) for threads in (2, 2, 1)]
    with Predictors(each):
        assert each[1].pool is each[0].pool
        assert each[2].pool is not each[0].pool
