"""The file that `textbatch config init` writes."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from pathlib import Path

from textbatch.cli.settings.resolve import Settings
from textbatch.cli.settings.values import kind_of
from textbatch.options import Option

_HEAD = """\
# Settings of textbatch. Flags win over environment variables, these over this file.
#
# Each setting stands here with its default, or with nothing where it is not set. To change one,
# take the "#" before it away.
# `textbatch config show` tells what holds and why.
"""
_WIDTH = 88


def settings_text(commands: Iterable[Settings]) -> str:
    """Write all settings of all commands, as comments in TOML."""
    parts = [_HEAD]
    for settings in commands:
        parts.append(f"\n# {settings.about}\n[{settings.command}]\n")
        parts += [_entry(option, settings.variables(option)[0]) for option in settings.flags]
    return "".join(parts)


def _entry(option: Option, variable: str) -> str:
    told = f"{option.help} Takes {kind_of(option)}; {variable}."
    comment = textwrap.fill(told, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    return f"\n{comment}\n#{option.key} ={_default(option)}\n"


def _default(option: Option) -> str:
    default = option.default
    if option.many and not option.commas:
        return " []"
    if default is None:
        return ""
    if isinstance(default, str | Path) or option.kind == "text":
        return " " + json.dumps(str(default), ensure_ascii=False)
    return " " + (str(default).lower() if isinstance(default, bool) else str(default))
