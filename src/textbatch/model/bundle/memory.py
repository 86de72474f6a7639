"""What a model takes in memory when it is loaded, told by sizes before anything large is read.

The numbers were measured (`tests/system/bad_inputs/test_large_bundles.py`): each is a bound of what
a bundle can be made to take.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from textbatch.model.bundle.blend import BlendSizes, tensor_shapes
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.directory import BundleFiles
from textbatch.model.layout import LAYOUT
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.chain import Chain

#: Copies of a layer's weights while ONNX Runtime takes them over, at the most.
_LAYER_COPIES = 7
#: For each word: its place, and a part of the hash tables in which words are looked up. And for
#: one whose line breaks are escaped, which becomes a string of Python's meanwhile.
_WORD_BYTES, _ESCAPED_BYTES = 90, 200
#: Copies of the file with the words.
_WORD_COPIES = 3
#: For each pair of words or character n-gram of the linear model, besides the tensors: its key, and
#: its part of a hash table while that is made.
_KEY_BYTES, _KEYS = 130, ("pairs", "subwords", "characters")
#: For each character of a word, where a linear model spells words: twice, as a number.
_SPELT_BYTES = 8
#: For each value in JSON; and copies of its text, which as Python's string has 4 bytes a character
#: if one of them is rare.
_VALUE_BYTES, _TEXT_COPIES, _RARE_COPIES = 48, 2, 10
#: Arrays that a chain's layers have at a time, each of the widest output of a text.
_CHAIN_ARRAYS = 6


def bundle_memory(
    files: BundleFiles, network: Architecture | Chain, blend: BlendSizes | None
) -> int:
    """What a bundle takes, in bytes.

    Args:
        files: Its files.
        network: Its network.
        blend: Sizes of its linear model; None without one.
    """
    words = len(files[LAYOUT.vocabulary])
    return (
        network_memory(network)
        + _words_memory(network, words)
        + _json_memory(data for name, data in files.small.items() if name.endswith(".json"))
        + (_linear_memory(network, blend, words) if blend else 0)
    )


def classifier_memory(classifier: Classifier) -> int:
    """What a classifier takes, in bytes, when it is loaded."""
    network, blend = classifier.architecture, classifier.blend
    words = sum(map(len, classifier.vocabulary.tokens)) + len(classifier.vocabulary)
    linear = _linear_memory(network, blend.sizes, words) if blend else 0
    return network_memory(network) + _words_memory(network, words) + linear


def network_memory(network: Architecture | Chain) -> int:
    """What a network takes, in bytes: its weights, and what they become, and one text."""
    sizes = {name: 4 * math.prod(shape) for name, shape in network.tensor_shapes().items()}
    vectors = sizes.pop("embedding")
    weights = vectors + _LAYER_COPIES * sum(sizes.values())
    if isinstance(network, Chain):
        return weights + 4 * _CHAIN_ARRAYS * network.max_sequence_length * network.widest
    words = min(network.vocabulary_size, network.max_sequence_length)
    return weights + 2 * 4 * words * network.stack()[0].gates


def _words_memory(network: Architecture | Chain, file_bytes: int) -> int:
    """What a vocabulary takes, in bytes; `file_bytes` is the size of its file."""
    escaped = _ESCAPED_BYTES if isinstance(network, Chain) else 0
    return _WORD_COPIES * file_bytes + (_WORD_BYTES + escaped) * network.vocabulary_size


def _linear_memory(network: Architecture | Chain, sizes: BlendSizes, file_bytes: int) -> int:
    """What a linear model of these sizes takes, in bytes; `file_bytes` as in `_words_memory`."""
    shapes = tensor_shapes(network, sizes)
    keys = sum(shapes[name][1][0] for name in _KEYS if name in shapes)
    spelt = _SPELT_BYTES * (file_bytes + 2 * network.vocabulary_size)
    return (
        sum(4 * math.prod(shape) for _, shape in shapes.values())
        + _KEY_BYTES * keys
        + (spelt if "characters" in shapes else 0)
    )


def _json_memory(files: Iterable[bytes]) -> int:
    """What JSON takes, in bytes, before it is parsed."""
    return sum(
        _VALUE_BYTES * (data.count(b",") + 2 * data.count(b"[") + 2 * data.count(b"{"))
        + (_TEXT_COPIES if data.isascii() else _RARE_COPIES) * len(data)
        for data in files
    )
