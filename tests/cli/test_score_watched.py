"""What a scoring run tells others: JSON log, metrics, lineage, page."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.bundles import random_bundle, with_reference, write_bundle

HOSTILE = 'a"b\\n\n<script>'


def gauges(path) -> dict[tuple[str, str], float]:
    """Values by name and by status or label."""
    found = {}
    for family in text_string_to_metric_families(path.read_text("utf-8")):
        for sample in family.samples:
            assert sample.labels["task"] == path.stem
            key = sample.labels.get("status") or sample.labels.get("label") or ""
            found[sample.name, key] = sample.value
    return found


def events(stderr: str) -> list[dict]:
    return [json.loads(line) for line in stderr.splitlines()]


@pytest.fixture
def score(input_file, model, tmp_path, in_process):
    def run(*flags, source=input_file, **environment):
        arguments = ("--model", model, "--overwrite", *flags)
        return in_process("score", source, tmp_path / "out.parquet", *arguments, **environment)

    return run


def test_a_json_log_has_an_object_a_line_with_one_run_id(score, tmp_path):
    report = tmp_path / "report.json"
    run = score("--log-format", "json", "--report", report)
    assert run.returncode == 0
    told = events(run.stderr)
    assert [event["event"] for event in told] == ["started", "finished"]
    written = json.loads(report.read_text())
    assert {event["run_id"] for event in told} == {written["run_id"]}
    assert told[-1]["rows_out"] == 500
    assert all({"time", "level", "command"} <= event.keys() for event in told)
    assert run.stdout.startswith(str(tmp_path))


def test_a_failure_in_a_json_log_is_an_event_with_its_exit_code(score, tmp_path):
    run = score("--log-format", "json", source=tmp_path / "nowhere.parquet")
    assert run.returncode == 68
    *_, last = events(run.stderr)
    assert (last["event"], last["level"], last["exit_code"]) == ("failed", "error", 68)
    assert last["error"] == "InputNotFound"


def test_the_environment_asks_for_a_json_log_of_every_command(tmp_path, in_process):
    run = in_process("train", tmp_path / "nowhere.csv", TEXTBATCH_LOG_FORMAT="json")
    assert events(run.stderr)[-1]["command"] == "train"


def test_metrics_tell_what_the_run_did(score, tmp_path):
    metrics, report = tmp_path / "nightly.prom", tmp_path / "report.json"
    before = time.time()
    assert score("--metrics-file", metrics, "--report", report).returncode == 0
    found, told = gauges(metrics), json.loads(report.read_text())
    assert before <= found["textbatch_last_success_timestamp_seconds", ""] <= time.time()
    assert found["textbatch_last_exit_code", ""] == 0
    assert found["textbatch_mean_confidence", ""] == pytest.approx(told["mean_confidence"])
    assert found["textbatch_oov_share", ""] == told["unknown_tokens"] / told["tokens"]
    for name, counts in (
        ("textbatch_rows", told["statuses"]),
        ("textbatch_labelled_rows", told["labels"]),
    ):
        got = {key: found[family, key] for family, key in found if family == name}
        assert got == counts
    assert ("textbatch_last_failure_timestamp_seconds", "") not in found


def test_a_failure_changes_its_own_metrics_only(score, tmp_path):
    metrics = tmp_path / "nightly.prom"
    score("--metrics-file", metrics)
    good = gauges(metrics)
    assert score("--metrics-file", metrics, source=tmp_path / "nowhere.csv").returncode == 68
    found = gauges(metrics)
    assert found.pop(("textbatch_last_exit_code", "")) == 68
    assert found.pop(("textbatch_last_failure_timestamp_seconds", "")) > time.time() - 60
    good.pop(("textbatch_last_exit_code", ""))
    assert found == good
    score("--metrics-file", metrics)
    assert gauges(metrics)["textbatch_last_exit_code", ""] == 0


def test_a_refused_flag_counts_as_a_failure(score, tmp_path):
    metrics = tmp_path / "nightly.prom"
    assert score("--metrics-file", metrics, "--top-k", "-1").returncode == 2
    assert gauges(metrics)["textbatch_last_exit_code", ""] == 2


def test_a_skipped_run_succeeds_and_tells_of_the_output_that_is_there(
    input_file, model, tmp_path, in_process
):
    metrics, output = tmp_path / "m.prom", tmp_path / "out.parquet"
    arguments = ("score", input_file, output, "--model", model, "--metrics-file", metrics)
    assert in_process(*arguments).returncode == 0
    first = gauges(metrics)
    assert in_process(*arguments, "--if-exists", "skip").returncode == 0
    second = gauges(metrics)
    name = ("textbatch_last_success_timestamp_seconds", "")
    assert second[name] > first[name]
    assert (first["textbatch_files_new", ""], second["textbatch_files_new", ""]) == (1, 0)
    for family in ("textbatch_rows", "textbatch_rows_in", "textbatch_labelled_rows"):
        assert {key: value for key, value in second.items() if key[0] == family} == {
            key: value for key, value in first.items() if key[0] == family
        }


def test_labels_of_any_kind_stand_in_the_metrics(input_file, tmp_path, in_process):
    model = write_bundle(tmp_path / "model", random_bundle(labels=(HOSTILE, "文本")))
    metrics = tmp_path / "m.prom"
    output = tmp_path / "out.parquet"
    run = in_process("score", input_file, output, "--model", model, "--metrics-file", metrics)
    assert run.returncode == 0, run.stderr
    labels = {key for name, key in gauges(metrics) if name == "textbatch_labelled_rows"}
    assert labels == {HOSTILE, "文本"}


@pytest.mark.parametrize("name", ["metrics.txt", "nowhere/m.prom"])
def test_a_place_where_no_metrics_can_be_is_refused_before_the_work(name, score, tmp_path):
    run = score("--metrics-file", tmp_path / name)
    assert run.returncode in (2, 73)
    assert not (tmp_path / "out.parquet").exists()


def test_a_damaged_metrics_file_is_written_anew(score, tmp_path):
    metrics = tmp_path / "m.prom"
    metrics.write_text('textbatch_rows{status="ok" 1\n')
    assert score("--metrics-file", metrics).returncode == 0
    assert gauges(metrics)["textbatch_last_exit_code", ""] == 0


@pytest.fixture
def server():
    """An OpenLineage server on loopback: what it got, and how it answers."""
    got: list[dict] = []
    behaviour = {"status": 200, "delay": 0.0}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(behaviour["delay"])
            got.append(json.loads(body))
            self.send_response(behaviour["status"])
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got, behaviour
    server.shutdown()
    server.server_close()


def test_lineage_tells_the_start_and_the_end(score, server, input_file, tmp_path):
    url, got, _ = server
    parent = "0190c1d0-0000-7000-8000-000000000000"
    report = tmp_path / "report.json"
    environment = {
        "OPENLINEAGE_URL": url,
        "OPENLINEAGE_NAMESPACE": "nightly",
        "OPENLINEAGE_PARENT_ID": f"airflow/dag.task/{parent}",
    }
    run = score("--report", report, **environment)
    assert (run.returncode, run.stderr) == (0, "")
    start, complete = got
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == complete["run"]["runId"]
    run_id = json.loads(report.read_text())["run_id"]
    assert start["run"]["runId"].replace("-", "").startswith(run_id)
    assert start["job"]["namespace"] == "nightly"
    assert start["run"]["facets"]["parent"]["run"]["runId"] == parent
    assert {"namespace": "file", "name": str(input_file)}.items() <= start["inputs"][0].items()
    (output,) = complete["outputs"]
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 500


def test_lineage_tells_a_failure_without_cells_or_credentials(score, server, tmp_path):
    url, got, _ = server
    run = score(source=tmp_path / "nowhere.parquet", OPENLINEAGE_URL=url)
    assert run.returncode == 68
    assert [event["eventType"] for event in got] == ["START", "FAIL"]
    assert "nowhere.parquet" in got[-1]["run"]["facets"]["errorMessage"]["message"]


def test_lineage_goes_to_a_file_too(score, tmp_path):
    log = tmp_path / "lineage.jsonl"
    environment = {
        "OPENLINEAGE__TRANSPORT__TYPE": "file",
        "OPENLINEAGE__TRANSPORT__LOG_FILE_PATH": str(log),
        "OPENLINEAGE__TRANSPORT__APPEND": "true",
    }
    assert score(**environment).returncode == 0
    told = [json.loads(line)["eventType"] for line in log.read_text().splitlines()]
    assert told == ["START", "COMPLETE"]


@pytest.mark.parametrize("trouble", ["refused", "500", "slow", "unknown transport"])
def test_a_broken_lineage_server_never_fails_the_job(trouble, score, server, tmp_path):
    url, _, behaviour = server
    environment = {"OPENLINEAGE_URL": url}
    if trouble == "refused":
        environment = {"OPENLINEAGE_URL": "http://127.0.0.1:1"}
    elif trouble == "500":
        behaviour["status"] = 500
    elif trouble == "slow":
        behaviour["delay"] = 60.0
    else:
        environment = {"OPENLINEAGE__TRANSPORT__TYPE": "nonsense"}
    started = time.monotonic()
    run = score(**environment)
    assert run.returncode == 0
    assert run.stderr.startswith("warning: the run was not reported to OpenLineage (")
    assert run.stderr.count("\n") == 1
    assert time.monotonic() - started < 30
    assert (tmp_path / "out.parquet").exists()


def test_lineage_is_silent_where_it_is_not_configured_or_switched_off(score, server):
    url, got, _ = server
    assert score().stderr == ""
    assert score(OPENLINEAGE_URL=url, OPENLINEAGE_DISABLED="true").stderr == ""
    assert score("--dry-run", OPENLINEAGE_URL=url).returncode == 0
    assert got == []


def test_the_page_shows_the_run_beside_the_training(input_file, tmp_path, in_process):
    bundle = random_bundle()
    profile = replace(
        bundle.profile,
        rows=100,
        oov_share=0.01,
        labels=dict(zip(bundle.labels, (97, 1, 1, 1), strict=True)),
        confidence_histogram=[0] * 19 + [100],
    )
    bundle = with_reference(replace(bundle, profile=profile), ["refund " * 9] * 100)
    model = write_bundle(tmp_path / "model", bundle)
    page = tmp_path / "run.html"
    output = tmp_path / "out.parquet"
    flags = ("--html", page, "--chunk-rows", "50")
    run = in_process("score", input_file, output, "--model", model, *flags)
    assert run.returncode == 0, run.stderr
    text = page.read_text("utf-8")
    for section in ("labels", "statuses", "drift", "confidences", "rates", "facts"):
        assert f'id="{section}"' in text, section
    assert "97.0%" in text
    assert "The rows are unlike those that the model was measured on" in text
    assert "are unknown to the model, against 1.0% in training" in text


@pytest.mark.parametrize("place", ["input", "model", "output"])
def test_a_page_does_not_replace_input_output_or_model(
    place, input_file, model, tmp_path, in_process
):
    output = tmp_path / "out.parquet"
    page = {"input": input_file, "model": model / "run.html", "output": output}[place]
    run = in_process("score", input_file, output, "--model", model, "--html", page)
    assert run.returncode == 64
    assert not output.exists()


def test_a_run_without_rows_has_a_page_and_metrics(model, tmp_path, in_process):
    source = tmp_path / "in.csv"
    source.write_text("text\n")
    page, metrics = tmp_path / "run.html", tmp_path / "m.prom"
    flags = ("--html", page, "--metrics-file", metrics)
    run = in_process("score", source, tmp_path / "out.parquet", "--model", model, *flags)
    assert run.returncode == 0, run.stderr
    assert "0 rows in" in page.read_text("utf-8")
    assert gauges(metrics)["textbatch_last_exit_code", ""] == 0
