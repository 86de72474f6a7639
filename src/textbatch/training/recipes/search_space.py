"""The search space of `tune`: which settings of a recipe, and their bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textbatch.training.recipes.file import changed
from textbatch.training.recipes.presets import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers between two bounds, both included.

    Attributes:
        low: The lower bound. Both bounds have the type of the setting.
        high: The upper bound.
        step: Distance between two values; None for any number.
        log: Whether the search runs over the logarithm.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False


#: docs/tuning.md explains each. A dot leads into a table of the recipe.
SPACE: dict[str, Range | tuple[float, ...]] = {
    "dropout.channels": Range(low=0.0, high=0.5, step=0.05),
    "dropout.between": Range(low=0.0, high=0.6, step=0.05),
    "dropout.last_input": Range(low=0.0, high=0.6, step=0.05),
    "fit.word_dropout": Range(low=0.0, high=0.3, step=0.05),
    "fit.learning_rate": Range(low=3e-4, high=5e-3, log=True),
    "fit.batch_size": (16, 32, 64, 128),
    "vectors.dim": (50, 100, 150, 200),
    "vectors.window": Range(low=3, high=12, step=1),
    "vectors.epochs": Range(low=5, high=40, step=5),
    "dense_units": (50, 100, 200),
    "length_quantile": (0.9, 0.95, 0.99, 1.0),
    "min_count": Range(low=1, high=4, step=1),
}


#: Widths of the recurrent layers, which are searched as `layers.0.units` and so on.
WIDTHS = (64, 100, 150, 200, 256, 300)


def space_of(recipe: Recipe) -> dict[str, Range | tuple[float, ...]]:
    """The search space for a recipe: `SPACE`, and the width of each of its recurrent layers."""
    widths = {f"layers.{place}.units": WIDTHS for place in range(len(recipe.layers))}
    return {**SPACE, **widths}


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn dotted names into tables: `{"fit.batch_size": 32}` becomes `{"fit": {...}}`."""
    tables: dict[str, Any] = {}
    for name, value in values.items():
        table, dot, key = name.partition(".")
        if dot:
            tables.setdefault(table, {})[key] = value
        else:
            tables[name] = value
    return tables


def with_settings(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """Change settings of a recipe.

    Args:
        recipe: The recipe.
        values: Settings of the search space, with their dotted names.
    """
    plain = {name: value for name, value in values.items() if not name.startswith("layers.")}
    layers: list[dict[str, Any]] = [{} for _ in recipe.layers]
    for place, changes in enumerate(layers):
        if (width := f"layers.{place}.units") in values:
            changes["units"] = values[width]
    return changed(recipe, {**nested(plain), "layers": layers})


def settings_of(recipe: Recipe) -> dict[str, Any]:
    """The settings of a recipe, with dotted names. A value outside its bounds is left out."""
    found: dict[str, Any] = {}
    for name, bounds in space_of(recipe).items():
        value: Any = recipe
        for part in name.split("."):
            value = value[int(part)] if part.isdecimal() else getattr(value, part)
        if isinstance(bounds, Range):
            inside = bounds.low <= value <= bounds.high
        else:
            inside = value in bounds
        if inside:
            found[name] = value
    return found
