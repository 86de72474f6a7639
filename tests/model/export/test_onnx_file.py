"""The ONNX file answers as the model does, and holds all that another program needs."""

from __future__ import annotations

import json
import re
import string
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from support.bundles import (
    WORDS,
    blended_bundle,
    imported_bundle,
    random_blend,
    random_bundle,
    random_texts,
    spelling_bundle,
    with_classifier,
    with_golden,
)

from textbatch.errors import BundleError, ConflictError
from textbatch.model.export import onnx_file as module
from textbatch.model.export.exported import export_bundle
from textbatch.model.predictor import open_predictor
from textbatch.text.bucketing import pad
from textbatch.text.keras_text import KerasText
from textbatch.text.vectorized_text import VectorizedText

TEXTS = pa.array([text or "" for text in random_texts(1000, seed=5)], pa.large_string())
KNOWN = pa.array(
    [" ".join(w for w in text.split() if w in WORDS) for text in TEXTS.to_pylist()],
    pa.large_string(),
)


def without_subwords(bundle):
    blend = random_blend(bundle)
    return with_golden(
        with_classifier(bundle, blend=replace(blend, model=replace(blend.model, subwords=None)))
    )


def post_padded():
    bundle = imported_bundle()
    chain = replace(bundle.classifier.architecture, padding="post")
    text = replace(bundle.classifier.text, truncating="post", keep_unknown=True)
    return with_golden(with_classifier(bundle, architecture=chain, text=text))


def unmasked():
    bundle = imported_bundle()
    chain = replace(bundle.classifier.architecture, mask_zero=False)
    return with_golden(with_classifier(bundle, architecture=chain))


BUNDLES = {
    "one way": random_bundle,
    "both ways": lambda: random_bundle(bidirectional=True, pooling="last+max"),
    "mean": lambda: random_bundle(pooling="mean", reset_after=False),
    "linear": lambda: without_subwords(random_bundle()),
    "linear, no pairs in reach": lambda: without_subwords(random_bundle(max_sequence_length=1)),
    "imported": imported_bundle,
    "imported, post": post_padded,
    "imported, unmasked": unmasked,
}


def exported(bundle):
    made = export_bundle(bundle, "onnx")
    (data,) = made.files.values()
    return data, made


def answers(data, bundle, texts):
    session = onnxruntime.InferenceSession(data)
    batch = pad(bundle.classifier.tokenizer.encode(texts), np.arange(len(texts)))
    feeds = {"token_ids": batch.token_ids, "lengths": batch.lengths}
    return session.run(None, feeds)[0]


def scored(bundle, texts):
    with open_predictor(bundle.classifier, threads=1) as predictor:
        return predictor.predict(texts).probabilities


@pytest.mark.parametrize("make", BUNDLES.values(), ids=BUNDLES)
def test_it_answers_as_score_does(make):
    bundle = make()
    data, made = exported(bundle)
    onnx.checker.check_model(data, full_check=True)
    ours, theirs = scored(bundle, TEXTS), answers(data, bundle, TEXTS)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5)  # NaN where there is no answer
    answered = ~np.isnan(ours[:, 0])
    assert (ours[answered].argmax(1) == theirs[answered].argmax(1)).all()
    assert 0 < answered.sum() < len(TEXTS)
    assert made.unknown_words is None
    assert made.golden_rows.rows == len(bundle.golden.texts)
    assert made.golden_rows.largest < 1e-5


def test_only_the_characters_of_unknown_words_are_left_out_and_the_file_says_so():
    bundle = blended_bundle()
    data, made = exported(bundle)
    ours, theirs = scored(bundle, KNOWN), answers(data, bundle, KNOWN)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5)
    assert made.golden_rows.largest < 1e-5
    assert made.golden_rows.rows > 0
    assert made.unknown_words.largest > 1e-3
    metadata = onnxruntime.InferenceSession(data).get_modelmeta().custom_metadata_map
    assert metadata["textbatch.linear_model"] == "without the characters of unknown words"
    assert json.loads(metadata["textbatch.unknown_words"])["rows"] == made.unknown_words.rows


def test_a_row_does_not_depend_on_the_rows_beside_it():
    bundle = blended_bundle()
    data, _ = exported(bundle)
    together = answers(data, bundle, KNOWN.slice(0, 5))
    for number in range(5):
        alone = answers(data, bundle, KNOWN.slice(number, 1))
        np.testing.assert_allclose(alone[0], together[number], rtol=0, atol=1e-6)


def test_what_does_not_fit_into_one_file_is_refused(monkeypatch):
    monkeypatch.setattr(module, "_MAX_BYTES", 1000)
    with pytest.raises(BundleError, match="more than 1,000"):
        export_bundle(random_bundle(), "onnx")


def keras_rules(**changes):
    usual = {
        "filters": string.punctuation, "lower": True, "split": " ", "char_level": False,
        "keep_unknown": True, "truncating": "pre",
    }  # fmt: skip
    bundle = imported_bundle()
    return with_golden(with_classifier(bundle, text=KerasText(**{**usual, **changes})))


def vectorized(**rules):
    return with_golden(with_classifier(imported_bundle(), text=VectorizedText(**rules)))


RULES = {
    "textbatch": random_bundle,
    "keras": keras_rules,
    "keras, cut behind": lambda: keras_rules(truncating="post", keep_unknown=False, lower=False),
    "keras, characters": lambda: keras_rules(char_level=True),
    "vectorization": lambda: vectorized(lower=True, removed=string.punctuation, separators=" \n"),
    "vectorization, characters": lambda: vectorized(lower=False, removed="", separators=""),
    "keras, long split": lambda: keras_rules(split="ab", filters="xyz"),
}


@pytest.mark.parametrize("make", RULES.values(), ids=RULES)
def test_the_tokenizer_of_the_page_makes_the_same_ids(make, tmp_path, monkeypatch, capsys):
    """`docs/export.md` shows a tokenizer without textbatch."""
    page = Path(__file__).parents[3] / "docs" / "export.md"
    (code,) = re.findall(r"^```python\n(.*?json.*?)^```$", page.read_text(), re.S | re.M)[:1]
    bundle = make()
    (tmp_path / "model.onnx").write_bytes(exported(bundle)[0])
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(code, names)
    assert "where is my refund →" in capsys.readouterr().out
    tokenizer = bundle.classifier.tokenizer

    def check(texts):
        # What Python's Unicode does not know yet, others may.
        tokens = tokenizer.encode(pa.array(texts, pa.large_string()))
        for number, text in enumerate(texts):
            ours = tokens.token_ids[tokens.offsets[number] : tokens.offsets[number + 1]]
            assert names["ids_of"](text) == ours.tolist(), text

    check(
        [
            *TEXTS.to_pylist()[:200],
            "ΟΔΟΣ Σ ΑΣ.",
            "İI ıſ ﬁ ²",
            "文本文 x文y",
            "e\u0301 \u0301 가",
            "[PAD] [OOV]",
        ]
    )

    alphabet = some.characters(codec="utf-8", exclude_categories=["Cn", "Cs", "Co"])

    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @given(some.lists(some.text(alphabet | some.sampled_from("abΣ .\n"), max_size=30), max_size=5))
    def arbitrary(texts):
        check(texts)

    arbitrary()
    np.testing.assert_allclose(
        names["probabilities_of"](KNOWN.to_pylist()[:50]),
        scored(bundle, KNOWN.slice(0, 50)),
        rtol=0,
        atol=1e-5,
    )


def test_a_model_that_reads_characters_of_whole_texts_is_refused():
    with pytest.raises(ConflictError, match="saved-model or mlflow"):
        export_bundle(spelling_bundle(), "onnx")
