"""Credentials in places: refused at every entrance, and found nowhere afterwards."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from itertools import cycle
from types import ModuleType
from unittest.mock import MagicMock

import pytest

from textbatch import score
from textbatch.cli.tracebacks import told_traceback
from textbatch.errors import ConflictError, DataError
from textbatch.options.credentials import has_credentials, refuse_credentials

#: What must not be found anywhere: users, keys and signatures.
USER, SECRET = "kanarie", "geheim"
FORMS = {
    "key and secret": f"s3://{USER}:{SECRET}@bucket/x.parquet",
    "slash in the secret": f"s3://{USER}:{SECRET}/more+{SECRET}@bucket/x.parquet",
    "at in the secret": f"s3://{USER}:p@{SECRET}@bucket/x.parquet",
    "user only": f"s3://{USER}@bucket/x.parquet",
    "signature after a colon and a comma": f"s3://bucket/a:b,c d?sig={SECRET}",
    "signature with blanks": f"abfs://bucket/x.parquet? sig={SECRET} {SECRET}",
    "fragment": f"gs://bucket/x.parquet#sig={SECRET}",
    "percent-encoded": f"s3://{USER}%3A{SECRET}%2Fmore%40bucket/x.parquet",
    "upper case": f"S3://{USER}:{SECRET}@bucket/x.parquet",
    "glob": f"s3://{USER}:{SECRET}@bucket/*.parquet",
    "no place": f"s3:/{USER}:{SECRET}@bucket",
    "foreign scheme": f"https://host/x.parquet?{SECRET}",
}
#: The same for what is split at blanks or read as a glob: more ways to write it.
RELATIVES = [
    f"wrong://{USER}:{SECRET}@bucket",
    f"file://{USER}:{SECRET}@host/x",
    f"folder/s3://{USER}:{SECRET}@bucket/x",
    f"{USER}:{SECRET}@bucket/x",
    f"//{USER}:{SECRET}@bucket/x",
    f"s3//{USER}:{SECRET}@bucket/x",
    f"s3:{USER}:{SECRET}@bucket/x",
    f"hf://{USER}:{SECRET}@datasets/a/b/x.parquet",
    f"s3://{USER}%253A{SECRET}%2540bucket/x",
    "s3://AKIAABCDEFGHIJKLMNOP/x",
    "s3://ASIAABCDEFGHIJKLMNOP/x",
    f"https://account.blob.core.windows.net/c/x?sv=1&sig={SECRET}",
    f"account.blob.core.windows.net/c/x?sv=1&sig={SECRET}",
]
PLACES = [
    "s3://bucket/key.parquet",
    "s3://bucket/dt=2024-01-01/part-?[0-9].parquet",
    "s3://bucket/users/a@b.com/x y,z:1.parquet",
    "s3://bucket/x.parquet?",
    "gs://bucket/a#b.parquet",
    "abfs://container@account.dfs.core.windows.net/x.parquet",
    "hf://datasets/user/name@main/x.parquet",
    "hdfs://host:8020/x.parquet",
    "file:///a/b@c.parquet",
    "/data/10:30/a@b.parquet",
    "a@b.parquet",
    "./a:b@c.parquet",
    "a?b=c.parquet",
    "C:/x@y/z.parquet",
]

IN, OUT = ("@in.parquet", "@out.parquet")
#: Every file that tells of a run.
BESIDE = "--report @r.json --html @p.html --metrics-file @m.prom"
#: Where a place can be given on a command line; {} is the place, @ the folder of the test.
FLAGS = [
    ("score", "{}", OUT),
    ("score", IN, "{}"),
    ("score", IN, "{}", "{}", OUT, "--json"),
    ("--debug", "score", "{}", OUT),
    ("score", IN, OUT, "--model", "{}"),
    ("score", IN, OUT, "--model={}", "--log-format", "json"),
    ("score", IN, OUT, "--report", "{}"),
    ("score", IN, OUT, "--html", "{}"),
    ("score", IN, OUT, "--metrics-file", "{}"),
    ("score", IN, OUT, "--quarantine", "{}"),
    ("score", IN, "{}", "--if-exists", "skip"),
    ("score", IN, "{}", "--dry-run"),
    ("score", IN, OUT, "--if-exists", "{}"),
    ("score", IN, OUT, "--chunk-rows", "{}"),
    ("score", IN, OUT, "--no-such-flag", "{}"),
    ("no-such-command", "{}"),
    ("{}",),
    tuple(f"--debug score {{}} {OUT} --json --log-format json {BESIDE}".split()),
    ("score", IN, "{}", "--report", "@r.json", "--metrics-file", "@m.prom", "--work-dir", "@w"),
    ("score", IN, OUT, "--work-dir", "{}"),
    ("evaluate", "{}", "--report", "@report.json", "--html", "@page.html", "--json"),
    ("evaluate", IN, "--report", "{}"),
    ("evaluate", IN, "--html", "{}"),
    ("inspect", "{}"),
    ("verify", OUT, "--model", "{}"),
    ("verify", "{}", "--json"),
    ("show", "{}", "--json"),
    ("export", "{}", "@exported"),
    ("export", "@m", "{}"),
    ("promote", "{}", "@current"),
    ("promote", "@m", "{}"),
    ("rollback", "{}"),
    ("import", "{}", "--tokenizer", "@t.json"),
    ("import", "@m.keras", "--tokenizer", "{}", "--labels", "{}"),
    ("train", "{}"),
    ("train", IN, "--validation", "{}"),
    ("train", IN, "--vectors", "{}"),
    ("train", IN, "--model", "{}"),
    ("vectors", "{}", "@v.txt"),
    ("tune", IN, "--study", "{}"),
    ("audit", IN, "--model", "{}"),
    ("config", "show", "{}"),
    ("config", "init", "{}"),
    ("--config", "{}", "config", "show"),
]
VARIABLES = [
    "TEXTBATCH_MODEL",
    "TEXTBATCH_SCORE_MODEL",
    "TEXTBATCH_SCORE_REPORT",
    "TEXTBATCH_SCORE_METRICS_FILE",
    "TEXTBATCH_SCORE_CHUNK_ROWS",
    "TEXTBATCH_SCORE_IF_EXISTS",
]


@pytest.fixture
def refused(in_process, tmp_path, monkeypatch):
    """Runs a command that must be refused, and looks for secrets in all that it told and wrote."""
    folder = tmp_path / "job"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*arguments: str, place: str, **environment: str) -> None:
        words = [
            word.replace("@", f"{folder}/", 1)
            if word.startswith("@")
            else word.replace("{}", place)
            for word in arguments
        ]
        done = in_process(
            *words,
            OPENLINEAGE__TRANSPORT__TYPE="file",
            OPENLINEAGE__TRANSPORT__LOG_FILE_PATH=str(folder / "events"),
            **environment,
        )
        assert done.returncode in (2, 64), done
        written = "".join(
            str(file.relative_to(folder)) + file.read_text()
            for file in folder.rglob("*")
            if file.name != "textbatch.toml"
        )
        for secret in (USER, SECRET):
            assert secret not in (done.stdout + done.stderr + written).lower(), done.stderr

    return run


@pytest.mark.parametrize("arguments", FLAGS, ids=" ".join)
def test_no_form_of_credentials_is_told_by_a_command_line(arguments, refused):
    for place in FORMS.values():
        refused(*arguments, place=place)


def test_a_text_to_be_answered_may_hold_anything(in_process, model, refused):
    text = "refund see https://host/x?id=5 or ftp://user:word@host/x"
    assert in_process("predict", text, "--model", model).returncode == 0
    for place in FORMS.values():
        refused("predict", text, "--model", "{}", place=place)


@pytest.mark.parametrize("variable", VARIABLES)
def test_no_form_of_credentials_is_told_by_a_variable(variable, refused):
    for place in FORMS.values():
        refused("score", IN, OUT, place="", **{variable: place})
        refused("config", "show", "score", "--json", place="", **{variable: place})


def test_a_list_of_places_in_a_variable_is_refused_before_it_is_taken_apart(refused):
    for place in FORMS.values():
        refused("train", IN, place="", TEXTBATCH_TRAIN_UNLABELLED=f"a.txt:{place}:b.txt")


@pytest.mark.parametrize("key", ["model", "report", "chunk-rows", "engine", "{}"])
def test_no_form_of_credentials_is_told_by_a_settings_file(key, refused, tmp_path):
    for place in FORMS.values():
        text = f'[score]\n"{key.replace("{}", place)}" = "{place}"\n'
        (tmp_path / "job" / "textbatch.toml").write_text(text)
        refused("score", IN, OUT, place="")
        if key == "{}":
            (tmp_path / "job" / "textbatch.toml").write_text(f'"{place}" = 1\n["{place}"]\n')
            refused("score", IN, OUT, place="")


@pytest.mark.parametrize("form", FORMS)
def test_a_python_caller_is_refused_too(form, tmp_path):
    for places in ((FORMS[form], tmp_path / "o"), (tmp_path / "i.csv", FORMS[form])):
        with pytest.raises(ConflictError) as found:
            score(*places)
        assert SECRET not in str(found.value)
        assert USER not in str(found.value)


@pytest.mark.parametrize("place", [*FORMS.values(), *RELATIVES])
def test_a_place_with_credentials_is_refused_and_not_quoted(place):
    with pytest.raises(ConflictError) as found:
        refuse_credentials(place, "--model")
    told = str(found.value)
    assert told.startswith("--model: ")
    assert not any(secret in told for secret in (USER, SECRET, "AKIA"))


@pytest.mark.parametrize("place", PLACES)
def test_a_place_without_credentials_is_none_with_them(place):
    refuse_credentials(place)


def test_the_refusal_says_where_they_belong():
    with pytest.raises(ConflictError, match=r"s3://\*\*\* .*set AWS_ACCESS_KEY_ID"):
        refuse_credentials(FORMS["key and secret"])
    with pytest.raises(ConflictError, match=r"hf://\*\*\* .*set HF_TOKEN"):
        refuse_credentials(RELATIVES[7])


def test_a_traceback_tells_no_secret_of_a_foreign_library(monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", f"sv=1&{SECRET}")
    for text in (f"no answer of host sv=1&{SECRET}", *FORMS.values()):
        try:
            try:
                raise OSError(f"GET {text} failed\nforged\x1b[2J\u202e")
            except OSError as error:
                raise DataError("cannot read") from error
        except DataError as error:
            told = told_traceback(error)
        assert SECRET not in told
        assert USER not in told
        assert "\x1b" not in told
        assert "\nforged" not in told
        assert "test_secrets.py" in told
        assert "direct cause" in told


@pytest.mark.parametrize(
    ("kind", "form"),
    [*zip(cycle([RuntimeError, OSError, PermissionError, ValueError]), FORMS, strict=False)],
)
def test_what_a_store_raises_is_told_nowhere(
    kind, form, store, model, in_process, monkeypatch, tmp_path
):
    def fails(*_: object) -> None:
        raise kind(f"GET {FORMS[form]} failed for {USER}")

    monkeypatch.setattr("textbatch.data.storage.s3_store.S3Store.look", fails)
    folder = tmp_path / "told"
    folder.mkdir()
    words = BESIDE.replace("@", f"{folder}/").split()
    done = in_process(
        *("--debug", "score", "s3://bucket/a.csv", folder / "o.parquet", "--model", model),
        *("--json", "--log-format", "json", *words),
        OPENLINEAGE__TRANSPORT__TYPE="file",
        OPENLINEAGE__TRANSPORT__LOG_FILE_PATH=str(folder / "events"),
        TEXTBATCH_RETRY_SECONDS="0",
    )
    assert done.returncode in (2, 75, 77), done
    written = {file.name: file.read_text() for file in folder.iterdir()}
    assert {"r.json", "m.prom"} <= written.keys()
    assert any(name.startswith("events") for name in written)
    told = " ".join([done.stdout, done.stderr, *written.values()]).lower()
    for secret in (USER, SECRET):
        assert secret not in told, told


@pytest.fixture
def operator(monkeypatch):
    class Base:
        log = logging.getLogger("task")

        def __init__(self, **task) -> None:
            self.outlets = ()

    class FailError(Exception):
        pass

    members = {
        "airflow": {},
        "airflow.sdk": {"Asset": MagicMock, "BaseOperator": Base},
        "airflow.sdk.exceptions": {
            "AirflowException": FailError,
            "AirflowFailException": FailError,
        },
    }
    for name, content in members.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    name = "textbatch.integrations.airflow"
    monkeypatch.delitem(sys.modules, name, raising=False)
    yield import_module(name).TextbatchScoreOperator, FailError
    del sys.modules[name]


@pytest.mark.parametrize("argument", ["input_path", "output_path", "model_path", "flags"])
@pytest.mark.parametrize("form", FORMS)
def test_the_operator_tells_none_and_starts_nothing(argument, form, operator, caplog):
    caplog.set_level("INFO")
    made, failure = operator
    place = FORMS[form]
    given = {
        "input_path": "i.csv",
        "output_path": "o.parquet",
        argument: [f"--report={place}", "--html", place] if argument == "flags" else place,
    }
    with pytest.raises(failure) as found:
        made(task_id="t", command=["/bin/echo"], **given).execute({})
    for told in (str(found.value), caplog.text):
        assert SECRET not in told
        assert USER not in told


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_one(form):
    assert has_credentials(FORMS[form])
