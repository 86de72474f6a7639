"""The layers of a model's config, in the order in which they compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from textbatch.errors import BundleError

_REMEDY = "score it with Keras, or build it as a chain of layers"
#: Keras 3 makes this layer of an embedding's mask.
_MASK = "NotEqual"
#: Layers inside a layer.
_WRAPPED = ("layer", "backward_layer")
_MODELS = ("Sequential", "Functional", "Model")
_MAX_DEPTH = 8
#: Layers that compute nothing, whatever policy they have.
_NO_NUMBERS = ["InputLayer", "TextVectorization"]


def chain_of(
    config: Any,  # noqa: ANN401 - parsed JSON
    name: str,
    *,
    depth: int = 0,
) -> list[Mapping[str, Any]]:
    """The layers, first to last.

    Args:
        config: What Keras wrote of the model.
        name: Name of the file, for messages.
        depth: In how many models this one is.

    Returns:
        For each layer what Keras wrote: `class_name`, `config`, and more. A model inside the model
        is one of them, and a chain too.

    Raises:
        BundleError: It is no model, or not a chain.
    """
    kind, inner = _part(config, "class_name"), _part(config, "config")
    if kind not in _MODELS:
        raise BundleError(f"{name} holds no Sequential and no Functional model", _REMEDY)
    # The first releases of Keras wrote a Sequential's layers as a list.
    layers = inner if isinstance(inner, list) else _part(inner, "layers")
    if not isinstance(layers, list) or not all(map(_is_layer, layers)):
        raise BundleError(f"{name} holds no layers, or damaged ones", _REMEDY)
    for layer in layers:
        if is_model(layer):
            if depth == _MAX_DEPTH:
                raise BundleError(f"{name} holds too many models inside each other", _REMEDY)
            chain_of(layer, name, depth=depth + 1)
        _check_numbers(layer, name)
    if kind != "Sequential":
        _check_line(layers, name)
        _check_output(layers, _part(inner, "output_layers"), name)
        layers = [layer for layer in layers if layer["class_name"] != _MASK]
    return layers


def is_model(layer: Mapping[str, Any]) -> bool:
    """Whether a layer is a model of layers.

    Args:
        layer: What Keras wrote of it.
    """
    return layer["class_name"] in _MODELS


def _part(value: Any, key: str) -> Any:  # noqa: ANN401
    return value.get(key) if isinstance(value, dict) else None


def _is_layer(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("class_name"), str)
        and isinstance(value.get("config"), dict)
    )


def _check_numbers(layer: Mapping[str, Any], name: str) -> None:
    """Refuse layers that compute in other numbers than float32, and layers of the user's own."""
    for one in (layer, *filter(_is_layer, map(layer["config"].get, _WRAPPED))):
        policy = one["config"].get("dtype", "float32")
        if isinstance(policy, dict):
            policy = str(_part(policy.get("config"), "name"))
        if one["class_name"] not in _NO_NUMBERS and policy not in (None, "float32"):
            raise BundleError(
                f"{name}: layer {one['class_name']:.60} computes in {str(policy)[:30]}, not "
                "float32",
                "set the dtype policy to float32, and save it again",
            )
        # Keras writes the package of a class that it does not have itself.
        if ">" in str(one.get("registered_name")):
            raise BundleError(
                f"{name}: layer {one['class_name']:.60} is code that the file does not hold",
                _REMEDY,
            )
    if layer["config"].get("quantization_config"):
        raise BundleError(f"{name} holds a quantized model", "save it before it is quantized")


def _check_line(layers: Sequence[Mapping[str, Any]], name: str) -> None:
    """Check that each layer reads the one before it and nothing else."""
    masks = {_name(layer) for layer in layers if layer["class_name"] == _MASK}
    line = [layer for layer in layers if layer["class_name"] != _MASK]
    inputs = [layer for layer in line if layer["class_name"] == "InputLayer"]
    if len(inputs) != 1 or not line or line[0] is not inputs[0]:
        raise BundleError(f"{name} has {len(inputs)} inputs", _REMEDY)
    before = _name(line[0])
    tokens = line[1] if [one["class_name"] for one in line[1:2]] == _NO_NUMBERS[1:] else line[0]
    _check_masks(layers, _name(tokens), name)
    for layer in line[1:]:
        nodes = layer.get("inbound_nodes")
        read = set(_tensors(nodes)) - masks
        if not isinstance(nodes, list) or len(nodes) != 1 or read != {before}:
            raise BundleError(
                f"{name}: layer {layer['class_name']} does not read the layer before it alone",
                _REMEDY,
            )
        if True in _values(nodes):
            raise BundleError(
                f"{name}: layer {layer['class_name']} is called with training=True",
                "build the model without it, and save it again",
            )
        before = _name(layer)


def _check_masks(layers: Sequence[Mapping[str, Any]], tokens: str, name: str) -> None:
    """Check that masks are those of the embedding: where the tokens are not 0."""
    masking = any(layer["config"].get("mask_zero") for layer in layers)
    for layer in layers:
        if layer["class_name"] == _MASK:
            nodes = layer.get("inbound_nodes")
            of_zero = [one for one in _values(nodes) if isinstance(one, int | float)] == [0]
            if not masking or not of_zero or set(_tensors(nodes)) != {tokens}:
                raise BundleError(f"{name} has a mask that no mask_zero=True gives", _REMEDY)


def _check_output(layers: Sequence[Mapping[str, Any]], outputs: object, name: str) -> None:
    """Check that the last layer's output is the only one."""
    (last,) = [layer for layer in layers if layer["class_name"] != _MASK][-1:]
    # Keras 3 does not put a single output into a list of its own, and may name it.
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    found = outputs if isinstance(outputs, list) else []
    found = found if all(isinstance(one, list) for one in found) else [found]
    if [one[:1] for one in found] != [[_name(last)]]:
        raise BundleError(
            f"{name} has other outputs than that of its last layer, {last['class_name']:.60}",
            _REMEDY,
        )


def _name(layer: Mapping[str, Any]) -> str:
    return str(layer.get("name") or layer["config"].get("name"))


def _values(nodes: object) -> list[object]:
    """What layers are called with beside the outputs of layers."""
    found: list[object] = []
    waiting = [nodes]
    while waiting:
        match waiting.pop():
            case {"class_name": "__keras_tensor__"} | [str(), int(), int()]:
                pass
            case [str(), int(), int(), *rest]:
                waiting += rest
            case dict() as one:
                waiting += one.values()
            case list() as one:
                waiting += one
            case one:
                found.append(one)
    return found


def _tensors(value: object) -> Iterator[str]:
    """The names of the layers that a layer reads, as Keras 2 and 3 write them."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        match one:
            case {"class_name": "__keras_tensor__", "config": {"keras_history": [str(name), *_]}}:
                yield name
            case [str(name), int(), int(), *_]:
                yield name
            case dict():
                waiting += one.values()
            case list():
                waiting += one
