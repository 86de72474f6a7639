"""Tests of reading a Keras `Tokenizer`."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from support.keras_pickles import (
    FILTERS,
    MODULES,
    PACKINGS,
    PROTOCOLS,
    WORDS,
    as_json,
    attributes,
    dumps,
    pickled,
    python_2,
)

from textbatch.errors import BundleError, InputNotFoundError
from textbatch.model.keras_files.tokenizer_file import KerasTokenizer, read_tokenizer

EXPECTED = KerasTokenizer(
    word_index={word: number for number, word in enumerate(WORDS, start=1)},
    num_words=5,
    filters=FILTERS,
    lower=True,
    split=" ",
    char_level=False,
    oov_token="<oov>",
)


def read(tmp_path: Path, data: bytes) -> KerasTokenizer:
    path = tmp_path / "tokenizer"
    path.write_bytes(data)
    return read_tokenizer(path)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("module", MODULES)
def test_each_release_protocol_and_compression_reads(tmp_path: Path, module: str, packing: str):
    for protocol in PROTOCOLS:
        data = pickled(module, dumps(packing, protocol), attributes())

        assert read(tmp_path, data) == EXPECTED, protocol


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_byte_strings_of_python_2_are_utf_8(tmp_path: Path, protocol: int):
    data = python_2(pickled(MODULES[1], dumps("plain", protocol), attributes()))

    assert read(tmp_path, data) == EXPECTED


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_number_of_numpy_is_a_number(tmp_path: Path, protocol: int):
    state = attributes(num_words=np.int64(300))

    assert read(tmp_path, pickled(MODULES[0], dumps("plain", protocol), state)).num_words == 300


@pytest.mark.parametrize("packing", ["plain", "zlib"])
def test_the_first_releases_had_fewer_attributes(tmp_path: Path, packing: str):
    state = attributes(num_words=None)
    for later in ("char_level", "oov_token", "index_word", "analyzer", "document_count"):
        del state[later]
    found = read(tmp_path, pickled(MODULES[1], dumps(packing, 2), state))

    assert (found.char_level, found.oov_token, found.num_words) == (False, None, None)
    assert found.word_index == EXPECTED.word_index


@pytest.mark.parametrize("twice", [False, True])
def test_json_reads(tmp_path: Path, twice: bool):
    text = as_json(attributes())

    assert read(tmp_path, (json.dumps(text) if twice else text).encode()) == EXPECTED


def test_a_pickle_of_the_json_or_of_a_dictionary_is_refused(tmp_path: Path):
    for value in (as_json(attributes()), {"word_index": {"a": 1}}, [1], None):
        with pytest.raises(BundleError, match="Tokenizer"):
            read(tmp_path, pickle.dumps(value))


@pytest.mark.parametrize(
    "changed",
    [
        {"word_index": None},
        {"word_index": {}},
        {"word_index": {"a": 0}},
        {"word_index": {"a": "1"}},
        {"word_index": {"a": True}},
        {"word_index": {1: 1}},
        {"word_index": {"a\ud800": 1}},
        {"filters": None},
        {"filters": [1]},
        {"filters": 7},
        {"split": None},
        {"lower": "yes"},
        {"num_words": "5"},
        {"num_words": -5},
        {"num_words": 2.5},
        {"oov_token": 1},
        {"char_level": None},
        {"analyzer": "code"},
    ],
    ids=str,
)
def test_a_damaged_one_is_refused(tmp_path: Path, changed: dict[str, object]):
    with pytest.raises(BundleError) as caught:
        read(tmp_path, pickled(MODULES[3], dumps("plain", 4), attributes(**changed)))

    assert caught.value.exit_code == 66


def test_no_file(tmp_path: Path):
    with pytest.raises(InputNotFoundError):
        read_tokenizer(tmp_path / "none")
    with pytest.raises(BundleError):
        read_tokenizer(tmp_path)


@pytest.mark.parametrize("packing", ["plain", "lz4", "gzip"])
@pytest.mark.parametrize("protocol", [0, 4])
def test_one_that_is_cut_off_is_refused(tmp_path: Path, packing: str, protocol: int):
    data = pickled(MODULES[2], dumps(packing, protocol), attributes())

    for length in {0, 1, 2, 5, len(data) // 4, len(data) // 2, len(data) - 9, len(data) - 1}:
        with pytest.raises(BundleError):
            read(tmp_path, data[:length])


def test_any_changed_byte_reads_or_is_refused(tmp_path: Path):
    data = pickled(MODULES[3], dumps("plain", 4), attributes())
    random = np.random.default_rng(0)

    for _ in range(500):
        changed = bytearray(data)
        changed[random.integers(len(data))] = random.integers(256)
        try:
            read(tmp_path, bytes(changed))
        except BundleError:
            continue
