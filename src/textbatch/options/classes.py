"""Options: what a command, its settings and its Python function take. Each is stated once.

    @options
    class ScoreConfig(Options):
        top_k: int = option("Add the K best labels.", default=0, low=0, high=10_000)

Everything else is made from such a class: the flags of the command and its help, its variables and
its keys in the settings file, the reference page, the checks of ranges, and the parameters of the
Python function. Options of several commands are in classes of their own, which theirs inherit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from inspect import get_annotations
from pathlib import Path
from typing import Any, Self, TypeVar, dataclass_transform

from textbatch.options.option import Option, of_field

C = TypeVar("C")
_OPTION, _BESIDE = "option", "beside"
#: The options of classes used before: a config is made for each scored file.
_known: dict[Any, tuple[Option, ...]] = {}
_own: dict[Any, dict[str, Option | None]] = {}


def option(help: str, *, default: Any = ..., **about: Any) -> Any:  # noqa: A002, ANN401
    """State an option, as a field of a class of options.

    Args:
        help: What it does.
        default: Its value if none is given. Without a default, a value must be given.
        **about: Other attributes of `Option`.
    """
    stated = Option(help=help, default=default, **about)
    return field(default=MISSING if default is ... else default, metadata={_OPTION: stated})


def beside(*, default: Any) -> Any:  # noqa: ANN401 - of the field's type
    """State a field that is not an option, and that does not change the output."""
    return field(default=default, metadata={_BESIDE: True})


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(option, beside, field)
)
def options(cls: type[C]) -> type[C]:
    """Make a class of options: a frozen dataclass whose fields are given by name."""
    # `Options` has the methods to make, freeze, compare and print. Otherwise dataclasses would
    # compile them for each class, and `textbatch --help` makes dozens of classes.
    return dataclass(kw_only=True, init=False, eq=False, repr=False)(cls)


@options
class Options:
    """The base of all classes of options.

    Raises:
        UsageError: An option is out of its range.
    """

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - of the fields' types
        for one in fields(self):
            value = values.pop(one.name, one.default)
            if value is MISSING:
                raise TypeError(f"{type(self).__name__} needs {one.name}")
            object.__setattr__(self, one.name, value)
        if values:
            raise TypeError(f"{type(self).__name__} has no {', '.join(values)}")
        self.__post_init__()

    def __setattr__(self, name: str, _: object) -> None:
        raise FrozenInstanceError(f"cannot assign to {name}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete {name}")

    def __post_init__(self) -> None:
        for one in options_of(type(self)):
            one.check(getattr(self, one.name))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, one.name) for one in fields(self))))

    def __repr__(self) -> str:
        told = ((one.name, getattr(self, one.name), one.default) for one in fields(self))
        odd = (f"{name}={value!r}" for name, value, default in told if value != default)
        return f"{type(self).__name__}({', '.join(odd)})"

    @classmethod
    def given(cls, values: Mapping[str, Any]) -> Self:
        """Make the options from given values: texts for paths, lists for tuples.

        Args:
            values: Values by name. Names that the class does not have are ignored.

        Raises:
            UsageError: An option is out of its range.
            ConflictError: Options exclude each other.
        """
        own = {one.name: values[one.name] for one in fields(cls) if one.name in values}
        made = {one.name: one.made(own[one.name]) for one in options_of(cls) if one.name in own}
        return cls(**own | made)

    def in_common(self, other: type[Options]) -> dict[str, Any]:
        """The values of the options that another class has from the same bases."""
        bases = [base for base in type(self).__mro__ if issubclass(other, base)]
        names = {one.name for base in bases if base is not object for one in fields(base)}
        return {name: getattr(self, name) for name in names}

    def decisive(self) -> dict[str, object]:
        """The values that identify this job, for its key.

        These are all values that are not the default, except of fields that do not decide. So a new
        option does not change the keys of earlier jobs.
        """
        return {
            one.name: value.resolve() if isinstance(value, Path) else value
            for one in fields(self)
            if _decides(one) and (value := getattr(self, one.name)) != one.default
        }


def _decides(one: Field[Any]) -> bool:
    stated: Option | None = one.metadata.get(_OPTION)
    return stated.decides if stated else _BESIDE not in one.metadata


def options_of(cls: type[Options]) -> tuple[Option, ...]:
    """The options of a class, as help shows them: arguments, its own, then those of its bases."""
    if cls not in _known:
        found: dict[str, Option | None] = {}
        for base in cls.__mro__:
            for name, one in _own_options(base).items() if issubclass(base, Options) else ():
                found.setdefault(name, one)
        stated = [one for one in found.values() if one]
        _known[cls] = tuple(sorted(stated, key=lambda one: (not one.argument, not one.first)))
    return _known[cls]


def _own_options(cls: type[Options]) -> Mapping[str, Option | None]:
    """The fields that a class itself states, once for all that inherit them; None for no option."""
    if cls not in _own:
        stated = {one.name: one for one in fields(cls)}
        _own[cls] = {
            name: of_field(stated[name].metadata[_OPTION], name, str(stated[name].type), hint)
            if _OPTION in stated[name].metadata
            else None
            for name, hint in get_annotations(cls, eval_str=True).items()
        }
    return _own[cls]
