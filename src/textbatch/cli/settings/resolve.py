"""Where each setting comes from: flag, environment, settings file, default."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from textbatch.cli.settings.file import SettingsFile
from textbatch.cli.settings.values import (
    kind_of,
    value_of_text,
    value_of_texts,
    value_of_toml,
    value_of_variable,
)
from textbatch.errors import ConflictError, UsageError
from textbatch.options import Option, Options, options_of, short_of

#: The first one that has a setting counts.
Origin = Literal["flag", "environment", "file", "default"]
_ORIGINS: tuple[Origin, ...] = ("flag", "environment", "file", "default")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What an option of a command is, and why.

    Attributes:
        option: The option.
        value: What it is, as a caller of the Python function would give it.
        origin: Where it comes from.
        place: The variable, or the file and its table; empty for a flag and for a default.
    """

    option: Option
    value: Any
    origin: Origin
    place: str = ""

    @property
    def where(self) -> str:
        """The place, and in a file the key too."""
        return f"{self.place} {self.option.key}" if self.origin == "file" else self.place


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What can be set for a command.

    Attributes:
        command: Its name; empty where there are neither variables nor a table for it.
        about: What it does, in a line.
        options: Of the command.
    """

    command: str
    about: str
    options: type[Options]

    @property
    def flags(self) -> list[Option]:
        """All but its arguments, the short forms of some among them."""
        return [one for one in with_short_forms(self.options) if not one.argument]

    def variables(self, option: Option) -> list[str]:
        """The environment variables of an option; the first that is set counts."""
        if not self.command:
            return []
        own = f"TEXTBATCH_{self.command}_{option.key}".upper().replace("-", "_")
        return list(filter(None, (own, option.variable)))

    def found(
        self, file: SettingsFile | None, given: Mapping[str, object] | None = None
    ) -> list[Setting]:
        """What each option is.

        Args:
            file: The settings file, where there is one.
            given: What the flags say, by the options' names; None where a flag is not there.

        Raises:
            UsageError: A flag, a variable or the file holds a value of a wrong kind.
        """
        return [self._setting(option, file, given or {}) for option in self.flags]

    def _setting(
        self, option: Option, file: SettingsFile | None, given: Mapping[str, object]
    ) -> Setting:
        if (flag := given.get(option.name)) is not None:
            return Setting(option=option, value=self._of_flag(option, flag), origin="flag")
        for variable in self.variables(option):
            if text := os.environ.get(variable):
                with _told(f"{variable} is '{text}'", option):
                    value = value_of_variable(option, text)
                return Setting(option=option, value=value, origin="environment", place=variable)
        table = file.tables.get(self.command, {}) if file else {}
        if file and option.key in table:
            place, held = file.place(self.command), table[option.key]
            told = str(held).lower() if isinstance(held, bool) else repr(held)
            with _told(f"{place} {option.key} is {told}", option):
                value = value_of_toml(option, held)
            return Setting(option=option, value=value, origin="file", place=place)
        return Setting(option=option, value=option.default, origin="default")

    def _of_flag(self, option: Option, flag: object) -> object:
        told = f"--{option.key} has a value that does not fit"
        with _told(told, option, f"; see `textbatch {self.command} --help`"):
            if isinstance(flag, str):
                return value_of_text(option, flag)
            return value_of_texts(option, flag) if isinstance(flag, list | tuple) else flag


def with_short_forms(options: type[Options]) -> Iterator[Option]:
    """A class's options, each followed by its short form, where it has one."""
    for one in options_of(options):
        yield one
        if one.short:
            yield short_of(one)


@contextmanager
def _told(what: str, option: Option, beside: str = "") -> Iterator[None]:
    """Make a value that does not fit an error that says where it stands."""
    try:
        yield
    except ValueError:
        raise UsageError(what, f"give {kind_of(option)}{beside}") from None


def values_of(settings: Iterable[Setting]) -> dict[str, Any]:
    """The values by the options' names; of an option and its short form, the nearer one counts.

    Raises:
        ConflictError: They come from places of one kind and contradict each other.
    """
    by_name = {one.option.name: one for one in settings}
    values = {name: one.value for name, one in by_name.items()}
    for one in by_name.values():
        if one.option.short is None:
            continue
        short = by_name[short_of(one.option).name]
        del values[short.option.name]
        nearness = _ORIGINS.index(one.origin) - _ORIGINS.index(short.origin)
        if not short.value or nearness < 0:
            continue
        flag, meant, _ = one.option.short
        if nearness == 0 and one.value != meant:
            raise ConflictError(
                f"{flag} contradicts --{one.option.key} {one.value}", "leave one out"
            )
        values[one.option.name] = meant
    return values


def check_names(file: SettingsFile, commands: Mapping[str, Settings]) -> None:
    """Refuse tables and keys that mean nothing.

    Raises:
        UsageError: There is one; the message names the nearest that means something.
    """
    for name, table in file.tables.items():
        if name not in commands:
            raise UsageError(
                f"{file.place(name)} is no command's table", _nearest(name, commands, "[{}]")
            )
        keys = [option.key for option in commands[name].flags]
        for key in table:
            if key not in keys:
                raise UsageError(
                    f"{file.place(name)} has '{key}', which is no setting of {name}",
                    _nearest(key.replace("_", "-"), keys, "{}"),
                )


def _nearest(wrong: str, known: Iterable[str], form: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(wrong, known, n=1, cutoff=0.5)
    told = form.format(close[0]) if close else ""
    return f"did you mean {told}?" if told else "`textbatch config show` lists all"


def unknown_variables(commands: Mapping[str, Settings]) -> list[str]:
    """Variables that look like settings and are none.

    They are no errors: Kubernetes sets such ones for a service that has a job's name.
    """
    told = []
    for name, settings in commands.items():
        known = [settings.variables(option)[0] for option in settings.flags]
        prefix = f"TEXTBATCH_{name.upper()}_"
        for variable in sorted(os.environ):
            if variable.startswith(prefix) and variable not in known:
                told.append(f"{variable} is no setting; {_nearest(variable, known, '{}')}")
    return told
