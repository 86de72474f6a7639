"""The file of a Keras `Tokenizer`, its `to_json` or a pickle of it; or of a vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textbatch.data.strict_json import parse_json
from textbatch.errors import BundleError
from textbatch.model.keras_files.pickle_names import TOKENIZER, Holder, dtype_of
from textbatch.model.keras_files.saved_object import read_bytes, saved_object, unpacked
from textbatch.model.keras_files.vectorization import is_vocabulary, vocabulary_of

_WHAT = "Tokenizer"
_REMEDY = "save the Tokenizer again, with to_json, pickle.dump or joblib.dump"


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasTokenizer:
    """A Keras `Tokenizer` as data.

    Attributes:
        word_index: The words with their indexes, from 1.
        num_words: Only indexes below it are used; None for all.
        filters: Characters that separate words.
        lower: Whether texts are lowered.
        split: Separates words.
        char_level: Whether each character is a word.
        oov_token: Stands for unknown words; None if they vanish.
    """

    word_index: Mapping[str, int]
    num_words: int | None
    filters: str
    lower: bool
    split: str
    char_level: bool
    oov_token: str | None


def read_tokenizer(path: Path) -> KerasTokenizer | tuple[str, ...]:
    """Read a tokenizer. Nothing in the file is run.

    Args:
        path: JSON as `Tokenizer.to_json` gives it, or what `pickle.dump` or `joblib.dump` wrote.
            Or the vocabulary of a `TextVectorization` layer: a word on each line, or a JSON list.

    Returns:
        The tokenizer; or the words of a vocabulary, without padding and `[UNK]`.

    Raises:
        InputNotFoundError: There is no such file.
        BundleError: It is damaged, or holds something else.
    """
    data = unpacked(read_bytes(path, _WHAT), path)
    if data[:1] in (b"{", b'"'):
        return checked_tokenizer(str(path), _from_json(path, data))
    if is_vocabulary(data):
        return vocabulary_of(data, str(path))
    found = saved_object(data, path, _WHAT)
    if not isinstance(found, Holder) or found.kind != TOKENIZER or not _is_state(found.state):
        raise BundleError(f"{path} holds no {_WHAT}", _REMEDY)
    return checked_tokenizer(str(path), found.state)


def _is_state(state: object) -> bool:
    return isinstance(state, dict) and all(isinstance(key, str) for key in state)


def _from_json(path: Path, data: bytes) -> dict[str, Any]:
    try:
        value = parse_json(data)
        if isinstance(value, str):  # json.dump of what to_json gives
            value = parse_json(value)
        config = dict(value["config"]) if value["class_name"] == _WHAT else {}
        # It is JSON inside JSON.
        index = config.get("word_index")
        config["word_index"] = parse_json(index) if isinstance(index, str) else index
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(f"{path} is no JSON of a {_WHAT}", _REMEDY) from error
    return config


def checked_tokenizer(name: str, state: Mapping[str, Any]) -> KerasTokenizer:
    """Check the attributes of a `Tokenizer`.

    Args:
        name: Where it comes from, for messages.
        state: Its attributes.

    Raises:
        BundleError: It has no words, or is damaged, or holds code.
    """
    words = state.get("word_index")
    fits = isinstance(words, dict) and all(
        isinstance(word, str) and type(index) is int and index > 0 for word, index in words.items()
    )
    number, oov = _plain(state.get("num_words")), state.get("oov_token")
    # The first releases had no `char_level` and no `oov_token`.
    lower, char_level = state.get("lower", True), state.get("char_level", False)
    filters, split = state.get("filters"), state.get("split", " ")
    if isinstance(filters, list | tuple):
        single = all(isinstance(one, str) and len(one) == 1 for one in filters)
        filters = "".join(filters) if single else None
    if (
        not fits
        or not words
        or not isinstance(filters, str)
        or not isinstance(split, str)
        or not isinstance(lower, bool | int)
        or not isinstance(char_level, bool | int)
        or not isinstance(number, int | None)
        or (number is not None and number < 0)
        or not isinstance(oov, str | None)
    ):
        raise BundleError(f"{name} holds a {_WHAT} without words, or a damaged one", _REMEDY)
    if state.get("analyzer") is not None:
        raise BundleError(
            f"{name} holds a {_WHAT} with an `analyzer` of its own, which is code",
            "split the texts before, and fit a Tokenizer without it",
        )
    assert isinstance(words, dict)
    try:
        "".join([*words, filters, split, oov or ""]).encode()
    except UnicodeEncodeError as error:
        raise BundleError(f"{name} has words that are not Unicode", _REMEDY) from error
    return KerasTokenizer(
        word_index=words,
        num_words=number or None,
        filters=filters,
        lower=bool(lower),
        split=split,
        char_level=bool(char_level),
        oov_token=oov,
    )


def _plain(value: object) -> object:
    """A number that NumPy made as a number."""
    match value:
        case Holder(kind="scalar", arguments=(Holder(state=tuple(state)) as dtype, bytes(data))):
            try:
                text = dtype_of(dtype)
                if text[0] in "iu" and state[1] in ("<", ">", "|"):
                    (number,) = np.frombuffer(data, np.dtype(f"{state[1]}{text}")).tolist()
                    return number
            except (ValueError, TypeError, LookupError):
                return value
    return value
