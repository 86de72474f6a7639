"""What releases of typer since 0.20 have under different names.

Those since 0.26 hold a Click of their own, older ones use the package `click`; those since 0.29
describe an option's values by its annotation, older ones by Click's parameter types.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typer._click.core import ParameterSource
    from typer._click.exceptions import BadParameter, ClickException, MissingParameter
else:
    _CLICK = "typer._click" if find_spec("typer._click") else "click"
    _EXCEPTIONS = import_module(f"{_CLICK}.exceptions")
    BadParameter = _EXCEPTIONS.BadParameter
    ClickException = _EXCEPTIONS.ClickException
    MissingParameter = _EXCEPTIONS.MissingParameter
    ParameterSource = import_module(f"{_CLICK}.core").ParameterSource

__all__ = [
    "BadParameter",
    "ClickException",
    "MissingParameter",
    "ParameterSource",
    "annotation_of",
    "choices_of",
]

#: Click's names of its types, less " range".
_TYPES: dict[str, object] = {
    "boolean": bool,
    "integer": int,
    "float": float,
    "path": Path,
    "file": Path,
    "directory": Path,
}


def annotation_of(parameter: Any) -> object:  # noqa: ANN401 - typer's, of any release
    """The type of a parameter's value, or of each of its values where it takes several."""
    described = getattr(parameter, "type_descriptor", None)
    if described is not None:
        return described.annotation
    return _TYPES.get(parameter.type.name.removesuffix(" range"), str)


def choices_of(parameter: Any) -> list[object]:  # noqa: ANN401 - typer's, of any release
    """The values that a parameter may have, if they are few enough to be named."""
    described = getattr(parameter, "type_descriptor", None) or parameter.type
    return list(getattr(described, "choices", None) or ())
