"""What a job over a folder tells others is the sum of what its files would tell alone."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.bundles import random_bundle, random_texts, run_cli, write_bundle, write_texts

COUNTS = ("rows_in", "rows_out", "rows_quarantined", "tokens", "unknown_tokens")
#: Of each file; texts of unknown words alone, and none at all, among them.
FILES = {
    "a/one.parquet": random_texts(300, seed=1),
    "a/two.parquet": random_texts(40, seed=2, longest=5),
    "b/none.parquet": [],
    "b/unknown.parquet": ["zzz qqq", "zzz refund", None, ""],
}


@pytest.fixture(scope="module")
def profiled(tmp_path_factory) -> Path:
    """A model whose training looked otherwise than the files."""
    bundle = random_bundle()
    profile = replace(
        bundle.profile,
        rows=100,
        oov_share=0.01,
        labels=dict(zip(bundle.labels, (1, 1, 1, 97), strict=True)),
        confidence_histogram=[0] * 19 + [100],
    )
    return write_bundle(
        tmp_path_factory.mktemp("profiled") / "model", replace(bundle, profile=profile)
    )


@pytest.fixture
def incoming(tmp_path) -> Path:
    folder = tmp_path / "in"
    for name, texts in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_texts(folder / name, texts)
    return folder


@pytest.fixture
def watched(incoming, profiled, tmp_path, in_process):
    """Scores the folder with all that watches it; the report, the page and the metrics."""

    def run(*flags: str) -> tuple[dict, str, dict[tuple[str, str], float]]:
        report, page, metrics = (tmp_path / name for name in ("r.json", "r.html", "nightly.prom"))
        files = ("--report", report, "--html", page, "--metrics-file", metrics)
        done = in_process("score", incoming, tmp_path / "out", "--model", profiled, *files, *flags)
        assert done.returncode == 0, done.stderr
        text = page.read_text("utf-8") if page.exists() else ""
        return json.loads(report.read_text("utf-8")), text, gauges(metrics)

    return run


def gauges(path: Path) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels.get("status") or sample.labels.get("label") or ""): sample.value
        for family in text_string_to_metric_families(path.read_text("utf-8"))
        for sample in family.samples
    }


def alone(incoming: Path, model: Path, folder: Path, in_process) -> list[dict]:
    """The reports of the files, each scored as a job of its own."""
    folder.mkdir()
    reports = []
    for number, name in enumerate(FILES):
        done = in_process(
            "score", incoming / name, folder / f"{number}.parquet", "--model", model, "--json"
        )
        assert done.returncode == 0, done.stderr
        reports.append(json.loads(done.stdout))
    return reports


def added(reports: list[dict], field: str) -> dict[str, int]:
    names = {name for report in reports for name in report[field]}
    return {name: sum(report[field].get(name, 0) for report in reports) for name in names}


def test_the_report_adds_up_the_files_to_the_row(watched, incoming, profiled, tmp_path, in_process):
    told, _, _ = watched()
    single = alone(incoming, profiled, tmp_path / "alone", in_process)
    for name in COUNTS:
        assert told[name] == sum(report[name] for report in single), name
    assert told["tokens"] > told["unknown_tokens"] > 0
    assert told["rows_out"] == sum(map(len, FILES.values()))
    assert told["statuses"] == added(single, "statuses")
    assert told["labels"] == added(single, "labels")
    histograms = [report["confidence_histogram"] for report in single]
    assert told["confidence_histogram"] == [sum(counts) for counts in zip(*histograms, strict=True)]
    labelled = sum(told["labels"].values())
    mean = sum((r["mean_confidence"] or 0) * sum(r["labels"].values()) for r in single) / labelled
    assert told["mean_confidence"] == pytest.approx(mean)
    assert told["files"] == {
        "found": 4,
        "scored": 4,
        "resumed": 0,
        "known": 0,
        "stray": 0,
        "stale": 0,
        "rescored": 0,
    }
    # Every row has one status, and every row that the network answered one place in the histogram.
    assert sum(told["statuses"].values()) == told["rows_out"]
    answered = told["statuses"]["ok"] + told["statuses"]["truncated"]
    assert sum(told["confidence_histogram"]) == labelled == answered
    assert told["rows_per_second"] > 0


def test_the_metrics_are_those_of_the_report(watched):
    told, _, found = watched()
    assert found["textbatch_oov_share", ""] == told["unknown_tokens"] / told["tokens"]
    assert found["textbatch_mean_confidence", ""] == pytest.approx(told["mean_confidence"])
    assert found["textbatch_run_duration_seconds", ""] == pytest.approx(told["seconds"], abs=1)
    assert found["textbatch_last_exit_code", ""] == found["textbatch_rows_quarantined", ""] == 0
    for family, field in (("textbatch_rows", "statuses"), ("textbatch_labelled_rows", "labels")):
        assert {key: n for (name, key), n in found.items() if name == family} == told[field]


def test_the_page_shows_the_folder_beside_the_training(watched):
    told, page, _ = watched()
    for section in ("labels", "statuses", "confidences", "rates", "facts"):
        assert f'id="{section}"' in page, section
    text = html.unescape(re.sub(r"<[^>]+>", " ", page))
    share = told["unknown_tokens"] / told["tokens"]
    assert f"{share:.1%} of the tokens are unknown to the model, against 1.0% in training" in text
    # Its model has no held-out rows to compare with.
    assert 'id="drift' not in page
    labelled = sum(told["labels"].values())
    for label, rows in told["labels"].items():
        training = "97.0%" if label == "shipping" else "1.0%"
        assert re.search(rf"{label}\s+{rows / labelled:.1%}\s+{training}\s+{rows}\b", text), label
    for status, rows in told["statuses"].items():
        assert re.search(rf"{status}\s+{rows / told['rows_out']:.1%}\s+{rows}\b", text), status
    assert "4 found, 4 scored, 0 known from before, 0 left out" in text


def test_only_what_is_new_is_told_of(watched, incoming):
    watched("--incremental")
    write_texts(incoming / "b" / "new.parquet", ["refund", "zzz"])
    told, page, found = watched("--incremental")
    assert told["files"] == {
        "found": 5,
        "scored": 1,
        "resumed": 0,
        "known": 4,
        "stray": 0,
        "stale": 0,
        "rescored": 0,
    }
    assert (told["rows_in"], told["tokens"], told["unknown_tokens"]) == (2, 2, 1)
    assert sum(told["statuses"].values()) == sum(
        n for (name, _), n in found.items() if name == "textbatch_rows"
    )
    assert "5 found, 1 scored, 4 known from before" in page


def test_a_night_whose_only_new_files_are_bad_says_so(incoming, model, tmp_path, in_process):
    words = ("score", incoming, tmp_path / "out", "--model", model, "--incremental")
    assert in_process(*words).returncode == 0
    (incoming / "bad.parquet").write_bytes(b"no Parquet")
    done = in_process(*words, "--bad-files", "skip")
    assert done.returncode == 0
    assert re.search(r"out: no new file, 1 set aside, 0 rows in [\d.]+ s$", done.stdout, re.M)


def test_a_skipped_folder_is_told_of_as_it_was(watched):
    first, _, before = watched()
    told, _, after = watched("--if-exists", "skip")
    assert told["state"] == "skipped"
    for name in ("rows_in", "rows_out", "statuses", "labels"):
        assert told[name] == first[name], name
    name = ("textbatch_last_success_timestamp_seconds", "")
    assert after[name] >= before[name]
    for family in ("textbatch_rows", "textbatch_rows_in", "textbatch_labelled_rows"):
        assert {key: value for key, value in after.items() if key[0] == family} == {
            key: value for key, value in before.items() if key[0] == family
        }
    assert after["textbatch_files_new", ""] == 0


@pytest.mark.parametrize(
    "place", ["journal-written", "part-published", "part-noted", "manifest-written"]
)
def test_a_resumed_folder_adds_up_as_an_undisturbed_one(
    place, watched, incoming, profiled, tmp_path
):
    line = ("score", incoming, tmp_path / "out", "--model", profiled, "--chunk-rows", "50")
    killed = run_cli(*line, TEXTBATCH_FAILPOINTS=f"{place}:1:0")
    assert killed.returncode == -9
    resumed, page, metrics = watched()
    undisturbed, _, usual = watched("--overwrite")
    for name in ("rows_in", "rows_out", "statuses", "labels", "confidence_histogram"):
        assert resumed[name] == undisturbed[name], name
    assert resumed["mean_confidence"] == pytest.approx(undisturbed["mean_confidence"])
    assert 0 < resumed["rows_resumed"] <= resumed["rows_in"]
    assert undisturbed["rows_resumed"] == 0
    # Files are counted as their rows are: those of the killed run too.
    files = resumed["files"]
    noted = place in ("part-noted", "manifest-written")
    assert (files["resumed"] > 0, files["known"]) == (noted, 0)
    assert files["scored"] + files["resumed"] == undisturbed["files"]["scored"]
    assert metrics["textbatch_files_new", ""] == usual["textbatch_files_new", ""]
    assert ("by the interrupted run" in page) == noted
