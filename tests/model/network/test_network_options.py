"""Cells, layers, directions and poolings: every engine answers alike, and each row alone."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from itertools import product

import numpy as np
import pytest
from support.bundles import (
    LABELS,
    random_bundle,
    random_weights,
    with_classifier,
    write_bundle,
)

from textbatch.errors import ConflictError
from textbatch.model.bundle.bundle import Bundle, load_bundle
from textbatch.model.engines import Engine, open_engine
from textbatch.model.network.architecture import Architecture, RecurrentLayer
from textbatch.model.network.keras_network import build_network, read_tensors, write_tensors
from textbatch.model.network.weights import Weights
from textbatch.model.quality.calibration import softmax
from textbatch.text.bucketing import pad
from textbatch.types import Float32Array, TokenBatch

POOLINGS = ("last", "mean", "max", "last+max", "mean+max", "last+mean+max")
STACKS = {
    "gru": (("gru", 7),),
    "lstm": (("lstm", 7),),
    "gru-lstm": (("gru", 10), ("lstm", 9)),
    "lstm-gru": (("lstm", 6), ("gru", 11)),
    "gru-gru-gru": (("gru", 5), ("gru", 8), ("gru", 6)),
    "lstm-lstm": (("lstm", 8), ("lstm", 8)),
}
BOTH_WAYS = (False, True)


def optional_bundle(stack: str, pooling: str, **settings: bool) -> Bundle:
    return random_bundle(layers=STACKS[stack], pooling=pooling, max_sequence_length=24, **settings)


def random_tokens(bundle: Bundle, *, copies: int = 2) -> TokenBatch:
    """Rows of every length, in mixed order, neighbours beginning alike."""
    random = np.random.default_rng(5)
    sizes = bundle.classifier.architecture
    longest, size = sizes.max_sequence_length, sizes.vocabulary_size
    lengths = random.permutation(np.repeat(np.arange(1, longest + 1), copies))
    text = random.integers(1, size, longest).astype(np.int32)
    rows = [text[:length].copy() for length in lengths]
    for row in rows[::2]:
        row[len(row) // 2 :] = random.integers(1, size, len(row) - len(row) // 2)
    return TokenBatch(
        token_ids=np.concatenate(rows),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        truncated=np.zeros(len(lengths), bool),
    )


def logits_of(engine: Engine, tokens: TokenBatch, rows: np.ndarray) -> Float32Array:
    return engine.predict_logits(pad(tokens, rows))


def check_agreement(bundle: Bundle) -> None:
    tokens = random_tokens(bundle)
    rows = np.arange(len(tokens))
    tensorflow = open_engine(bundle.classifier, name="tensorflow", device="cpu")
    reference = logits_of(tensorflow, tokens, rows)
    answers = logits_of(open_engine(bundle.classifier, name="onnx"), tokens, rows)
    assert np.abs(softmax(answers) - softmax(reference)).max() <= 1e-5
    assert np.ptp(answers, axis=0).max() > 0.5, "answers this alike could hide a wrong one"


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("bidirectional", BOTH_WAYS)
@pytest.mark.parametrize("stack", ["gru", "lstm"])
def test_every_pooling_is_alike_in_onnx_and_tensorflow(stack, bidirectional, pooling):
    check_agreement(optional_bundle(stack, pooling, bidirectional=bidirectional))


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("bidirectional", BOTH_WAYS)
@pytest.mark.parametrize("stack", [name for name in STACKS if "-" in name])
def test_every_stack_is_alike_in_onnx_and_tensorflow(stack, bidirectional, reset_after):
    check_agreement(
        optional_bundle(stack, "last+max", bidirectional=bidirectional, reset_after=reset_after)
    )


@pytest.mark.parametrize(
    ("stack", "bidirectional", "pooling"), list(product(STACKS, BOTH_WAYS, ["last", "mean+max"]))
)
def test_a_rows_bits_do_not_depend_on_its_mini_batch(stack, bidirectional, pooling):
    bundle = optional_bundle(stack, pooling, bidirectional=bidirectional)
    check_bits(open_engine(bundle.classifier, threads=1), bundle)


def check_bits(engine: Engine, bundle: Bundle) -> None:
    tokens = random_tokens(bundle)
    rows = np.arange(len(tokens))
    plain = logits_of(engine, tokens, rows)
    shuffled = np.random.default_rng(0).permutation(rows)
    assert logits_of(engine, tokens, shuffled).tobytes() == plain[shuffled].tobytes()
    for row in rows:
        assert logits_of(engine, tokens, rows[row : row + 1]).tobytes() == plain[row].tobytes()
    for count in (2, 3, 5, 17):
        part = shuffled[:count]
        assert logits_of(engine, tokens, part).tobytes() == plain[part].tobytes()
    batch = pad(tokens, rows)
    behind = np.arange(batch.token_ids.shape[1]) >= batch.lengths[:, None]
    rubbish = np.where(behind, 7, batch.token_ids).astype(np.int32)
    for width in (0, 1, 40):
        wide = np.pad(rubbish, ((0, 0), (0, width)), constant_values=3)
        assert engine.predict_logits(replace(batch, token_ids=wide)).tobytes() == plain.tobytes()


def wide_bundle(layers: tuple[tuple[str, int], ...], **settings: str | bool) -> Bundle:
    """Real widths: matrix kernels differ with the size."""
    small = random_bundle(max_sequence_length=40)
    sizes = replace(
        small.classifier.architecture,
        embedding_dim=100,
        dense_units=100,
        layers=tuple(RecurrentLayer(cell=cell, units=units) for cell, units in layers),
        **settings,
    )
    weights = random_weights(sizes, np.random.default_rng(3), scale=0.15)
    return with_classifier(small, architecture=sizes, weights=weights)


@pytest.mark.parametrize("bidirectional", BOTH_WAYS)
@pytest.mark.parametrize("layers", [(("gru", 150), ("lstm", 200)), (("lstm", 256), ("gru", 256))])
def test_neither_do_they_at_the_presets_widths(layers, bidirectional):
    bundle = wide_bundle(layers, bidirectional=bidirectional, pooling="last+mean+max")
    check_bits(open_engine(bundle.classifier, threads=1), bundle)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("pooling", ["last", "mean+max"])
@pytest.mark.parametrize("bidirectional", BOTH_WAYS)
def test_the_bundles_own_graph_gives_the_engines_answers(tmp_path, stack, pooling, bidirectional):
    import onnxruntime

    bundle = optional_bundle(stack, pooling, bidirectional=bidirectional)
    folder = write_bundle(tmp_path / "model", bundle)
    assert load_bundle(folder).classifier.architecture == bundle.classifier.architecture
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    tokens = random_tokens(bundle)
    batch = pad(tokens, np.arange(len(tokens)))
    feeds = {"token_ids": batch.token_ids.T, "lengths": batch.lengths}
    (logits,) = session.run(["logits"], feeds)
    answers = open_engine(bundle.classifier).predict_logits(batch)
    np.testing.assert_allclose(answers, logits, atol=1e-5)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("stack", STACKS)
def test_int8_is_near_float32_and_as_stable(stack, reset_after):
    layers = tuple((cell, 20 * units) for cell, units in STACKS[stack])
    bundle = wide_bundle(layers, pooling="last+mean+max", reset_after=reset_after)
    tokens = random_tokens(bundle)
    rows = np.arange(len(tokens))
    exact = softmax(logits_of(open_engine(bundle.classifier), tokens, rows))
    engine = open_engine(bundle.classifier, precision="int8")
    difference = np.abs(exact - softmax(logits_of(engine, tokens, rows))).max()
    assert 0 < difference < 0.05
    check_bits(engine, bundle)


def test_int8_is_refused_for_a_network_that_reads_both_ways():
    bundle = random_bundle(bidirectional=True)
    with pytest.raises(ConflictError, match="bidirectional"):
        open_engine(bundle.classifier, precision="int8")


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("bidirectional", BOTH_WAYS)
@pytest.mark.parametrize("stack", STACKS)
def test_writing_weights_undoes_reading_them(stack, bidirectional, reset_after):
    bundle = optional_bundle(stack, "mean", bidirectional=bidirectional, reset_after=reset_after)
    sizes = bundle.classifier.architecture
    network = build_network(sizes)
    write_tensors(network, sizes, bundle.classifier.weights.tensors)
    found = read_tensors(network, sizes)
    assert {name: value.shape for name, value in found.items()} == sizes.tensor_shapes()
    for name, tensor in bundle.classifier.weights.tensors.items():
        assert np.array_equal(found[name], tensor), name


@pytest.mark.parametrize("bidirectional", BOTH_WAYS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_changes_no_pooling(pooling, bidirectional):
    bundle = optional_bundle("gru-lstm", pooling, bidirectional=bidirectional)
    network = build_network(bundle.classifier.architecture)
    write_tensors(network, bundle.classifier.architecture, bundle.classifier.weights.tensors)
    short = np.array([[5, 6, 7], [8, 0, 0]], np.int32)
    padded = np.pad(short, ((0, 0), (0, 9)))
    assert np.allclose(network(padded), network(short), atol=1e-6)
    assert np.allclose(network(padded)[1], network(short[1:, :1])[0], atol=1e-6)
    assert not np.allclose(network(np.where(padded == 0, 1, padded)), network(short), atol=1e-2)


def test_a_maximum_below_zero_is_not_the_paddings_zero():
    bundle = random_bundle(layers=(("gru", 3),), pooling="max", labels=LABELS[:2])
    sizes = bundle.classifier.architecture
    given = bundle.classifier.weights.tensors
    tensors = {name: np.zeros_like(value) for name, value in given.items()}
    tensors["gru.B"][0, 6:9] = -3  # every state is far below zero
    tensors["dense.W"][:3, :3], tensors["logits.W"][0, 0] = -np.eye(3), 1
    bundle = with_classifier(bundle, weights=Weights.pack(tensors, sizes))
    tokens = TokenBatch(
        token_ids=np.full(6, 5, np.int32), offsets=np.array([0, 1, 6]), truncated=np.zeros(2, bool)
    )
    for name in ("onnx", "tensorflow"):
        engine = open_engine(bundle.classifier, name=name, device="cpu")
        logits = logits_of(engine, tokens, np.arange(2))
        # The first state is the greatest: half of tanh(-3), for a row of any length.
        np.testing.assert_allclose(logits[:, 0], -np.tanh(-3) / 2, atol=1e-5)


def test_poolings_and_directions_are_alike_on_pytorch(tmp_path):
    if find_spec("torch") is None:
        pytest.skip("torch is not installed")
    bundle = optional_bundle("lstm-gru", "last+mean+max", bidirectional=True)
    folder = write_bundle(tmp_path / "model", bundle)
    code = (
        "import sys, numpy as np, textbatch\n"
        "texts = ['refund the card', 'login', 'parcel late', None]\n"
        "answers = [textbatch.load(sys.argv[1], engine=name).predict(texts).probabilities\n"
        "           for name in ('onnx', 'tensorflow')]\n"
        "print(np.nanmax(np.abs(answers[0] - answers[1])) < 1e-5)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        capture_output=True, text=True, check=True,
        env={**os.environ, "KERAS_BACKEND": "torch"},
    )  # fmt: skip
    assert done.stdout == "True\n"


def test_layers_of_one_kind_have_names_of_their_own():
    bundle = optional_bundle("gru-gru-gru", "last", bidirectional=True)
    sizes: Architecture = bundle.classifier.architecture
    assert [layer.name for layer in sizes.stack()] == ["gru", "gru2", "gru3"]
    assert [layer.inputs for layer in sizes.stack()] == [8, 10, 16]
