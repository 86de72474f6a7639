"""A Keras `TextVectorization` layer as data, and the file of its vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

from textbatch.data.strict_json import parse_json
from textbatch.errors import BundleError
from textbatch.text.choices import Split, Standardize

KIND = "TextVectorization"
_PADDING, _UNKNOWN = "", "[UNK]"
_REMEDY = "give the vocabulary that the layer's get_vocabulary() tells"


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasVectorization:
    """A `TextVectorization` layer as data.

    Attributes:
        words: Its words; the first one has the index 2, behind padding and unknown words.
        standardize: What is done to texts before they are split.
        split: How texts are split.
        length: Tokens of a text, if the layer says it.
    """

    words: tuple[str, ...]
    standardize: Standardize
    split: Split
    length: int | None = None


def read_vectorization(
    config: Mapping[str, Any], words: Sequence[str] | None, name: str
) -> KerasVectorization:
    """Read what Keras wrote of a layer.

    Args:
        config: Its config.
        words: What its `get_vocabulary` tells; None to take it from the config.
        name: Where it comes from, for messages.

    Raises:
        BundleError: It gives something else than token ids, or splits texts by code.
    """
    title = f"{name}: layer {str(config.get('name', KIND))[:60]} ({KIND})"
    for key, wanted in (
        ("output_mode", ("int",)),
        ("ngrams", (None,)),
        ("ragged", (False, None)),
        ("encoding", ("utf-8", None)),
    ):
        found = config.get(key, wanted[0])
        if found not in wanted:
            raise BundleError(
                f"{title} has {key}={found!r:.40}, which textbatch cannot compute",
                f"build it with {key}={wanted[0]!r}, or score it with Keras",
            )
    standardize = config.get("standardize", "lower_and_strip_punctuation") or "none"
    split = config.get("split", "whitespace")
    if standardize not in get_args(Standardize) or split not in get_args(Split):
        what = "standardizes" if standardize not in get_args(Standardize) else "splits"
        told = "by code, which no file holds" if config.get("split") else "not at all"
        raise BundleError(
            f"{title} {what} texts {told}",
            "prepare the texts before, and build it with the names of Keras's own rules",
        )
    length = config.get("output_sequence_length")
    if words is None:
        words = config.get("vocabulary")
    if not isinstance(words, list | tuple):
        raise BundleError(
            f"{title} comes without its vocabulary",
            "save it as .keras, or give its vocabulary with --tokenizer",
        )
    return KerasVectorization(
        words=plain_words(words, title),
        standardize=cast("Standardize", standardize),
        split=cast("Split", split),
        length=length if isinstance(length, int) else None,
    )


def plain_words(words: Sequence[Any], name: str) -> tuple[str, ...]:
    """The words of a vocabulary, without the two that stand for padding and for unknown words.

    Args:
        words: What `get_vocabulary` tells, with its special tokens or without.
        name: Where it comes from, for messages.

    Raises:
        BundleError: It has no words, one twice, or something else than words.
    """
    plain = list(words)
    for special in (_PADDING, _UNKNOWN):
        if plain[:1] == [special]:
            del plain[0]
    if not plain or not all(isinstance(one, str) for one in plain):
        raise BundleError(f"{name} has no vocabulary of words", _REMEDY)
    if len(set(plain)) < len(plain) or {_PADDING, _UNKNOWN} & set(plain):
        raise BundleError(
            f"{name} has a word twice, or an empty one, or {_UNKNOWN} at another place than the "
            "second",
            _REMEDY,
        )
    try:
        "".join(plain).encode()
    except UnicodeEncodeError as error:
        raise BundleError(f"{name} has words that are not Unicode", _REMEDY) from error
    return tuple(plain)


def is_vocabulary(data: bytes) -> bool:
    """Whether a file begins as the list of words of a `TextVectorization` layer.

    Args:
        data: The file.
    """
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith((b"[UNK]\n", b"[UNK]\r\n", b"["))


def vocabulary_of(data: bytes, name: str) -> tuple[str, ...]:
    """Read the file of a vocabulary: a word on each line, after `[UNK]`; or a JSON list.

    Args:
        data: The file.
        name: Its name, for messages.

    Raises:
        BundleError: It holds something else.
    """
    try:
        text = data.decode("utf-8-sig")
        if not text.lstrip().startswith(_UNKNOWN):
            return plain_words(parse_json(text), name)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{name} is neither a Tokenizer nor a vocabulary", _REMEDY) from error
    lines = text.replace("\r\n", "\n").split("\n")
    if lines and not lines[-1]:
        del lines[-1]
    return plain_words(lines, name)
