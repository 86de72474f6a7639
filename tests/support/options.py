"""Values of options that are not their defaults, so that a test can walk all options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textbatch.options import Option


def odd_value(option: Option, folder: Path) -> Any:
    """A value in range that is not the option's default; paths are in `folder`."""
    if option.choices:
        return next(choice for choice in option.choices if choice != option.default)
    if option.name == "delimiter":
        return ","  # The separator of the tests' CSV, named
    value: Any = "odd"
    if option.kind == "truth":
        value = option.default is not True
    elif option.kind == "whole":
        value = (option.default or option.low or 0) + 1
    elif option.kind == "number":
        value = ((option.low or 0) + (option.high or 1)) / 2
    elif option.kind == "path":
        value = folder / f"odd-{option.name}"
    return (value,) if option.many else value
