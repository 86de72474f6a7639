"""How large the weights of a network may be: more than those of real models take.

A million vectors of 256 numbers are 1 GiB; a GRU of 4096 units has 200 MB of weights. What a model
takes in memory has a smaller limit, which people may raise: see `model/bundle/memory_limit.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from textbatch.errors import BundleError

_EMBEDDING = "embedding"
MOST_EMBEDDING_BYTES, MOST_LAYER_BYTES = 1 << 30, 256 << 20


def check_sizes(shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check how large the weights of a network are.

    Args:
        shapes: Shape of each tensor, by name.

    Raises:
        BundleError: They are too large.
    """
    sizes = {name: 4 * math.prod(shape) for name, shape in shapes.items()}
    vectors = sizes.pop(_EMBEDDING, 0)
    for what, found, most in (
        ("word vectors", vectors, MOST_EMBEDDING_BYTES),
        ("layers", sum(sizes.values()), MOST_LAYER_BYTES),
    ):
        if found > most:
            raise BundleError(
                f"the {what} of the network take {found:,} bytes, more than {most:,}",
                "train one with a smaller vocabulary, or with fewer or narrower layers",
            )
