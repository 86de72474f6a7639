"""No place of a command is written that has another use: all commands, all options, all places."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from textbatch.cli.app import app
from textbatch.cli.command import settings_in
from textbatch.data.storage.location import Location
from textbatch.errors import PlaceTakenError
from textbatch.options import Option, options_of

COMMANDS = settings_in(get_command(app))
#: What a command needs besides.
ALWAYS = {"import": {"keras": "none/keras", "tokenizer": "none/tokenizer"}}
#: What does not go with other options of the command.
BESIDE = {"diff": {"on", "quarantine"}}
#: What stands in the places of all options, by the name of the option; other places are files.
FOLDERS = {
    "inputs": ("a.parquet", "deep/b.parquet"),
    "model": ("manifest.json", "labels.json"),
    "output": ("_SUCCESS", "_manifest.jsonl", "part.parquet"),
    "study": ("study.db", "best.toml"),
    "work_dir": ("outputs/0123456789abcdef/out.parquet",),
    "cache": ("answers-1.sqlite",),
    "folder": ("tickets-labelled.parquet",),
}
SPELLINGS = ("as it is", "relative", "around", "linked", "hard linked", "uri")


def places_of(command: str) -> dict[str, Option]:
    return {one.name: one for one in options_of(COMMANDS[command].options) if one.use}


def names_what_it_writes(option: Option) -> bool:
    """Whether the option's own path is written, and not only what lies below it."""
    return option.use == "written" and option.name not in ("study", "work_dir", "cache")


PAIRS = [
    (command, written, other)
    for command in COMMANDS
    for written, option in places_of(command).items()
    if names_what_it_writes(option)
    for other in [*places_of(command), "settings file"]
    if other != written
]


def make(folder: Path, name: str) -> Path:
    """Make what stands in the place of an option."""
    place = folder / "world" / name.replace("_", "-")
    for inner in FOLDERS.get(name, ("",)):
        file = place / inner if inner else place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"precious " + inner.encode())
    return place


def targets_of(place: Path, option: Option | None) -> Iterator[Path]:
    """All places that must be spared for an option: its own, and all files that may be in them."""
    written = option.writes(place) if option and option.writes else (place,)
    for one in written:
        yield one
        if one.is_dir() or one.name.startswith(".") or one.name == "outputs":
            yield one / "new"
        if one.is_dir():
            yield from (path for path in one.rglob("*") if path.is_file())
    if option and names_what_it_writes(option):
        yield place.parent / f".{place.name}.0123456789abcdef.tmp"


def spelled(target: Path, how: str, folder: Path) -> str | None:
    """Another name of a place; None if it cannot have such a one."""
    link = folder / "link"
    if how == "relative":
        return os.path.relpath(target)
    if how == "around":
        return f"{target.parent}/../{target.parent.name}//{target.name}"
    if how == "linked":
        link.symlink_to(target)
        return str(link)
    if how == "hard linked":
        if not target.is_file():
            return None
        link.hardlink_to(target)
        return str(link)
    return f"file://{target}" if how == "uri" else str(target)


def content(path: Path) -> object:
    if path.is_symlink():
        return path.readlink()
    return path.read_bytes() if path.is_file() else None


def everything(folder: Path) -> dict[str, object]:
    return {os.path.relpath(path, folder): content(path) for path in folder.rglob("*")}


def line_of(command: str, values: dict[str, str | Path]) -> list[str]:
    """The command line that gives options their values."""
    words: list[str] = []
    values = {**ALWAYS.get(command, {}), **values}
    for name, option in places_of(command).items():
        if option.argument:
            words.append(str(values.get(name, f"none/{name}")))
        elif name in values:
            words += [f"--{option.key}", str(values[name])]
    return [command, *words]


@pytest.fixture
def run(in_process, tmp_path, monkeypatch):
    """Runs a command, for which no extra is installed."""

    def missing(what: str, extra: str) -> None:
        raise AssertionError((what, extra))

    monkeypatch.setattr("textbatch.cli.command.require_extra", missing)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return in_process


@pytest.mark.parametrize(
    ("command", "written", "other"), PAIRS, ids=[" ".join(one) for one in PAIRS]
)
def test_no_option_writes_where_another_one_has_its_place(command, written, other, run, tmp_path):
    options = places_of(command)
    place = make(tmp_path, other)
    option = options.get(other)
    shown = {options[written].shown, option.shown if option else "the settings file"}
    given = {other: place} if option else {}
    config = () if option else ("--config", place)
    if not option:
        place.write_text("")
    for number, target in enumerate(dict.fromkeys(targets_of(place, option))):
        # Each target in one other spelling, so that all come in turn; the first in all.
        for how in SPELLINGS if number == 0 else (SPELLINGS[number % len(SPELLINGS)],):
            value = spelled(target, how, tmp_path)
            if value is None:
                continue
            before = everything(tmp_path)
            done = run(*config, *line_of(command, {**given, written: value}))
            told = (how, value, done.stderr)
            assert everything(tmp_path) == before, told
            assert done.returncode == 64, told
            assert done.stderr.startswith("textbatch: error[Conflict]: "), told
            assert done.stderr.count("\n") == 1, told
            assert all(name in done.stderr for name in shown), told
            (tmp_path / "link").unlink(missing_ok=True)


def test_every_option_with_a_path_says_what_is_done_with_it():
    for settings in COMMANDS.values():
        for option in options_of(settings.options):
            assert bool(option.use) == (option.kind == "path"), option.name


FIXED = {
    "study": ("tune", "study.db"),
    "work_dir": ("score", "outputs"),
    "cache": ("score", "answers-1.sqlite"),
}


@pytest.mark.parametrize("name", FIXED)
def test_what_an_option_writes_below_its_folder_is_spared_too(name, run, tmp_path):
    command, below = FIXED[name]
    source = tmp_path / "folder" / below
    source.parent.mkdir()
    source.write_bytes(b"precious")
    before = everything(tmp_path)
    done = run(*line_of(command, {"inputs": source, name: source.parent}))
    assert done.returncode == 64, done.stderr
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    ("output", "beside"),
    [
        ("out.csv", "_out.csv.seal.json"),
        ("out.csv", ".out.csv.textbatch/lock"),
        ("out.parquet", ".out.parquet.textbatch"),
        ("folder/", ".folder.textbatch/parts"),
    ],
)
def test_what_lies_beside_an_output_is_spared_too(output, beside, run, tmp_path):
    place = tmp_path / "here" / beside
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(b"precious")
    for words in (("in.csv", output, "--report", beside), (beside, output)):
        done = run("score", *words)
        assert done.returncode == 64, done.stderr
        assert "the output" in done.stderr
        assert place.read_bytes() == b"precious"


@pytest.mark.parametrize("command", COMMANDS)
def test_places_that_lie_apart_are_no_conflict(command, in_process, tmp_path, monkeypatch):
    """So the tests above do not pass because everything is refused."""
    monkeypatch.setattr("textbatch.cli.command.require_extra", lambda what, extra: 1 / 0)
    names = places_of(command).keys() - BESIDE.get(command, set())
    values = {name: make(tmp_path, name) for name in places_of(command) if name in names}
    assert in_process(*line_of(command, values)).returncode != 64


def python_jobs() -> dict[str, object]:
    from textbatch.scoring.config import EvaluateConfig, ScoreConfig
    from textbatch.scoring.evaluate import evaluate
    from textbatch.scoring.score import score
    from textbatch.training.audit import audit
    from textbatch.training.config.audit import AuditConfig
    from textbatch.training.config.train import TrainConfig
    from textbatch.training.config.tune import TuneConfig
    from textbatch.training.config.vectors import VectorsConfig
    from textbatch.training.import_keras import adopt
    from textbatch.training.train import train
    from textbatch.training.tune import tune
    from textbatch.training.vectors import train_vectors

    return {
        "score": (score, ScoreConfig),
        "evaluate": (evaluate, EvaluateConfig),
        "train": (train, TrainConfig),
        "adopt": (lambda config: adopt(None, [], config), TrainConfig),
        "tune": (tune, TuneConfig),
        "audit": (audit, AuditConfig),
        "vectors": (train_vectors, VectorsConfig),
    }


@pytest.mark.parametrize(
    "name", ["score", "evaluate", "train", "adopt", "tune", "audit", "vectors"]
)
def test_python_functions_check_all_places_too(name, tmp_path):
    function, kind = python_jobs()[name]
    source = tmp_path / "in.vec"
    source.write_bytes(b"precious")
    other = tmp_path / "other.parquet"
    values: dict[str, Location] = {"validation": other, "test": other}
    values |= {"output": source} if name == "vectors" else {"output": other, "report": source}
    before = everything(tmp_path)
    with pytest.raises(PlaceTakenError, match=r"in\.vec is the input .*in\.vec"):
        function(kind.given({"inputs": source, **values}))
    assert everything(tmp_path) == before
