"""`textbatch config`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.core import TyperGroup

from textbatch.cli.console import print_json, print_line, results, say
from textbatch.cli.help import HelpedCommand, HelpedGroup
from textbatch.cli.options import JsonOption
from textbatch.cli.settings.file import SETTINGS_FILE
from textbatch.cli.settings.resolve import (
    Setting,
    check_names,
    commands_of,
    file_of,
    settings_of,
    unknown_variables,
)
from textbatch.cli.settings.template import settings_text
from textbatch.errors import OutputError, UsageError, printable, redacted

if TYPE_CHECKING:
    from rich.table import Table

config_app = typer.Typer(
    cls=HelpedGroup,
    help="Show where settings come from, or write a file of all of them.\n\n"
    "Example: textbatch config show score",
    no_args_is_help=True,
)


@config_app.command("show", cls=HelpedCommand)
def show_command(
    ctx: typer.Context,
    command: Annotated[str | None, typer.Argument(help="Only this command's settings.")] = None,
    json: JsonOption = False,
) -> None:
    """Tell the value and the origin of every setting.

    Example: textbatch config show score

    A flag would win over an environment variable, that one over the settings file, that one
    over the default.
    """
    group = cast(TyperGroup, ctx.find_root().command)
    commands = commands_of(group)
    if command is not None and command not in commands:
        raise UsageError(
            f"there is no command '{command}'", f"take one of {', '.join(sorted(commands))}"
        )
    file = file_of(ctx)
    if file:
        check_names(file, group)
    found = {
        name: settings_of(one, ctx, file)
        for name, one in commands.items()
        if command in (None, name)
    }
    for warning in unknown_variables(group):
        say(f"warning: {warning}")
    path = redacted(str(file.path)) if file else None
    if json:
        told = {name: {one.key: _record(one) for one in all_} for name, all_ in found.items()}
        print_json({"file": path, "settings": told})
        return
    print_line(f"settings file: {path or 'none'}")
    for name, settings in found.items():
        results.print(_table(name, settings))


@config_app.command("init", cls=HelpedCommand)
def init_command(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="File to write.")] = SETTINGS_FILE,
) -> None:
    """Write a settings file that explains every setting, each at its default.

    Example: textbatch config init

    All of its lines are comments: take the # away where you want another value. An existing file
    is left alone.
    """
    from textbatch.report.files import write_whole

    if path.exists():
        raise OutputError(f"{path} exists", "remove it, or name another file")
    write_whole(path, settings_text(cast(TyperGroup, ctx.find_root().command), ctx))
    print_line(f"{path}: all settings, as comments")


def _record(setting: Setting) -> dict[str, Any]:
    return {"value": _plain(setting.value), "origin": setting.origin, "place": setting.place}


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON takes
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return redacted(str(value)) if isinstance(value, str | Path) else value


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
        told = printable(_words(_plain(one.value)))
        origin = printable(one.place or one.origin)
        table.add_row(*(Text(text, style=changed) for text in (one.key, told, origin)))
    return table


def _words(value: Any) -> str:  # noqa: ANN401 - what `_plain` gives
    if value is None or value == "":
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
