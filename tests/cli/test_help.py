"""What `--help` shows, with every release of typer that is allowed."""

from __future__ import annotations

import re

import pytest

from textbatch.cli.app import app
from textbatch.options import options_of
from textbatch.scoring.config import ScoreConfig

COMMANDS = [command.name for command in app.registered_commands]
SUBCOMMANDS = [["config", "show"], ["config", "init"]]


@pytest.mark.parametrize("command", [*COMMANDS, "config", *map(" ".join, SUBCOMMANDS)])
def test_help_starts_with_one_sentence_and_an_example(command, in_process):
    shown = in_process(*command.split(), "--help", COLUMNS="200").stdout
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    assert lines[0].startswith("Usage: ")
    assert re.fullmatch(r"[A-Z][^.]*\.", lines[1])
    assert lines[2].startswith(f"Example: textbatch {command}")


def test_every_option_has_a_help_text(in_process):
    for command in [[name] for name in COMMANDS] + SUBCOMMANDS:
        shown = in_process(*command, "--help", COLUMNS="300").stdout
        options = re.findall(r"^│ \*? *(--[\w-]+).*│$", shown, re.MULTILINE)
        told = re.findall(r"^│ \*? *(--[\w-]+) .*[a-z]+ [\w-]+.*\. .*│$", shown, re.MULTILINE)
        assert options
        assert set(told) == set(options)


@pytest.mark.parametrize("command", ["", *COMMANDS, "config", *map(" ".join, SUBCOMMANDS)])
def test_help_fits_eighty_columns_and_cuts_nothing(command, in_process):
    shown = in_process(*command.split(), "--help", COLUMNS="80").stdout
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    # What is elided or broken within a word would show as one of these.
    assert "…" not in shown
    assert "list[" not in shown
    assert "<" not in shown
    example = next(line for line in lines if "Example:" in line)
    assert example.strip().startswith("Example: textbatch")
    assert lines[lines.index(example) + 1].strip() == ""


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("score", "score [OPTIONS] INPUT... OUTPUT"),
        ("vectors", "vectors [OPTIONS] INPUT... OUTPUT"),
        ("config show", "config show [OPTIONS] [COMMAND]"),
        ("", "[OPTIONS] COMMAND [ARGS]..."),
    ],
)
def test_usage_lines_name_the_arguments(command, usage, in_process):
    shown = in_process(*command.split(), "--help", COLUMNS="80").stdout
    assert shown.strip().splitlines()[0].rstrip().endswith(usage)


def test_help_names_choices_and_both_ways_of_a_switch(in_process):
    shown = " ".join(in_process("train", "--help", COLUMNS="80").stdout.replace("│", "").split())
    assert "--[no-]bidirectional Read texts" in shown
    assert "One of default, seed, large. (default: default)" in shown
    assert "--keep-vectors N " in shown


def test_arguments_are_explained_too(in_process):
    shown = in_process("score", "--help", COLUMNS="300").stdout
    for argument in (one for one in options_of(ScoreConfig) if one.argument):
        assert argument.help.split(";")[0] in shown
