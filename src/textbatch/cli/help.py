"""Help that fits into 80 columns: short words for kinds of values, choices in the text."""

from __future__ import annotations

import copy
import re
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from textbatch.cli.plain_values import take_plainly
from textbatch.options import Option

#: The word for a value in help.
_KINDS = {"whole": "N", "number": "X", "text": "TEXT", "path": "PATH", "truth": ""}


class _Helped:
    """Shows parameters in few columns, and paragraphs in lines as wide as the terminal."""

    help: str | None

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's own
        """The parts of the usage line, as in `[OPTIONS] INPUT... OUTPUT`."""
        pieces: list[str] = super().collect_usage_pieces(ctx)  # type: ignore[misc]
        names = [usage_of(argument) for argument in arguments_of(self)]
        # typer's releases differ in how they write arguments here.
        words = {"[OPTIONS]", getattr(self, "subcommand_metavar", None)}
        return [*(piece for piece in pieces if piece in words), *names]

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer's own
        """Write the help. The command is changed for it, which does no harm afterwards.

        Args:
            ctx: typer's context.
            formatter: typer's formatter.
        """
        self.help = re.sub(r"(?<!\n)\n *(?!\n)", " ", self.help or "")
        shown = [_shown(param) for param in self.get_params(ctx)]
        vars(self)["get_params"] = lambda _: shown
        super().format_help(ctx, formatter)  # type: ignore[misc]
        del vars(self)["get_params"]

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer's own
        """The parameters, whose values are texts."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            take_plainly(param)
        return params


class HelpedCommand(_Helped, TyperCommand):
    """A command."""


class HelpedGroup(_Helped, TyperGroup):
    """A group of commands."""


def arguments_of(command: Any) -> list[TyperArgument]:  # noqa: ANN401 - any of typer's commands
    """The arguments of a command, in order."""
    return [param for param in command.params if isinstance(param, TyperArgument)]


def usage_of(argument: TyperArgument) -> str:
    """An argument in the usage line: `INPUT...`, `[PATH]`."""
    name = _name_of(argument)
    return name if argument.required else f"[{name}]"


def flags_of(option: Option) -> tuple[str, ...]:
    """The flags of an option. If it can be true, false or unset, it has two."""
    if option.two_way:
        return (f"--{option.key}", f"--no-{option.key}")
    return option.flags or (f"--{option.key}",)


def metavar_of(option: Option) -> str | None:
    """The word for the value of an option in help; None for a flag without a value."""
    word = "WORD" if option.choices else _KINDS[option.kind]
    return option.metavar or word or None


def help_of(option: Option) -> str:
    """The help of an option."""
    parts = [option.help]
    if (option.many or option.repeats) and not option.argument:
        parts.append("With commas between." if option.commas else "Repeatable.")
    if option.choices:
        parts.append(f"One of {', '.join(option.choices)}.")
    if option.variable:
        parts.append(f"Also {option.variable}.")
    if default := default_of(option):
        # No brackets: typer's releases differ in what these mean in help.
        parts.append(f"(default: {default})")
    return " ".join(parts)


def default_of(option: Option) -> str:
    """The default of an option in help, or what None means."""
    default = option.default
    empty = default is ... or default is False or default in (None, "", ())
    return option.unset if empty else str(default)


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
        kind = None if param.is_flag else param.metavar or "TEXT"
        if param.secondary_opts:
            # Both on one line, because a column for the second would make all others narrow.
            shown.opts = [f"--[no-]{param.opts[0].removeprefix('--')}"]
            shown.secondary_opts = []
    vars(shown)["display_type_rich"] = lambda ctx: kind
    return shown
