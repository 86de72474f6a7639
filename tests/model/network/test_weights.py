from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from textbatch.errors import BundleError
from textbatch.model.network.architecture import Architecture, RecurrentLayer
from textbatch.model.network.weights import Weights

SIZES = Architecture(
    vocabulary_size=5,
    embedding_dim=2,
    layers=(
        RecurrentLayer(cell="gru", units=2),
        RecurrentLayer(cell="lstm", units=3),
    ),
    bidirectional=False,
    pooling="last",
    dense_units=2,
    num_labels=2,
    max_sequence_length=4,
    reset_after=True,
)


def random_tensors() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        name: random.normal(size=shape).astype(np.float32)
        for name, shape in SIZES.tensor_shapes().items()
    }


def parts() -> tuple[dict[str, Any], bytes]:
    """Header and tensor bytes of a good file."""
    data = Weights.pack(random_tensors(), SIZES).data
    start = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:start]), data[start:]


def joined(header: object, body: bytes) -> bytes:
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body


def test_tensors_come_back_bit_for_bit():
    tensors = random_tensors()
    weights = Weights.pack(tensors, SIZES)
    assert Weights.parse(weights.data, SIZES).offsets == weights.offsets
    for name, tensor in tensors.items():
        assert weights.tensors[name].tobytes() == tensor.tobytes()
        begin = weights.offsets[name]
        assert weights.data[begin : begin + tensor.nbytes] == tensor.tobytes()


def test_the_file_is_one_that_safetensors_reads():
    tensors = random_tensors()
    loaded = safetensors.numpy.load(Weights.pack(tensors, SIZES).data)
    assert loaded.keys() == tensors.keys()
    assert all(np.array_equal(loaded[name], tensors[name]) for name in tensors)


def test_a_tensor_laid_out_in_columns_is_packed_in_rows():
    tensors = random_tensors()
    turned = {name: np.asfortranarray(value) for name, value in tensors.items()}
    assert Weights.pack(turned, SIZES).data == Weights.pack(tensors, SIZES).data


def _rename(header):
    header["gru.X"] = header.pop("gru.W")


def _drop(header):
    del header["logits.B"]


def _extra(header):
    header["spare"] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}


def _other_shape(header):
    header["dense.W"]["shape"].reverse()


def _other_type(header):
    header["dense.W"]["dtype"] = "I32"


def _overlap(header):
    header["gru.B"]["data_offsets"] = header["lstm.B"]["data_offsets"][:1] * 2
    header["gru.B"]["data_offsets"][1] += 4 * 12


def _too_short(header):
    header["gru.B"]["data_offsets"][1] -= 4


def _negative(header):
    begin, end = header["gru.B"]["data_offsets"]
    header["gru.B"]["data_offsets"] = [begin - end, 0]


def _past_the_end(header):
    header["logits.B"]["data_offsets"] = [10**9, 10**9 + 8]


def _malformed_entry(header):
    header["gru.B"] = [1, 2]


def _fractional_offset(header):
    header["gru.B"]["data_offsets"][0] += 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_rename, "'gru.W' is missing or extra"),
        (_drop, "'logits.B' is missing or extra"),
        (_extra, "'spare' is missing or extra"),
        (_other_shape, r"'dense.W' has shape \(2, 3\), config.json asks for \(3, 2\)"),
        (_other_type, "'dense.W' is not float32"),
        (_overlap, "overlap or leave gaps"),
        (_too_short, "'gru.B' lies wrong"),
        (_negative, "'gru.B' lies wrong"),
        (_past_the_end, "'logits.B' lies wrong"),
        (_malformed_entry, "'gru.B' is not float32"),
        (_fractional_offset, "'gru.B' is not float32"),
    ],
)
def test_a_header_that_lies_is_refused(change: Callable[[dict[str, Any]], None], message):
    header, body = parts()
    assert Weights.parse(joined(header, body), SIZES).tensors
    change(header)
    with pytest.raises(BundleError, match=message):
        Weights.parse(joined(header, body), SIZES)


def test_bytes_between_or_after_tensors_are_refused():
    header, body = parts()
    with pytest.raises(BundleError, match="more than its tensors"):
        Weights.parse(joined(header, body + b"\0" * 4), SIZES)
    for entry in header.values():
        entry["data_offsets"] = [offset + 4 for offset in entry["data_offsets"]]
    with pytest.raises(BundleError, match="overlap or leave gaps"):
        Weights.parse(joined(header, b"\0" * 4 + body), SIZES)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["embedding", "lstm.R", "logits.B"])
def test_a_weight_that_is_not_finite_is_refused(name, value):
    tensors = random_tensors()
    tensors[name].flat[-1] = value
    with pytest.raises(BundleError, match=f"'{re.escape(name)}' holds NaN or infinity"):
        Weights.parse(safetensors.numpy.save(tensors), SIZES)


def test_a_file_cut_off_anywhere_is_refused():
    data = Weights.pack(random_tensors(), SIZES).data
    for length in range(len(data)):
        with pytest.raises(BundleError):
            Weights.parse(data[:length], SIZES)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        (2**63).to_bytes(8, "little") + b"{}",
        (2 << 20).to_bytes(8, "little") + b" " * (2 << 20),
        joined([1, 2], b""),
        joined("embedding", b""),
        (4).to_bytes(8, "little") + b"{]{]",
        (4).to_bytes(8, "little") + b"\xff\xfe\xfd\xfc",
        (200_000).to_bytes(8, "little") + b"[" * 200_000,
    ],
    ids=["empty", "2^63", "2 MiB", "list", "string", "syntax", "bytes", "deep"],
)
def test_a_header_that_is_none_is_refused(data):
    with pytest.raises(BundleError, match="header"):
        Weights.parse(data, SIZES)
