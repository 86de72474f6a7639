"""Numbers that no option takes: each option with a number, a size or a share, of every command."""

from __future__ import annotations

import resource

import pytest
from typer.main import get_command

from textbatch.cli.app import app
from textbatch.cli.command import settings_in
from textbatch.options import Option, options_of

#: Texts that are numbers all the same.
SIZES = ("max_memory", "max_bad_rows")
COMMANDS = settings_in(get_command(app))
OPTIONS = [
    (command, option)
    for command, settings in COMMANDS.items()
    for option in options_of(settings.options)
    if option.kind in ("whole", "number") or option.name in SIZES
]
ODD = ("nan", "-inf", "1e400", "9" * 5000, "-" + "9" * 30, "", "1\n2", "\u06f3\u00b2")
SIZES_ODD = ("999999999999999G", "9999999999999G", "nan%", "1e400%", "-0.1%")


def odd_of(option: Option) -> tuple[str, ...]:
    if option.low is None or option.high is None:
        return ODD + SIZES_ODD
    beyond = (option.low - 1, option.high + 1)
    return (*ODD, *(str(int(one) if option.kind == "whole" else one) for one in beyond))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("text,label\nrefund my card,a\n")
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    yield tmp_path
    assert resource.getrlimit(resource.RLIMIT_DATA) == limits


def line_of(command: str, option: Option, value: str) -> list[str]:
    own = options_of(COMMANDS[command].options)
    names = ["in.csv" if one.use != "written" else "out.parquet" for one in own if one.argument]
    return [command, *names, f"--{option.key}={value}"]


@pytest.mark.parametrize(
    ("command", "option"), OPTIONS, ids=[f"{command} {option.name}" for command, option in OPTIONS]
)
def test_a_number_that_is_none_or_out_of_range_is_told_in_one_line(
    command, option, here, in_process
):
    for value in odd_of(option):
        done = in_process(*line_of(command, option, value))
        assert done.returncode == 2, (value[:40], done.stderr)
        assert done.stderr.startswith("textbatch: error[Usage]: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert len(done.stderr) < 2100
        assert [path.name for path in here.iterdir()] == ["in.csv"]
