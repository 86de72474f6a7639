"""Vectors of pieces of words, from the package `wordllama`: read as data, nothing of it is run.

The package's own loader asks a hub for what it does not find. Here two files of the installed
package are read: a table (safetensors) and the pieces (JSON). Their checksums are known, so that
the same option gives the same model.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Collection
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from textbatch.errors import DataError, MissingExtraError, storage_errors
from textbatch.model.vectors.kept_rows import single_tokens
from textbatch.model.vectors.types import WordVectors
from textbatch.model.vectors.word_pieces import WordPieces, flattened
from textbatch.types import Float32Array

#: The two files inside the package.
WEIGHTS = Path("weights", "l2_supercat_256.safetensors")
TOKENIZER = Path("tokenizers", "l2_supercat_tokenizer_config.json")
#: The frequency of English words, inside the package `spellchecker`.
FREQUENT = Path("resources", "en.json.gz")
#: SHA-256 of each file in wordllama 0.3.9 to 0.4.0.post1 and pyspellchecker 0.8.3 to 0.9.1.
KNOWN = {
    WEIGHTS: ("64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",),
    TOKENIZER: (
        "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
        "bf467c9e0f536bda271283c6ef85eb1a943e3196b621c8a912d64953b205df83",
    ),
    FREQUENT: ("2474a48af86fd81dccea9edd0bba6cd36dd2ecedc0ae217cefcb233bba28613c",),
}
_TENSOR = "embedding.weight"
_WHAT = "--vectors wordllama"
_REMEDY = "remove the package, then pip install 'textbatch[wordllama]'"
_MAX_BYTES = 64 << 20
_WORDS_AT_ONCE = 4096


def read_pieces(
    *, wanted: Collection[str], most_frequent: int, on_bytes: Callable[[int], None] = lambda _: None
) -> WordVectors:
    """Make the vector of each word, which is the mean of those of its pieces.

    Args:
        wanted: The tokens to make vectors for.
        most_frequent: How many other words to add, frequent English ones first.
        on_bytes: Called with the number of bytes that were read since the last call.

    Returns:
        The words: the wanted ones, sorted, and the others by frequency.

    Raises:
        MissingExtraError: The extra is not installed.
        DataError: A file of a package is another one than those that are known, or malformed.
    """
    pieces, table = _pieces(on_bytes), _table(on_bytes)
    if len(table) <= max(pieces.ids.values()):
        raise DataError(f"{_WHAT}: the table has fewer rows than there are pieces", _REMEDY)
    held = frozenset(wanted)
    words = sorted(held)
    if most_frequent:
        others = dict.fromkeys((*_frequent_words(on_bytes), *_tokens_of(pieces.words())))
        words += [word for word in others if word not in held][:most_frequent]
    vectors = np.empty((len(words), table.shape[1]), np.float32)
    for start in range(0, len(words), _WORDS_AT_ONCE):
        lists = [pieces.shortest(word) for word in words[start : start + _WORDS_AT_ONCE]]
        ids, starts = flattened(lists)
        counts = np.array([len(ids_) for ids_ in lists], np.float32)
        sums = np.add.reduceat(table[ids], starts, axis=0)
        vectors[start : start + len(lists)] = sums / counts[:, None]
    return WordVectors(words=tuple(words), table=vectors)


def pieces_size() -> int:
    """How many bytes `read_pieces` reads.

    Raises:
        MissingExtraError: The extra is not installed.
        DataError: A file is missing.
    """
    return sum(_size(_place(part)) for part in KNOWN)


def _package(library: str) -> Path:
    """The folder of an installed package. Finding it runs nothing of it."""
    spec = find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        package = {"spellchecker": "pyspellchecker"}.get(library, library)
        raise MissingExtraError(_WHAT, package, "wordllama")
    return Path(next(iter(spec.submodule_search_locations)))


def _place(part: Path) -> Path:
    return _package("spellchecker" if part == FREQUENT else "wordllama") / part


def _size(path: Path) -> int:
    with storage_errors(path, "cannot read", missing=_MissingFileError):
        return path.stat().st_size


class _MissingFileError(DataError):
    """A file of the package is not there."""

    title = "Data"

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{_WHAT}: {what}", _REMEDY)


def _read(path: Path, on_bytes: Callable[[int], None]) -> bytes:
    if _size(path) > _MAX_BYTES:
        raise DataError(f"{_WHAT}: {path} is larger than {_MAX_BYTES >> 20} MiB", _REMEDY)
    with storage_errors(path, "cannot read", missing=_MissingFileError):
        data = path.read_bytes()
    on_bytes(len(data))
    return data


def _known(part: Path, on_bytes: Callable[[int], None]) -> bytes:
    path = _place(part)
    data = _read(path, on_bytes)
    if hashlib.sha256(data).hexdigest() not in KNOWN[part]:
        raise DataError(
            f"{_WHAT}: {path} is none of the files that are known, by its checksum", _REMEDY
        )
    return data


def _table(on_bytes: Callable[[int], None]) -> Float32Array:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        table = load(_known(WEIGHTS, on_bytes))[_TENSOR]
    except (SafetensorError, KeyError, ValueError):
        table = np.empty(0, np.float16)
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise DataError(f"{_WHAT}: {WEIGHTS.name} has no table of vectors", _REMEDY)
    return table.astype(np.float32)


def _pieces(on_bytes: Callable[[int], None]) -> WordPieces:
    data = _known(TOKENIZER, on_bytes)
    try:
        model = json.loads(data)["model"]
        # Older files have the two parts of a merge in one text.
        merges = [tuple(one.split(" ")) if isinstance(one, str) else tuple(one)
                  for one in model["merges"]]  # fmt: skip
        ranks = {(first, second): rank for rank, (first, second) in enumerate(merges)}
        if model["type"] != "BPE" or min(model["vocab"].values()) < 0:
            raise ValueError
        return WordPieces(model["vocab"], ranks)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DataError(f"{_WHAT}: {TOKENIZER.name} has no pieces of words", _REMEDY) from None


def _frequent_words(on_bytes: Callable[[int], None]) -> list[str]:
    """English words as tokens of texts, the most frequent first."""
    data = _known(FREQUENT, on_bytes)
    try:
        counts: dict[str, int] = json.loads(gzip.decompress(data))
        return _tokens_of(sorted(counts, key=lambda word: (-counts[word], word)))
    except (OSError, EOFError, zlib.error, ValueError, TypeError, AttributeError, RecursionError):
        raise DataError(f"{_WHAT}: {FREQUENT.name} has no words and numbers", _REMEDY) from None


def _tokens_of(words: list[str]) -> list[str]:
    return single_tokens([word.encode() for word in words])[0] if words else []
