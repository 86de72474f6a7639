"""`--label-sets`: sets that hold the true label as often as was asked for."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import LABELS, random_bundle, random_texts, write_bundle

import textbatch
from textbatch.errors import BundleError, QualityGateError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.bundle.held_out import held_out_bytes, read_held_out
from textbatch.model.predictor import open_bundle
from textbatch.model.quality.label_sets import least_probability
from textbatch.model.quality.thresholds import HeldOut


def with_answers(bundle, true):
    """The bundle, with held-out answers for these true labels of texts."""
    texts = pa.array(random_texts(len(true), seed=11), pa.large_string())
    with open_bundle(bundle) as predictor:
        found = predictor.predict(texts).probabilities
    known = np.isfinite(found[:, 0])
    return replace(bundle, held_out=HeldOut.of(found[known], np.asarray(true)[known]))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "in.parquet"
    texts = random_texts(400, seed=3)
    true = np.random.default_rng(1).integers(0, len(LABELS), len(texts))
    table = pa.table({"id": list(range(400)), "text": texts, "queue": np.array(LABELS)[true]})
    pq.write_table(table, path)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    true = np.random.default_rng(2).integers(0, len(LABELS), 2_000)
    return write_bundle(tmp_path_factory.mktemp("model") / "m", with_answers(random_bundle(), true))


def test_a_set_has_all_labels_that_are_probable_enough_the_likeliest_first(source, model, tmp_path):
    out = tmp_path / "out.parquet"
    options = {"label_sets": 0.9, "probabilities": True, "min_confidence": 0.5, "top_k": 1}
    textbatch.score(source, out, model=model, **options)
    limit = least_probability(load_bundle(model).held_out.true_probabilities, 0.9)
    table = pq.read_table(out)
    assert table.schema.names[-1] == "label_set"
    assert table.schema.field("label_set").type == pa.list_(pa.string())
    sizes = set()
    for row in table.to_pylist():
        if row["probabilities"] is None:
            assert row["label_set"] is None
            continue
        order = np.argsort(-np.array(row["probabilities"], np.float32), kind="stable")
        wanted = [LABELS[at] for at in order if np.float32(row["probabilities"][at]) >= limit]
        assert row["label_set"] == (wanted or [LABELS[order[0]]])
        sizes.add(len(row["label_set"]))
    assert len(sizes) > 1
    assert {"low_confidence", "ok"} <= set(table["status"].to_pylist())


def test_sets_are_the_same_without_the_other_columns_in_folders_and_in_memory(
    source, model, tmp_path
):
    textbatch.score(source, tmp_path / "a.parquet", model=model, label_sets=0.9)
    wanted = pq.read_table(tmp_path / "a.parquet")["label_set"].to_pylist()
    small = {"chunk_rows": 37, "batch_tokens": 64, "threads": 1, "cache": tmp_path / "cache"}
    for output in ("b.parquet", "c.parquet"):  # the second one from the cache
        textbatch.score(source, tmp_path / output, model=model, label_sets=0.9, **small)
        assert pq.read_table(tmp_path / output)["label_set"].to_pylist() == wanted
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.parquet").write_bytes(source.read_bytes())
    textbatch.score(tmp_path / "in", f"{tmp_path}/out/", model=model, label_sets=0.9, jobs=1)
    assert pq.read_table(tmp_path / "out" / "x.parquet")["label_set"].to_pylist() == wanted
    with textbatch.load(model) as loaded:
        scored = loaded.score_table(pq.read_table(source), label_sets=0.9)
    assert scored["label_set"].to_pylist() == wanted
    textbatch.score(source, tmp_path / "d.jsonl", model=model, label_sets=0.9)
    lines = (tmp_path / "d.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["label_set"] for line in lines] == wanted
    named = {"one": model, "two": model}
    textbatch.score(source, tmp_path / "e.parquet", model=named, label_sets=0.9)
    both = pq.read_table(tmp_path / "e.parquet")
    assert both["one_label_set"].to_pylist() == both["two_label_set"].to_pylist() == wanted


@pytest.mark.parametrize("asked", [0.8, 0.95])
def test_evaluate_shows_how_often_sets_hold_the_true_label(asked, source, model, in_process):
    ran = in_process(
        "evaluate", source, "--model", model, "--label-column", "queue", "--label-sets", asked,
        "--json",
    )  # fmt: skip
    found = json.loads(ran.stdout)["label_sets"]
    assert (found["asked"], found["held_out"] > 1_000) == (asked, True)
    # 400 rows of the same kind: three standard deviations.
    assert abs(found["coverage"] - asked) < 3 * np.sqrt(asked * (1 - asked) / 350)
    assert 1 < found["mean_size"] <= 4
    assert found["worst_coverage"] <= found["coverage"]
    ran = in_process(
        "evaluate", source, "--model", model, "--label-column", "queue", "--label-sets", asked
    )
    assert "label sets" in ran.stdout


def test_sets_hold_the_true_label_as_often_as_was_asked_for():
    """Over many draws of held-out rows and of new ones, with probabilities that are wrong."""
    random, held = np.random.default_rng(0), []
    for _ in range(400):
        scores = random.beta(2, 1, 300)  # probabilities of true labels, of both kinds of rows
        limit = least_probability(sorted(scores[:100].tolist(), reverse=True), 0.9)
        held.append((scores[100:].astype(np.float32) >= limit).mean())
    assert abs(np.mean(held) - 91 / 101) < 0.006


def test_a_model_without_such_answers_or_with_too_few_is_refused(source, tmp_path):
    old = write_bundle(tmp_path / "old", random_bundle())
    with pytest.raises(QualityGateError, match="does not hold any; train it again"):
        textbatch.score(source, tmp_path / "out.parquet", model=old, label_sets=0.9)
    assert not (tmp_path / "out.parquet").exists()
    few = write_bundle(tmp_path / "few", with_answers(random_bundle(), [0, 1, 2, 3] * 10))
    with pytest.raises(QualityGateError, match=r"held-out answers, and --label-sets 0.99 needs 99"):
        textbatch.evaluate(source, model=few, label_column="queue", label_sets=0.99)


def test_the_file_of_held_out_answers_is_as_before_without_them_and_read_strictly():
    plain = HeldOut(confidences=[[0.9], []], correct=[[True], []])
    assert "true_probabilities" not in held_out_bytes(plain).decode()
    assert read_held_out(held_out_bytes(plain), 2) == plain
    full = replace(plain, true_probabilities=[0.9])
    assert read_held_out(held_out_bytes(full), 2) == full
    for wrong in ([0.9, 0.1], [2.0], ["a"]):
        with pytest.raises(BundleError):
            read_held_out(held_out_bytes(replace(plain, true_probabilities=wrong)), 2)
