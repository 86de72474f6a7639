"""Tokenized texts on disk, one a line: what gensim passes over again and again.

In a file, because gensim reads one much faster than it takes lists from Python, and because the
texts need not fit in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.errors import OutputError, storage_errors
from textbatch.text.normalization import split_tokens

#: gensim cuts longer lines off; they are broken here instead.
_LINE_TOKENS = 10_000
#: Above this many distinct tokens the rarest are forgotten, as in word2vec's own tool.
_MAX_COUNTED = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A corpus on disk.

    Attributes:
        path: Its file.
        texts: Lines in it.
        tokens: Tokens in it.
        counts: Occurrences of each token; of a huge corpus the rarest are missing.
    """

    path: Path
    texts: int
    tokens: int
    counts: Counter[str]

    def frequent(self, min_count: int) -> dict[str, int]:
        """Tokens that occur often enough, the most frequent first, ties in alphabetical order."""
        kept = [(word, count) for word, count in self.counts.items() if count >= min_count]
        return dict(sorted(kept, key=lambda item: (-item[1], item[0])))


def write_corpus(path: Path, labelled: Iterable[pa.Array], others: Iterable[pa.Array]) -> Corpus:
    """Tokenize texts into a file.

    Args:
        path: The file to make.
        labelled: Chunks of texts that are all taken.
        others: Chunks of texts of which those are left out that are among the labelled: a file
            that is given for both must not count twice.

    Raises:
        StorageError: The disk is full or failing.
    """
    counts: Counter[str] = Counter()
    known: set[bytes] = set()
    texts = tokens = 0
    with storage_errors(path, "cannot write", missing=OutputError), path.open("wb") as file:
        for chunks, are_labelled in ((labelled, True), (others, False)):
            for chunk in chunks:
                lines = _lines(chunk)
                if are_labelled:
                    known.update(lines)
                else:
                    lines = [line for line in lines if line not in known]
                if not lines:
                    continue
                file.write(b"\n".join(lines) + b"\n")
                found = pc.value_counts(_words(lines))
                for word, count in zip(
                    *(part.to_pylist() for part in found.flatten()), strict=True
                ):
                    counts[word] += count
                    tokens += count
                texts += len(lines)
                _forget_rare(counts)
    return Corpus(path=path, texts=texts, tokens=tokens, counts=counts)


def _lines(texts: pa.Array) -> list[bytes]:
    """The tokens of each text on one line; texts without a token are left out."""
    tokens, offsets = split_tokens(texts)
    long = np.flatnonzero(np.diff(offsets) > _LINE_TOKENS)
    breaks = [np.arange(offsets[row], offsets[row + 1], _LINE_TOKENS) for row in long]
    offsets = np.unique(np.concatenate([offsets, *breaks])).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), tokens.cast(pa.string()))
    return list(pc.binary_join(lists, " ").cast(pa.binary()).to_pylist())


def _words(lines: Collection[bytes]) -> pa.Array:
    joined = pa.array(lines, pa.large_binary()).cast(pa.large_string())
    return pc.ascii_split_whitespace(joined).flatten()


def _forget_rare(counts: Counter[str]) -> None:
    least = 1
    while len(counts) > _MAX_COUNTED:
        for word in [word for word, count in counts.items() if count <= least]:
            del counts[word]
        least += 1
