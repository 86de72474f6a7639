"""The linear model in a bundle. Its margins are added to the network's logits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from safetensors.numpy import save

from textbatch.errors import BundleError
from textbatch.model.bundle.directory import BundleFiles
from textbatch.model.bundle.strict_json import dump_json, parse_json, read_fields
from textbatch.model.layout import LAYOUT, RESTORE
from textbatch.model.linear.character_ngrams import Subwords
from textbatch.model.linear.classifier import LinearModel
from textbatch.model.linear.ngrams import Ngrams
from textbatch.model.linear.text_characters import TextNgrams
from textbatch.model.linear.text_model import CharacterModel, LinearTextModel, SubwordModel
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.chain import Chain
from textbatch.model.network.weights import most_bytes, parse_tensors
from textbatch.text.vocabulary import Vocabulary
from textbatch.types import Float32Array, Int32Array, Int64Array, TokenBatch

#: A number of features.
Features = Annotated[int, Meta(ge=0, le=5_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlendSizes:
    """What `blend.json` holds.

    Attributes:
        weight: See `Blend`.
        pairs: Number of pairs of words.
        subwords: Number of character n-grams of words.
    """

    weight: Annotated[float, Meta(ge=0.0, le=1e6)]
    pairs: Features
    subwords: Features


@dataclass(frozen=True, slots=True, kw_only=True)
class SpellingSizes(BlendSizes):
    """The same for a model that reads characters across words, which older versions refuse.

    Attributes:
        characters: Number of these character n-grams.
    """

    characters: Features


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """A linear model beside the network: `logits = network + weight * linear`.

    Attributes:
        weight: Weight of the margins, found on held-out rows. It is 0 for a model that is there
            for early exit only.
        model: The linear model.
    """

    weight: float
    model: LinearTextModel

    def addend(self, tokens: TokenBatch) -> Float32Array:
        """Compute what is added to the network's logits of the same rows.

        Args:
            tokens: Tokens of the rows, with the unknown ones.

        Returns:
            Shape `(rows, labels)`.
        """
        # Large weights overflow. Answers are checked where they are final.
        with np.errstate(all="ignore"):
            return self.weighted(self.model.margins(tokens))

    def weighted(self, margins: Float32Array) -> Float32Array:
        """What is added to the network's logits of rows with these margins.

        Args:
            margins: Shape `(rows, labels)`.

        Returns:
            The same shape.
        """
        with np.errstate(all="ignore"):
            return np.asarray(margins * np.float32(self.weight), np.float32)

    @property
    def sizes(self) -> BlendSizes:
        """What `blend.json` holds of it."""
        subwords, characters = self.model.subwords, self.model.characters
        sizes = BlendSizes(
            weight=self.weight,
            pairs=len(self.model.ngrams.pairs),
            subwords=len(subwords.subwords) if subwords else 0,
        )
        if not characters:
            return sizes
        return SpellingSizes(**asdict(sizes), characters=len(characters.ngrams))

    def files(self) -> dict[str, bytes]:
        """Make its files in the bundle: content by name."""
        tensors: dict[str, NDArray[Any]] = {
            "idf": self.model.linear.idf,
            "weights": self.model.linear.weights,
            "bias": self.model.linear.bias,
            "pairs": self.model.ngrams.pairs_of_ids(),
        }
        if subwords := self.model.subwords:
            tensors |= {
                "subwords": _halves(subwords.subwords.keys),
                "subword_weights": subwords.weights,
                "token_subwords": subwords.by_token,
            }
        if characters := self.model.characters:
            tensors |= {
                "characters": _halves(characters.ngrams.keys),
                "character_idf": characters.linear.idf,
                "character_weights": characters.linear.weights,
            }
        contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
        return {LAYOUT.blend: dump_json(asdict(self.sizes)), LAYOUT.linear: save(contiguous)}


def read_blend_sizes(files: BundleFiles) -> BlendSizes | None:
    """Read the sizes of the blend of a bundle; None if the bundle has none.

    Args:
        files: The files of the bundle.

    Raises:
        BundleError: One of its files is missing or malformed.
    """
    present = [name for name in LAYOUT.linear_model if name in files]
    if not present:
        return None
    if len(present) == 1:
        raise BundleError(f"of {' and '.join(LAYOUT.linear_model)} one is missing", RESTORE)
    told = parse_json(files[LAYOUT.blend], LAYOUT.blend)
    more = isinstance(told, dict) and "characters" in told
    return read_fields(SpellingSizes if more else BlendSizes, told, LAYOUT.blend)


def read_blend(
    files: BundleFiles,
    network: Architecture | Chain,
    sizes: BlendSizes,
    vocabulary: Vocabulary,
) -> Blend:
    """Read the blend of a bundle.

    Args:
        files: The files of the bundle.
        network: The network of the bundle.
        sizes: The sizes of the blend.
        vocabulary: The tokens of the bundle.

    Raises:
        BundleError: One of its files is malformed.
    """
    expected = tensor_shapes(network, sizes)
    data = files.tensors(LAYOUT.linear, most_bytes(expected))
    tensors, _ = parse_tensors(data, expected, LAYOUT.linear)
    pairs = tensors["pairs"]
    if pairs.size and not 0 <= pairs.min() <= pairs.max() < network.vocabulary_size:
        raise BundleError(f"{LAYOUT.linear}: a pair has an unknown token", RESTORE)
    ngrams = Ngrams.of_ids(network.vocabulary_size, pairs)
    if (np.diff(ngrams.pairs) <= 0).any():
        raise BundleError(f"{LAYOUT.linear}: the pairs are not in order", RESTORE)
    linear = LinearModel(idf=tensors["idf"], weights=tensors["weights"], bias=tensors["bias"])
    model = LinearTextModel(
        ngrams=ngrams,
        linear=linear,
        subwords=_subwords(tensors),
        characters=_characters(tensors, vocabulary),
    )
    return Blend(weight=sizes.weight, model=model)


def tensor_shapes(
    network: Architecture | Chain, sizes: BlendSizes
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Type and shape of each tensor of the linear model, by name.

    Args:
        network: The network beside it.
        sizes: The sizes of the linear model.
    """
    words, labels = network.vocabulary_size, network.num_labels
    pairs, subwords = sizes.pairs, sizes.subwords
    characters = sizes.characters if isinstance(sizes, SpellingSizes) else 0
    expected: dict[str, tuple[str, tuple[int, ...]]] = {
        "idf": ("F32", (words + pairs,)),
        "weights": ("F32", (words + pairs, labels)),
        "bias": ("F32", (labels,)),
        "pairs": ("I32", (pairs, 2)),
    }
    if subwords:
        expected |= {
            "subwords": ("I32", (subwords, 2)),
            "subword_weights": ("F32", (subwords, labels)),
            "token_subwords": ("F32", (words, labels)),
        }
    if characters:
        expected |= {
            "characters": ("I32", (characters, 2)),
            "character_idf": ("F32", (characters,)),
            "character_weights": ("F32", (characters, labels)),
        }
    return expected


def _subwords(tensors: Mapping[str, NDArray[Any]]) -> SubwordModel | None:
    if "subwords" not in tensors:
        return None
    return SubwordModel(
        subwords=Subwords(keys=_ordered(tensors["subwords"])),
        weights=tensors["subword_weights"],
        by_token=tensors["token_subwords"],
    )


def _characters(
    tensors: Mapping[str, NDArray[Any]], vocabulary: Vocabulary
) -> CharacterModel | None:
    if "characters" not in tensors:
        return None
    weights = tensors["character_weights"]
    return CharacterModel(
        ngrams=TextNgrams(keys=_ordered(tensors["characters"]), vocabulary=vocabulary),
        linear=LinearModel(
            idf=tensors["character_idf"],
            weights=weights,
            bias=np.zeros(weights.shape[1], np.float32),
        ),
    )


def _ordered(halves: Int32Array) -> Int64Array:
    keys = _whole(halves)
    if (keys[1:] <= keys[:-1]).any():
        raise BundleError(f"{LAYOUT.linear}: the character n-grams are not in order", RESTORE)
    return keys


def _halves(keys: Int64Array) -> Int32Array:
    """Split 64-bit keys, as the file has 32-bit numbers: low half first. Shape `(keys, 2)`."""
    return keys.astype("<i8").view("<i4").reshape(-1, 2)


def _whole(halves: Int32Array) -> Int64Array:
    return np.ascontiguousarray(halves).view("<i8").reshape(-1)
