"""Tests of reading labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.preprocessing import LabelEncoder
from support.keras_pickles import PACKINGS, PROTOCOLS, dumps

from textbatch.errors import BundleError
from textbatch.model.keras_files.labels_file import read_labels

LABELS = ("Business", "Sci/Tech", "Wörld")


def read(tmp_path: Path, data: bytes) -> tuple[str, ...]:
    path = tmp_path / "labels"
    path.write_bytes(data)
    return read_labels(path)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(LABELS),
        "\ufeff" + "\r\n".join(LABELS) + "\r\n",
        json.dumps(LABELS),
        json.dumps({label: number for number, label in enumerate(LABELS)}),
        json.dumps({str(number): label for number, label in enumerate(LABELS)}),
        json.dumps({label: 2 - number for number, label in enumerate(LABELS[::-1])}),
    ],
)
def test_text_and_json_read(tmp_path: Path, text: str):
    assert read(tmp_path, text.encode()) == LABELS


def test_numbers_of_more_than_one_digit_are_in_order(tmp_path: Path):
    labels = tuple(f"label {number}" for number in range(12))
    text = json.dumps({str(number): label for number, label in enumerate(labels)})

    assert read(tmp_path, text.encode()) == labels


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize(
    "values",
    [np.array(LABELS), np.array(LABELS, object), np.array([3, 1, 2])],
    ids=["texts", "objects", "numbers"],
)
def test_label_encoders_read(tmp_path: Path, packing: str, values: np.ndarray):
    encoder = LabelEncoder().fit(values)
    for protocol in PROTOCOLS:
        found = read(tmp_path, dumps(packing, protocol)(encoder))

        assert found == tuple(map(str, encoder.classes_)), protocol


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"one\n",
        b"[]",
        b'["a", null]',
        b'["a", ["b"]]',
        b'{"a": 0, "b": 2}',
        b'{"a": 0, "b": 0}',
        b'{"a": true, "b": false}',
        b'{"0": "a", "2": "b"}',
        b'{"00": "a", "1": "b"}',
        b'["a", "b"',
        b"a\xff\nb\n",
        dumps("plain", 4)(["a", "b"]),
        dumps("plain", 4)(LabelEncoder()),
        dumps("plain", 4)(LabelEncoder().fit([0.5, 1.5])),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, data: bytes):
    with pytest.raises(BundleError):
        read(tmp_path, data)
