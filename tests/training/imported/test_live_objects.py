"""Networks and tokenizers in memory become the same bundles as their files."""

from __future__ import annotations

import json
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf

import textbatch
from textbatch.errors import BundleError, ConflictError, UsageError
from textbatch.model.bundle.bundle import load_bundle

legacy = pytest.importorskip("keras.src.legacy.preprocessing.text")
layers, LENGTH = keras.layers, 8
LABELS = ["b", "a", "c"]
TEXTS = [
    "Where's my REFUND, please?", "the app: is slow (again)", "don't charge\tme twice!",
    "naïve ÉCLAIR straße", "my my my app app is is the the refund and twice again", "zzz", "",
]  # fmt: skip
KNOWN = [0, 1, 2, 3, 4]


def network_of(*before, words=40, mask=True, **first):
    """Embedding, GRU, LSTM, Dense; no weight is 0."""
    head = [keras.Input((LENGTH,)) if not before else keras.Input((1,), dtype="string"), *before]
    keras.utils.set_random_seed(1)
    network = keras.Sequential(
        [
            *head,
            layers.Embedding(words, 5, mask_zero=mask, embeddings_initializer="random_normal"),
            layers.GRU(4, return_sequences=True),
            layers.LSTM(3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    random = np.random.default_rng(0)
    for weight in network.weights:
        if "string" not in str(weight.dtype):
            weight.assign(random.normal(0, 0.7, weight.shape))
    return network


def tokenizer_of(**settings):
    tokenizer = legacy.Tokenizer(num_words=40, **settings)
    tokenizer.fit_on_texts(TEXTS[:5])
    return tokenizer


def vectorization_of(**settings):
    layer = layers.TextVectorization(**{"output_sequence_length": LENGTH, **settings})
    layer.adapt(TEXTS[:5])
    return layer


def answers(folder, texts=TEXTS):
    with textbatch.load(folder) as model:
        return model.predict(texts).probabilities


def files_of(folder):
    """What decides the answers."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name not in ("manifest.json", "README.md")
    }


@pytest.mark.parametrize(("padding", "mask"), [("pre", True), ("post", False), ("pre", False)])
def test_a_tokenizer_in_memory_is_read_as_its_file(tmp_path, padding, mask):
    network, tokenizer = network_of(mask=mask), tokenizer_of(oov_token="<oov>")
    network.save(tmp_path / "network.keras")
    (tmp_path / "tokenizer.pickle").write_bytes(pickle.dumps(tokenizer))
    (tmp_path / "labels.txt").write_text("\n".join(LABELS))
    settings = {"padding": padding, "truncating": "post"}
    live = textbatch.import_keras(network, tokenizer, LABELS, model=tmp_path / "live", **settings)
    filed = textbatch.import_keras(
        tmp_path / "network.keras",
        str(tmp_path / "tokenizer.pickle"),
        tmp_path / "labels.txt",
        model=tmp_path / "filed",
        **settings,
    )
    assert files_of(tmp_path / "live") == files_of(tmp_path / "filed")
    assert live.keras == filed.keras == keras.__version__
    assert live.warnings == filed.warnings
    sequences = tokenizer.texts_to_sequences(TEXTS)
    padded = keras.utils.pad_sequences(sequences, maxlen=LENGTH, padding=padding, truncating="post")
    theirs = network.predict(padded, verbose=0)
    np.testing.assert_allclose(answers(tmp_path / "live")[KNOWN], theirs[KNOWN], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("mask", "settings"),
    [
        (True, {}),
        (False, {"standardize": "lower"}),
        (True, {"standardize": "strip_punctuation", "max_tokens": 9}),
        (False, {"standardize": None}),
        (True, {"split": "character"}),
    ],
    ids=str,
)
def test_a_vectorization_layer_inside_the_network_or_beside_it(tmp_path, settings, mask):
    layer = vectorization_of(**settings)
    whole = network_of(layer, mask=mask)
    theirs = np.asarray(whole(tf.constant(TEXTS)[:, None]))[KNOWN]
    whole.save(tmp_path / "whole.keras")
    words = layer.get_vocabulary()
    (tmp_path / "words.txt").write_text("\n".join(words))
    (tmp_path / "words.json").write_text(json.dumps(words))
    alone = keras.Sequential([keras.Input((LENGTH,)), *whole.layers[1:]])
    told = {"standardize": settings.get("standardize", "lower_and_strip_punctuation") or "none"}
    told["split"] = settings.get("split", "whitespace")
    ways = [
        (tmp_path / "whole.keras", None, {}),
        (alone, tmp_path / "words.json", told),
        (whole, None, {}),
        (alone, layer, {}),
        (alone, tmp_path / "words.txt", told),
    ]
    # All ways give the same bundle: one more example of each is enough.
    for number, (network, tokenizer, more) in enumerate(ways[: 2 if settings else 5]):
        folder = tmp_path / str(number)
        report = textbatch.import_keras(network, tokenizer, LABELS, model=folder, **more)
        assert report.words == len(words) - 2
        np.testing.assert_allclose(answers(folder)[KNOWN], theirs, rtol=0, atol=1e-5)
        assert files_of(folder) == files_of(tmp_path / "0")
    assert load_bundle(tmp_path / "0").classifier.text is not None


def test_without_labels_outputs_have_their_numbers(tmp_path):
    textbatch.import_keras(network_of(), tokenizer_of(), model=tmp_path / "m")
    assert load_bundle(tmp_path / "m").labels == ("0", "1", "2")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"ngrams": 2}, "ngrams=2"),
        ({"output_mode": "multi_hot", "output_sequence_length": None}, "output_mode='multi_hot'"),
        ({"standardize": lambda texts: texts}, "standardizes texts by code"),
        ({"split": lambda texts: texts}, "splits texts by code"),
        ({"split": None}, "splits texts not at all"),
        ({"ragged": True}, "ragged=True"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_layer_that_cannot_be_computed_is_refused(tmp_path, settings, told):
    layer = layers.TextVectorization(
        **{"output_sequence_length": LENGTH, "vocabulary": ["a", "b"], **settings}
    )
    with pytest.raises(BundleError, match=told):
        textbatch.import_keras(network_of(), layer, LABELS, model=tmp_path / "m")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("tokenizer", "settings", "error", "told"),
    [
        (None, {}, UsageError, "--tokenizer is missing"),
        (7, {}, BundleError, "the tokenizer is a int"),
        ("layer", {"padding": "pre"}, ConflictError, "at their end"),
        ("layer", {"truncating": "pre"}, ConflictError, "at their end"),
        ("layer", {"split": "character"}, ConflictError, "--split is told"),
        ("tokenizer", {"standardize": "lower"}, ConflictError, "--standardize is told"),
        ("tokenizer", {"max_sequence_length": 3}, UsageError, "has 8 tokens"),
        (["", "", "a"], {"truncating": "pre"}, ConflictError, "first tokens"),
        ("inside", {}, ConflictError, "which is its tokenizer"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path, tokenizer, settings, error, told):
    network = network_of(vectorization_of()) if tokenizer == "inside" else network_of()
    given = {"layer": vectorization_of, "tokenizer": tokenizer_of, "inside": tokenizer_of}
    tokenizer = given[tokenizer]() if isinstance(tokenizer, str) else tokenizer
    with pytest.raises(error, match=told):
        textbatch.import_keras(network, tokenizer, LABELS, model=tmp_path / "m", **settings)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "B"], ["a", " ", "b"], []])
def test_labels_that_do_not_fit_are_refused(tmp_path, labels):
    with pytest.raises(BundleError, match="the list of labels has"):
        textbatch.import_keras(network_of(), tokenizer_of(), labels, model=tmp_path / "m")


@pytest.mark.parametrize(
    "content", ["[UNK]\nso\nso", "\n[UNK]\n", "[1, 2]", '["", "[UNK]", ""]', "[broken", "so\nlong"]
)
def test_a_damaged_vocabulary_is_refused(tmp_path, content):
    (tmp_path / "words").write_text(content)
    with pytest.raises(BundleError):
        textbatch.import_keras(network_of(), tmp_path / "words", LABELS, model=tmp_path / "m")


def test_a_saved_network_without_its_words_says_what_to_give(tmp_path):
    from zipfile import ZipFile

    network_of(vectorization_of()).save(tmp_path / "whole.keras")
    with ZipFile(tmp_path / "whole.keras") as old, ZipFile(tmp_path / "less.keras", "w") as new:
        for name in old.namelist():
            if not name.startswith("assets/"):
                new.writestr(name, old.read(name))
    with pytest.raises(BundleError, match="comes without its vocabulary"):
        textbatch.import_keras(tmp_path / "less.keras", labels=LABELS, model=tmp_path / "m")
