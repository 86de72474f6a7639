"""A chain of layers as the kind of network that textbatch trains, which is computed fastest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from textbatch.errors import BundleError
from textbatch.model.choices import MAX_LAYERS
from textbatch.model.network.architecture import Architecture, RecurrentLayer
from textbatch.model.network.chain import Chain
from textbatch.types import Float32Array


def as_architecture(
    chain: Chain, tensors: Mapping[str, Float32Array]
) -> tuple[Architecture, dict[str, Float32Array]] | None:
    """The same network as an `Architecture`, with its tensors; None if it is not one.

    Args:
        chain: The network.
        tensors: Its weights, by the names of `Chain.tensor_shapes`.
    """
    layers = [(number, layer) for number, layer in enumerate(chain.layers)]
    recurrent = [one for one in layers if one[1].kind in ("gru", "lstm")]
    rest = layers[len(recurrent) :]
    pooling = "last"
    if rest and rest[0][1].kind == "mean":
        rest, pooling = rest[1:], "mean"
    kinds = [layer.kind for _, layer in rest]
    plain = all(
        layer.gate == "sigmoid" and layer.activation == "tanh" and layer.merge in ("", "concat")
        for _, layer in recurrent
    )
    bidirectional = {bool(layer.merge) for _, layer in recurrent}
    reset_after = {layer.reset_after for _, layer in recurrent if layer.kind == "gru"} or {True}
    sequences = [layer.sequence for _, layer in recurrent]
    fits = (
        chain.mask_zero
        and 0 < len(recurrent) <= MAX_LAYERS
        and recurrent == layers[: len(recurrent)]
        and plain
        and len(bidirectional) == len(reset_after) == 1
        and sequences == [True] * (len(sequences) - 1) + [pooling == "mean"]
        and kinds in (["dense"], ["dense", "activation", "dense"])
        and all(layer.activation == "relu" for _, layer in rest if layer.kind == "activation")
    )
    if not fits:
        return None
    logits = [tensors[f"{rest[-1][0]}.{name}"] for name in "WB"]
    if len(rest) > 1:
        dense = [tensors[f"{rest[0][0]}.{name}"] for name in "WB"]
    else:
        # Without a hidden layer, make one that changes nothing: x = relu(x) - relu(-x).
        through = np.eye(len(logits[0]), dtype=np.float32)
        wide = np.zeros(2 * len(through), np.float32)
        dense = [np.concatenate([through, -through], axis=1), wide]
        logits[0] = np.concatenate([logits[0], -logits[0]])
    try:
        architecture = Architecture(
            vocabulary_size=chain.vocabulary_size,
            embedding_dim=chain.embedding_dim,
            layers=tuple(RecurrentLayer(cell=one.kind, units=one.units) for _, one in recurrent),
            bidirectional=bidirectional.pop(),
            pooling=pooling,
            dense_units=dense[0].shape[1],
            num_labels=chain.num_labels,
            max_sequence_length=chain.max_sequence_length,
            reset_after=reset_after.pop(),
        )
    except BundleError:
        return None  # It is wider than those may be. A chain may be wider.
    named = {"embedding": tensors["embedding"]}
    for placed, (number, _) in zip(architecture.stack(), recurrent, strict=True):
        named |= {f"{placed.name}.{part}": tensors[f"{number}.{part}"] for part in "WRB"}
    for name, (kernel, bias) in (("dense", dense), ("logits", logits)):
        named |= {f"{name}.W": kernel, f"{name}.B": bias}
    return architecture, named
