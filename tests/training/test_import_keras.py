"""Networks that were made elsewhere."""

from __future__ import annotations

import json

import keras
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import textbatch
from textbatch.cli.demo.tickets import labelled_tickets
from textbatch.errors import BundleError, ConflictError, DataError, UsageError

LENGTH = 12
LABELS = ["zebra", "account", "billing"]  # not in the order in which textbatch sorts them
layers = keras.layers


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Labelled files by their part, and a vocabulary of their texts."""
    folder = tmp_path_factory.mktemp("own")
    rows = pd.DataFrame(
        {"text": ticket.text, "label": LABELS[number % 3]}
        for number, ticket in enumerate(labelled_tickets(240, seed=2))
        if ticket.text.strip()
    )
    places = {"training": rows[:120], "validation": rows[120:180], "test": rows[180:]}
    for name, part in places.items():
        part.to_parquet(folder / f"{name}.parquet")
    words = sorted({w for text in textbatch.normalize(rows["text"].tolist()) for w in text.split()})
    return {name: folder / f"{name}.parquet" for name in places}, ["", "[UNK]", *words[:150]]


def chain(*middle, outputs=3, activation="softmax", rows=160, mask=True, seed=3):
    """A network whose answers differ from text to text."""
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    embedding = layers.Embedding(
        rows, 6, mask_zero=mask, embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0)
    )
    wide = keras.initializers.RandomNormal(stddev=2.0)
    last = layers.Dense(
        outputs, activation=activation, kernel_initializer=wide, bias_initializer="random_normal"
    )
    network = keras.Sequential([keras.Input((LENGTH,)), embedding, *middle, last])
    for layer in network.layers[1:-1]:
        # Biases are 0 when a network is built: wrong places for them would go unseen.
        layer.set_weights([w + random.normal(0, 0.3, w.shape) for w in layer.get_weights()])
    return network


def adopted(network, files, folder, labels=LABELS, **settings):
    paths, vocabulary = files
    settings = {"vocabulary": vocabulary, **paths, "model": folder / "own", **settings}
    return textbatch.from_keras(network, labels=labels, max_sequence_length=LENGTH, **settings)


def texts_with_known_tokens(path, vocabulary):
    """The others get no answer."""
    texts = pd.read_parquet(path)["text"].tolist()
    known = [
        not {*text.split()[:LENGTH]}.isdisjoint(vocabulary) for text in textbatch.normalize(texts)
    ]
    assert sum(known) > 40
    return [text for text, kept in zip(texts, known, strict=True) if kept]


def padded(vocabulary, texts):
    ids = {word: place for place, word in enumerate(vocabulary)}
    rows = np.zeros((len(texts), LENGTH), np.int32)
    for row, text in zip(rows, textbatch.normalize(texts), strict=True):
        found = [ids.get(word, 1) for word in text.split()][:LENGTH]
        row[: len(found)] = found
    return rows


NETWORKS = {
    "lstm": lambda: chain(layers.LSTM(5)),
    "gru then lstm": lambda: chain(
        layers.SpatialDropout1D(0.2),
        layers.GRU(7, return_sequences=True, reset_after=False),
        layers.Dropout(0.2),
        layers.LSTM(5, dropout=0.1),
        layers.Dense(8, activation="relu"),
    ),
    "both ways": lambda: chain(
        layers.Bidirectional(layers.GRU(5, return_sequences=True)),
        layers.Bidirectional(layers.GRU(4)),
    ),
    "no mask": lambda: chain(layers.GRU(5, return_sequences=True), layers.LSTM(4), mask=False),
    "a maximum": lambda: chain(
        layers.LSTM(4, return_sequences=True),
        layers.Conv1D(6, 3),
        layers.GlobalMaxPooling1D(),
        mask=False,
    ),
    "sum of both ways": lambda: chain(layers.Bidirectional(layers.LSTM(4), merge_mode="sum")),
    "mean of logits": lambda: chain(
        layers.LSTM(6, return_sequences=True),
        layers.GlobalAveragePooling1D(),
        layers.Dense(7, activation="relu", use_bias=False),
        activation="linear",
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_bundle_answers_as_its_network(name, files, tmp_path):
    network = NETWORKS[name]()
    report = adopted(network, files, tmp_path)
    texts = texts_with_known_tokens(files[0]["test"], files[1])
    expected = network.predict(padded(files[1], texts), verbose=0)
    if name.endswith("logits"):
        expected = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
    # What the temperature does is undone.
    with textbatch.load(tmp_path / "own") as model:
        found = model.predict(texts).probabilities.astype(float) ** report.calibration.temperature
        found /= found.sum(axis=1, keepdims=True)
        assert model.labels == tuple(sorted(LABELS))
    expected = expected[:, [LABELS.index(label) for label in sorted(LABELS)]]
    assert np.ptp(expected, axis=0).max() > 0.1
    assert np.abs(found - expected).max() < 1e-4


@pytest.mark.parametrize("activation", ["sigmoid", "linear"])
def test_one_output_tells_two_labels_apart(activation, files, tmp_path):
    paths, vocabulary = files
    two = {}
    for name, path in paths.items():
        frame = pd.read_parquet(path)
        two[name] = tmp_path / path.name
        frame.assign(label=np.where(frame["label"] == "zebra", "no", "yes")).to_parquet(two[name])
    network = chain(layers.LSTM(5), outputs=1, activation=activation)
    report = adopted(network, (two, vocabulary), tmp_path, labels=["yes", "no"])
    texts = texts_with_known_tokens(two["test"], vocabulary)
    logit = network.predict(padded(vocabulary, texts), verbose=0)[:, 0].astype(float)
    if activation == "sigmoid":
        logit = np.log(logit / (1 - logit))
    assert np.ptp(logit) > 0.3
    with textbatch.load(tmp_path / "own") as model:
        assert model.labels == ("no", "yes")
        found = model.predict(texts).probabilities[:, 0]
    expected = 1 / (1 + np.exp(-logit / report.calibration.temperature))
    assert np.abs(found - expected).max() < 1e-3


def test_the_bundle_says_what_it_is(files, tmp_path):
    report = adopted(chain(layers.GRU(5)), files, tmp_path, report=tmp_path / "report.json")
    own = tmp_path / "own"
    assert json.loads((tmp_path / "report.json").read_text())["state"] == "done"
    assert (report.epochs, report.best_epoch) == ([], 0)
    assert "fitted elsewhere" in (own / "README.md").read_text()
    page = (own / "report.html").read_text()
    assert "Epoch kept" not in page
    assert "keras" in page
    assert json.loads((own / "config.json").read_text())["settings"]["preset"] == "keras"
    assert any("prefer the simple model" in line for line in report.warnings), report.warnings


def test_tokens_that_no_text_yields_are_counted(files, tmp_path):
    words = [*files[1], "Upper", "dont,stop"]
    report = adopted(chain(layers.LSTM(4)), files, tmp_path, vocabulary=words)
    assert any(line.startswith("2 of 152 tokens") for line in report.warnings)


UNFIT = {
    "has go_backwards=True": lambda: chain(layers.LSTM(4, go_backwards=True)),
    "has the recurrent activation tanh": lambda: chain(layers.GRU(4, recurrent_activation="tanh")),
    "LayerNormalization": lambda: chain(layers.LSTM(4), layers.LayerNormalization()),
    "the embedding has 20 rows": lambda: chain(layers.LSTM(4), rows=20),
    "has outputs for 4 labels": lambda: chain(layers.LSTM(4), outputs=4),
    "3 outputs and the activation sigmoid": lambda: chain(layers.LSTM(4), activation="sigmoid"),
    "has no weights yet": lambda: keras.Sequential([layers.Embedding(160, 6), layers.LSTM(4)]),
    "is a bytes without a config": lambda: b"network",
}


@pytest.mark.filterwarnings("ignore:Layer")
@pytest.mark.parametrize("why", UNFIT)
def test_a_network_that_cannot_be_scored_is_refused(why, files, tmp_path):
    with pytest.raises(BundleError) as caught:
        adopted(UNFIT[why](), files, tmp_path)
    assert why in str(caught.value)
    assert not (tmp_path / "own").exists()


def test_a_network_that_is_no_chain_is_found_out(files, tmp_path):
    ids = keras.Input((LENGTH,))
    vectors = layers.Embedding(160, 6, mask_zero=True)(ids)
    state = layers.LSTM(6)(vectors)
    # Another branch into the last layer that the list of layers does not show.
    network = keras.Model(ids, layers.Dense(3, activation="softmax")(state * 3.0 + 1.0))
    with pytest.raises((UsageError, BundleError)):
        adopted(network, files, tmp_path)
    assert not (tmp_path / "own").exists()


def test_a_recurrent_layer_used_twice_is_found_out(files, tmp_path):
    lstm = layers.LSTM(6, return_sequences=True)
    ids = keras.Input((LENGTH,))
    vectors = layers.Embedding(160, 6, mask_zero=True)(ids)
    last = layers.Dense(
        3, activation="softmax", kernel_initializer=keras.initializers.RandomNormal(stddev=2.0)
    )
    network = keras.Model(ids, last(layers.GlobalAveragePooling1D()(lstm(lstm(vectors)))))
    with pytest.raises(BundleError, match="does not read the layer before it alone"):
        adopted(network, files, tmp_path)


@pytest.mark.parametrize(
    ("settings", "error", "why"),
    [
        ({"labels": ["a", "b", "c"]}, UsageError, "not all the same"),
        ({"labels": LABELS[:2]}, UsageError, "2 labels are named"),
        ({"vocabulary": ["", "[UNK]"]}, UsageError, "empty"),
        ({"vocabulary": ["", "[UNK]", "so", "so"]}, UsageError, "token twice"),
        ({"vocabulary": ["", "[UNK]", "so", "two\nlines"]}, UsageError, "two lines"),
        ({"vocabulary": ["", "[UNK]", "so", ""]}, UsageError, "is empty"),
        ({"vocabulary": ["", "[UNK]", "neverthere"]}, DataError, "no validation row"),
        ({"validation": None}, ConflictError, "not named"),
    ],
)
def test_what_does_not_fit_is_refused(settings, error, why, files, tmp_path):
    with pytest.raises(error, match=why):
        adopted(chain(layers.LSTM(4)), files, tmp_path, **settings)
    assert not (tmp_path / "own").exists()


def test_normalize_splits_as_score_does():
    assert textbatch.normalize(["Don’t STOP,now", None, "", "東京 x"]) == [
        "don't stop now",
        "",
        "",
        "東 京 x",
    ]
    assert textbatch.normalize(pa.array(["A b"])) == ["a b"]
    assert textbatch.normalize([]) == []
