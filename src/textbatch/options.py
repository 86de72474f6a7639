"""Options: what a command, its settings and its Python function take. Each is stated once.

    @options
    class ScoreConfig(Options):
        top_k: int = option("Add the K best labels.", default=0, low=0, high=10_000)

Everything else is made from such a class: the flags of the command and its help, its variables and
its keys in the settings file, the reference page, the checks of ranges, and the parameters of the
Python function. Options of several commands are in classes of their own, which theirs inherit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields, replace
from inspect import get_annotations
from pathlib import Path
from types import UnionType
from typing import (
    Any,
    Literal,
    Self,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
)

from textbatch.credentials import quoted, refuse_credentials
from textbatch.errors import UsageError, require

C = TypeVar("C")
Kind = Literal["text", "path", "whole", "number", "truth"]
_KINDS: dict[object, Kind] = {int: "whole", float: "number", bool: "truth"}
_OPTION, _BESIDE = "option", "beside"
#: The options of classes used before: a config is made for each scored file.
_known: dict[Any, tuple[Option, ...]] = {}
_own: dict[Any, dict[str, Option | None]] = {}


@dataclass(frozen=True)
class Option:
    """An option: what its field says about it, and what is known from the field itself.

    Attributes:
        help: What it does, in one or two lines.
        argument: Whether it is an argument of the command line, without a flag.
        first: Whether help shows it before all others.
        flags: Its flags, if they are not the name of the field with dashes.
        metavar: The word for its value in help; if empty, a word for its kind.
        low: The smallest allowed number.
        high: The largest allowed number.
        unset: What None means, such as "the model's".
        variable: An environment variable for all commands, beside the own one of each command.
        short: A flag without a value that means one value of this option: flag, value, help.
        commas: Whether several values are in one text, with commas between.
        of: Makes the value of the field from a given value.
        decides: Whether a run with another value is another job. Then it does not take over the
            output or the unfinished work of this job.
        name: Name of the field.
        annotation: Type of the field, as it is written.
        default: The default; `...` if the option must be given.
        kind: What a value is, or each of several values.
        choices: All allowed values, if there is a list of them.
        many: Whether it takes several values, as a tuple.
    """

    help: str
    argument: bool = False
    first: bool = False
    flags: tuple[str, ...] = ()
    metavar: str = ""
    low: float | None = None
    high: float | None = None
    unset: str = ""
    variable: str = ""
    short: tuple[str, str, str] | None = None
    commas: bool = False
    of: Callable[[Any], Any] | None = None
    decides: bool = True
    name: str = ""
    annotation: str = ""
    default: Any = ...
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    many: bool = False

    @property
    def key(self) -> str:
        """Its name outside Python: the long flag without its dashes."""
        return max(self.flags, key=len)[2:] if self.flags else self.name.replace("_", "-")

    @property
    def two_way(self) -> bool:
        """Whether it has a flag for true and one for false."""
        return self.kind == "truth" and self.default is None

    def made(self, value: object) -> Any:  # noqa: ANN401 - of the field's type
        """Make the value of the field from a given one: a path from a text, a tuple from a list.

        Raises:
            TypeError: It is not of this kind. For example, a table in memory is not a file.
            ConflictError: It is a place with credentials.
        """
        if value is None:
            return None
        if not self.many:
            return self._one(value)
        single = isinstance(value, str | bytes | os.PathLike | Mapping) or hasattr(value, "columns")
        several: Any = [value] if single or not hasattr(value, "__iter__") else value
        return tuple(map(self._one, several))

    def _one(self, value: Any) -> Any:  # noqa: ANN401 - of the field's type
        if self.kind == "path" or self.of:  # a text to be answered may be anything
            refuse_credentials(value, f"--{self.key}")
        try:
            if self.of:
                return self.of(value)
            return Path(value) if self.kind == "path" else value
        except TypeError:
            what = "a path" if self.kind == "path" else "a text"
            several = ", or several of them in a list" if self.many else ""
            told = f"`{self.name}` is {type(value).__qualname__}; give {what}{several}"
            raise TypeError(told) from None

    def check(self, value: object) -> None:
        """Check that a value is in the range of the option, or one of its choices.

        Raises:
            UsageError: It is not.
        """
        if value is None or value == self.default:
            return
        for one in value if isinstance(value, tuple) else (value,):
            if self.choices and one not in self.choices:
                told = f"--{self.key} is {quoted(one)}"
                raise UsageError(told, f"take one of {', '.join(self.choices)}")
            if self.low is not None and self.high is not None:
                require(f"--{self.key}", one, self.low, self.high)


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
            name: _of_field(stated[name], hint) if _OPTION in stated[name].metadata else None
            for name, hint in get_annotations(cls, eval_str=True).items()
        }
    return _own[cls]


def _of_field(one: Field[Any], hint: Any) -> Option:  # noqa: ANN401 - any type
    stated: Option = one.metadata[_OPTION]
    kinds = [kind for kind in _parts(hint) if kind is not type(None)]
    many = get_origin(kinds[0]) is tuple
    if many:
        kinds = _parts(get_args(kinds[0])[0])
    choices = get_args(kinds[0]) if get_origin(kinds[0]) is Literal else ()
    kind: Kind = "path" if Path in kinds else "text"
    return replace(
        stated,
        name=one.name,
        annotation=str(one.type),
        kind=_KINDS.get(kinds[0], kind) if len(kinds) == 1 else kind,
        choices=choices,
        many=many,
    )


def _parts(hint: Any) -> list[Any]:  # noqa: ANN401 - any type
    return list(get_args(hint)) if get_origin(hint) in (Union, UnionType) else [hint]


def short_of(one: Option) -> Option:
    """The short flag of an option, as an option of its own."""
    assert one.short
    flag, _, told = one.short
    return Option(
        help=told, name=flag[2:].replace("-", "_"), annotation="bool", default=False, kind="truth"
    )
