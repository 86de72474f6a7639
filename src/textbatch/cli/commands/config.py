"""`textbatch config`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textbatch.cli.command import Given, add_command, file_of, settings_beside
from textbatch.cli.console import log, print_json, print_line, results, told_if_possible
from textbatch.cli.help import HelpedGroup
from textbatch.cli.options import JsonOptions
from textbatch.cli.settings.file import SETTINGS_FILE
from textbatch.cli.settings.resolve import Setting, check_names, unknown_variables
from textbatch.cli.settings.template import settings_text
from textbatch.errors import OutputError, UsageError, printable
from textbatch.options import Options, option, options
from textbatch.options.credentials import quoted

if TYPE_CHECKING:
    from rich.table import Table

config_app = typer.Typer(
    cls=HelpedGroup,
    help="Show where settings come from, or write a file of all of them.\n\n"
    "Example: textbatch config show score",
    no_args_is_help=True,
)


@options
class ShowCommand(JsonOptions):
    """What `textbatch config show` takes."""

    command: str | None = option("Only this command's settings.", default=None, argument=True)


@options
class InitCommand(Options):
    """What `textbatch config init` takes."""

    path: Path = option("File to write.", default=SETTINGS_FILE, argument=True, use="written")


def show_command(given: Given[ShowCommand]) -> None:
    """Tell the value and the origin of every setting.

    Example: textbatch config show score

    A flag would win over an environment variable, that one over the settings file, that one
    over the default.
    """
    config = given.made()
    commands = settings_beside(given.context)
    if config.command is not None and config.command not in commands:
        raise UsageError(
            f"there is no command {quoted(config.command)}",
            f"take one of {', '.join(sorted(commands))}",
        )
    file = file_of(given.context)
    if file:
        check_names(file, commands)
    found = {
        name: one.found(file) for name, one in commands.items() if config.command in (None, name)
    }
    for warning in unknown_variables(commands):
        log(f"warning: {warning}")
    path = str(file.path) if file else None
    if config.json:
        told = {
            name: {one.option.key: _record(one) for one in all_} for name, all_ in found.items()
        }
        print_json({"file": path, "settings": told})
        return
    print_line(f"settings file: {path or 'none'}")
    for name, settings in found.items():
        results.print(_table(name, settings))


def init_command(given: Given[InitCommand]) -> None:
    """Write a settings file that explains every setting, each at its default.

    Example: textbatch config init

    All of its lines are comments: take the # away where you want another value. An existing file
    is left alone.
    """
    from textbatch.report.files import write_whole

    path = given.made().path
    if path.exists():
        raise OutputError(f"{path} exists", "remove it, or name another file")
    write_whole(path, settings_text(settings_beside(given.context).values()))
    with told_if_possible():
        print_line(f"{path}: all settings, as comments")


add_command(config_app, "show", ShowCommand, show_command, flags_only=True)
add_command(config_app, "init", InitCommand, init_command, flags_only=True)


def _record(setting: Setting) -> dict[str, Any]:
    return {"value": _plain(_value(setting)), "origin": setting.origin, "place": setting.place}


def _value(setting: Setting) -> object:
    return setting.option.made(setting.value)


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON takes
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, int | float) else str(value)


def _table(command: str, settings: list[Setting]) -> Table:
    # Here, not at the top: `--help` must be quick.
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in (command, "value", "origin"):
        table.add_column(Text(heading), overflow="fold")
    for one in settings:
        changed = "bold" if one.place else ""
        told = printable(_words(_plain(_value(one))))
        origin = printable(one.place or one.origin)
        table.add_row(*(Text(text, style=changed) for text in (one.option.key, told, origin)))
    return table


def _words(value: Any) -> str:  # noqa: ANN401 - what `_plain` gives
    if value in (None, "", []):
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
