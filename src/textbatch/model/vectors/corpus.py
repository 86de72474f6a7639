"""Tokenized texts on disk, one on each line, which gensim reads once in every epoch.

They are in a file because gensim reads a file much faster than lists from Python, and because the
texts may not fit into memory.
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

#: gensim drops the end of longer lines, so they are broken into several.
_LINE_TOKENS = 10_000
#: With more distinct tokens than this, the counts of the rarest are dropped, as word2vec's own
#: tool does.
_MAX_COUNTED = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A corpus on disk.

    Attributes:
        path: Its file.
        texts: Number of lines.
        tokens: Number of tokens.
        counts: How often each token occurs. In a huge corpus the rarest tokens are missing.
    """

    path: Path
    texts: int
    tokens: int
    counts: Counter[str]

    def frequent(self, min_count: int) -> dict[str, int]:
        """Tokens that occur at least `min_count` times, with their counts.

        The most frequent come first; equally frequent ones are in alphabetical order.
        """
        kept = [(word, count) for word, count in self.counts.items() if count >= min_count]
        return dict(sorted(kept, key=lambda item: (-item[1], item[0])))


def write_corpus(path: Path, labelled: Iterable[pa.Array], others: Iterable[pa.Array]) -> Corpus:
    """Tokenize texts into a file.

    Args:
        path: The file to make.
        labelled: Chunks of texts. All of them are written. Shapes `(texts,)`.
        others: More chunks of texts. A text that is among the labelled ones is left out, so that a
            file that is given for both counts once. Shapes `(texts,)`.

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
    """Put the tokens of each text on a line. Texts without a token are left out."""
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
