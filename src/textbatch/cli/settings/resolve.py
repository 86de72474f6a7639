"""Finds the value of each option: by its flag, the environment, the settings file, its default."""

from __future__ import annotations

import os
import re
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
from textbatch.options.credentials import quoted, refuse_credentials

#: Where a value can come from. The first that has one counts.
Origin = Literal["flag", "environment", "file", "default"]
#: How the variables end that Kubernetes sets for a service.
_OF_SERVICE = re.compile(r"_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)$")
_ORIGINS: tuple[Origin, ...] = ("flag", "environment", "file", "default")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The value of an option, and where it comes from.

    Attributes:
        option: The option.
        value: Its value, as a caller of the Python function would give it.
        origin: Where it comes from.
        place: The variable, or the file and its table; empty for a flag and for a default.
    """

    option: Option
    value: Any
    origin: Origin
    place: str = ""

    @property
    def where(self) -> str:
        """The place, and for a file also the key."""
        return f"{self.place} {self.option.key}" if self.origin == "file" else self.place


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a command.

    Attributes:
        command: Its name; empty if it has no variables and no table.
        about: What it does, in one line.
        options: The class of its options.
    """

    command: str
    about: str
    options: type[Options]

    @property
    def flags(self) -> list[Option]:
        """All options except arguments, with their short forms."""
        return [one for one in with_short_forms(self.options) if not one.argument]

    def variables(self, option: Option) -> list[str]:
        """The environment variables of an option. The first that is set counts."""
        if not self.command:
            return []
        own = f"TEXTBATCH_{self.command}_{option.key}".upper().replace("-", "_")
        return list(filter(None, (own, option.variable)))

    def found(
        self, file: SettingsFile | None, given: Mapping[str, object] | None = None
    ) -> list[Setting]:
        """Find the value of each option.

        Args:
            file: The settings file, if there is one.
            given: Values of flags, by the names of the options; None for a flag that is not given.

        Raises:
            UsageError: A flag, a variable or the file has a value of a wrong kind.
            ConflictError: A variable or the file has a place with credentials.
        """
        return [self._setting(option, file, given or {}) for option in self.flags]

    def _setting(
        self, option: Option, file: SettingsFile | None, given: Mapping[str, object]
    ) -> Setting:
        if (flag := given.get(option.name)) is not None:
            return Setting(option=option, value=self._of_flag(option, flag), origin="flag")
        for variable in self.variables(option):
            if text := os.environ.get(variable):
                # Here, because a list of paths is taken apart at its colons.
                refuse_credentials(text, variable, bare=option.kind == "path")
                with _told(f"{variable} is {quoted(text)}", option):
                    value = value_of_variable(option, text)
                return Setting(option=option, value=value, origin="environment", place=variable)
        table = file.tables.get(self.command, {}) if file else {}
        if file and option.key in table:
            place, held = file.place(self.command), table[option.key]
            refuse_credentials(str(held), f"{place} {option.key}", bare=option.kind == "path")
            with _told(f"{place} {option.key} is {quoted(held)}", option):
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
    """Yield the options of a class, each followed by its short form, if it has one."""
    for one in options_of(options):
        yield one
        if one.short:
            yield short_of(one)


@contextmanager
def _told(what: str, option: Option, beside: str = "") -> Iterator[None]:
    """Turn a value that does not fit into an error that says where it is."""
    try:
        yield
    except ValueError:
        raise UsageError(what, f"give {kind_of(option)}{beside}") from None


def values_of(settings: Iterable[Setting]) -> dict[str, Any]:
    """Collect the values by the names of the options.

    An option and its short form may both have a value. Then the value from the nearer place counts.

    Raises:
        ConflictError: Both come from places of one kind, and contradict each other.
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
    """Refuse unknown tables and keys.

    Args:
        file: The settings file.
        commands: The settings of all commands, by the name of the command.

    Raises:
        UsageError: There is one. The message names the most similar known name.
    """
    for name, table in file.tables.items():
        if name not in commands:
            raise UsageError(
                f"{quoted(file.place(name))} is no command's table",
                _nearest(name, commands, "[{}]"),
            )
        keys = [option.key for option in commands[name].flags]
        for key in table:
            if key not in keys:
                raise UsageError(
                    f"{file.place(name)} has {quoted(key)}, which is no setting of {name}",
                    _nearest(key.replace("_", "-"), keys, "{}"),
                )


def _nearest(wrong: str, known: Iterable[str], form: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(wrong, known, n=1, cutoff=0.5)
    told = form.format(close[0]) if close else ""
    return f"did you mean {told}?" if told else "`textbatch config show` lists all"


def unknown_variables(commands: Mapping[str, Settings], *, of_services: bool = True) -> list[str]:
    """Make warnings for variables that look like settings, but are unknown.

    They are not errors, because Kubernetes sets such variables for a service with such a name.

    Args:
        commands: The settings of the commands, by the name of the command.
        of_services: Whether to tell of those that Kubernetes sets, too.
    """
    told = []
    for name, settings in commands.items():
        known = [settings.variables(option)[0] for option in settings.flags]
        prefix = f"TEXTBATCH_{name.upper()}_"
        for variable in sorted(os.environ):
            if not of_services and _OF_SERVICE.search(variable):
                continue
            if variable.startswith(prefix) and variable not in known:
                told.append(f"{variable} is no setting; {_nearest(variable, known, '{}')}")
    return told
