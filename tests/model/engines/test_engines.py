from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from support.bundles import (
    LABELS,
    random_bundle,
    random_weights,
    with_classifier,
    write_bundle,
)

from textbatch.errors import ConflictError, OutOfMemoryError, QualityGateError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.records import Int8Check
from textbatch.model.engines import Engine, check_int8, open_engine
from textbatch.model.predictor import open_bundle
from textbatch.model.quality.calibration import softmax
from textbatch.text.bucketing import MiniBatch, pad
from textbatch.training.recipes.presets import RECIPES
from textbatch.types import Float32Array, TokenBatch


def full_size_bundle(*, preset: str, num_labels: int) -> Bundle:
    """A preset's real layer sizes: matrix kernels differ with the size."""
    small = random_bundle(labels=tuple(f"label-{index}" for index in range(num_labels)))
    sizes = RECIPES[preset].architecture(
        vocabulary_size=len(small.classifier.vocabulary),
        num_labels=num_labels,
        max_sequence_length=40,
    )
    weights = random_weights(sizes, np.random.default_rng(3), scale=0.15)
    return with_classifier(small, architecture=sizes, weights=weights)


def random_tokens(bundle: Bundle, *, copies: int = 3) -> TokenBatch:
    """Rows of every length from 1 to the limit, some of one repeated id, in mixed order."""
    random = np.random.default_rng(5)
    sizes = bundle.classifier.architecture
    longest, size = sizes.max_sequence_length, sizes.vocabulary_size
    lengths = random.permutation(np.repeat(np.arange(1, longest + 1), copies))
    return TokenBatch(
        token_ids=random.integers(1, size, lengths.sum()).astype(np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        truncated=np.zeros(len(lengths), bool),
    )


def logits_of(engine: Engine, tokens: TokenBatch, rows: np.ndarray) -> Float32Array:
    return engine.predict_logits(pad(tokens, rows))


def widened(batch: MiniBatch, width: int) -> MiniBatch:
    padding = ((0, 0), (0, width - batch.token_ids.shape[1]))
    return replace(batch, token_ids=np.pad(batch.token_ids, padding))


def onnx(bundle: Bundle) -> Engine:
    return open_engine(bundle.classifier, name="onnx", device="cpu", threads=1)


BUNDLES = {
    "reset_after": lambda: random_bundle(max_sequence_length=33),
    "reset_before": lambda: random_bundle(max_sequence_length=33, reset_after=False),
    "two labels, one token": lambda: random_bundle(labels=LABELS[:2], max_sequence_length=1),
    "77 labels": lambda: random_bundle(labels=tuple(map(str, range(77)))),
    "default sizes": lambda: full_size_bundle(preset="default", num_labels=20),
    "seed sizes": lambda: full_size_bundle(preset="seed", num_labels=4),
}


@pytest.fixture(scope="module", params=BUNDLES)
def any_bundle(request) -> Bundle:
    return BUNDLES[request.param]()


def test_onnx_and_tensorflow_agree(any_bundle):
    tokens = random_tokens(any_bundle)
    rows = np.arange(len(tokens))
    tensorflow = open_engine(any_bundle.classifier, name="tensorflow", device="cpu", threads=None)
    reference = softmax(logits_of(tensorflow, tokens, rows))
    answers = softmax(logits_of(onnx(any_bundle), tokens, rows))
    assert np.abs(answers - reference).max() <= 1e-5
    assert np.ptp(answers, axis=0).max() > 0.1, "answers this alike could hide a wrong one"


def test_tensorflow_does_not_mind_the_width(any_bundle):
    tokens = random_tokens(any_bundle, copies=1)
    batch = pad(tokens, np.arange(len(tokens)))
    engine = open_engine(any_bundle.classifier, name="tensorflow", device="cpu", threads=None)
    plain = softmax(engine.predict_logits(batch))
    wide = softmax(engine.predict_logits(widened(batch, batch.token_ids.shape[1] + 30)))
    assert np.abs(wide - plain).max() <= 1e-6


def test_a_rows_bits_do_not_depend_on_its_mini_batch(any_bundle):
    engine = onnx(any_bundle)
    tokens = random_tokens(any_bundle)
    rows = np.arange(len(tokens))
    plain = logits_of(engine, tokens, rows)

    shuffled = np.random.default_rng(0).permutation(rows)
    assert logits_of(engine, tokens, shuffled).tobytes() == plain[shuffled].tobytes()
    for row in rows:
        assert logits_of(engine, tokens, rows[row : row + 1]).tobytes() == plain[row].tobytes()
    for count in (2, 3, 5, 17):
        part = shuffled[:count]
        assert logits_of(engine, tokens, part).tobytes() == plain[part].tobytes()
    for width in (1, 7, 64):
        wide = widened(pad(tokens, rows), pad(tokens, rows).token_ids.shape[1] + width)
        assert engine.predict_logits(wide).tobytes() == plain.tobytes()


def test_padding_and_what_stands_in_it_changes_nothing(bundle):
    tokens = random_tokens(bundle)
    batch = pad(tokens, np.arange(len(tokens)))
    behind = np.arange(batch.token_ids.shape[1]) >= batch.lengths[:, None]
    rubbish = replace(batch, token_ids=np.where(behind, 7, batch.token_ids).astype(np.int32))
    engine = onnx(bundle)
    assert behind.any()
    assert engine.predict_logits(rubbish).tobytes() == engine.predict_logits(batch).tobytes()


def test_engines_leave_the_mini_batch_as_it_was(bundle):
    batch = pad(random_tokens(bundle), np.arange(9))
    for name in ("onnx", "tensorflow"):
        before = batch.token_ids.copy()
        engine = open_engine(bundle.classifier, name=name, device="cpu", threads=1)
        logits = engine.predict_logits(batch)
        assert (logits.shape, logits.dtype) == ((9, len(LABELS)), np.float32)
        assert np.array_equal(batch.token_ids, before)


def test_auto_is_onnx_on_the_cpu_and_starts_as_many_workers_as_asked(bundle):
    engine = open_engine(bundle.classifier, name="auto", device="auto", threads=3)
    assert (engine.name, engine.device, engine.workers) == ("onnx", "cpu", 3)
    assert open_engine(bundle.classifier, name="auto", device="cpu", threads=None).workers >= 1


def test_onnx_does_not_import_tensorflow(model):
    code = (
        "import sys, textbatch\n"
        "textbatch.load(sys.argv[1]).close()\n"
        "print(sorted({'tensorflow', 'keras', 'gensim', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(model)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "['onnxruntime']\n"


def test_a_gpu_that_is_not_there_is_an_error_and_not_the_cpu(bundle, monkeypatch):
    keras = pytest.importorskip("keras")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind: [])
    with pytest.raises(ConflictError, match="sees no GPU"):
        open_engine(bundle.classifier, name="auto", device="gpu", threads=None)


class Breaking:
    """A network that runs out of memory above a number of rows, as a GPU would."""

    def __init__(self, network, fits: int) -> None:
        self.network, self.fits, self.sizes = network, fits, []

    def predict_on_batch(self, token_ids):
        self.sizes.append(len(token_ids))
        if len(token_ids) > self.fits:
            raise RuntimeError("RESOURCE_EXHAUSTED: OOM when allocating tensor")
        return self.network.predict_on_batch(token_ids)


def test_out_of_memory_halves_the_mini_batch_without_changing_a_label(bundle):
    engine = open_engine(bundle.classifier, name="tensorflow", device="cpu", threads=None)
    random = np.random.default_rng(0)
    token_ids = random.integers(1, 30, (50, 9)).astype(np.int32)
    batch = MiniBatch(rows=np.arange(50), token_ids=token_ids, lengths=np.full(50, 9, np.int32))
    whole = engine.predict_logits(batch)
    engine._network = Breaking(engine._network, fits=7)
    halved = engine.predict_logits(batch)
    assert engine._network.sizes[:4] == [50, 25, 12, 6]
    np.testing.assert_allclose(halved, whole, atol=1e-6)
    engine._network.sizes.clear()
    engine.predict_logits(batch)
    assert max(engine._network.sizes) == 6  # and never grows again
    engine._network.fits = 0
    with pytest.raises(OutOfMemoryError, match="one row"):
        engine.predict_logits(batch)


def test_filled_up_mini_batches_hold_no_row_without_a_token(bundle):
    engine = open_engine(bundle.classifier, name="tensorflow", device="cpu", threads=None)
    network, seen = engine._network, []

    class Watching:
        def predict_on_batch(self, token_ids):
            seen.append(token_ids)
            return network.predict_on_batch(token_ids)

    engine._network = Watching()
    token_ids = np.full((70, 3), 5, np.int32)
    batch = MiniBatch(rows=np.arange(70), token_ids=token_ids, lengths=np.full(70, 3, np.int32))
    assert engine.predict_logits(batch).shape == (70, 4)
    assert seen[0].shape == (128, 16)
    assert (seen[0] != 0).any(axis=1).all()


@pytest.mark.parametrize("reset_after", [True, False])
def test_the_bundles_own_graph_gives_the_engines_answers_in_any_onnx_runtime(tmp_path, reset_after):
    import onnxruntime

    bundle = random_bundle(reset_after=reset_after)
    folder = write_bundle(tmp_path / "model", bundle)
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    tokens = random_tokens(bundle)
    batch = pad(tokens, np.arange(len(tokens)))
    feeds = {"token_ids": batch.token_ids.T, "lengths": batch.lengths}
    (logits,) = session.run(["logits"], feeds)
    answers = open_engine(bundle.classifier).predict_logits(batch)
    np.testing.assert_allclose(answers, logits, atol=1e-5)


def test_int8_is_near_float32_and_as_stable():
    bundle = full_size_bundle(preset="default", num_labels=5)
    tokens = random_tokens(bundle)
    batch = pad(tokens, np.arange(len(tokens)))
    exact = open_engine(bundle.classifier).predict_logits(batch)
    engine = open_engine(bundle.classifier, precision="int8")
    rough = engine.predict_logits(batch)
    difference = np.abs(softmax(exact) - softmax(rough)).max()
    assert 0 < difference < 0.05
    for size in (1, 2, 7, 50):
        for start in range(0, len(tokens), size):
            rows = np.arange(start, min(start + size, len(tokens)))[::-1]
            assert np.array_equal(engine.predict_logits(pad(tokens, rows)), rough[rows]), size


def test_int8_is_refused_where_it_changed_too_many_labels(bundle):
    check_int8(replace(bundle, int8=Int8Check(rows=9, agreement=0.995, max_difference=0.1)))
    with pytest.raises(QualityGateError, match="nobody compared int8"):
        open_bundle(replace(bundle, int8=None), precision="int8")
    for agreement in (0.9949, float("nan")):
        poor = replace(bundle, int8=Int8Check(rows=9, agreement=agreement, max_difference=0.1))
        with pytest.raises(QualityGateError, match=r"held-out rows, fewer than 99\.5%"):
            open_bundle(poor, precision="int8")
        assert open_engine(poor.classifier).precision == "f32"


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_the_network_answers_alike_on_keras_other_backends(model, tmp_path, backend):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    code = (
        "import sys, numpy as np, textbatch\n"
        "texts = ['refund the card', 'login', 'parcel late', None]\n"
        "answers = [textbatch.load(sys.argv[1], engine=name).predict(texts).probabilities\n"
        "           for name in ('onnx', 'tensorflow')]\n"
        "print(np.nanmax(np.abs(answers[0] - answers[1])) < 1e-5)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(model)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    assert done.stdout == "True\n"
