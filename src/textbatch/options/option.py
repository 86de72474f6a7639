"""An option: what its field says about it, and what is known from the field itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from textbatch.errors import UsageError, require
from textbatch.options.credentials import quoted, refuse_credentials

Kind = Literal["text", "path", "whole", "number", "truth"]
#: What a command does with the file or folder that an option names.
Use = Literal["", "read", "written"]
_KINDS: dict[object, Kind] = {int: "whole", float: "number", bool: "truth"}


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
        use: What is done with the file or folder that it names. Each option with a path says it, so
            that no place of a command is written that has another use.
        writes: The places that are written because of it, if not just the one that it names.
        reads: The places that its value names, if not just one.
        repeats: Whether its flag may come several times. `of` makes one value of all that is given.
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
    use: Use = ""
    writes: Callable[[Any], Iterable[Any]] | None = None
    reads: Callable[[Any], Iterable[Any]] | None = None
    repeats: bool = False
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
    def shown(self) -> str:
        """Its name in messages: `--report`, `the input`."""
        return f"the {self.name.removesuffix('s')}" if self.argument else f"--{self.key}"

    @property
    def two_way(self) -> bool:
        """Whether it has a flag for true and one for false."""
        return self.kind == "truth" and self.default is None

    def made(self, value: object) -> Any:  # noqa: ANN401 - of the field's type
        """Make the value of the field from a given one: a path from a text, a tuple from a list.

        Raises:
            TypeError: It is not of this kind. For example, a table in memory is not a file.
            ConflictError: It is a place that holds credentials.
            UsageError: No file can have such a name.
        """
        if value is None:
            return None
        if self.repeats and isinstance(value, Mapping | list | tuple):
            for one in value.values() if isinstance(value, Mapping) else value:
                self._check_place(one)
            return self._of(value)
        if not self.many:
            return self._one(value)
        single = isinstance(value, str | bytes | os.PathLike | Mapping) or hasattr(value, "columns")
        several: Any = [value] if single or not hasattr(value, "__iter__") else value
        return tuple(map(self._one, several))

    def _one(self, value: Any) -> Any:  # noqa: ANN401 - of the field's type
        self._check_place(value)
        return self._of(value)

    def _check_place(self, value: object) -> None:
        if self.kind == "path" or self.of:  # a text to be answered may be anything
            refuse_credentials(value, f"--{self.key}")
        if self.kind == "path" and isinstance(value, str) and (not value or "\0" in value):
            raise UsageError(
                f"{self.shown} is {'an empty text' if not value else 'a text with a NUL'}",
                "give a path",
            )

    def _of(self, value: Any) -> Any:  # noqa: ANN401 - of the field's type
        try:
            if self.of:
                return self.of(value)
            if self.kind != "path":
                return value
            return Path(value.removeprefix("file://") if isinstance(value, str) else value)
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


def of_field(stated: Option, name: str, annotation: str, hint: Any) -> Option:  # noqa: ANN401 - any type
    """Complete an option by what its field tells.

    Args:
        stated: What was stated.
        name: Name of the field.
        annotation: Its type, as it is written.
        hint: Its type.

    Raises:
        TypeError: It does not say what is done with its path.
    """
    kinds = [kind for kind in _parts(hint) if kind is not type(None)]
    many = get_origin(kinds[0]) is tuple
    if many:
        kinds = _parts(get_args(kinds[0])[0])
    choices = get_args(kinds[0]) if get_origin(kinds[0]) is Literal else ()
    kind: Kind = "path" if Path in kinds else "text"
    if (kind == "path") != bool(stated.use):
        raise TypeError(f"{name} has to say whether the path is read or written, and no other")
    return replace(
        stated,
        name=name,
        annotation=annotation,
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
