from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
import typer

from textbatch.cli.help import HelpedCommand, HelpedGroup


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], (None, None, [], None)),
        (["a"], (None, "a", [], None)),
        (["--config", "x", "a", "b", "c"], (Path("x"), "a", ["b", "c"], None)),
        (["a", "--model", "m", "--model", "n=o"], (None, "a", [], ["m", "n=o"])),
        (["--model", "", "", "", ""], (None, "", ["", ""], [""])),
    ],
    ids=str,
)
def test_values_arrive_as_typer_gives_them(arguments, expected):
    app = typer.Typer(cls=HelpedGroup)
    found = []

    @app.callback()
    def group(config: Path | None = None) -> None:
        found.append(config)

    @app.command("run", cls=HelpedCommand)
    def run(
        first: Annotated[str | None, typer.Argument()] = None,
        others: Annotated[list[str] | None, typer.Argument()] = None,
        model: Annotated[list[str] | None, typer.Option()] = None,
    ) -> None:
        found.extend((first, list(others or ()), list(model) if model else None))

    before = arguments[:2] if arguments[:1] == ["--config"] else []
    app([*before, "run", *arguments[len(before) :]], standalone_mode=False)
    assert tuple(found) == expected


def test_a_value_of_another_kind_is_still_checked(in_process):
    assert in_process("predict", "a", TEXTBATCH_DEBUG="perhaps").returncode == 2
