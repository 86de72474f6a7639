"""Tokenizers as pickle and joblib save them, under the names of all releases of Keras.

Those releases no longer install next to each other: a class with the same attributes stands for
each, under its name. What is written is the same, since a pickle holds names and attributes only.
"""

from __future__ import annotations

import io
import itertools
import json
import pickle
import pickletools
import struct
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

import joblib
import pyarrow as pa

#: Where releases of Keras have had the class.
MODULES = (
    "keras_preprocessing.text",
    "keras.preprocessing.text",
    "keras.src.preprocessing.text",
    "keras.src.legacy.preprocessing.text",
    "tf_keras.src.preprocessing.text",
    "tf_keras.preprocessing.text",
)
PROTOCOLS = tuple(range(6))
FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
#: With letters beyond ASCII and Latin-1, a quote, a line break and a character beyond 16 bits.
WORDS = ("<oov>", "the", "naïve", "слово", "it's", "a\nb", "😀", "\\u0041", "plain")


def attributes(words: tuple[str, ...] = WORDS, **changed: Any) -> dict[str, Any]:
    """The attributes of a fitted Tokenizer, in Keras's order."""
    index = {word: number for number, word in enumerate(words, start=1)}
    return {
        "word_counts": OrderedDict((word, 7) for word in words),
        "word_docs": defaultdict(int, dict.fromkeys(words, 3)),
        "filters": FILTERS,
        "split": " ",
        "lower": True,
        "num_words": 5,
        "document_count": 4,
        "char_level": False,
        "oov_token": "<oov>",
        "index_docs": defaultdict(int, dict.fromkeys(index.values(), 3)),
        "word_index": index,
        "index_word": {number: word for word, number in index.items()},
        "analyzer": None,
        **changed,
    }


@contextmanager
def tokenizer_class(module: str) -> Iterator[type]:
    """A class with the name that a release of Keras gave it."""
    parts = module.split(".")
    names = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    made = {name: ModuleType(name) for name in names}
    kind = type("Tokenizer", (), {"__module__": module})
    made[module].Tokenizer = kind  # type: ignore[attr-defined]
    with patch.dict(sys.modules, made):
        yield kind


def pickled(module: str, dump: Callable[[Any], bytes], state: Mapping[str, Any]) -> bytes:
    """A Tokenizer of a module as something saves it."""
    with tokenizer_class(module) as kind:
        tokenizer = kind()
        tokenizer.__dict__.update(state)
        return dump(tokenizer)


def dumps(packing: str, protocol: int) -> Callable[[Any], bytes]:
    """What saves an object: `plain` is pickle, everything else is joblib."""

    def with_joblib(value: Any) -> bytes:
        file = io.BytesIO()
        direct = packing in ("joblib", "lz4")
        joblib.dump(value, file, compress=0 if direct else (packing, 3), protocol=protocol)
        # joblib needs a package for lz4, and writes frames with it as this does.
        return lz4(file.getvalue()) if packing == "lz4" else file.getvalue()

    if packing == "plain":
        return lambda value: pickle.dumps(value, protocol)
    return with_joblib


PACKINGS = ("plain", "joblib", "zlib", "gzip", "bz2", "xz", "lzma", "lz4")


def lz4(data: bytes) -> bytes:
    """A frame of lz4."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "lz4") as file:
        file.write(data)
    return sink.getvalue().to_pybytes()


def python_2(data: bytes) -> bytes:
    """A pickle of protocol 0 to 2 as Python 2 wrote it of byte strings in UTF-8."""
    steps = [*pickletools.genops(data), (None, None, len(data))]
    written = []
    for (opcode, argument, start), (_, _, end) in itertools.pairwise(steps):
        match opcode.name:
            case "UNICODE":
                written.append(b"S" + repr(argument.encode())[1:].encode() + b"\n")
            case "BINUNICODE":
                word = argument.encode()
                written.append(b"T" + struct.pack("<i", len(word)) + word)
            case _:
                written.append(data[start:end])
    return b"".join(written)


def as_json(state: Mapping[str, Any]) -> str:
    """What `Tokenizer.to_json` gives: five of its fields are JSON inside JSON."""
    names = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
    inside = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
    config = {name: state[name] for name in names}
    config |= {name: json.dumps(state[name]) for name in inside}
    return json.dumps({"class_name": "Tokenizer", "config": config})
