"""`review`: the rows whose labels would teach most."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator
from support.bundles import LABELS

import textbatch
from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.read_options import ReadOptions
from textbatch.errors import ConflictError, DataError, OutputError, UsageError
from textbatch.scoring.review import review as path
from textbatch.scoring.review.choose import choose
from textbatch.scoring.review.options import ReviewConfig

ROOT = Path(__file__).parents[3]


def reviewed(scored, output, **options):
    return path.review(ReviewConfig.given({"scored": scored, "output": output, **options}))


@pytest.fixture
def out(input_file, model, tmp_path):
    textbatch.score(input_file, tmp_path / "out.parquet", model=model, probabilities=True)
    return tmp_path / "out.parquet"


def test_the_least_sure_rows_come_first_and_copies_are_left_out():
    texts = ["refund my card", "Refund my card!", "where is the parcel", "my card refund"]
    assert choose(np.array([0.89, 0.9, 0.4, 0.5]), texts, 3).tolist() == [1, 3, 2]
    assert choose(np.array([0.89, 0.9, 0.4, 0.5]), texts, 2).tolist() == [1, 3]
    # There are no more texts than these.
    assert choose(np.array([0.89, 0.9, 0.4, 0.5]), texts, 9).tolist() == [1, 3, 2]
    assert choose(np.array([0.5, 0.9, 0.8]), ["?", "!!!", "!!!"], 3).tolist() == [1, 0]
    assert choose(np.empty(0), [], 3).tolist() == []


def test_the_queue_has_the_rows_their_texts_and_an_empty_label(out, tmp_path):
    queue = tmp_path / "queue.csv"
    done = reviewed(out, queue, budget=12, columns="id")
    assert (done.rows, done.chosen, done.candidates) == (500, 12, 120)
    table = pq.read_table(out).to_pylist()
    with queue.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "id", "text", "suggested_label", "confidence", "label"]
    doubts = []
    for row in rows:
        scored = table[int(row["row"]) - 1]
        assert (row["id"], row["text"]) == (scored["id"], scored["text"])
        assert (row["suggested_label"], row["label"]) == (scored["predicted_label"], "")
        best = sorted(scored["probabilities"])[-2:]
        doubts.append(1 - (best[1] - best[0]))
    answered = [sorted(one["probabilities"])[-2:] for one in table if one["probabilities"]]
    everywhere = sorted((1 - (best[1] - best[0]) for best in answered), reverse=True)
    assert max(doubts) == pytest.approx(everywhere[0])
    assert doubts == sorted(doubts, reverse=True)
    assert min(doubts) >= everywhere[24] - 1e-6
    assert done.mean_doubt == pytest.approx(np.mean(doubts), abs=1e-5)
    assert len({row["text"] for row in rows}) == 12


def test_the_choice_does_not_depend_on_blocks_formats_or_parts(
    out, input_file, model, tmp_path, monkeypatch
):
    wanted = reviewed(out, tmp_path / "a.csv", budget=9)
    monkeypatch.setattr("textbatch.scoring.diff.text_batches.BLOCK_ROWS", 64)
    monkeypatch.setattr("textbatch.scoring.diff.output.BLOCK_ROWS", 64)
    assert reviewed(out, tmp_path / "b.csv", budget=9).mean_doubt == wanted.mean_doubt
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()
    (tmp_path / "in").mkdir()
    table = pq.read_table(input_file)
    for part in range(2):
        pq.write_table(table.slice(250 * part, 250), tmp_path / "in" / f"{part}.parquet")
    textbatch.score(tmp_path / "in", f"{tmp_path}/parts/", model=model, probabilities=True)
    reviewed(tmp_path / "parts", tmp_path / "c.csv", budget=9)
    assert (tmp_path / "c.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()
    # CSV has confidences alone.
    textbatch.score(input_file, tmp_path / "out.csv", model=model)
    textbatch.score(input_file, tmp_path / "plain.parquet", model=model)
    for name in ("out.csv", "plain.parquet"):
        reviewed(tmp_path / name, tmp_path / f"{name}.csv", budget=9)
    assert pq.read_table(tmp_path / "plain.parquet").num_rows == 500
    rows = [
        [line.split(",")[0] for line in (tmp_path / f"{name}.csv").read_text("utf-8").splitlines()]
        for name in ("out.csv", "plain.parquet")
    ]
    assert rows[0] == rows[1]


def test_what_people_have_labelled_is_read_by_train(out, tmp_path):
    queue = tmp_path / "queue.csv"
    reviewed(out, queue, budget=6, label_column="queue")
    lines = queue.read_text("utf-8").splitlines(keepends=True)
    labelled = [line.rstrip("\n") + f"{LABELS[0]}\n" for line in lines[1:4]]
    queue.write_text("".join([lines[0], *labelled, *lines[4:]]), "utf-8")
    rows = read_labelled(
        (queue,), ReadOptions(), text_column="text", label_column="queue", skip_unlabelled=True
    )
    assert rows.labels.to_pylist() == [LABELS[0]] * 3
    # With the rows from before, which have other columns beside these two.
    pq.write_table(pa.table({"queue": LABELS, "text": ["a b"] * 4}), tmp_path / "labelled.parquet")
    both = read_labelled(
        (tmp_path / "labelled.parquet", queue),
        ReadOptions(),
        text_column="text",
        label_column="queue",
        skip_unlabelled=True,
    )
    assert both.labels.to_pylist() == [*LABELS, *[LABELS[0]] * 3]


def test_novel_and_withheld_rows_are_doubtful_and_rows_without_evidence_are_not_asked_about(
    tmp_path,
):
    table = pa.table(
        {
            "text": ["sure", "novel", "withheld", "unsure", None],
            "predicted_label": ["a", "a", None, "b", None],
            "confidence": [0.99, 0.98, None, 0.6, None],
            "status": ["ok", "ok", "low_confidence", "ok", "null_text"],
            "novelty": [0.5, 0.001, 0.3, 0.4, None],
        }
    )
    pq.write_table(table, tmp_path / "out.parquet")
    reviewed(tmp_path / "out.parquet", tmp_path / "q.parquet", budget=3)
    rows = pq.read_table(tmp_path / "q.parquet")
    assert rows["text"].to_pylist() == ["withheld", "novel", "unsure"]
    assert rows["label"].null_count == 3
    pq.write_table(table.slice(4), tmp_path / "out.parquet")
    with pytest.raises(DataError, match="no row that a model has answered"):
        reviewed(tmp_path / "out.parquet", tmp_path / "p.parquet")


def test_what_cannot_be_is_told(out, tmp_path, in_process):
    with pytest.raises(DataError, match="name it with --text-column"):
        reviewed(out, tmp_path / "q.csv", text_column="body")
    with pytest.raises(DataError, match="has no column 'body'"):
        reviewed(out, tmp_path / "q.csv", columns="body")
    with pytest.raises(DataError, match="holds no texts"):
        reviewed(out, tmp_path / "q.csv", text_column="probabilities")
    with pytest.raises(UsageError, match=r"neither .parquet nor .csv"):
        reviewed(out, tmp_path / "q.txt")
    with pytest.raises(ConflictError, match="would have the same name"):
        reviewed(out, tmp_path / "q.csv", columns="label")
    report = tmp_path / "report.json"
    options = ("--budget", 5, "-o", tmp_path / "q.csv", "--report", report, "--json")
    ran = in_process("review", out, *options)
    assert ran.returncode == 0
    told = json.loads(ran.stdout)
    assert told == json.loads(report.read_text())
    schema = json.loads((ROOT / "docs/reference/review-report.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(told)
    with pytest.raises(OutputError, match="exists"):
        textbatch.review(out, output=tmp_path / "q.csv")
    assert in_process("review", out, *options, "--overwrite").returncode == 0
