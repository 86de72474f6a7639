"""A command whose options are also read from the environment and a settings file."""

from __future__ import annotations

from typing import Any

from typer import Context
from typer.core import TyperGroup

from textbatch.cli.click_parts import ParameterSource
from textbatch.cli.help import HelpedCommand
from textbatch.cli.settings.resolve import (
    check_names,
    file_of,
    key_of,
    options_of,
    settings_of,
    variables,
)
from textbatch.errors import ConflictError, UsageError


class Command(HelpedCommand):
    """Takes a setting from its flag, else the environment, else the file, else the default."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
        """Parse flags; check what stands in for those that are missing.

        Raises:
            UsageError: A variable or the settings file holds what is no such setting.
        """
        for option in options_of(self):
            option.show_envvar = False  # each has one, and a help text for all is long enough
            option.envvar = variables(self, option)
        # Help must come even where the file is broken.
        asked = set(args[: args.index("--")] if "--" in args else args)
        if not (ctx.resilient_parsing or asked & set(ctx.help_option_names)):
            self._read_settings(ctx)
        return super().parse_args(ctx, args)

    def _read_settings(self, ctx: Context) -> None:
        file = file_of(ctx)
        if file and ctx.parent and isinstance(ctx.parent.command, TyperGroup):
            check_names(file, ctx.parent.command)
        found = settings_of(self, ctx, file)
        ctx.default_map = {one.name: one.value for one in found if one.origin == "file"}
        ctx.obj = {one.key: one.where for one in found if one.place}

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's own
        """Run the command; an error about a setting that no flag gave tells where it comes from.

        Raises:
            UsageError: As the command does.
            ConflictError: As the command does.
        """
        try:
            return super().invoke(ctx)
        except (UsageError, ConflictError) as error:
            for option in options_of(self):
                place = (ctx.obj or {}).get(key_of(option))
                given = ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
                if place and not given and f"--{key_of(option)}" in error.what.split():
                    error.what += f" (set in {place})"
            raise
