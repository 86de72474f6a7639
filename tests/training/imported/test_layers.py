"""Networks of Keras answer as Keras answers, whatever their layers."""

from __future__ import annotations

import warnings
from dataclasses import replace

import keras
import numpy as np
import pytest

from textbatch.errors import BundleError
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.engines import open_engine
from textbatch.model.keras_files.keras_layers import KerasFile, KerasLayer
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.chain import Chain
from textbatch.model.network.weights import Weights
from textbatch.model.quality.calibration import softmax
from textbatch.text.bucketing import MiniBatch
from textbatch.text.vocabulary import Vocabulary
from textbatch.training.imported.layers import read_layers
from textbatch.training.imported.recurrent_weights import recurrent_tensors

WORDS, DIMENSIONS, LENGTH, ROWS = 30, 6, 9, 24
layers = keras.layers


def out():
    return layers.Dense(3, activation="softmax")


def gru(**changes):
    return layers.GRU(5, **changes)


CHAINS = {
    "of the question": lambda: [gru(return_sequences=True), layers.LSTM(4), out()],
    "reset before": lambda: [gru(return_sequences=True, reset_after=False), layers.LSTM(4), out()],
    "mean": lambda: [
        layers.SpatialDropout1D(0.2),
        layers.LSTM(4, return_sequences=True),
        layers.GlobalAveragePooling1D(),
        layers.Dense(6, activation="relu"),
        layers.Dropout(0.1),
        out(),
    ],
    "tanh": lambda: [layers.LSTM(4), layers.Dense(6, activation="tanh"), out()],
    "maximum": lambda: [layers.LSTM(4, return_sequences=True), layers.GlobalMaxPooling1D(), out()],
    "convolution": lambda: [
        layers.Conv1D(7, 3, activation="relu"),
        layers.GlobalMaxPooling1D(),
        out(),
    ],
    "borders": lambda: [
        layers.Conv1D(7, 4, padding="same", strides=2),
        layers.Conv1D(7, 3, padding="causal", dilation_rate=2, activation="elu"),
        layers.GlobalAveragePooling1D(),
        out(),
    ],
    "convolution of states": lambda: [
        gru(return_sequences=True),
        layers.Conv1D(4, 2),
        layers.Flatten(),
        out(),
    ],
    "normalized": lambda: [
        layers.Dense(5),
        layers.BatchNormalization(),
        gru(),
        layers.BatchNormalization(scale=False),
        out(),
    ],
    "hard gates": lambda: [
        gru(recurrent_activation="hard_sigmoid", activation="relu", return_sequences=True),
        layers.LSTM(3, recurrent_activation="hard_sigmoid"),
        out(),
    ],
    "hard gates both ways": lambda: [
        layers.Bidirectional(gru(recurrent_activation="hard_sigmoid", return_sequences=True)),
        layers.Bidirectional(layers.LSTM(3, recurrent_activation="hard_sigmoid")),
        out(),
    ],
    "linear states": lambda: [
        gru(activation=None, return_sequences=True),
        layers.Bidirectional(layers.LSTM(3, activation="linear")),
        out(),
    ],
    "both ways, padding read": lambda: [
        layers.Bidirectional(gru(return_sequences=True)),
        layers.Flatten(),
        out(),
    ],
    "one output": lambda: [gru(), layers.Dense(1, activation="sigmoid")],
    "activations": lambda: [
        gru(),
        layers.Dense(4),
        layers.Activation("selu"),
        layers.Dense(3, activation="softplus"),
        layers.Dense(3, activation="exponential"),
        layers.Dense(3),
        layers.Softmax(),
    ],
    "no bias": lambda: [
        layers.LSTM(4, use_bias=False, return_sequences=True),
        gru(use_bias=False),
        out(),
    ],
    "both ways": lambda: [
        layers.Bidirectional(gru(return_sequences=True)),
        layers.Bidirectional(layers.LSTM(4)),
        out(),
    ],
    **{
        f"both ways, {mode}": lambda mode=mode: [
            layers.Bidirectional(gru(return_sequences=True), merge_mode=mode),
            layers.Dense(4, activation="tanh"),
            layers.GlobalMaxPooling1D(),
            out(),
        ]
        for mode in ("concat", "sum", "mul", "ave")
    },
}
#: Where a mask is all the way, and no layer but those that textbatch trains.
PLAIN = {"of the question", "reset before", "mean", "one output", "no bias", "both ways"}


def network_of(body, *, mask=True):
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a layer drops the mask
        network = keras.Sequential(
            [keras.Input((LENGTH,)), layers.Embedding(WORDS, DIMENSIONS, mask_zero=mask), *body]
        )
    for weight in network.weights:
        wide = random.normal(0, 0.5, weight.shape)
        positive = random.uniform(0.5, 2, weight.shape)
        weight.assign(positive if "variance" in weight.path else wide)
    return network


def file_of(network) -> KerasFile:
    return KerasFile(
        layers=tuple(
            KerasLayer(
                kind=type(layer).__name__,
                name=layer.name,
                config=layer.get_config(),
                weights=tuple(map(np.asarray, layer.get_weights())),
            )
            for layer in network.layers
        ),
        input_length=LENGTH,
        keras_version=keras.__version__,
    )


def read(network, padding="pre"):
    file = file_of(network)
    return read_layers(file, file.layers[0].weights[0], padding=padding, max_sequence_length=LENGTH)


def rows_of(padding):
    """Random texts as a mini-batch, and as Keras pads them."""
    random = np.random.default_rng(2)
    lengths = random.integers(1, LENGTH + 1, ROWS).astype(np.int32)
    ours, theirs = np.zeros((2, ROWS, LENGTH), np.int32)
    for row, length in enumerate(lengths):
        ids = random.integers(1, WORDS, length)
        ours[row, :length] = ids
        theirs[row, slice(length) if padding == "post" else slice(LENGTH - length, None)] = ids
    return ours, lengths, theirs


def logits_of(engine, token_ids, lengths):
    longest = lengths.max()
    batch = MiniBatch(
        rows=np.arange(len(lengths)), token_ids=token_ids[:, :longest], lengths=lengths
    )
    return engine.predict_logits(batch)


#: Without a mask, padding is like words, on whatever side it is.
SIDES = [(True, "pre"), (True, "post"), (False, "pre")]


@pytest.mark.parametrize(("mask", "padding"), SIDES, ids=["pre", "post", "no mask"])
@pytest.mark.parametrize("name", CHAINS)
def test_probabilities_are_those_of_keras(name, mask, padding):
    network = network_of(CHAINS[name](), mask=mask)
    found = read(network, padding)
    kind = Architecture if mask and name in PLAIN else Chain
    assert isinstance(found.network, kind)
    token_ids, lengths, padded = rows_of(padding)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = np.asarray(network(padded, training=False))
    if theirs.shape[1] == 1:
        theirs = np.concatenate([1 - theirs, theirs], axis=1)
    classifier = Classifier(
        architecture=found.network,
        vocabulary=Vocabulary(tokens=("[PAD]", "[OOV]", *map(str, range(WORDS - 2)))),
        labels=tuple("abc"[: found.outputs]),
        weights=Weights.pack(found.tensors, found.network),
    )
    engine = open_engine(classifier, threads=1)
    together = logits_of(engine, token_ids, lengths)
    np.testing.assert_allclose(softmax(together), theirs, rtol=0, atol=1e-5)
    for step in (1, 7):
        parts = [
            logits_of(engine, token_ids[at : at + step], lengths[at : at + step])
            for at in range(0, ROWS, step)
        ]
        np.testing.assert_array_equal(together, np.concatenate(parts))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (lambda: [layers.SimpleRNN(4), out()], "SimpleRNN"),
        (lambda: [layers.GRU(4, go_backwards=True), out()], "go_backwards"),
        (lambda: [layers.LSTM(4, recurrent_activation="tanh"), out()], "recurrent activation"),
        (lambda: [layers.LSTM(4, activation="gelu"), out()], "activation gelu"),
        (lambda: [layers.LSTM(4), layers.LayerNormalization(), out()], "LayerNormalization"),
        (lambda: [layers.LSTM(4), layers.Dense(3, activation="sigmoid")], "activation sigmoid"),
        (lambda: [layers.LSTM(4), layers.Dense(3, activation="relu")], "activation relu"),
        (lambda: [layers.GRU(4)], "last layer is not Dense"),
        (lambda: [layers.Dense(3, activation="softmax")], "does not give a logit"),
        (lambda: [layers.Conv1D(4, 3, groups=2), layers.Flatten(), out()], "groups"),
        (
            lambda: [
                layers.Bidirectional(gru(), backward_layer=layers.LSTM(5, go_backwards=True)),
                out(),
            ],
            "two directions",
        ),
        (
            lambda: [layers.LSTM(4), layers.Dense(4), layers.ReLU(max_value=1.0), out()],
            "max_value=1.0",
        ),
        (
            lambda: [layers.BatchNormalization(axis=1), layers.LSTM(4), out()],
            "another axis",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_reproduced_is_refused_with_its_layer(body, told):
    with pytest.raises(BundleError, match=told):
        read(network_of(body()))


@pytest.mark.parametrize(
    ("version", "zeros"),
    [("2.15.0", True), ("2.4.0", True), ("2.3.0-tf", True), ("2.3.1", False), ("2.2.4", False)],
)
def test_both_ways_give_zeros_where_the_keras_of_tensorflow_does(version, zeros):
    network = network_of(CHAINS["both ways, padding read"]())
    file = file_of(network)
    bidirectional = file.layers[1]
    for part in ("layer", "backward_layer"):
        bidirectional.config[part]["config"].pop("zero_output_for_mask")  # Keras 2 leaves it out
    file = replace(file, keras_version=version)
    found = read_layers(file, file.layers[0].weights[0], padding="pre", max_sequence_length=LENGTH)
    assert found.network.layers[0].zeros is zeros


def test_what_is_wider_than_networks_of_textbatch_may_be_stays_a_chain():
    found = read(network_of([gru(), layers.Dense(5000, activation="relu"), out()]))
    assert isinstance(found.network, Chain)


def test_a_text_has_bounds():
    chain = read(network_of(CHAINS["convolution"](), mask=False)).network
    with pytest.raises(BundleError, match="numbers, more than"):
        replace(chain, max_sequence_length=10_000, embedding_dim=4096)


def test_weights_that_are_not_finite_are_refused():
    network = network_of(CHAINS["of the question"]())
    kernel, bias = network.layers[-1].get_weights()
    kernel[0, 0] = np.nan
    network.layers[-1].set_weights([kernel, bias])
    with pytest.raises(BundleError, match="NaN or infinity"):
        read(network)


def test_the_biases_of_cudnn_are_added():
    """Keras 2's own conversion: kernels by gate, transposed; the two biases of an LSTM added."""
    random = np.random.default_rng(0)
    kernel, recurrent, bias = (
        random.normal(size=shape).astype(np.float32) for shape in ((6, 16), (4, 16), (32,))
    )
    found = recurrent_tensors("lstm", [kernel, recurrent, bias], units=4, directions=1, cudnn=True)
    gates = [one.T.reshape(one.shape, order="F") for one in np.split(kernel, 4, axis=1)]
    input_gate, forget, cell, output = gates
    np.testing.assert_array_equal(
        found["W"][0], np.concatenate([input_gate, output, forget, cell], axis=1).T
    )
    total = bias[:16] + bias[16:]
    ours = found["B"][0][:16] + found["B"][0][16:]
    np.testing.assert_allclose(ours, total[[*range(4), *range(12, 16), *range(4, 12)]])
