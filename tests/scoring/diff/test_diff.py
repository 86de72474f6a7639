"""`diff`: what has changed between two outputs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator
from scipy.stats import binomtest
from support.bundles import LABELS, random_bundle, write_bundle

import textbatch
from textbatch.errors import (
    BundleError,
    ConflictError,
    DataError,
    InputNotFoundError,
    QualityGateError,
)
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.diff import by_key, text_batches
from textbatch.scoring.diff.diff import diff
from textbatch.scoring.diff.options import DiffConfig
from textbatch.scoring.score import score

ROOT = Path(__file__).parents[3]


def compared(old, new, **options):
    return diff(DiffConfig.given({"old": old, "new": new, **options}))


def frame(path):
    read = pq.read_table(path).to_pandas()
    return read.assign(predicted_label=read["predicted_label"].astype(object))


def check_as_pandas(found, old, new):
    """Every number of the report, computed once more with pandas."""
    before, after = old["predicted_label"].fillna(""), new["predicted_label"].fillna("")
    flipped = before.to_numpy() != after.to_numpy()
    assert found.rows == len(old)
    assert found.flips == flipped.sum() > 0
    assert found.flip_share == pytest.approx(flipped.mean())
    assert found.lost == (flipped & (after == "").to_numpy()).sum() > 0
    assert found.gained == (flipped & (before == "").to_numpy()).sum() > 0
    pairs = pd.crosstab(before.to_numpy()[flipped], after.to_numpy()[flipped])
    told = {(one.old or "", one.new or ""): one.rows for one in found.flip_pairs}
    assert told == {pair: rows for pair, rows in pairs.stack().items() if rows}
    assert [one.rows for one in found.flip_pairs] == sorted(told.values(), reverse=True)
    for one in found.labels:
        assert one.old == (before == (one.label or "")).sum()
        assert one.new == (after == (one.label or "")).sum()
    statuses = pd.crosstab(old["status"].to_numpy(), new["status"].to_numpy()).stack()
    changed = {pair: rows for pair, rows in statuses.items() if rows and pair[0] != pair[1]}
    assert {(one.old, one.new): one.rows for one in found.statuses} == changed
    moved = new["confidence"].to_numpy(float) - old["confidence"].to_numpy(float)
    moved = moved[~np.isnan(moved)]
    assert found.confidence.rows == len(moved)
    assert found.confidence.mean == pytest.approx(moved.mean())
    assert found.confidence.mean_absolute == pytest.approx(np.abs(moved).mean())
    both = old["confidence"].notna().to_numpy() & new["confidence"].notna().to_numpy()
    assert found.old.mean_confidence == pytest.approx(
        old["confidence"].to_numpy(float)[both].mean()
    )
    bins, _ = np.histogram(new["confidence"].dropna(), bins=20, range=(0, 1))
    assert list(found.confidence.new_histogram) == bins.tolist()


def check_truth(found, old, new, true):
    right = [(side["predicted_label"].to_numpy() == true.to_numpy()) for side in (old, new)]
    assert found.true_rows == len(true)
    assert found.old.accuracy == pytest.approx(right[0].mean())
    assert found.new.accuracy == pytest.approx(right[1].mean())
    gained, lost = (~right[0] & right[1]).sum(), (right[0] & ~right[1]).sum()
    assert found.comparison.only_new_right == gained
    assert found.comparison.only_current_right == lost
    assert found.comparison.p_value == pytest.approx(binomtest(gained, gained + lost).pvalue)
    assert sum(one.mended for one in found.flip_pairs) == gained
    assert sum(one.broken for one in found.flip_pairs) == lost


@pytest.mark.parametrize("by", ["position", "key"])
def test_every_number_is_that_of_pandas(by, sides, tmp_path, monkeypatch):
    monkeypatch.setattr(text_batches, "BLOCK_ROWS", 300)
    monkeypatch.setattr(by_key, "_PART_ROWS", 300)
    old, new = sides()
    before, after = frame(old), frame(new)
    if by == "key":  # in another order, with rows of its own
        table = pq.read_table(new)
        order = np.random.default_rng(1).permutation(len(table))[:1_700]
        pq.write_table(table.take(order), new)
        before = before.iloc[np.sort(order)]
        after = after.iloc[np.sort(order)]
    key = {"key": "id"} if by == "key" else {}
    found = compared(old, new, label_column="queue", **key)
    assert (found.matched_by, found.only_new) == (by, 0)
    assert found.only_old == (300 if by == "key" else 0)
    check_as_pandas(found, before, after)
    check_truth(found, before, after, after["queue"])
    if by == "key":
        there = {one["id"]: row for row, one in enumerate(pq.read_table(new).to_pylist(), 1)}
        ids = pq.read_table(old)["id"].to_pylist()
        assert all(there[ids[one.old_row - 1]] == one.new_row for one in found.examples)


def test_the_truth_may_be_a_file_of_its_own_in_another_order(sides, tmp_path):
    old, new = sides()
    table = frame(old)[["id", "queue"]]
    table.to_csv(tmp_path / "truth.csv", index=False)
    told = compared(old, new, truth=tmp_path / "truth.csv", label_column="queue")
    check_truth(told, frame(old), frame(new), table["queue"])
    some = table.sample(n=500, random_state=1)
    some.to_csv(tmp_path / "some.csv", index=False)
    told = compared(old, new, truth=tmp_path / "some.csv", label_column="queue", key=("id",))
    rows = some.index.sort_values()
    check_truth(told, frame(old).loc[rows], frame(new).loc[rows], table["queue"].loc[rows])
    with pytest.raises(DataError, match="has more than 500 rows"):
        compared(old, new, truth=tmp_path / "some.csv", label_column="queue")


def test_the_worst_flips_were_right_or_else_both_sides_were_sure(sides):
    old, new = sides()
    before, after = frame(old), frame(new)
    found = compared(old, new, label_column="queue", examples=400, columns="id")
    broken = (before["predicted_label"] == before["queue"]) & (
        after["predicted_label"] != before["queue"]
    )
    first = found.examples[: broken.sum()]
    assert {one.old_row - 1 for one in first} == set(np.flatnonzero(broken))
    sure = [min(one.old_confidence or 0, one.new_confidence or 0) for one in first]
    assert sure == sorted(sure, reverse=True)
    assert all(one.cells == {"id": f"the-id-{one.old_row - 1}"} for one in found.examples)
    assert not any(one.cells for one in compared(old, new).examples)
    assert not compared(old, new, examples=0).examples


# --- outputs of `score`


@pytest.fixture(scope="module")
def models(tmp_path_factory, model):
    other = tmp_path_factory.mktemp("other") / "model"
    return model, write_bundle(other, random_bundle(seed=1))


def scored(source, output, model, **options):
    score(ScoreConfig.given({"inputs": (source,), "output": output, "model": model, **options}))
    return output


@pytest.mark.parametrize("name", ["new.parquet", "new.csv", "new.jsonl.gz"])
def test_outputs_of_every_format_are_compared(name, input_file, models, tmp_path):
    old = scored(input_file, tmp_path / "old.parquet", models[0])
    same = scored(input_file, tmp_path / "same.parquet", models[1])
    new = scored(input_file, tmp_path / name, models[1])
    plain, found = compared(old, same), compared(old, new)
    assert found.flips == plain.flips > 0
    assert found.flip_pairs == plain.flip_pairs
    assert found.labels == plain.labels
    assert found.statuses == plain.statuses
    assert found.confidence.shift_histogram == plain.confidence.shift_histogram
    assert compared(old, new, key="id").flip_pairs == plain.flip_pairs
    assert found.old.fingerprint != found.new.fingerprint
    assert not found.warnings


def test_a_folder_is_compared_with_a_folder_and_with_a_file(input_file, models, tmp_path):
    table = pq.read_table(input_file)
    (tmp_path / "in").mkdir()
    for part in range(3):
        piece = table.slice(part * 170, 170 if part < 2 else len(table) - 340)
        pq.write_table(piece, tmp_path / "in" / f"{part}.parquet")
    whole = compared(
        scored(input_file, tmp_path / "old.parquet", models[0]),
        scored(input_file, tmp_path / "new.parquet", models[1]),
    )
    old = scored(tmp_path / "in", f"{tmp_path}/old/", models[0])
    new = scored(tmp_path / "in", f"{tmp_path}/new/", models[1])
    for pair in ((old, new), (tmp_path / "old.parquet", new), (old, tmp_path / "new.parquet")):
        assert compared(*pair).flip_pairs == whole.flip_pairs
    (tmp_path / "new" / "1.parquet").unlink()
    with pytest.raises(DataError, match=r"has lost its part 1.parquet"):
        compared(old, new)
    (tmp_path / "old" / "_SUCCESS").unlink()
    with pytest.raises(DataError, match="has no _SUCCESS"):
        compared(old, new)


def test_one_of_several_models_is_named(input_file, models, tmp_path):
    named = {"a": models[0], "b": models[1]}
    both = scored(input_file, tmp_path / "both.parquet", named)
    alone = [scored(input_file, tmp_path / f"{seed}.parquet", models[seed]) for seed in range(2)]
    wanted = compared(*alone)
    assert compared(both, both, of=("a", "b")).flip_pairs == wanted.flip_pairs
    assert compared(alone[0], alone[0]).flips == 0
    with pytest.raises(ConflictError, match="answers of several models"):
        compared(both, both)
    with pytest.raises(ConflictError, match="no answers of a model 'c'"):
        compared(both, both, of="c")
    assert compared(both, both, of="a").warnings == ("both were made by the same model",)


def test_other_labels_options_and_withheld_labels_are_told(input_file, models, tmp_path):
    bundle = random_bundle(labels=("billing", "account", "technical", "parcels"))
    other = write_bundle(tmp_path / "model", bundle)
    old = scored(input_file, tmp_path / "old.parquet", models[0])
    new = scored(input_file, tmp_path / "new.parquet", other, min_confidence=0.5)
    told = " ".join(compared(old, new).warnings)
    assert "labels that only the old model has: shipping" in told
    assert "labels that only the new model has: parcels" in told
    assert "made with other options: --min-confidence" in told
    assert "rows have lost their label" in told


def test_rows_that_are_not_the_same_are_refused(sides, tmp_path):
    old, new = sides()
    table = pq.read_table(new)
    pq.write_table(table.slice(1), new)
    with pytest.raises(DataError, match=r"2,000 rows and .* has 1,999"):
        compared(old, new)
    swapped = [1, 0, *range(2, 2_000)]
    pq.write_table(table.take(swapped), new)
    with pytest.raises(DataError, match="column 'id' differs in row 1; name the column") as caught:
        compared(old, new)
    assert "the-id-" not in str(caught.value)
    for side in (old, new):
        pq.write_table(pq.read_table(side).drop_columns(["id", "queue"]), side)
    with pytest.raises(DataError, match="no column of their inputs that shows"):
        compared(old, new)


def test_keys_that_do_not_tell_rows_apart_are_refused(sides, tmp_path):
    old, new = sides(rows=50)
    with pytest.raises(DataError, match="has no column 'number'"):
        compared(old, new, key="number")
    with pytest.raises(DataError, match=r"new.parquet has no column 'extra'"):
        compared(old, new, columns="extra")
    with pytest.raises(DataError, match="rows with the same key: rows"):
        compared(old, new, key="queue")
    assert compared(old, new, key=("queue", "id")).rows == 50
    table = pq.read_table(new)
    moved = pa.array([f"other-{row}" for row in range(50)])
    pq.write_table(table.set_column(0, "id", moved), new)
    with pytest.raises(DataError, match=r"no row of .* has the key of a row"):
        compared(old, new, key="id")
    lists = pa.array([[1]] * 50)
    pq.write_table(table.set_column(0, "id", lists), new)
    with pytest.raises(DataError, match="column 'id' cannot be a key"):
        compared(old, new, key="id")


def test_rows_without_a_key_have_no_match_and_numbers_are_texts(sides):
    old, new = sides(rows=50)
    table = pq.read_table(old)
    numbers = pa.array([None, *range(49)], pa.int64())
    pq.write_table(table.set_column(0, "id", numbers), old)
    texts = pa.array([*map(str, range(49)), ""])
    pq.write_table(pq.read_table(new).set_column(0, "id", texts), new)
    found = compared(old, new, key="id")
    assert (found.rows, found.only_old, found.only_new) == (49, 1, 1)
    assert found.old.rows == found.new.rows == 50


def test_long_keys_and_keys_of_several_columns_match_exactly(sides):
    old, new = sides(rows=40)
    first = ["a" * 100 + str(row // 2) if row % 3 else "ab" for row in range(40)]
    second = [f"c{row}" for row in range(40)]
    for side in (old, new):
        table = pq.read_table(side).append_column("first", pa.array(first))
        pq.write_table(table.append_column("second", pa.array(second)), side)
    by_row = compared(old, new)
    assert compared(old, new, key=("first", "second")).flip_pairs == by_row.flip_pairs


def test_what_is_not_there_or_no_output_is_refused(sides, models, tmp_path):
    old, new = sides(rows=10)
    with pytest.raises(InputNotFoundError, match="there is nothing at"):
        compared(old, tmp_path / "none.parquet")
    with pytest.raises(ConflictError, match="is a model, and the other one is not"):
        compared(models[0], new)
    with pytest.raises(ConflictError, match="add --on with a labelled file"):
        compared(*models)
    with pytest.raises(BundleError, match="is no model, and --on compares two models"):
        compared(old, new, on=old)
    with pytest.raises(ConflictError, match="--normalize-labels is about the rows of --on"):
        compared(old, new, normalize_labels=True)
    with pytest.raises(ConflictError, match="--truth is about outputs"):
        compared(*models, on=old, truth=old)
    pq.write_table(pa.table({"id": ["a"], "label": ["b"]}), new)
    with pytest.raises(DataError, match="has no column 'predicted_label'"):
        compared(old, new)
    (tmp_path / "new.csv").write_text("id,predicted_label\na,b\n")
    found = compared(tmp_path / "new.csv", tmp_path / "new.csv")
    assert (found.rows, found.flips) == (1, 0)
    assert "has no confidence and no status" in found.warnings[1]


# --- two models


def test_two_models_are_compared_as_their_outputs_are(input_file, models, tmp_path):
    table = pq.read_table(input_file)
    labels = np.array(LABELS)[np.random.default_rng(2).integers(0, 4, len(table))]
    labelled = tmp_path / "labelled.parquet"
    pq.write_table(table.append_column("queue", pa.array(labels)), labelled)
    found = compared(*models, on=labelled, label_column="queue")
    outputs = compared(
        scored(labelled, tmp_path / "old.parquet", models[0]),
        scored(labelled, tmp_path / "new.parquet", models[1]),
        label_column="queue",
    )
    assert found.matched_by == "model"
    assert found.flip_pairs == outputs.flip_pairs
    assert found.comparison == outputs.comparison
    assert found.labels == outputs.labels
    assert [one.old_row for one in found.examples] == [one.old_row for one in outputs.examples]


# --- the command


def test_too_many_flips_exit_with_69_after_the_page_and_the_record(sides, tmp_path, in_process):
    old, new = sides(rows=300)
    report, page = tmp_path / "report.json", tmp_path / "page.html"
    many = compared(old, new).flips
    ran = in_process("diff", old, new, "--json", "--fail-if-flips", many, "--report", report)
    assert (ran.returncode, ran.stderr.count("warning: ")) == (0, 3)
    assert json.loads(ran.stdout)["flips"] == many
    assert json.loads(ran.stdout) == json.loads(report.read_text())
    limit = ("--fail-if-flips", "2%", "--report", report, "--html", page)
    ran = in_process("diff", old, new, "--json", *limit)
    assert ran.returncode == QualityGateError.exit_code == 69
    told = json.loads(ran.stdout)
    schema = json.loads((ROOT / "docs/reference/diff-report.schema.json").read_text("utf-8"))
    for one in (told, compared(old, new, label_column="queue", columns="id").to_dict()):
        Draft202012Validator(schema).validate(json.loads(json.dumps(one)))
    assert (told["state"], told["rows"], told["exit_code"]) == ("failed", 300, 69)
    assert json.loads(report.read_text()) == told
    assert "error[QualityGate]" in ran.stderr
    assert "too many" in page.read_text()
    ran = in_process("diff", old, new, *limit)
    assert ran.returncode == 69
    assert f"flips: {many}" in ran.stdout


def test_nothing_of_a_cell_is_printed_unless_asked(sides, in_process, tmp_path):
    old, new = sides(rows=300)
    ran = in_process("diff", old, new, "--key", "id", "--html", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "the-id-" not in ran.stdout + ran.stderr + page
    ran = in_process(
        "diff", old, new, "--columns", "id", "--html", tmp_path / "page.html", "--label-column",
        "queue",
    )  # fmt: skip
    page = (tmp_path / "page.html").read_text()
    assert "the-id-" in ran.stdout
    assert "the-id-" in page
    assert "McNemar" in page
    assert "<caption>Rows by label</caption>" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_python_gives_the_report(sides):
    old, new = sides(rows=100)
    messages = []
    found = textbatch.diff(old, new, key=["id"], log=messages.append)
    assert found.rows == 100
    assert messages[0].startswith("warning: ")
    assert "<table>" in found._repr_html_()
    with pytest.raises(QualityGateError, match="--fail-if-flips allows 0"):
        textbatch.diff(old, new, fail_if_flips=0)
