"""The layers of a model's config, in the order in which they compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from textbatch.errors import BundleError

_REMEDY = "score it with Keras, or build it as a chain of layers"
#: Keras 3 makes this layer of an embedding's mask.
_MASK = "NotEqual"
_MODELS = ("Sequential", "Functional", "Model")


def chain_of(config: Any, name: str) -> list[Mapping[str, Any]]:  # noqa: ANN401 - parsed JSON
    """The layers, first to last.

    Args:
        config: What Keras wrote of the model.
        name: Name of the file, for messages.

    Returns:
        For each layer what Keras wrote: `class_name`, `config`, and more.

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
        if layer["class_name"] in _MODELS:
            raise BundleError(f"{name} holds a model inside a model", _REMEDY)
        _check_numbers(layer, name)
    if kind != "Sequential":
        _check_line(layers, name)
        layers = [layer for layer in layers if layer["class_name"] != _MASK]
    return layers


def _part(value: Any, key: str) -> Any:  # noqa: ANN401
    return value.get(key) if isinstance(value, dict) else None


def _is_layer(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("class_name"), str)
        and isinstance(value.get("config"), dict)
    )


def _check_numbers(layer: Mapping[str, Any], name: str) -> None:
    """Refuse layers that compute in other numbers than float32."""
    policy = layer["config"].get("dtype", "float32")
    if isinstance(policy, dict):
        policy = str(_part(policy.get("config"), "name"))
    if layer["class_name"] != "InputLayer" and policy not in (None, "float32"):
        raise BundleError(
            f"{name}: layer {layer['class_name']} computes in {str(policy)[:30]}, not float32",
            "set the dtype policy to float32, and save it again",
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
    for layer in line[1:]:
        nodes = layer.get("inbound_nodes")
        read = set(_tensors(nodes)) - masks
        if not isinstance(nodes, list) or len(nodes) != 1 or read != {before}:
            raise BundleError(
                f"{name}: layer {layer['class_name']} does not read the layer before it alone",
                _REMEDY,
            )
        before = _name(layer)


def _name(layer: Mapping[str, Any]) -> str:
    return str(layer.get("name") or layer["config"].get("name"))


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
