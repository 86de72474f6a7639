"""Scoring with a model that gives a text any number of labels."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import (
    blended_bundle,
    random_texts,
    with_classifier,
    with_golden,
    write_bundle,
    write_texts,
)

import textbatch
from textbatch.data.output.footer import find_footer
from textbatch.errors import BundleError, ConflictError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.bundle.directory import write_directory
from textbatch.model.quality.multi_label import LabelCurve, MultiLabel
from textbatch.model.quality.thresholds import HeldOut
from textbatch.options import options_of
from textbatch.scoring.config import EvaluateConfig, ScoreConfig, ScoreTableOptions
from textbatch.scoring.evaluate_multi import ALLOWED
from textbatch.scoring.inspect import inspect_path
from textbatch.scoring.multi_label import SCORE_OPTIONS, check_score_options
from textbatch.scoring.score import score
from textbatch.scoring.verify import verify_output


def several_bundle():
    bundle = blended_bundle()
    curves = [
        LabelCurve(scale=0.7, offset=0.1 * number, threshold=0.4 + 0.1 * number)
        for number in range(len(bundle.labels))
    ]
    nothing = [[] for _ in bundle.labels]
    bundle = replace(bundle, held_out=HeldOut(confidences=nothing, correct=nothing), int8=None)
    return with_golden(with_classifier(bundle, multi_label=MultiLabel(curves=tuple(curves))))


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("several") / "model", several_bundle())


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return write_texts(tmp_path_factory.mktemp("rows") / "in.parquet", random_texts(300))


def scored(rows, model, output, **options):
    return score(ScoreConfig(inputs=(rows,), output=output, model=model, **options))


def test_lists_hold_the_labels_from_their_thresholds_on(several, rows, tmp_path):
    report = scored(rows, several, tmp_path / "out.parquet", probabilities=True)
    table, labels = pq.read_table(tmp_path / "out.parquet"), load_bundle(several).labels
    assert table.column_names[-4:] == ["predicted_labels", "confidences", "status", "probabilities"]
    thresholds = {label: np.float32(0.4 + 0.1 * place) for place, label in enumerate(labels)}
    counts = dict.fromkeys(labels, 0)
    for row in table.to_pylist():
        if row["probabilities"] is None:
            assert row["predicted_labels"] is row["confidences"] is None
            continue
        chances = dict(zip(labels, row["probabilities"], strict=True))
        wanted = sorted(
            (one for one in labels if np.float32(chances[one]) >= thresholds[one]),
            key=lambda one: -chances[one],
        )
        assert row["predicted_labels"] == wanted
        assert row["confidences"] == [chances[one] for one in wanted]
        for one in wanted:
            counts[one] += 1
    assert table["id"].to_pylist() == pq.read_table(rows)["id"].to_pylist()
    assert report.labels == counts
    assert sum(counts.values()) != 300
    footer = find_footer(tmp_path / "out.parquet")
    assert footer.multi_label
    assert footer.signs is None
    assert report.mean_confidence is None
    assert report.drift is None
    assert verify_output(tmp_path / "out.parquet", model=several).labels == counts


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_outputs_in_text_are_verified_and_inspected(kind, several, rows, tmp_path):
    report = scored(rows, several, tmp_path / f"out.{kind}")
    assert verify_output(tmp_path / f"out.{kind}", model=several).labels == report.labels
    assert inspect_path(tmp_path / f"out.{kind}").labels == report.labels


def test_a_folder_adds_up(several, rows, tmp_path):
    for name in ("a", "b"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{name}.parquet").write_bytes(rows.read_bytes())
    one = scored(rows, several, tmp_path / "one.parquet")
    both = score(
        ScoreConfig(
            inputs=(tmp_path / "in",), output=tmp_path / "out", model=several, as_folder=True
        )
    )
    assert both.labels == {label: 2 * count for label, count in sorted(one.labels.items())}
    assert both.mean_confidence is None
    assert verify_output(tmp_path / "out", model=several).labels == both.labels


def test_the_bits_do_not_depend_on_chunks_batches_or_threads(several, rows, tmp_path):
    scored(rows, several, tmp_path / "a.parquet", probabilities=True)
    options = {"chunk_rows": 7, "batch_tokens": 40, "threads": 1}
    scored(rows, several, tmp_path / "b.parquet", probabilities=True, **options)
    a, b = (pq.read_table(tmp_path / f"{name}.parquet") for name in "ab")
    assert a.equals(b)
    texts = pq.read_table(rows)
    with textbatch.load(several) as model:
        table = model.score_table(texts.slice(3, 20), probabilities=True)
    assert table["confidences"].to_pylist() == a["confidences"].slice(3, 20).to_pylist()


def test_a_run_goes_on_from_its_journal(several, rows, tmp_path, monkeypatch):
    from textbatch.data.output import journal

    whole = tmp_path / "whole.parquet"
    scored(rows, several, whole)
    seen = []

    def stop(name):
        seen.append(name)
        if seen.count("journal-written") == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(journal, "failpoint", stop)
    with pytest.raises(KeyboardInterrupt):
        scored(rows, several, tmp_path / "out.parquet", chunk_rows=50)
    monkeypatch.undo()
    report = scored(rows, several, tmp_path / "out.parquet", chunk_rows=50)
    assert report.rows_resumed >= 100
    assert pq.read_table(tmp_path / "out.parquet").equals(pq.read_table(whole))


#: A value that is not the default, for each option of these classes that has no other below.
_OTHER = {
    "min_confidence": 0.5, "min_precision": 0.9, "max_novelty": 0.1, "label_sets": 0.9,
    "top_k": 2, "explain": 2, "precision": "int8", "backend": "processes",
}  # fmt: skip


@pytest.mark.parametrize("kind", [ScoreConfig, ScoreTableOptions])
def test_every_other_option_of_score_is_refused(kind, several):
    """Those that are new too, until somebody has thought about them."""
    from textbatch.scoring.bundles import Bundles

    bundles = Bundles(("",), (load_bundle(several),))
    given = {"inputs": ("in.parquet",), "output": "out.parquet"} if kind is ScoreConfig else {}
    plain = kind(**given)
    check_score_options(plain, bundles)
    others = [one for one in options_of(kind) if one.name not in SCORE_OPTIONS]
    assert {"min_precision", "early_exit", "precision", "top_k"} <= {one.name for one in others}
    for one in others:
        changed = kind(**given)
        object.__setattr__(changed, one.name, _OTHER.get(one.name, "other"))
        with pytest.raises(ConflictError, match=f"--{one.key} has no meaning"):
            check_score_options(changed, bundles)


def test_no_option_of_one_label_is_among_those_that_are_known():
    single = {
        *("top_k", "min_confidence", "min_precision", "strict_precision", "novelty", "label_sets"),
        *("max_novelty", "explain", "adapt_priors", "early_exit", "precision", "cache", "backend"),
        *("warn_on_drift", "fail_on_drift", "drift_history", "html", "weight_column"),
        *("normalize_labels", "label_names", "report_texts"),
    }
    assert not single & SCORE_OPTIONS
    assert not single & ALLOWED
    assert {one.name for one in options_of(EvaluateConfig)} >= ALLOWED - {"json"}


def test_commands_that_do_not_know_such_models_refuse_them(several, rows, tmp_path):
    from textbatch.scoring.diff.models import load_model

    with pytest.raises(ConflictError, match="any number of labels"):
        load_model(several)
    with pytest.raises(ConflictError, match="any number of labels"):
        textbatch.export(several, tmp_path / "model.onnx")
    with pytest.raises(ConflictError, match="runs alone"):
        textbatch.score(rows, tmp_path / "out.parquet", model={"a": several, "b": several})
    with pytest.raises(ConflictError, match="no meaning"):
        textbatch.load(several, early_exit=True)


def test_evaluate_and_predict(several, rows, tmp_path):
    table = pq.read_table(rows)
    lists = [["label that nobody knows"] if row % 9 == 0 else [] for row in range(len(table))]
    labels = load_bundle(several).labels
    lists[1] = [labels[0]]
    table = table.append_column("labels", pa.array(lists, pa.list_(pa.string())))
    pq.write_table(table, tmp_path / "labelled.parquet")
    found = textbatch.evaluate(tmp_path / "labelled.parquet", label_column="labels", model=several)
    assert found.rows == 300
    assert found.unseen_labels == {"label that nobody knows": 34}
    assert json.loads(json.dumps(found.to_dict()))["metrics"]["labels"][0]["rows"] == 1
    with pytest.raises(ConflictError, match="--html has no meaning"):
        textbatch.evaluate(tmp_path / "labelled.parquet", model=several, html=tmp_path / "a.html")


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told["curves"].pop(),
        lambda told: told["curves"][0].update(threshold=0.0),
        lambda told: told["curves"][0].update(threshold="0.5"),
        lambda told: told["curves"][0].update(scale=0.0),
        lambda told: told["curves"][0].update(scale=1e9),
        lambda told: told["curves"][0].update(more=1),
        lambda told: told.update(more=1),
    ],
)
def test_a_bundle_with_other_curves_is_refused(change, several, tmp_path):
    files = {
        path.name: path.read_bytes() for path in several.iterdir() if path.name != "manifest.json"
    }
    told = json.loads(files["multi_label.json"])
    change(told)
    files["multi_label.json"] = json.dumps(told).encode()
    write_directory(tmp_path / "changed", files, overwrite=False)
    with pytest.raises(BundleError, match=r"multi_label\.json"):
        load_bundle(tmp_path / "changed")
