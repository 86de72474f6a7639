"""Paths that no file can have, and unusual ones that files do have: all options with a path."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.main import get_command

from textbatch.cli.app import app
from textbatch.cli.command import settings_in
from textbatch.options import Option, options_of
from textbatch.training.config.train import checkpoint_of, out_of_fold_of

OPTIONS = [
    (command, option)
    for command, settings in settings_in(get_command(app)).items()
    for option in options_of(settings.options)
    if option.use
]
#: What a name must end in, where a command asks for it.
ENDS = {
    ("audit", "output"): ".csv",
    ("review", "output"): ".csv",
    ("calibrate", "output"): ".csv",
    ("vectors", "output"): ".vec",
    ("export", "output"): ".onnx",
    ("score", "metrics_file"): ".prom",
    ("finish", "metrics_file"): ".prom",
}
#: What a command needs besides.
ALWAYS = {"import": ("--keras", "in.csv", "--tokenizer", "in.csv"), "promote": ("--to", "out")}
#: What else an option needs.
NEEDS = {
    "out_of_fold": ("--folds", "5"),
    "template_file": ("--augment", "templates"),
    "synonyms": ("--augment", "synonyms"),
    "words": ("--algorithm", "fasttext"),
    "old_rows": ("--update", "in.csv"),
}
ODD = {
    "a name of 300 bytes": "x" * 300,
    "a path of 5,000 bytes": "y" * 5000,
    "a name of 300 bytes above": f"{'x' * 300}/z",
    "200 letters of 2 bytes": "é" * 200,
    "a ring of links": "loop",
    "below a file": "file/z",
}
ROWS = pa.table({"text": pa.array([b"refund my card", b"caf\xff"], pa.binary())})


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "in.csv").write_text("text,label\nrefund my card,a\n")
    (folder / "file").touch()
    (folder / "loop").symlink_to("loop")
    (folder / "loop.csv").symlink_to("loop.csv")
    (folder / "loop.vec").symlink_to("loop.vec")
    (folder / "loop.prom").symlink_to("loop.prom")
    (folder / "loop.onnx").symlink_to("loop.onnx")
    return folder


def line_of(command: str, option: Option, value: str) -> list[str]:
    """The command line that gives an option this value."""
    words = [] if option.argument else [f"--{option.key}", value, *NEEDS.get(option.name, ())]
    for one in options_of(settings_in(get_command(app))[command].options):
        if one.argument:
            usual = (
                "in.csv"
                if one.use == "read" or not one.use
                else f"new{ENDS.get((command, one.name), '.csv')}"
            )
            words.append(value if one is option or one.name == option.name else usual)
    return [command, *ALWAYS.get(command, ()), *words]


def state(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("command", "option"), OPTIONS, ids=[f"{command} {option.name}" for command, option in OPTIONS]
)
def test_a_path_that_no_file_can_have_is_told_in_one_line(command, option, odd, here, in_process):
    before = state(here)
    value = ODD[odd] + ENDS.get((command, option.name), "")
    done = in_process(*line_of(command, option, value))
    assert done.returncode == (68 if option.use == "read" else 73), done.stderr
    assert done.stderr.startswith("textbatch: error["), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert state(here) == before


@pytest.mark.parametrize(
    ("command", "option"), OPTIONS, ids=[f"{command} {option.name}" for command, option in OPTIONS]
)
def test_an_empty_path_and_a_removed_current_directory_are_told(
    command, option, here, in_process, monkeypatch
):
    done = in_process(*line_of(command, option, ""))
    assert done.returncode == 2, done.stderr
    assert f"{option.shown} is an empty text; give a path" in done.stderr
    gone = here / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    done = in_process(*line_of(command, option, f"x{ENDS.get((command, option.name), '')}"))
    # A command that writes nothing may first miss its model.
    assert done.returncode in (66, 68), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize("place", [".", "./", "..", "/"])
def test_folders_that_are_there_are_no_output_by_mistake(
    place, model, tmp_path, in_process, monkeypatch
):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    pq.write_table(pa.table({"text": ["refund"]}), tmp_path / "in.parquet")
    done = in_process("score", tmp_path / "in.parquet", place, "--model", model)
    if place in (".", "./"):
        assert done.returncode == 0, done.stderr
        assert state(below) == ["_SUCCESS", "_manifest.jsonl", "in.parquet"]
        assert state(below.parent) == ["b"]
        return
    # Other things are in these: nothing of them is touched.
    assert done.returncode in (64, 73), done.stderr
    assert state(below.parent) == ["b"]
    assert state(below) == []


def test_names_that_are_not_utf_8_are_names_like_any_others(model, tmp_path, in_process):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    odd.mkdir()
    (odd / "model").symlink_to(model)
    names = {
        name: odd / os.fsdecode(b"\xff" + name.encode())
        for name in ("i.csv", "o.csv", "r", "q", "h")
    }
    names["i.csv"].write_text("text\nrefund\n")
    flags = ("--report", names["r"], "--quarantine", names["q"], "--html", names["h"])
    done = in_process("score", names["i.csv"], names["o.csv"], "--model", odd / "model", *flags)
    assert done.returncode == 0, done.stderr
    assert all(name.is_file() for name in names.values())
    assert in_process("verify", names["o.csv"]).returncode == 0
    done = in_process(
        "score", odd / "nowhere", odd / "new.csv", "--model", model, "--report", names["r"]
    )
    assert done.returncode == 68, done.stderr
    assert "nowhere" in names["r"].read_text()


def test_names_of_255_bytes_are_names_like_any_others(model, tmp_path, in_process):
    def longest(ending: str) -> Path:
        return tmp_path / ("é" * ((255 - len(ending)) // 2) + ending)

    pq.write_table(ROWS, tmp_path / "in.parquet")
    flags = {
        "--report": longest(".json"),
        "--quarantine": longest(".jsonl"),
        "--html": longest(".html"),
        "--metrics-file": longest(".prom"),
    }
    asked = [word for pair in flags.items() for word in pair]
    for output in (longest(".parquet"), tmp_path / ("y" * 247 + ".parquet")):
        line = ("score", tmp_path / "in.parquet", output, "--model", model, "--max-bad-rows", "1")
        assert (done := in_process(*line, *asked)).returncode == 0, done.stderr
        assert output.is_file()
        assert in_process("verify", output).returncode == 0
    assert all(path.is_file() for path in flags.values())
    folder = longest("")
    done = in_process(
        "score", tmp_path / "in.parquet", f"{folder}/", "--model", model, "--max-bad-rows", "1"
    )
    assert done.returncode == 0, done.stderr
    assert state(folder) == ["_SUCCESS", "_manifest.jsonl", "in.parquet"]
    assert not list(tmp_path.glob(".*"))


def test_a_model_s_name_may_have_255_bytes(tmp_path):
    model = tmp_path / ("m" * 255)
    checkpoint_of(model).mkdir()
    for root in (Path("/"), Path("..")):
        assert checkpoint_of(root).is_absolute()
        assert out_of_fold_of(root).is_absolute()


def test_files_behind_proc_are_replaced_whole(model, tmp_path, in_process, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"text": ["refund"]}), "in.parquet")
    report = tmp_path / "r.json"
    report.write_text('{"schema_version": 1}' + " " * 100_000)
    line = ("score", "in.parquet", "out.parquet", "--model", model)
    assert in_process(*line, "--report", "/proc/self/cwd/r.json").returncode == 0
    assert report.stat().st_size < 100_000


@pytest.mark.parametrize("several", [False, True])
def test_all_files_of_a_run_keep_mode_and_owner(several, model, tmp_path, in_process):
    source = tmp_path / "in"
    source.mkdir()
    pq.write_table(ROWS, source / "a.parquet")
    output = tmp_path / "out.parquet"
    aside = tmp_path / "aside"
    places = {
        "report": tmp_path / "r.json",
        "html": tmp_path / "h.html",
        "metrics-file": tmp_path / "m.prom",
    }
    line = ["score", source, tmp_path / "out", "--quarantine", aside]
    if not several:
        line = ["score", source / "a.parquet", output, "--quarantine", aside]
    line += ["--model", model, "--overwrite", "--max-bad-rows", "1"]
    line += [word for name, place in places.items() for word in (f"--{name}", place)]
    assert (done := in_process(*line)).returncode == 0, done.stderr
    written = [
        path for path in tmp_path.rglob("*") if path.is_file() and source not in path.parents
    ]
    assert len(written) == (7 if several else 5), written
    before = {path: path.stat().st_ino for path in written}
    for path in written:
        path.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(path, 12345, 54321)
    pq.write_table(pa.concat_tables([ROWS, ROWS]), source / "a.parquet")
    line[line.index("1")] = "2"
    assert (done := in_process(*line)).returncode == 0, done.stderr
    for path in written:
        found = path.stat()
        assert found.st_ino != before[path], path
        assert stat.S_IMODE(found.st_mode) == 0o600, path
        if os.geteuid() == 0:
            assert (found.st_uid, found.st_gid) == (12345, 54321), path
