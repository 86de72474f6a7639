"""The SavedModel, loaded by TensorFlow alone, answers texts as `score` does."""

from __future__ import annotations

import string
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as some
from support.bundles import (
    blended_bundle,
    imported_bundle,
    random_bundle,
    random_texts,
    random_weights,
    spelling_bundle,
    with_classifier,
    with_golden,
)

from textbatch.errors import ConflictError
from textbatch.model.export.exported import export_bundle
from textbatch.model.export.tf_tokens import TokenMaker
from textbatch.model.network.chain import ChainLayer
from textbatch.model.predictor import open_predictor
from textbatch.text.keras_text import KerasText
from textbatch.text.vectorized_text import PUNCTUATION, VectorizedText
from textbatch.types import Status

ODD = [
    "ΟΔΟΣ Σ ΑΣ. refund", "İI ıſ ﬁ ² on the", "文本文 refund文y", "e\u0301 \u0301 가\u11a8 the",
    "q\u0307\u0323 card", "\ufeffrefund", "re\u00adfund", "refund\u2003card\u0085price", "x" * 9,
    "the " * 200, "refundกขค 日本the", "x" * 80 + " the",
    "\u0958 \u09c7\u09be for", "ｒｅｆｕｎｄ ＣＡＲＤ", "", "   ", "?!", "zzz zzzz",
]  # fmt: skip
TEXTS = pa.array([*(t or "" for t in random_texts(1000, seed=5)), *ODD], pa.large_string())


def unmasked(padding="pre"):
    bundle = imported_bundle()
    layers = (
        ChainLayer(kind="conv1d", units=7, kernel=3, activation="relu"), ChainLayer(kind="max"),
        ChainLayer(kind="dense", units=len(bundle.labels)),
    )  # fmt: skip
    chain = replace(bundle.classifier.architecture, layers=layers, mask_zero=False, padding=padding)
    weights = random_weights(chain, np.random.default_rng(1), scale=0.8)
    text = replace(bundle.classifier.text, truncating=padding)
    return with_golden(with_classifier(bundle, architecture=chain, weights=weights, text=text))


def rules(**changes):
    usual = {
        "filters": string.punctuation, "lower": True, "split": " ", "char_level": False,
        "keep_unknown": True, "truncating": "pre",
    }  # fmt: skip
    return with_classifier(random_bundle(), text=KerasText(**{**usual, **changes})).classifier


def vectorized(**changes):
    text = VectorizedText(**{"lower": True, "removed": "", "separators": " \n\t.", **changes})
    return with_classifier(random_bundle(), text=text).classifier


@pytest.mark.parametrize(
    "make", [blended_bundle, spelling_bundle, unmasked], ids=["own", "characters", "imported"]
)
def test_it_answers_as_score_does(make, tmp_path):
    bundle = make()
    made = export_bundle(bundle, "saved-model")
    for name, data in made.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    answer = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    found = answer(text=tf.constant([text.encode() for text in TEXTS.to_pylist()]))
    with open_predictor(bundle.classifier, threads=1) as predictor:
        expected = predictor.predict(TEXTS)
    theirs = found["probabilities"].numpy()
    np.testing.assert_allclose(theirs, expected.probabilities, rtol=0, atol=1e-5)
    names = Status.names()
    status = [one.decode() for one in found["status"].numpy()]
    assert status == [names[code] for code in expected.status]
    answered = ~np.isnan(theirs[:, 0])
    labels = [one.decode() for one in found["predicted_label"].numpy()]
    best = expected.probabilities.argmax(1)
    wanted = [bundle.labels[n] if ok else "" for n, ok in zip(best, answered, strict=True)]
    assert labels == wanted
    assert made.golden_rows.largest < 1e-5
    assert made.unknown_words is None
    broken = answer(text=tf.constant([b"refund \xff", b"the"]))
    assert [one.decode() for one in broken["status"].numpy()] == ["bad_text", "ok"]
    assert answer(text=tf.constant([], tf.string))["probabilities"].shape == (0, len(bundle.labels))


@pytest.mark.parametrize(
    "classifier",
    [
        random_bundle().classifier,
        with_classifier(random_bundle(), text_rules=1).classifier,
        rules(),
        rules(char_level=True),
        vectorized(removed=PUNCTUATION),
        vectorized(separators=""),
    ],
    ids=[
        "own",
        "own of version 1",
        "keras",
        "characters",
        "vectorization",
        "vectorization of characters",
    ],
)
def test_its_tokens_are_those_of_score(classifier):
    tokenizer, make = classifier.tokenizer, TokenMaker(classifier)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def tokens_of(texts):
        found = make(texts)
        return found.ids, found.lengths, found.truncated

    def check(texts):
        tokens = tokenizer.encode(pa.array(texts, pa.large_string()))
        ids, lengths, truncated = tokens_of(tf.constant([one.encode() for one in texts], tf.string))
        assert ids.numpy().tolist() == tokens.token_ids.tolist(), texts
        assert lengths.numpy().tolist() == tokens.lengths.tolist()
        assert truncated.numpy().tolist() == tokens.truncated.tolist()

    check(ODD)
    # What Python's Unicode does not know yet, Arrow's may.
    alphabet = some.characters(codec="utf-8", exclude_categories=["Cn", "Cs", "Co"])
    folded = "กา\u0e31🙂’—\u200b\u200d\ufeff"
    marks = some.sampled_from(
        f"{folded}eoΣσα \u0301\u0323\u0307\u0338\u1100\u1161\u11a8\u0fb2\u0f80."
    )

    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @given(some.lists(some.text(alphabet | marks, max_size=30), min_size=1, max_size=5))
    def arbitrary(texts):
        check(texts)

    arbitrary()


def test_a_split_of_several_characters_is_refused():
    with pytest.raises(ConflictError, match="several characters"):
        TokenMaker(rules(split="ab"))
