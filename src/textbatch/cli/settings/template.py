"""The file that `textbatch config init` writes."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

from typer import Context
from typer.core import TyperGroup, TyperOption

from textbatch.cli.settings.resolve import commands_of, key_of, kind_of, options_of, variables

_HEAD = """\
# Settings of textbatch. Flags win over environment variables, these over this file.
#
# Each setting stands here with its default, or with nothing where it is not set. To change one,
# take the "#" before it away.
# `textbatch config show` tells what holds and why.
"""
_WIDTH = 88


def settings_text(group: TyperGroup, ctx: Context) -> str:
    """All settings of all commands as TOML comments, from the command line's own definitions."""
    parts = [_HEAD]
    for name, command in commands_of(group).items():
        about = (command.help or "").splitlines()[0]
        parts.append(f"\n# {about}\n[{name}]\n")
        parts += [_entry(option, variables(command, option)[0]) for option in options_of(command)]
    return "".join(parts)


def _entry(option: TyperOption, variable: str) -> str:
    help_ = re.sub(r" \\?\[default: .*?\]", "", option.help or "")
    told = f"{help_} Takes {kind_of(option)}; {variable}."
    comment = textwrap.fill(told, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    return f"\n{comment}\n#{key_of(option)} ={_default(option)}\n"


def _default(option: TyperOption) -> str:
    default = option.default
    if option.multiple:
        return " []"
    if default is None:
        return ""
    if isinstance(default, str | Path):
        return " " + json.dumps(str(default), ensure_ascii=False)
    return " " + (str(default).lower() if isinstance(default, bool) else str(default))
