"""`score --model topic=m1 --model tone=m2`: flags, variables, settings, and what is told."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, write_bundle

COLUMNS = {"topic_predicted_label", "topic_status", "tone_predicted_label", "tone_status"}


@pytest.fixture(scope="module")
def tone(tmp_path_factory) -> Path:
    bundle = random_bundle(words=("refund", "card"), labels=("good", "bad"), seed=4)
    return write_bundle(tmp_path_factory.mktemp("tone") / "m2", bundle)


@pytest.fixture
def words(model, tone) -> list[str]:
    return ["--model", f"topic={model}", "--model", f"tone={tone}"]


@pytest.fixture
def score(in_process, input_file, tmp_path):
    def run(*flags, **environment):
        return in_process("score", input_file, tmp_path / "out.parquet", *flags, **environment)

    return run


def names(tmp_path) -> set[str]:
    return set(pq.read_schema(tmp_path / "out.parquet").names)


def test_each_model_is_told_with_its_name(score, words, tmp_path):
    done = score(*words)
    assert done.returncode == 0, done.stderr
    assert "(topic: ok " in done.stdout
    assert "; tone: ok " in done.stdout
    assert names(tmp_path) >= COLUMNS
    report = json.loads(score(*words, "--json", "--overwrite").stdout)
    assert [one["name"] for one in report["models"]] == ["topic", "tone"]


def test_the_variable_has_colons_between_models_with_names(score, model, tone, tmp_path):
    several = f"topic={model}:tone={tone}"
    for name in ("TEXTBATCH_MODEL", "TEXTBATCH_SCORE_MODEL"):
        done = score("--overwrite", **{name: several})
        assert done.returncode == 0, done.stderr
        assert names(tmp_path) >= COLUMNS
    link = tmp_path / "a:b=c:d"
    link.symlink_to(model)
    assert score("--overwrite", TEXTBATCH_MODEL=str(link)).returncode == 0


def test_the_settings_file_has_one_text_or_a_list(score, model, tone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = tmp_path / "textbatch.toml"
    settings.write_text(f'[score]\nmodel = ["topic={model}", "tone={tone}"]\n')
    assert score().returncode == 0
    assert names(tmp_path) >= COLUMNS
    settings.write_text(f'[score]\nmodel = "{model}"\n')
    assert score("--overwrite").returncode == 0
    assert "status" in names(tmp_path)
    settings.write_text("[score]\nmodel = 3\n")
    done = score("--overwrite")
    assert done.returncode == 2
    assert "a list of them" in done.stderr


def test_the_settings_are_shown_as_they_hold(in_process, model, tone):
    shown = in_process("config", "show", "score", "--json", TEXTBATCH_MODEL=f"a={model}:b={tone}")
    setting = json.loads(shown.stdout)["settings"]["score"]["model"]
    assert setting["value"] == f"a={model} b={tone}"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", "m1", "--model", "m2"], "has no name"),
        (["--model", "a=m1", "--model", "m2"], "has no name"),
        (["--model", "a=m1", "--model", "A=m2"], "two models have the name"),
        (["--model", "my-model=m1"], "is no name for a model"),
        (["--model", "a="], "names no place"),
        ([word for n in range(9) for word in ("-m", f"m{n}=m")], "takes 8 at most"),
        (["--model", "a=s3://key:secret@host/m"], "***"),
    ],
)
def test_what_is_not_clear_ends_with_64(flags, message, score, tmp_path):
    done = score(*flags)
    assert done.returncode == 64, done.stderr
    assert message in done.stderr
    assert "secret" not in done.stderr
    assert not (tmp_path / "out.parquet").exists()


def test_a_missing_model_is_named(score, model):
    done = score("--model", f"topic={model}", "--model", "tone=no-such")
    assert done.returncode == 66
    assert "model tone: " in done.stderr
    assert "no-such" in done.stderr


def test_no_place_of_a_model_is_written(score, words, tone):
    done = score(*words, "--report", tone / "report.json")
    assert done.returncode == 64
    assert "lies in --model" in done.stderr


def test_standard_output_gets_the_columns_of_all(in_process, words, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("text\nrefund the card\n")
    done = in_process("score", source, "-", *words)
    assert done.returncode == 0
    header = done.stdout.splitlines()[0]
    assert header.startswith("text,topic_predicted_label,topic_confidence,topic_status,tone_pred")


def test_the_next_step_and_the_filters_name_a_model(in_process, score, words, tmp_path):
    score(*words)
    output = tmp_path / "out.parquet"
    done = in_process("show", output, "--below", "0.9")
    assert done.returncode == 64
    assert "--of" in done.stderr
    assert in_process("show", output, "--of", "tone", "--below", "0.9").returncode == 0
    inspected = in_process("inspect", output).stdout
    assert "tone: labels" in inspected


def test_metrics_and_page_have_each_model(score, words, tmp_path):
    pytest.importorskip("prometheus_client")
    metrics, page = tmp_path / "run.prom", tmp_path / "run.html"
    done = score(*words, "--metrics-file", metrics, "--html", page)
    assert done.returncode == 0, done.stderr
    told = metrics.read_text()
    assert 'textbatch_rows{model="topic",status="ok",task="run"}' in told
    assert 'textbatch_labelled_rows{label="good",model="tone",task="run"}' in told
    assert 'textbatch_rows_in{task="run"} 500.0' in told
    assert told.count("textbatch_model_fingerprint_info{") == 2
    html = page.read_text()
    for name in ("labels-topic", "labels-tone", "statuses-tone", "confidences-topic"):
        assert f'id="{name}"' in html
    assert "Labels, tone" in html


def test_the_metrics_of_each_model_have_its_name_and_those_of_the_run_have_none(
    score, words, model, tone, tmp_path
):
    metrics = tmp_path / "nightly.prom"
    # After a run with one model, nothing of it stays.
    assert score("--model", model, "--metrics-file", metrics).returncode == 0
    done = score(*words, "--metrics-file", metrics, "--json", "--overwrite")
    report = json.loads(done.stdout)
    lines = metrics.read_text().splitlines()
    for one in report["models"]:
        of_one = f'model="{one["name"]}"'
        fingerprint = f'fingerprint="{one["fingerprint"]}",{of_one},task="nightly"'
        assert f"textbatch_model_fingerprint_info{{{fingerprint}}} 1.0" in lines
        told = {
            (line.partition("{")[0], part.split('"')[1])
            for line in lines
            if of_one in line
            for part in line.split(",")
            if "status=" in part or "{label=" in part
        }
        assert {status for name, status in told if name == "textbatch_rows"} == {*one["statuses"]}
        assert {label for name, label in told if name == "textbatch_labelled_rows"} == {
            *one["labels"]
        }
        assert any(line.startswith("textbatch_oov_share{" + of_one) for line in lines)
    assert f'textbatch_rows_in{{task="nightly"}} {report["rows_in"]}.0' in lines
    named = ("textbatch_rows{", "textbatch_labelled_rows{", "textbatch_drift{", "textbatch_oov")
    assert all('model="' in line for line in lines if line.startswith(named))


def test_lineage_has_each_model_as_an_input(score, words, model, tone, tmp_path, input_file):
    log = tmp_path / "lineage.jsonl"
    transport = {"TYPE": "file", "LOG_FILE_PATH": str(log), "APPEND": "true"}
    variables = {f"OPENLINEAGE__TRANSPORT__{key}": value for key, value in transport.items()}
    assert score(*words, **variables).returncode == 0
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [event["eventType"] for event in events] == ["START", "COMPLETE"]
    for event in events:
        assert [one["name"] for one in event["inputs"]] == [str(input_file), str(model), str(tone)]
    assert score("--model", f"topic={tmp_path}/none", "--overwrite", **variables).returncode == 66
    last = json.loads(log.read_text().splitlines()[-1])
    assert (last["eventType"], len(last["inputs"])) == ("FAIL", 2)
