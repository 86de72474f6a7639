"""Settings of a recipe in a TOML or JSON file: what `tune` writes and `train` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from textbatch.data.toml import check_numbers, parse_toml, read_written
from textbatch.errors import UsageError
from textbatch.model.choices import MAX_LAYERS, MAX_UNITS, MAX_VOCABULARY, Cell

T = TypeVar("T")

#: Bounds of numbers, by the name of the setting. A setting without an entry must be positive.
_BOUNDS: dict[str, tuple[float, float]] = {
    "channels": (0.0, 0.95),
    "between": (0.0, 0.95),
    "last_input": (0.0, 0.95),
    "pooled": (0.0, 0.95),
    "averaging": (0.0, 0.9999),
    "word_dropout": (0.0, 0.95),
    "length_quantile": (0.01, 1.0),
    "learning_rate": (1e-7, 10.0),
    "dim": (1, 4096),
    "units": (1, MAX_UNITS),
    "dense_units": (1, MAX_UNITS),
    "sequence_length": (1, 10_000),
    "max_vocabulary": (3, MAX_VOCABULARY),
}
_UNBOUNDED = (1e-9, 1_000_000)
#: Allowed values of settings whose type does not name them.
_CHOICES: dict[str, tuple[str, ...]] = {
    "cell": get_args(Cell),
    # Keras's own.
    "optimizer": (
        "adam",
        "adamw",
        "nadam",
        "adamax",
        "rmsprop",
        "sgd",
        "adagrad",
        "adadelta",
        "ftrl",
        "lion",
    ),
}


def read_recipe(path: Path, base: T) -> T:
    """Read the settings of a file, and put them in the place of a recipe's own.

    Args:
        path: A TOML file, or JSON if its name ends in `.json`. Settings have their names; those of
            `[vectors]`, `[dropout]` and `[fit]` are in tables, the recurrent layers are
            `[[layers]]`.
        base: The recipe, which has all settings that the file does not have.

    Raises:
        InputNotFoundError: There is no such file.
        UsageError: It is malformed, or has an unknown setting or a value out of range.
    """
    data = read_written(path)
    values = _parsed_json(data, path) if path.suffix == ".json" else parse_toml(data, path)
    if not isinstance(values, dict):
        raise UsageError(f"{path} is no table of settings", "mend it")
    return changed(base, values, where=f"{path}: ")


def _parsed_json(data: bytes, path: Path) -> object:
    try:
        found = json.loads(data.decode("utf-8-sig"))
        check_numbers(found)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid JSON", "mend it") from error
    return found


def changed(base: T, values: Mapping[str, Any], *, where: str = "") -> T:
    """Change some settings of a dataclass. Each new value is checked.

    Args:
        base: The settings.
        values: The new values by name; a nested dataclass is a mapping, layers are a list.
        where: Where the values come from, for messages.

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
        elif get_origin(kinds[name]) is tuple:
            found[name] = _changed_items(now, value, where=f"{where}{name}")
        else:
            found[name] = _checked(value, kinds[name], name, where)
    return replace(base, **found)  # type: ignore[type-var]


def allowed(name: str, kind: object) -> tuple[str, ...] | tuple[float, float]:
    """What a setting may be: its choices, or the lowest and the highest number.

    Args:
        name: The setting's own name, without that of its table.
        kind: Its type.
    """
    choices = get_args(kind) if get_origin(kind) is Literal else _CHOICES.get(name)
    return choices or _BOUNDS.get(name, _UNBOUNDED)


def dump_recipe(values: Mapping[str, Any]) -> str:
    """Write settings as TOML. `read_recipe` reads it back to the same values."""
    lines: list[str] = []
    tables: list[str] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            tables += ["", f"[{name}]", *(_line(*setting) for setting in value.items())]
        elif isinstance(value, list):
            for item in value:
                tables += ["", f"[[{name}]]", *(_line(*setting) for setting in item.items())]
        else:
            lines.append(_line(name, value))
    lines += tables
    return "\n".join(lines).lstrip("\n") + "\n"


def recipe_values(recipe: object) -> dict[str, Any]:
    """The settings of a recipe by name: tables for its steps, lists for layers. No None."""
    values: dict[str, Any] = {}
    for entry in fields(recipe):  # type: ignore[arg-type]
        value = getattr(recipe, entry.name)
        if isinstance(value, tuple):
            values[entry.name] = [recipe_values(item) for item in value]
        elif value is not None:
            values[entry.name] = recipe_values(value) if is_dataclass(value) else value
    return values


def _changed_items(now: tuple[T, ...], values: object, *, where: str) -> tuple[T, ...]:
    """Change layers by a list of tables. A layer keeps the settings that its table lacks."""
    if not isinstance(values, list) or not all(isinstance(item, dict) for item in values):
        raise UsageError(f"{where} is no list of tables", "mend it")
    if not 1 <= len(values) <= MAX_LAYERS:
        raise UsageError(f"{where} has {len(values)} entries", f"give 1 to {MAX_LAYERS}")
    return tuple(
        changed(now[min(place, len(now) - 1)], item, where=f"{where}[{place}].")
        for place, item in enumerate(values)
    )


def _line(name: str, value: object) -> str:
    # Strings and numbers of JSON are valid in TOML too.
    return f"{name} = {json.dumps(value)}"


def _checked(value: object, kind: Any, name: str, where: str) -> object:  # noqa: ANN401
    known = get_args(kind) if get_origin(kind) is Literal else _CHOICES.get(name)
    if known:
        if value not in known:
            raise UsageError(f"{where}'{name}' is none of {', '.join(known)}", "mend it")
        return value
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    if float in kinds and type(value) is int:
        value = float(value)
    # The type, not isinstance, because True is an int.
    if type(value) not in kinds or type(value) is NoneType:
        wanted = " or ".join(getattr(k, "__name__", str(k)) for k in kinds if k is not NoneType)
        raise UsageError(f"{where}'{name}' is not of type {wanted}", "mend it")
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = _BOUNDS.get(name, _UNBOUNDED)
        # In this form NaN fails too.
        if not low <= value <= high:
            raise UsageError(f"{where}'{name}' is {value}, outside {low} to {high}", "mend it")
    return value
