"""Help that fits a terminal of 80 columns: short kinds of values, and choices in the text."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from textbatch.cli.click_parts import annotation_of, choices_of

_KINDS: dict[object, str] = {
    int: "N",
    float: "X",
    str: "TEXT",
    Path: "PATH",
    list[str]: "TEXT",
    list[Path]: "PATH",
}


class _Helped:
    """Shows its parameters in few columns, and its paragraphs as lines of the terminal's width."""

    help: str | None

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's own
        """The usage line's parts, as in `[OPTIONS] INPUT... OUTPUT`."""
        pieces: list[str] = super().collect_usage_pieces(ctx)  # type: ignore[misc]
        names = [usage_of(argument) for argument in arguments_of(self)]
        others = [piece for piece in pieces if piece[0] not in "{[" or piece == "[OPTIONS]"]
        return [*others, *names]

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer's own
        """Print the help; what is changed for that is of no use afterwards."""
        self.help = re.sub(r"(?<!\n)\n *(?!\n)", " ", self.help or "")
        shown = [_shown(param) for param in self.get_params(ctx)]
        vars(self)["get_params"] = lambda _: shown
        super().format_help(ctx, formatter)  # type: ignore[misc]
        del vars(self)["get_params"]

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer's own
        """The parameters."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        return params


class HelpedCommand(_Helped, TyperCommand):
    """A command."""


class HelpedGroup(_Helped, TyperGroup):
    """A group of commands."""


def arguments_of(command: Any) -> list[TyperArgument]:  # noqa: ANN401 - any of typer's commands
    """A command's arguments, in order."""
    return [param for param in command.params if isinstance(param, TyperArgument)]


def usage_of(argument: TyperArgument) -> str:
    """An argument as the usage line shows it: `INPUT...`, `[PATH]`."""
    name = _name_of(argument)
    return name if argument.required else f"[{name}]"


def _name_of(argument: TyperArgument) -> str:
    name = argument.name.removesuffix("s") if argument.nargs == -1 else argument.name
    return name.upper() + ("..." if argument.nargs == -1 else "")


def _shown(param: Any) -> Any:  # noqa: ANN401 - any of typer's parameters
    """A parameter as help shows it."""
    shown = copy.copy(param)
    kind = None
    if isinstance(param, TyperArgument):
        shown.metavar = _name_of(param)
    elif isinstance(param, TyperOption):
        kind = _kind_of(param)
        choices = choices_of(param)
        if choices and shown.help:
            shown.help += f" One of {', '.join(map(str, choices))}."
        if param.secondary_opts:
            # Both on one line: a column for the second would narrow all others.
            shown.opts = [f"--[no-]{param.opts[0].removeprefix('--')}"]
            shown.secondary_opts = []
    vars(shown)["display_type_rich"] = lambda ctx: kind
    return shown


def _kind_of(option: TyperOption) -> str | None:
    if option.is_flag:
        return None
    if option.metavar:
        return option.metavar
    return "WORD" if choices_of(option) else _KINDS.get(annotation_of(option), "TEXT")
