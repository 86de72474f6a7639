"""The linear model in a bundle, whose margins are added to the network's logits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from safetensors.numpy import save

from textbatch.batch import Float32Array, TokenBatch
from textbatch.errors import BundleError
from textbatch.model.architecture import Architecture
from textbatch.model.schema import dump_json, parse_json, read_fields
from textbatch.model.weights import parse_tensors
from textbatch.quality.linear import LinearModel
from textbatch.text.ngrams import Ngrams

#: A bundle has both of these files or neither.
BLEND, LINEAR = "blend.json", "linear.safetensors"

_MAX_PAIRS = 5_000_000
_RESTORE = "restore the bundle from its source or train it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """What `blend.json` holds."""

    weight: float
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """A linear model beside the network: `logits = network + weight * linear`.

    Attributes:
        weight: Found on the validation rows.
        ngrams: The linear model's features.
        linear: The linear model.
    """

    weight: float
    ngrams: Ngrams
    linear: LinearModel

    def addend(self, tokens: TokenBatch) -> Float32Array:
        """What to add to the network's logits of the same rows. Shape `(rows, labels)`."""
        added = self.linear.logits(self.ngrams.features(tokens)) * np.float32(self.weight)
        return np.asarray(added, np.float32)

    def files(self) -> dict[str, bytes]:
        """The bundle's files of it, by name."""
        pairs = self.ngrams.pairs_of_ids()
        tensors = {
            "idf": self.linear.idf,
            "weights": self.linear.weights,
            "bias": self.linear.bias,
            "pairs": pairs,
        }
        contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
        sizes = {"weight": self.weight, "pairs": len(pairs)}
        return {BLEND: dump_json(sizes), LINEAR: save(contiguous)}


def read_blend(files: Mapping[str, bytes], architecture: Architecture) -> Blend | None:
    """Read a bundle's blend, if it has one.

    Raises:
        BundleError: One of its files is missing, or malformed.
    """
    if not {BLEND, LINEAR} & files.keys():
        return None
    if not {BLEND, LINEAR} <= files.keys():
        raise BundleError(f"of {BLEND} and {LINEAR} one is missing", _RESTORE)
    sizes = read_fields(_Sizes, parse_json(files[BLEND], BLEND), BLEND)
    if not (0 <= sizes.pairs <= _MAX_PAIRS and 0 < sizes.weight <= 1e6):
        raise BundleError(f"{BLEND}: a value is out of range", _RESTORE)
    features = architecture.vocabulary_size + sizes.pairs
    expected = {
        "idf": ("F32", (features,)),
        "weights": ("F32", (features, architecture.num_labels)),
        "bias": ("F32", (architecture.num_labels,)),
        "pairs": ("I32", (sizes.pairs, 2)),
    }
    tensors, _ = parse_tensors(files[LINEAR], expected, LINEAR)
    pairs = tensors["pairs"]
    if pairs.size and not 0 <= pairs.min() <= pairs.max() < architecture.vocabulary_size:
        raise BundleError(f"{LINEAR}: a pair has an unknown token", _RESTORE)
    ngrams = Ngrams.of_ids(architecture.vocabulary_size, pairs)
    if (np.diff(ngrams.pairs) <= 0).any():
        raise BundleError(f"{LINEAR}: the pairs are not in order", _RESTORE)
    linear = LinearModel(idf=tensors["idf"], weights=tensors["weights"], bias=tensors["bias"])
    return Blend(weight=sizes.weight, ngrams=ngrams, linear=linear)
