"""The first layer's input product of each token, computed when a text first has the token.

Before, ONNX Runtime made the whole table on loading: several times the memory of the word vectors,
though the texts of a job have few of the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from textbatch.model.engines.graph_builder import Graph, serialized
from textbatch.model.engines.loop_layers import token_parts
from textbatch.model.engines.onnx_session import VECTORS, open_session
from textbatch.model.network.architecture import Architecture
from textbatch.types import Float32Array, Int32Array, Int64Array

#: How large the lines that are kept may become, in bytes. The first tokens are the frequent ones;
#: the lines of later ones are computed for each mini-batch.
MOST_BYTES = 64 << 20
#: Tokens that are computed at a time.
_TOKENS_AT_ONCE = 2048


class TokenTable:
    """Lines of the input product. Several threads may call it at the same time.

    The line of a token has the same bits whatever is computed with it.

    Attributes:
        widths: Width of each part of a line, by the name that the loop graph has for it.
    """

    def __init__(
        self,
        architecture: Architecture,
        tensors: Mapping[str, Float32Array],
        *,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Nothing is computed yet.

        Args:
            architecture: The network.
            tensors: Its weights.
            most_bytes: How large the lines that are kept may become.
        """
        self._vectors = tensors[VECTORS]
        graph = Graph()
        self.widths: dict[str, int] = {}
        for name, kernel, bias in token_parts(architecture, tensors):
            graph.constant(f"{name}.W", kernel)
            graph.constant(f"{name}.B", bias)
            graph.add("Gemm", f"vectors {name}.W {name}.B", name)
            self.widths[name] = kernel.shape[1]
        info, kind = helper.make_tensor_value_info, TensorProto.FLOAT
        model = serialized(
            graph,
            "textbatch-tokens",
            [info("vectors", kind, ["tokens", self._vectors.shape[1]])],
            [info(name, kind, ["tokens", width]) for name, width in self.widths.items()],
        )
        # A kernel that is packed before is summed up in other blocks, which rounds differently.
        self._session = open_session(model, packs=False)
        line = 4 * sum(self.widths.values())
        kept = min(len(self._vectors), max(1, most_bytes // line))
        # Pages of it that are not written to take no memory.
        self._kept = {
            name: np.empty((kept, width), np.float32) for name, width in self.widths.items()
        }
        self._known = np.zeros(kept, np.bool_)
        self._lock = Lock()

    def feeds(self, tokens: Int32Array) -> dict[str, NDArray[np.generic]]:
        """The lines of the tokens of a mini-batch, as inputs of the loop graph.

        Args:
            tokens: Token ids. Shape `(time, batch)`.

        Returns:
            The lines by the name of each part, and under `tokens` where that of each token is.
        """
        if len(self._known) == len(self._vectors):
            self._fill(tokens.ravel())
            return {"tokens": tokens, **self._kept}
        distinct, places = np.unique(tokens, return_inverse=True)
        count = int(np.searchsorted(distinct, len(self._known)))
        self._fill(distinct[:count])
        lines = {
            name: np.empty((len(distinct), width), np.float32)
            for name, width in self.widths.items()
        }
        for name, part in lines.items():
            np.take(self._kept[name], distinct[:count], axis=0, out=part[:count])
        self._compute(distinct[count:], lines, np.arange(count, len(distinct)))
        return {"tokens": places.reshape(tokens.shape).astype(np.int32), **lines}

    def _fill(self, tokens: Int32Array) -> None:
        """Compute the lines of tokens that are kept, and that no text had before."""
        if self._known[tokens].all():
            return
        with self._lock:
            missing = np.unique(tokens[~self._known[tokens]])
            self._compute(missing, self._kept, missing)
            # Last: other threads read what is known without the lock.
            self._known[missing] = True

    def _compute(
        self,
        tokens: Int32Array,
        into: Mapping[str, Float32Array],
        places: Int32Array | Int64Array,
    ) -> None:
        """Compute lines.

        Args:
            tokens: Token ids. Shape `(tokens,)`.
            into: Where the lines go: an array for each part.
            places: Which line of it each token has. Shape `(tokens,)`.
        """
        for start in range(0, len(tokens), _TOKENS_AT_ONCE):
            here = slice(start, start + _TOKENS_AT_ONCE)
            vectors = self._vectors[tokens[here]]
            if len(vectors) == 1:
                # The product of a single vector is summed up in another way.
                vectors = np.repeat(vectors, 2, axis=0)
            found = self._session.run(list(self.widths), {"vectors": vectors})
            for name, lines in zip(self.widths, found, strict=True):
                into[name][places[here]] = lines[: len(tokens[here])]
