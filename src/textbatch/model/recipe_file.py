"""Settings of a recipe in a TOML or JSON file: what `tune` writes and `train` reads."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_type_hints

from textbatch.errors import UsageError, storage_errors
from textbatch.model.recipes import Recipe

T = TypeVar("T")

_MAX_BYTES = 1 << 20
#: Bounds of numbers by the setting's name, those without an entry must be positive.
_BOUNDS: dict[str, tuple[float, float]] = {
    "channels": (0.0, 0.95),
    "between": (0.0, 0.95),
    "lstm_input": (0.0, 0.95),
    "word_dropout": (0.0, 0.95),
    "length_quantile": (0.01, 1.0),
    "learning_rate": (1e-7, 10.0),
    "dim": (1, 4096),
    "gru_units": (1, 4096),
    "lstm_units": (1, 4096),
    "dense_units": (1, 4096),
    "sequence_length": (1, 10_000),
    "max_vocabulary": (3, 5_000_000),
}
_UNBOUNDED = (1e-9, 1_000_000)


def read_recipe(path: Path, base: Recipe) -> Recipe:
    """A recipe with the settings of a file in the place of its own.

    Args:
        path: TOML, or JSON where the name ends so: settings by name, those of `[vectors]`,
            `[dropout]` and `[fit]` in tables.
        base: Gives what the file leaves out.

    Raises:
        InputNotFoundError: There is no such file.
        UsageError: It is malformed, or has an unknown setting or a value out of range.
    """
    with storage_errors(path, "cannot read"), path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    try:
        text = data.decode("utf-8")
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise UsageError(f"{path} is not valid {kind}", "mend it") from error
    if not isinstance(values, dict) or len(data) > _MAX_BYTES:
        raise UsageError(f"{path} is no table of settings", "mend it")
    return changed(base, values, where=f"{path}: ")


def changed(base: T, values: Mapping[str, Any], *, where: str = "") -> T:
    """A dataclass of settings with some of them changed, each checked.

    Raises:
        UsageError: A setting is unknown, of another type or out of range.
    """
    kinds = get_type_hints(type(base))
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in kinds:
            raise UsageError(
                f"{where}there is no setting '{name}'", f"known are {', '.join(sorted(kinds))}"
            )
        now = getattr(base, name)
        if is_dataclass(now) and isinstance(value, dict):
            found[name] = changed(now, value, where=f"{where}{name}.")
        else:
            found[name] = _checked(value, kinds[name], name, where)
    return replace(base, **found)  # type: ignore[type-var]


def dump_recipe(values: Mapping[str, Any]) -> str:
    """Settings as TOML, which `read_recipe` reads back to the same values."""
    plain = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    tables = {name: value for name, value in values.items() if isinstance(value, Mapping)}
    lines = [_line(name, value) for name, value in plain.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(_line(key, value) for key, value in table.items())]
    return "\n".join(lines).lstrip("\n") + "\n"


def recipe_values(recipe: object) -> dict[str, Any]:
    """A recipe's settings by name, tables for those of its steps; None is left out."""
    values: dict[str, Any] = {}
    for entry in fields(recipe):  # type: ignore[arg-type]
        value = getattr(recipe, entry.name)
        if value is not None:
            values[entry.name] = recipe_values(value) if is_dataclass(value) else value
    return values


def _line(name: str, value: object) -> str:
    # TOML's strings, numbers and lists of them are JSON's; its floats need a digit on each side.
    return f"{name} = {json.dumps(list(value) if isinstance(value, tuple) else value)}"


def _checked(value: object, kind: Any, name: str, where: str) -> object:  # noqa: ANN401
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    if float in kinds and type(value) is int:
        value = float(value)
    # By type and not by isinstance: True is an int.
    if type(value) not in kinds or type(value) is NoneType:
        wanted = " or ".join(getattr(k, "__name__", str(k)) for k in kinds if k is not NoneType)
        raise UsageError(f"{where}'{name}' is not of type {wanted}", "mend it")
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = _BOUNDS.get(name, _UNBOUNDED)
        # Written so that NaN fails as well.
        if not low <= value <= high:
            raise UsageError(f"{where}'{name}' is {value}, outside {low} to {high}", "mend it")
    return value
