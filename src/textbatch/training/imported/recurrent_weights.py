"""The weights of Keras's recurrent layers in the layout of ONNX, which a bundle has."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from textbatch.errors import BundleError
from textbatch.types import Float32Array

#: Gates in Keras's order, as their places in ONNX's: z r h of a GRU; i f c o of an LSTM to i o f c.
_ORDER = {"gru": (0, 1, 2), "lstm": (0, 3, 1, 2)}
#: Arrays of one direction without a bias.
_KERNELS = 2


def recurrent_tensors(
    kind: str, arrays: Sequence[Float32Array], *, units: int, directions: int, cudnn: bool
) -> dict[str, Float32Array]:
    """Convert the weights of a layer.

    Args:
        kind: `gru` or `lstm`.
        arrays: Kernel `(inputs, gates)`, recurrent kernel `(units, gates)` and bias, if it has one;
            for two directions, first those of the forward one.
        units: Width of the state.
        directions: 1 or 2.
        cudnn: Whether they are in the layout of Keras's old `CuDNNGRU` and `CuDNNLSTM`.

    Returns:
        `W`, `R` and `B`, as in `Chain.tensor_shapes`.

    Raises:
        BundleError: They have other shapes.
    """
    each, rest = divmod(len(arrays), directions)
    if rest or each not in (_KERNELS, _KERNELS + 1):
        raise BundleError(
            f"a {kind.upper()} layer has {len(arrays)} arrays of weights", "save the model again"
        )
    ways = [
        _one_way(kind, arrays[way * each : (way + 1) * each], units=units, cudnn=cudnn)
        for way in range(directions)
    ]
    return {name: np.stack([way[name] for way in ways]) for name in "WRB"}


def _one_way(
    kind: str, arrays: Sequence[Float32Array], *, units: int, cudnn: bool
) -> dict[str, Float32Array]:
    gates = len(_ORDER[kind]) * units
    kernel, recurrent = arrays[:_KERNELS]
    bias = arrays[_KERNELS] if len(arrays) > _KERNELS else np.zeros(gates, np.float32)
    fits = kernel.ndim == recurrent.ndim == 2 and kernel.shape[1] == gates
    if not fits or recurrent.shape != (units, gates) or bias.size not in (gates, 2 * gates):
        raise BundleError(
            f"the weights of a {kind.upper()} layer do not fit its {units} units",
            "save the model again",
        )
    if cudnn:
        kernel = _each_gate(kernel, units, lambda one: one.T.reshape(one.shape, order="F"))
        recurrent = _each_gate(recurrent, units, np.transpose)
    # Two biases are added to each other, except for the new state of a GRU with `reset_after`.
    input_bias, recurrent_bias = (
        np.split(bias.ravel(), 2)
        if bias.size == 2 * gates
        else (bias.ravel(), np.zeros(gates, np.float32))
    )
    biases = [_ordered(kind, one, units) for one in (input_bias, recurrent_bias)]
    return {
        "W": np.ascontiguousarray(_ordered(kind, kernel, units).T, np.float32),
        "R": np.ascontiguousarray(_ordered(kind, recurrent, units).T, np.float32),
        "B": np.concatenate(biases).astype(np.float32),
    }


def _each_gate(
    kernel: Float32Array, units: int, change: Callable[[Float32Array], Float32Array]
) -> Float32Array:
    gates = np.split(kernel, kernel.shape[1] // units, axis=1)
    return np.concatenate([change(gate) for gate in gates], axis=1)


def _ordered(kind: str, array: Float32Array, units: int) -> Float32Array:
    parts = [array[..., gate * units : (gate + 1) * units] for gate in _ORDER[kind]]
    return np.concatenate(parts, axis=-1)
