"""One layer of Keras as layers of a chain, with their weights in a bundle's layout."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from textbatch.errors import BundleError
from textbatch.model.keras_files.keras_layers import KerasLayer
from textbatch.model.network.chain import Activation, ChainLayer
from textbatch.training.imported.recurrent_weights import recurrent_tensors
from textbatch.types import Float32Array

_RECURRENT = {"GRU": "gru", "LSTM": "lstm", "CuDNNGRU": "gru", "CuDNNLSTM": "lstm"}
_POOLINGS = {
    "GlobalMaxPooling1D": "max", "GlobalMaxPool1D": "max",
    "GlobalAveragePooling1D": "mean", "GlobalAvgPool1D": "mean", "Flatten": "flatten",
}  # fmt: skip
#: What a recurrent layer may have only at this value.
_PLAIN = {
    "go_backwards": False, "stateful": False, "time_major": False, "return_state": False,
}  # fmt: skip
#: New states that ONNX's operators compute.
_STATES = ("tanh", "relu", "sigmoid", "linear")
_REMEDY = "score it with Keras, or build it of layers that `import` reads"
#: A layer with its weights by name.
Read = tuple[ChainLayer, dict[str, Float32Array]]


def read_layer(layer: KerasLayer, *, sequence: bool, version: str) -> list[Read]:
    """Read one layer of Keras.

    Args:
        layer: The layer.
        sequence: Whether its input has steps.
        version: The version of Keras that wrote it.

    Returns:
        Layers of a chain, with their weights.

    Raises:
        BundleError: It cannot be computed as Keras computes it.
    """
    kind, config = layer.kind, layer.config
    if kind in _RECURRENT or kind == "Bidirectional":
        return [_recurrent(layer, version)]
    if kind in _POOLINGS:
        _only(layer, {"keepdims": False, "data_format": "channels_last"})
        return [(ChainLayer(kind=kind_of(_POOLINGS[kind])), {})]
    if kind in ("Dense", "TimeDistributed"):
        return _dense(layer)
    if kind in ("Activation", "Softmax", "ReLU"):
        if kind == "ReLU":
            _only(layer, {"max_value": None, "negative_slope": 0.0, "threshold": 0.0})
        if kind == "Softmax" and config.get("axis", -1) != -1:
            raise unfit(f"layer {layer.name} (Softmax) is not over the labels")
        name = {"Softmax": "softmax", "ReLU": "relu"}.get(kind) or config.get("activation")
        return [(OpenLayer(kind="activation", activation="linear", given=_text(name)), {})]
    if kind in ("Conv1D", "Convolution1D"):
        return [_convolution(layer)]
    if kind == "BatchNormalization":
        return [_scale(layer, sequence=sequence)]
    raise unfit(f"layer {layer.name} is a {kind}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLayer(ChainLayer):
    """A layer whose activation may still be that of the last layer, such as softmax."""

    given: str = "linear"


def kind_of(name: str) -> Any:  # noqa: ANN401 - one of `ChainKind`
    """A name that was checked, as the type that lists such names."""
    return name


def _text(value: object) -> str:
    """The name of an activation, as both Keras 2 and 3 write it."""
    if isinstance(value, Mapping):
        value = value.get("class_name") if not value.get("config") else value.get("config")
    return value.lower() if isinstance(value, str) else "linear" if value is None else "?"


def _only(layer: KerasLayer, wanted: Mapping[str, object]) -> None:
    for name, value in wanted.items():
        found = layer.config.get(name, value)
        if found != value:
            raise unfit(f"layer {layer.name} ({layer.kind}) has {name}={found!r:.40}")


def _number(layer: KerasLayer, name: str, default: int | None = None) -> int:
    found = layer.config.get(name, default)
    if isinstance(found, list | tuple) and len(found) == 1:
        found = found[0]
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise unfit(f"layer {layer.name} ({layer.kind}) has no whole number {name}")
    return found


def _recurrent(layer: KerasLayer, version: str) -> Read:
    inner, merge = layer, ""
    modern = not version.startswith(("1", "2"))
    if layer.kind == "Bidirectional":
        inner = _inner(layer, "layer")
        found = layer.config.get("merge_mode", "concat")
        merge = {"concat": "concat", "sum": "sum", "mul": "mul", "ave": "ave"}.get(str(found), "")
        if not merge or inner.kind not in _RECURRENT:
            raise unfit(
                f"layer {layer.name} (Bidirectional) is of {inner.kind}, merge_mode={found!r:.20}"
            )
        if layer.config.get("backward_layer"):
            _check_mirrored(layer, inner, _inner(layer, "backward_layer"))
    _only(inner, _PLAIN)
    kind, config = _RECURRENT[inner.kind], inner.config
    cudnn = inner.kind.startswith("CuDNN")
    state = "tanh" if cudnn else _text(config.get("activation", "tanh"))
    gate = (
        "sigmoid"
        if cudnn
        else _gate(layer, config.get("recurrent_activation", "sigmoid"), modern=modern)
    )
    if state not in _STATES:
        raise unfit(f"layer {layer.name} ({inner.kind}) has the activation {state:.40}")
    units = _number(inner, "units")
    read = ChainLayer(
        kind=kind_of(kind),
        units=units,
        sequence=(sequence := bool(config.get("return_sequences", False))),
        zeros=bool(config.get("zero_output_for_mask", False))
        or (bool(merge) and sequence and _zeroes_both_ways(version)),
        merge=kind_of(merge),
        reset_after=kind == "gru" and (cudnn or bool(config.get("reset_after", False))),
        activation=kind_of(state),
        gate=kind_of(gate),
    )
    if read.zeros and not read.sequence:
        raise unfit(f"layer {layer.name} ({inner.kind}) has zero_output_for_mask=True")
    has_bias = len(layer.weights) // read.directions > 2
    if kind == "gru" and has_bias and read.reset_after != _has_two_biases(layer, read):
        raise unfit(f"the bias of layer {layer.name} (GRU) does not fit its reset_after")
    tensors = recurrent_tensors(
        kind, layer.weights, units=units, directions=read.directions, cudnn=cudnn
    )
    return read, tensors


def _zeroes_both_ways(version: str) -> bool:
    """Whether `Bidirectional` gives zeros where the mask skips a step, whatever its config says.

    That of TensorFlow's Keras 2 does (`force_zero_output_for_mask` in its source). Keras 3 has it
    in the config; the Keras 2 that is no part of TensorFlow, up to 2.3.1, does not do it.
    """
    number = re.match(r"2\.(\d{1,9})", version)
    return number is not None and (int(number[1]) > 3 or version.endswith("-tf"))


def _has_two_biases(layer: KerasLayer, read: ChainLayer) -> bool:
    return bool(layer.weights) and layer.weights[-1].size == 2 * 3 * read.units


def _inner(layer: KerasLayer, key: str) -> KerasLayer:
    found = layer.config.get(key)
    if not isinstance(found, Mapping) or not isinstance(found.get("config"), Mapping):
        raise unfit(f"layer {layer.name} ({layer.kind}) holds no layer")
    return replace(layer, kind=str(found.get("class_name")), config=found["config"])


def _check_mirrored(layer: KerasLayer, forward: KerasLayer, backward: KerasLayer) -> None:
    ignored = {"name", "go_backwards", "trainable", "dtype", "seed"}
    same = {
        key
        for key in {*forward.config, *backward.config} - ignored
        if forward.config.get(key) != backward.config.get(key)
    }
    same -= {key for key in same if key.endswith(("initializer", "regularizer", "constraint"))}
    if forward.kind != backward.kind or same or not backward.config.get("go_backwards", False):
        raise unfit(f"the two directions of layer {layer.name} (Bidirectional) differ")


def _gate(layer: KerasLayer, given: object, *, modern: bool) -> str:
    name = _text(given)
    if name == "hard_sigmoid":
        # Keras 3 has changed what this name means.
        return "hard_sigmoid_3" if modern else name
    if name != "sigmoid":
        raise unfit(f"layer {layer.name} has the recurrent activation {name:.40}")
    return name


def _dense(layer: KerasLayer) -> list[Read]:
    inner = _inner(layer, "layer") if layer.kind == "TimeDistributed" else layer
    if inner.kind != "Dense":
        raise unfit(f"layer {layer.name} (TimeDistributed) is of {inner.kind}")
    if not layer.weights or layer.weights[0].ndim != 2:
        raise unfit(f"layer {layer.name} (Dense) has no kernel")
    units = _number(inner, "units")
    kernel, bias = layer.weights[0], _bias(layer, units)
    dense = ChainLayer(kind="dense", units=units)
    name = _text(inner.config.get("activation"))
    read: list[Read] = [(dense, {"W": kernel, "B": bias})]
    if name != "linear":
        read.append((OpenLayer(kind="activation", given=name), {}))
    return read


def _bias(layer: KerasLayer, units: int) -> Float32Array:
    return layer.weights[1] if len(layer.weights) > 1 else np.zeros(units, np.float32)


def _convolution(layer: KerasLayer) -> Read:
    _only(layer, {"groups": 1, "data_format": "channels_last"})
    border, activation = str(layer.config.get("padding", "valid")), layer.config.get("activation")
    name = _text(activation)
    if border not in ("valid", "same", "causal"):
        raise unfit(f"layer {layer.name} (Conv1D) has padding={border:.20}")
    if name not in get_args(Activation):
        raise unfit(f"layer {layer.name} (Conv1D) has the activation {name:.40}")
    if not layer.weights or layer.weights[0].ndim != 3:
        raise unfit(f"layer {layer.name} (Conv1D) has no kernel")
    filters = _number(layer, "filters")
    read = ChainLayer(
        kind="conv1d",
        units=filters,
        activation=kind_of(name),
        kernel=_number(layer, "kernel_size"),
        stride=_number(layer, "strides", 1),
        dilation=_number(layer, "dilation_rate", 1),
        border=kind_of(border),
    )
    kernel = np.ascontiguousarray(np.transpose(layer.weights[0], (2, 1, 0)))
    return read, {"W": kernel, "B": _bias(layer, filters)}


def _scale(layer: KerasLayer, *, sequence: bool) -> Read:
    axis = layer.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list | tuple) and len(axis) == 1 else axis
    if axis not in (-1, 2 if sequence else 1):
        raise unfit(f"layer {layer.name} (BatchNormalization) is over another axis than the last")
    arrays = list(layer.weights)
    # Keras leaves out what is switched off.
    wide = arrays[-1].shape if arrays else (0,)
    gamma = arrays.pop(0) if layer.config.get("scale", True) and arrays else np.ones(wide)
    beta = arrays.pop(0) if layer.config.get("center", True) and arrays else np.zeros(wide)
    epsilon = layer.config.get("epsilon", 1e-3)
    if len(arrays) != 2 or not isinstance(epsilon, float):
        raise unfit(f"the weights of layer {layer.name} (BatchNormalization) are not its four")
    mean, variance = (array.astype(np.float64) for array in arrays)
    with np.errstate(all="ignore"):
        factor = gamma / np.sqrt(variance + epsilon)
        shift = beta - mean * factor
    tensors = {"W": factor.astype(np.float32), "B": shift.astype(np.float32)}
    return ChainLayer(kind="scale"), tensors


def unfit(why: str) -> BundleError:
    """The error of a network that cannot be computed as Keras computes it."""
    return BundleError(f"not a network that textbatch can score: {why}", _REMEDY)
