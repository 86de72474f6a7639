"""`calibrate`: confidences of any table, compared with the truth and mended."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator

import textbatch
from textbatch.data.readers.source import open_source
from textbatch.errors import ConflictError, DataError, OutputError
from textbatch.model.quality.confidence_map import (
    ConfidenceMap,
    cross_fitted,
    fit_map,
    log_loss,
)

ROOT = Path(__file__).parents[3]


def too_sure(rows: int, seed: int = 0) -> tuple[pa.Table, pa.Table]:
    """Answers of a model whose logits are three times what they should be, and the truth."""
    random = np.random.default_rng(seed)
    logit = random.normal(1.0, 1.2, rows)
    right = random.random(rows) < 1 / (1 + np.exp(-logit))
    confidence = 1 / (1 + np.exp(-3 * logit))
    predicted = random.choice(["a", "b", "c"], rows)
    true = np.where(right, predicted, np.where(predicted == "a", "b", "a"))
    ids = random.permutation(rows)
    scores = pa.table({"id": ids, "predicted_label": predicted, "confidence": confidence})
    return scores, pa.table({"id": ids, "label": true})


def written(table: pa.Table, path: Path) -> Path:
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    elif path.suffix == ".jsonl":
        path.write_text(table.to_pandas().to_json(orient="records", lines=True))
    else:
        pq.write_table(table, path)
    return path


def rows_of(path: Path) -> list[dict]:
    source = open_source(path)
    return [
        row for batch in source.batches(source.schema.names, 10_000) for row in batch.to_pylist()
    ]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_confidences_of_a_model_that_is_too_sure_are_mended(suffix, tmp_path):
    scores, truth = too_sure(3_000)
    # The truth is in another order, and of fewer rows.
    some = truth.take(np.random.default_rng(1).permutation(3_000)[:2_500])
    done = textbatch.calibrate(
        written(scores, tmp_path / f"scores{suffix}"),
        truth=written(some, tmp_path / f"truth{suffix}"),
        key="id",
        output=tmp_path / f"out{suffix}",
    )
    assert (done.rows, done.answers, done.untold, done.unused) == (3_000, 2_500, 500, 0)
    before, *others = done.measures
    assert [one.method for one in done.measures] == ["none", "logistic", "isotonic"]
    assert before.ece > 0.1
    assert all(one.ece < 0.04 and one.log_loss < before.log_loss for one in others)
    assert done.map.method == "logistic"
    assert done.map.slope == pytest.approx(1 / 3, abs=0.06)
    out = rows_of(tmp_path / f"out{suffix}")
    assert len(out) == 3_000
    assert [str(row["id"]) for row in out] == [str(one) for one in scores["id"].to_pylist()]
    mapped = np.array([float(row["calibrated_confidence"]) for row in out])
    np.testing.assert_allclose(mapped, done.map(scores["confidence"].to_numpy()), rtol=1e-5)
    schema = json.loads(
        (ROOT / "docs" / "reference" / "calibrate-report.schema.json").read_text("utf-8")
    )
    record = json.loads(json.dumps(done.to_dict()))
    Draft202012Validator(schema).validate(record)


def test_rows_are_matched_by_position_and_rows_without_answer_or_truth_are_left_out(tmp_path):
    scores, truth = too_sure(60)
    predicted, confidence = (scores[name].to_pylist() for name in ("predicted_label", "confidence"))
    predicted[0] = None
    confidence[1] = None
    true = truth["label"].to_pylist()
    true[2], true[3] = None, "  "
    scores = pa.table({"predicted_label": predicted, "confidence": confidence})
    done = textbatch.calibrate(
        written(scores, tmp_path / "scores.parquet"),
        truth=written(pa.table({"label": true}), tmp_path / "truth.parquet"),
        output=tmp_path / "out.parquet",
    )
    assert (done.rows, done.answers, done.unanswered, done.untold) == (60, 56, 2, 2)
    out = pq.read_table(tmp_path / "out.parquet")["calibrated_confidence"].to_pylist()
    assert out[1] is None
    assert None not in out[2:]
    with pytest.raises(DataError, match=r"60 rows.* 59"):
        textbatch.calibrate(
            tmp_path / "scores.parquet",
            truth=written(pa.table({"label": true[:-1]}), tmp_path / "short.parquet"),
        )


def test_the_truth_may_be_in_the_table_itself_and_a_folder_is_one_table(tmp_path):
    scores, truth = too_sure(400)
    both = scores.append_column("gold", truth["label"])
    (tmp_path / "parts").mkdir()
    written(both.slice(0, 150), tmp_path / "parts" / "a.parquet")
    written(both.slice(150), tmp_path / "parts" / "b.parquet")
    done = textbatch.calibrate(
        tmp_path / "parts", label_column="gold", output=tmp_path / "out.parquet"
    )
    alone = textbatch.calibrate(written(both, tmp_path / "one.parquet"), label_column="gold")
    assert done.map == alone.map
    assert pq.read_metadata(tmp_path / "out.parquet").num_rows == 400
    assert [one.method for one in done.measures] == ["none", "logistic"]


@pytest.mark.parametrize("value", [1.5, -0.1, 87.0])
def test_a_confidence_outside_0_and_1_is_told_with_its_row(value, tmp_path):
    scores, truth = too_sure(60)
    confidence = scores["confidence"].to_pylist()
    confidence[4] = value
    table = truth.append_column("predicted_label", scores["predicted_label"])
    table = table.append_column("confidence", pa.array(confidence))
    with pytest.raises(DataError, match=r"1 values .* row 5") as caught:
        textbatch.calibrate(written(table, tmp_path / "scores.csv"))
    assert caught.value.exit_code == 65
    lists = table.set_column(3, "confidence", pa.array([[0.5]] * 60))
    path = written(lists, tmp_path / "lists.parquet")
    with pytest.raises(DataError, match="holds no numbers"):
        textbatch.calibrate(path)


def test_a_text_that_is_no_confidence_is_refused_and_not_quoted(tmp_path):
    scores, truth = too_sure(30)
    texts = [str(one) for one in scores["confidence"].to_pylist()]
    texts[7] = "secret"
    table = truth.append_column("predicted_label", scores["predicted_label"])
    table = table.append_column("confidence", pa.array(texts))
    with pytest.raises(DataError, match="row 8") as caught:
        textbatch.calibrate(written(table, tmp_path / "scores.csv"))
    assert "secret" not in str(caught.value)


def test_what_cannot_be_compared_or_written_is_refused(tmp_path):
    scores, truth = too_sure(60)
    path = written(scores, tmp_path / "scores.parquet")
    twice = pa.concat_tables([truth, truth.slice(0, 1)])
    with pytest.raises(DataError, match="same value in rows 1, 61"):
        textbatch.calibrate(path, truth=written(twice, tmp_path / "twice.parquet"), key="id")
    whole = written(truth, tmp_path / "truth.parquet")
    unsure = scores.set_column(2, "confidence", pa.nulls(len(scores), pa.float64()))
    with pytest.raises(DataError) as failed:
        textbatch.calibrate(written(unsure, tmp_path / "unsure.parquet"), truth=whole, key="id")
    assert "check --predicted-column and --confidence-column" in str(failed.value)
    few = written(truth.slice(0, 10), tmp_path / "few.parquet")
    with pytest.raises(DataError, match="at least 20"):
        textbatch.calibrate(path, truth=few, key="id")
    with pytest.raises(DataError, match="--label-column"):
        textbatch.calibrate(path)
    with pytest.raises(ConflictError, match="--key without --truth"):
        textbatch.calibrate(path, key="id")
    with pytest.raises(ConflictError, match="does not say a format"):
        textbatch.calibrate(path, output=tmp_path / "out.txt")
    with pytest.raises(ConflictError, match="--output-column"):
        textbatch.calibrate(
            path, truth=whole, output=tmp_path / "out.parquet", output_column="confidence"
        )
    assert not (tmp_path / "out.parquet").exists()
    (tmp_path / "out.parquet").write_bytes(b"there")
    with pytest.raises(OutputError):
        textbatch.calibrate(path, truth=whole, output=tmp_path / "out.parquet")
    textbatch.calibrate(path, truth=whole, output=tmp_path / "out.parquet", if_exists="replace")
    assert sorted(one.name for one in tmp_path.iterdir() if one.name.startswith(".")) == []


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("method", ["logistic", "isotonic"])
def test_answers_that_are_all_right_or_all_wrong_make_no_certainty(right, method):
    confidence = np.linspace(0.3, 1.0, 50)
    found = fit_map(method, confidence, np.full(50, right))
    mapped = found(np.array([0.0, 0.5, 1.0, np.nan]))
    assert np.isnan(mapped[3])
    assert ((mapped[:3] > 0) & (mapped[:3] < 1)).all()
    same = fit_map(method, np.full(50, 0.9), np.arange(50) % 2 == 0)
    assert same(np.array([0.9])) == pytest.approx(0.5, abs=0.02)


def test_good_confidences_stay_as_they_are_or_nearly():
    random = np.random.default_rng(0)
    confidence = random.random(4_000)
    right = random.random(4_000) < confidence
    losses = {
        method: log_loss(cross_fitted(method, confidence, right), right)
        for method in ("none", "logistic", "isotonic")
    }
    assert losses["none"] < losses["isotonic"]
    found = fit_map("logistic", confidence, right)
    assert found.slope == pytest.approx(1, abs=0.1)
    assert ConfidenceMap()(confidence) is confidence


@pytest.mark.parametrize("blank", ["", "  ", "\u200b", "\u3164 "])
def test_a_label_that_nobody_sees_is_none(blank, tmp_path):
    scores, truth = too_sure(60)
    labels = [blank, *truth["label"].to_pylist()[1:]]
    whole = written(truth.set_column(1, "label", pa.array(labels)), tmp_path / "truth.parquet")
    done = textbatch.calibrate(written(scores, tmp_path / "s.parquet"), truth=whole, key="id")
    assert (done.answers, done.untold) == (59, 1)
