"""Where each setting comes from: flag, environment, settings file, default."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from typer import Context
from typer.core import TyperCommand, TyperGroup, TyperOption

from textbatch.cli.click_parts import ClickException, annotation_of, choices_of
from textbatch.cli.settings.file import SettingsFile, find_settings
from textbatch.errors import UsageError

Origin = Literal["environment", "file", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting of a command where no flag gives it.

    Attributes:
        key: Its name: the flag's without the dashes.
        name: Of the parameter.
        value: What it is; None where it is not set.
        origin: Where it comes from.
        place: The variable, or the file and its table; empty for a default.
    """

    key: str
    name: str
    value: object
    origin: Origin
    place: str = ""

    @property
    def where(self) -> str:
        """The place, and in a file the key too."""
        return f"{self.place} {self.key}" if self.origin == "file" else self.place


def options_of(command: TyperCommand) -> list[TyperOption]:
    """A command's options."""
    return [option for option in command.params if isinstance(option, TyperOption)]


def key_of(option: TyperOption) -> str:
    """An option's name in the settings file: its flag without the dashes."""
    return max(option.opts, key=len).removeprefix("--")


def variables(command: TyperCommand, option: TyperOption) -> list[str]:
    """The environment variables of an option; the first that is set counts."""
    own = f"TEXTBATCH_{command.name}_{key_of(option)}".upper().replace("-", "_")
    shared = [option.envvar] if isinstance(option.envvar, str) else option.envvar or []
    return list(dict.fromkeys([own, *shared]))


def file_of(ctx: Context) -> SettingsFile | None:
    """The settings file of the command line: the one it names, or the working directory's.

    Raises:
        TextbatchError: It cannot be read or is malformed.
    """
    return find_settings(ctx.find_root().params.get("config"))


def commands_of(group: TyperGroup) -> dict[str, TyperCommand]:
    """The commands with settings, by name."""
    return {
        name: cast(TyperCommand, command)
        for name, command in group.commands.items()
        if not isinstance(command, TyperGroup)
    }


def check_names(file: SettingsFile, group: TyperGroup) -> None:
    """Refuse tables and keys that mean nothing.

    Raises:
        UsageError: There is one; the message names the nearest that means something.
    """
    commands = commands_of(group)
    for name, table in file.tables.items():
        if name not in commands:
            raise UsageError(
                f"{file.place(name)} is no command's table", _nearest(name, commands, "[{}]")
            )
        keys = [key_of(option) for option in options_of(commands[name])]
        for key in table:
            if key not in keys:
                raise UsageError(
                    f"{file.place(name)} has '{key}', which is no setting of {name}",
                    _nearest(key.replace("_", "-"), keys, "{}"),
                )


def settings_of(command: TyperCommand, ctx: Context, file: SettingsFile | None) -> list[Setting]:
    """The settings of a command where no flag gives them.

    Raises:
        UsageError: The environment or the file holds a value of a wrong kind.
    """
    table: Mapping[str, object] = file.tables.get(command.name or "", {}) if file else {}
    place = file.place(command.name or "") if file else ""
    return [_setting(option, command, ctx, table, place) for option in options_of(command)]


def _setting(
    option: TyperOption,
    command: TyperCommand,
    ctx: Context,
    table: Mapping[str, object],
    place: str,
) -> Setting:
    key = key_of(option)
    option.envvar = variables(command, option)
    held = option.value_from_envvar(ctx)
    if held is not None:
        variable = next(name for name in option.envvar if os.environ.get(name))
        value = _converted(option, ctx, held, f"{variable} is '{os.environ[variable]}'")
        return Setting(key=key, name=option.name, value=value, origin="environment", place=variable)
    if key in table:
        where = f"{place} {key} is {_told(table[key])}"
        _check_kind(option, table[key], where)
        value = _converted(option, ctx, table[key], where)
        return Setting(key=key, name=option.name, value=value, origin="file", place=place)
    return Setting(key=key, name=option.name, value=option.default, origin="default")


def _converted(option: TyperOption, ctx: Context, value: object, where: str) -> object:
    try:
        return option.get_runtime_param().coerce(value, param=option, ctx=ctx)
    except ClickException:
        raise UsageError(where, f"give {kind_of(option)}") from None


def _check_kind(option: TyperOption, value: object, where: str) -> None:
    values = value if option.multiple and isinstance(value, list) else [value]
    wanted = _python_type(option)
    fits = all(isinstance(one, wanted) for one in values)
    # In Python, true is a number too.
    if bool not in wanted and any(isinstance(one, bool) for one in values):
        fits = False
    if option.multiple and not isinstance(value, list):
        fits = False
    if not fits:
        raise UsageError(where, f"give {kind_of(option)}")


def _python_type(option: TyperOption) -> tuple[type, ...]:
    kinds: dict[object, tuple[type, ...]] = {bool: (bool,), int: (int,), float: (int, float)}
    return kinds.get(annotation_of(option), (str,))


def kind_of(option: TyperOption) -> str:
    """What an option's value has to be, in words."""
    if option.multiple:
        return "a list of texts in quotes"
    if choices := choices_of(option):
        return "one of " + ", ".join(f'"{choice}"' for choice in choices)
    names = {bool: "true or false", int: "a whole number", float: "a number"}
    return names.get(cast(type, annotation_of(option)), "a text in quotes")


def _told(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _nearest(wrong: str, known: Iterable[str], form: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(wrong, known, n=1, cutoff=0.5)
    told = form.format(close[0]) if close else ""
    return f"did you mean {told}?" if told else "`textbatch config show` lists all"


def unknown_variables(group: TyperGroup) -> list[str]:
    """Variables that look like settings and are none.

    They are no errors: Kubernetes sets such ones for a service that has a job's name.
    """
    told = []
    for name, command in commands_of(group).items():
        known = [variables(command, option)[0] for option in options_of(command)]
        prefix = f"TEXTBATCH_{name.upper()}_"
        for variable in sorted(os.environ):
            if variable.startswith(prefix) and variable not in known:
                told.append(f"{variable} is no setting; {_nearest(variable, known, '{}')}")
    return told
