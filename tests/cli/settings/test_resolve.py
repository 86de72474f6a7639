"""Settings files and environment variables."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from support.bundles import run_cli
from typer.main import get_command

from textbatch.cli.app import app
from textbatch.cli.command import settings_in

COMMANDS = settings_in(get_command(app))


@pytest.fixture(autouse=True)
def in_this_process(in_process, monkeypatch):
    """A start takes half a second, and settings need none."""
    monkeypatch.setitem(globals(), "run_cli", in_process)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """A working directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TEXTBATCH_MODEL", raising=False)
    return tmp_path


def shown(key: str, command: str = "score", **environment: str) -> tuple[object, str, str]:
    run = run_cli("config", "show", command, "--json", **environment)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)["settings"][command][key]
    return found["value"], found["origin"], found["place"]


def refused(*arguments: str, code: int = 2, **environment: str) -> str:
    run = run_cli(*arguments, **environment)
    assert run.returncode == code, run.stderr
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    return run.stderr


def test_flag_beats_environment_beats_file_beats_default(folder, input_file, model):
    assert shown("top-k") == (0, "default", "")
    settings = folder / "textbatch.toml"
    settings.write_text(f'[score]\ntop-k = 1\nmodel = "{model}"\n')
    assert shown("top-k") == (1, "file", "textbatch.toml [score]")
    variable = {"TEXTBATCH_SCORE_TOP_K": "2"}
    assert shown("top-k", **variable) == (2, "environment", "TEXTBATCH_SCORE_TOP_K")
    settings_report = folder / "report.json"
    for flags, environment, wanted in (
        ([], {}, 1),
        ([], variable, 2),
        (["--top-k", "3"], variable, 3),
    ):
        arguments = ["score", input_file, "out.parquet", "--overwrite", *flags]
        run = run_cli(*arguments, "--report", settings_report, **environment)
        assert run.returncode == 0, run.stderr
        described = run_cli("inspect", "out.parquet", "--json").stdout
        assert "top_labels" in described
        import pyarrow.parquet as pq

        lists = pq.read_table("out.parquet", columns=["top_labels"])[0].drop_null()
        assert {len(row) for row in lists.to_pylist()} == {wanted}


def test_several_values_of_a_variable():
    paths = {"TEXTBATCH_TRAIN_UNLABELLED": "a/b.txt:s3://bucket/c.txt:d"}
    assert shown("unlabelled", "train", **paths)[0] == ["a/b.txt", "s3://bucket/c.txt", "d"]
    assert shown("null-text", TEXTBATCH_SCORE_NULL_TEXT="NA n/a")[0] == ["NA", "n/a"]
    assert shown("units", "train", TEXTBATCH_TRAIN_UNITS="5,6")[0] == [5, 6]


def test_a_commands_own_variable_beats_the_shared_one():
    shared = {"TEXTBATCH_MODEL": "shared"}
    assert shown("model", **shared) == ("shared", "environment", "TEXTBATCH_MODEL")
    assert shown("model", "evaluate", **shared)[0] == "shared"
    assert shown("model", "train", **shared)[1] == "default"
    own = {"TEXTBATCH_SCORE_MODEL": "own"}
    assert shown("model", **shared, **own) == ("own", "environment", "TEXTBATCH_SCORE_MODEL")


def test_pyproject_serves_where_there_is_no_file_of_our_own(folder):
    project = folder / "pyproject.toml"
    project.write_text("[tool.textbatch.score]\ntop-k = 1\n")
    assert shown("top-k") == (1, "file", "pyproject.toml [tool.textbatch.score]")
    (folder / "textbatch.toml").write_text("[train]\nseed = 7\n")
    assert shown("top-k") == (0, "default", "")
    assert shown("seed", "train") == (7, "file", "textbatch.toml [train]")


def test_a_byte_order_mark_is_no_part_of_a_settings_file(folder):
    (folder / "textbatch.toml").write_bytes(b"\xef\xbb\xbf[train]\nseed = 7\n")
    assert shown("seed", "train")[0] == 7


def test_another_projects_broken_pyproject_stops_nothing(folder):
    (folder / "pyproject.toml").write_text("[project\n")
    assert shown("top-k") == (0, "default", "")


def test_a_file_is_named_by_flag_or_variable(folder):
    elsewhere = folder / "elsewhere.toml"
    elsewhere.write_text("[score]\nthreads = 2\n")
    assert shown("threads", TEXTBATCH_CONFIG=str(elsewhere))[0] == 2
    run = run_cli("--config", elsewhere, "config", "show", "score", "--json")
    assert json.loads(run.stdout)["file"] == str(elsewhere)
    assert "nowhere.toml" in refused("--config", "nowhere.toml", "score", "a", "b")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[score]\nmin-confidense = 1\n", "did you mean min-confidence?"),
        ("[score]\nmin_confidence = 1\n", "did you mean min-confidence?"),
        ("[train]\nlabelcolumn = 'x'\n", "[train] has 'labelcolumn'"),
        ("[scor]\ntop-k = 1\n", "did you mean [score]?"),
        ("[zzzzzz]\ntop-k = 1\n", "`textbatch config show` lists all"),
        ("top-k = 1\n", "put it into a table such as [score]"),
        ("[score]\ntop-k = '1'\n", "[score] top-k is '1'; give a whole number"),
        ("[score]\ntop-k = 1.5\n", "[score] top-k is 1.5; give a whole number"),
        ("[score]\ntop-k = true\n", "[score] top-k is true; give a whole number"),
        ("[score]\nmin-confidence = 'high'\n", "give a number"),
        ("[score]\noverwrite = 1\n", "[score] overwrite is 1; give true or false"),
        ("[score]\nmodel = 1\n", "[score] model is 1; give a text in quotes"),
        ("[score]\nnull-text = 'NA'\n", "give a list of texts in quotes"),
        ("[score]\nnull-text = [1]\n", "give a list of texts in quotes"),
        ("[score]\nengine = 'onx'\n", 'give one of "auto", "onnx", "tensorflow"'),
        ("[score]\ntop-k = -1\n", "(set in textbatch.toml [score] top-k)"),
        ("[score]\nprecision = 'int8'\ndevice = 'gpu'\n", "--precision int8"),
        ("[score\n", "is not TOML"),
        (f"[score]\ntop-k = {'9' * 5000}\n", "a number of more than 64 bits"),
        (f"[score]\ntop-k = 0x{'f' * 5000}\n", "a number of more than 64 bits"),
        (f"[score]\nmin-confidence = {'9' * 400}\n", "a number of more than 64 bits"),
        ("[score]\nmin-confidence = 1e999\n", "--min-confidence is inf"),
        (f"x = {'[' * 10_000}{']' * 10_000}\n", "is nested too deeply"),
        (f"{'a.' * 10_000}b = 1\n", "is nested too deeply"),
        ("[score]\nmodel = 'caf\xe9'\n".encode("latin-1"), "is not UTF-8; save it as UTF-8"),
        (b"#" * (1 << 20) + b"\n", "has more than 1,048,576 bytes"),
    ],
    ids=lambda value: None if len(value) < 99 else "long",
)
def test_a_wrong_file_is_refused_with_its_name_the_key_and_a_remedy(folder, text, told):
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "textbatch.toml").write_bytes(content)
    code = 64 if b"gpu" in content else 2
    error = refused("score", "a.parquet", "b.parquet", code=code)
    assert told in error
    assert "textbatch.toml" in error
    assert "; " in error


def test_a_file_without_end_is_refused():
    assert "has more than" in refused("--config", "/dev/zero", "score", "a.parquet", "b.parquet")


@pytest.mark.parametrize("content", [b"caf\xe9 = 1", b"x = [" * 5000, b"x = "])
def test_the_project_file_of_another_tool_stops_nothing(content, folder):
    (folder / "pyproject.toml").write_bytes(content)
    assert shown("top-k") == (0, "default", "")


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("TEXTBATCH_SCORE_TOP_K", "many", "TEXTBATCH_SCORE_TOP_K is 'many'; give a whole number"),
        ("TEXTBATCH_SCORE_TOP_K", "-1", "(set in TEXTBATCH_SCORE_TOP_K)"),
        ("TEXTBATCH_SCORE_FORMAT", "xml", "TEXTBATCH_SCORE_FORMAT is 'xml'; give one of"),
        ("TEXTBATCH_SCORE_OVERWRITE", "maybe", "give true or false"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name(variable, value, told):
    assert told in refused("score", "a.parquet", "b.parquet", **{variable: value})


def test_help_and_version_come_even_where_the_file_is_broken(folder):
    (folder / "textbatch.toml").write_text("[score\n")
    for arguments in (["score", "--help"], ["--help"], ["--version"]):
        assert run_cli(*arguments).returncode == 0


def test_a_variable_that_is_no_setting_is_told_but_stops_nothing():
    run = run_cli("config", "show", "score", TEXTBATCH_SCORE_PORT="tcp://10.0.0.1:80")
    assert run.returncode == 0
    assert "warning: TEXTBATCH_SCORE_PORT is no setting" in run.stderr
    assert run_cli("score", "a", "b.csv", TEXTBATCH_SCORE_PORT="tcp://1:80").returncode == 68


def test_credentials_are_refused_and_not_shown(folder):
    text = "[score]\nmodel = 's3://key:hush@bucket/m?sig=hush'\n"
    for place, content, variables in (
        ("TEXTBATCH_SCORE_REPORT", "", {"TEXTBATCH_SCORE_REPORT": "s3://a:hush@b/c"}),
        (r"textbatch.toml \[score\] model", text, {}),
    ):
        (folder / "textbatch.toml").write_text(content)
        run = run_cli("config", "show", "score", "--json", **variables)
        assert run.returncode == 64
        assert re.search(place + r": s3://\*\*\* with a user, a password", run.stderr)
        assert "hush" not in run.stdout + run.stderr


def test_tables_fit_eighty_columns(folder):
    (folder / "textbatch.toml").write_text(f"[score]\nmodel = '{'long/' * 30}'\n")
    run = run_cli("config", "show", COLUMNS="80")
    assert max(map(len, run.stdout.splitlines())) <= 80


def test_the_written_file_holds_every_setting_and_changes_nothing(folder):
    before = run_cli("config", "show", "--json").stdout
    assert run_cli("config", "init").returncode == 0
    text = (folder / "textbatch.toml").read_text()
    assert all(not line or line[0] in "#[" for line in text.splitlines())
    after = json.loads(run_cli("config", "show", "--json").stdout)
    assert after["settings"] == json.loads(before)["settings"]
    named = {
        name: set(re.findall(r"^#([a-z][a-z0-9-]*) =", part, re.MULTILINE))
        for name, part in re.findall(r"^\[(\w+)\]$(.*?)(?=^\[|\Z)", text, re.DOTALL | re.MULTILINE)
    }
    assert named == {
        name: {option.key for option in settings.flags} for name, settings in COMMANDS.items()
    }


def test_the_defaults_in_the_written_file_are_the_defaults(folder):
    run_cli("config", "init", "all.toml")
    text = re.sub(r"^#([a-z][a-z0-9-]* = .+)$", r"\1", Path("all.toml").read_text(), flags=re.M)
    assert len(tomllib.loads(text)["score"]) > 15
    Path("textbatch.toml").write_text(text)
    found = json.loads(run_cli("config", "show", "--json").stdout)["settings"]
    Path("textbatch.toml").unlink()
    plain = json.loads(run_cli("config", "show", "--json").stdout)["settings"]
    for command, settings in plain.items():
        for key, setting in settings.items():
            value = found[command][key]["value"]
            assert value == setting["value"] or (value, setting["value"]) == ([], None), key


def test_an_existing_file_is_not_overwritten(folder):
    (folder / "textbatch.toml").write_text("# mine\n")
    assert "exists; remove it" in refused("config", "init", code=73)
    assert (folder / "textbatch.toml").read_text() == "# mine\n"


def test_an_unknown_command_is_refused_with_those_that_exist():
    assert "take one of audit, calibrate, demo" in refused("config", "show", "scorr")


def test_a_run_warns_of_a_mistyped_variable_but_not_of_what_kubernetes_sets(in_process, tmp_path):
    names = ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP_ADDR")
    services = {f"TEXTBATCH_SCORE_{name}": "x" for name in names}
    line = ("score", tmp_path / "no.csv", tmp_path / "out.csv", "--model", tmp_path / "m")
    assert "warning" not in in_process(*line, **services).stderr
    run = in_process(*line, TEXTBATCH_SCORE_TOPK="3", TEXTBATCH_TRAIN_TOPK="3")
    assert run.stderr.startswith(
        "warning: TEXTBATCH_SCORE_TOPK is no setting; did you mean TEXTBATCH_SCORE_TOP_K?\n"
    )
    assert "TRAIN" not in run.stderr
