"""The `.keras` file, loaded by Keras alone, answers as the model does."""

from __future__ import annotations

import errno
import json
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pyarrow as pa
import pytest
from support.bundles import (
    WORDS,
    blended_bundle,
    imported_bundle,
    random_blend,
    random_bundle,
    random_texts,
    random_weights,
    spelling_bundle,
    with_classifier,
    with_golden,
)

from textbatch.errors import ConflictError, StorageError
from textbatch.model.export.exported import export_bundle
from textbatch.model.export.keras_file import answers_to
from textbatch.model.network.chain import Chain, ChainLayer
from textbatch.model.network.weights import Weights
from textbatch.model.predictor import open_predictor

TEXTS = pa.array([text or "" for text in random_texts(1000, seed=5)], pa.large_string())
KNOWN = pa.array(
    [" ".join(w for w in text.split() if w in WORDS) for text in TEXTS.to_pylist()],
    pa.large_string(),
)
pytestmark = pytest.mark.filterwarnings("ignore:.*does not support masking")


def layer(kind, units=0, **settings):
    return ChainLayer(kind=kind, units=units, **settings)


def of_layers(*layers, padding="pre", mask=True, truncating="pre"):
    bundle = imported_bundle()
    chain = Chain(
        vocabulary_size=len(bundle.classifier.vocabulary), embedding_dim=8, mask_zero=mask,
        padding=padding, layers=(*layers, layer("dense", len(bundle.labels))),
        num_labels=len(bundle.labels), max_sequence_length=12,
    )  # fmt: skip
    tensors = dict(random_weights(chain, np.random.default_rng(1), scale=0.6).tensors)
    for placed in chain.placed():  # what Keras's layers can hold
        single = placed.layer.kind == "lstm" or not placed.layer.reset_after
        if placed.layer.kind in ("gru", "lstm") and single:
            bias = tensors[f"{placed.name}.B"].copy()
            bias[:, placed.gates :] = 0
            tensors[f"{placed.name}.B"] = bias
    weights = Weights.pack(tensors, chain)
    text = replace(bundle.classifier.text, truncating=truncating)
    return with_golden(with_classifier(bundle, architecture=chain, weights=weights, text=text))


def linear(**settings):
    bundle = random_bundle(**settings)
    blend = random_blend(bundle)
    blend = replace(blend, model=replace(blend.model, subwords=None))
    return with_golden(with_classifier(bundle, blend=blend))


BUNDLES = {
    "linear": lambda: linear(bidirectional=True, pooling="last+mean+max", reset_after=False),
}
#: Chains, as Keras models are: pre and post padding, masked and not.
CHAINS = {
    "pre": lambda: of_layers(
        layer("gru", 6, sequence=True, merge="concat", reset_after=True, zeros=True),
        layer("conv1d", 7, kernel=3, activation="relu"), layer("max"),
    ),
    "post": lambda: of_layers(
        layer("gru", 6, sequence=True, reset_after=True), layer("max"), padding="post"
    ),
    "unmasked": lambda: of_layers(layer("lstm", 5), layer("scale"), mask=False),
    "mean": lambda: of_layers(
        layer("lstm", 5, sequence=True, merge="sum", zeros=True), layer("mean")
    ),
    "flat": lambda: of_layers(
        layer("conv1d", 5, kernel=3, border="causal", dilation=2, activation="elu"),
        layer("activation", activation="tanh"), layer("flatten"), mask=False,
    ),
    "hard gates": lambda: of_layers(
        layer("gru", 4, gate="hard_sigmoid_3", activation="relu"), layer("dense", 6)
    ),
}  # fmt: skip


def scored(bundle, texts):
    with open_predictor(bundle.classifier, threads=1) as predictor:
        return predictor.predict(texts).probabilities


def loaded(bundle, folder):
    made = export_bundle(bundle, "keras")
    path = folder / "model.keras"
    path.write_bytes(made.files["model.keras"])
    return answers_to(bundle, keras.saving.load_model(path)), made, path


@pytest.mark.parametrize("make", [*BUNDLES.values(), *CHAINS.values()], ids=[*BUNDLES, *CHAINS])
def test_it_answers_as_score_does(make, tmp_path):
    bundle = make()
    answers, made, path = loaded(bundle, tmp_path)
    ours = scored(bundle, TEXTS)
    answered = ~np.isnan(ours[:, 0])
    ours, theirs = ours[answered], answers(TEXTS.filter(pa.array(answered)))
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5)
    assert (ours.argmax(1) == theirs.argmax(1)).all()
    assert made.unknown_words is None
    with zipfile.ZipFile(path) as archive:
        described = json.loads(archive.read("textbatch.json"))
    assert described["labels"] == list(bundle.labels)
    assert described["vocabulary"] == list(bundle.classifier.vocabulary.tokens)
    assert described["golden_rows"]["largest"] < 1e-5


def test_only_the_characters_of_unknown_words_are_left_out(tmp_path):
    bundle = blended_bundle()
    answers, made, _ = loaded(bundle, tmp_path)
    ours = scored(bundle, KNOWN)
    answered = ~np.isnan(ours[:, 0])
    theirs = answers(KNOWN.filter(pa.array(answered)))
    np.testing.assert_allclose(theirs, ours[answered], rtol=0, atol=1e-5)
    assert made.unknown_words.largest > 1e-3


def test_a_full_disk_of_temporary_files_is_told(monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(keras.Model, "save", full)
    with pytest.raises(StorageError, match="temporary files"):
        export_bundle(of_layers(layer("lstm", 5), mask=False), "keras")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: of_layers(layer("gru", 4, gate="hard_sigmoid")), "hard_sigmoid"),
        (imported_bundle, "Bidirectional"),
        (spelling_bundle, "characters of whole texts"),
    ],
)
def test_what_keras_has_no_more_is_refused(make, told):
    with pytest.raises(ConflictError, match=told):
        export_bundle(make(), "keras")
