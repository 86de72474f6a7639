"""A new option: one field is all that it takes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from textbatch.cli.command import Given, add_command, settings_in
from textbatch.cli.help import HelpedGroup
from textbatch.cli.score_options import ScoreCommand
from textbatch.cli.settings.template import settings_text
from textbatch.errors import ConflictError, UsageError
from textbatch.options import option, options


@options
class Variant(ScoreCommand):
    """All that `score` takes, and one option more."""

    greyness: int = option("How grey the output is.", default=3, low=1, high=9)


class Line:
    """A command line with the variant, and what its command was given."""

    def __init__(self) -> None:
        self.seen: list[Variant] = []
        self.app = typer.Typer(cls=HelpedGroup)
        add_command(self.app, "score", Variant, self.run)
        self.app.callback()(lambda config=None: None)

    def run(self, given: Given[Variant]) -> None:
        """Score.

        Example: textbatch score in out
        """
        self.seen.append(given.made())

    def __call__(self, *words: str) -> str:
        done = CliRunner().invoke(self.app, ["score", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    def greyness(self, *words: str) -> int:
        self(*words, "in.csv", "out")
        return self.seen[-1].greyness


@pytest.fixture
def line(tmp_path, monkeypatch) -> Line:
    monkeypatch.chdir(tmp_path)
    return Line()


@pytest.fixture(scope="module")
def reference():
    path = Path(__file__).parents[2] / "tools" / "reference.py"
    spec = importlib.util.spec_from_file_location("reference", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_flag_variable_file_and_default_give_a_new_option(line, monkeypatch):
    assert line.greyness() == 3
    Path("textbatch.toml").write_text("[score]\ngreyness = 5\n")
    assert line.greyness() == 5
    monkeypatch.setenv("TEXTBATCH_SCORE_GREYNESS", "6")
    assert line.greyness() == 6
    assert line.greyness("--greyness", "7") == 7


def test_help_settings_file_and_reference_tell_of_a_new_option(line, reference, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    told = " ".join(line("--help").replace("│", " ").split())
    assert "--greyness N How grey the output is. (default: 3)" in told
    group = get_command(line.app)
    assert isinstance(group, TyperGroup)
    text = settings_text(settings_in(group).values())
    assert "\n# How grey the output is. Takes a whole number; TEXTBATCH_SCORE_GREYNESS.\n" in text
    assert "\n#greyness = 3\n" in text
    row = (
        "| `--greyness` | How grey the output is. From 1 to 9. | `3` | `TEXTBATCH_SCORE_GREYNESS` |"
    )
    assert row in reference.command_text(group.commands["score"], "score")


def test_a_new_option_is_checked_wherever_it_comes_from(line, monkeypatch):
    with pytest.raises(UsageError, match="--greyness is 10, outside 1 to 9"):
        line.greyness("--greyness", "10")
    with pytest.raises(UsageError, match="does not fit; give a whole number; see `textbatch score"):
        line.greyness("--greyness", "dark")
    monkeypatch.setenv("TEXTBATCH_SCORE_GREYNESS", "0")
    with pytest.raises(UsageError, match=r"\(set in TEXTBATCH_SCORE_GREYNESS\)"):
        line.greyness()
    with pytest.raises(UsageError, match="--greyness is 0"):
        Variant(inputs=(Path("in.csv"),), output=Path("out"), greyness=0)


def test_a_new_option_makes_another_job_of_the_same_input(line):
    line.greyness()
    line.greyness("--greyness", "7", "--threads", "1", "--chunk-rows", "9", "--json")
    plain, odd = line.seen
    assert (plain.decisive(), odd.decisive()) == ({}, {"greyness": 7})


@pytest.mark.parametrize(
    ("flags", "environment", "file", "wanted"),
    [
        ("", {}, "overwrite = true", "replace"),
        ("--if-exists skip", {}, "overwrite = true", "skip"),
        ("--overwrite", {}, "if-exists = 'skip'", "replace"),
        ("", {"OVERWRITE": "0"}, "overwrite = true", "fail"),
        ("", {"OVERWRITE": "1"}, "if-exists = 'skip'", "replace"),
        ("", {"IF_EXISTS": "skip"}, "overwrite = true", "skip"),
        ("--overwrite --if-exists replace", {}, "", "replace"),
        ("--overwrite --if-exists skip", {}, "", None),
        ("--overwrite --if-exists fail", {}, "", None),
        ("", {}, "overwrite = true\nif-exists = 'skip'", None),
    ],
)
def test_of_an_option_and_its_short_form_the_nearer_one_counts(
    flags, environment, file, wanted, line, monkeypatch
):
    Path("textbatch.toml").write_text(f"[score]\n{file}\n")
    for name, value in environment.items():
        monkeypatch.setenv(f"TEXTBATCH_SCORE_{name}", value)
    if wanted is None:
        with pytest.raises(ConflictError, match="--overwrite contradicts --if-exists"):
            line.greyness(*flags.split())
        return
    line.greyness(*flags.split())
    assert line.seen[-1].if_exists == wanted
