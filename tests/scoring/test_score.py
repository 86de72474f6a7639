from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.arrow import writable
from support.bundles import random_bundle, write_bundle, write_texts

from textbatch.errors import ConflictError, OutputError, TooManyBadRowsError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score


def run(source: Path, output: Path, model: Path, **settings) -> pa.Table:
    score(
        ScoreConfig(inputs=(source,), output=output, model=model, if_exists="replace", **settings)
    )
    return pq.read_table(output)


def test_every_row_comes_out_once_in_order_with_its_columns_untouched(input_file, model, tmp_path):
    table = run(input_file, tmp_path / "out.parquet", model)
    source = pq.read_table(input_file)
    assert table.select(source.column_names).equals(source)
    assert table.column_names == ["id", "text", "predicted_label", "confidence", "status"]


@pytest.mark.parametrize(
    "settings",
    [
        {"chunk_rows": 7},
        {"chunk_rows": 1},
        {"chunk_rows": 100_000},
        {"batch_tokens": 1},
        {"batch_tokens": 100_000},
        {"threads": 1},
        {"threads": 5, "chunk_rows": 33, "batch_tokens": 50},
    ],
)
def test_answers_do_not_depend_on_chunks_mini_batches_or_threads(
    input_file, model, tmp_path, settings
):
    wide = {"probabilities": True, "top_k": 3}
    plain = run(input_file, tmp_path / "plain.parquet", model, **wide)
    other = run(input_file, tmp_path / "other.parquet", model, **wide, **settings)
    assert other.equals(plain)


def test_rows_without_evidence_get_a_status_and_no_label(model, tmp_path):
    texts = [None, "", " \u3000\n", "!!!", "zzz qqq", "refund the card", "the " * 50]
    source = write_texts(tmp_path / "in.parquet", texts)
    table = run(source, tmp_path / "out.parquet", model, probabilities=True, top_k=2)
    assert table["status"].to_pylist() == [
        "null_text",
        "empty_text",
        "empty_text",
        "no_known_tokens",
        "no_known_tokens",
        "ok",
        "truncated",
    ]
    for column in ("predicted_label", "confidence", "probabilities", "top_labels"):
        assert [value is None for value in table[column].to_pylist()] == [True] * 5 + [False] * 2


def test_confidence_is_the_best_probability_and_top_labels_are_ordered(input_file, model, tmp_path):
    out = tmp_path / "out.parquet"
    table = run(input_file, out, model, probabilities=True, top_k=9)
    labels = pq.read_metadata(out).metadata[b"textbatch.labels"]
    assert labels == b'["billing", "account", "technical", "shipping"]'
    scored = [row for row in table.to_pylist() if row["predicted_label"]]
    for row in scored:
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-6)
        assert row["confidence"] == max(row["probabilities"]) == row["top_confidences"][0]
        assert row["predicted_label"] == row["top_labels"][0]
        assert row["top_confidences"] == sorted(row["probabilities"], reverse=True)
    assert len({row["predicted_label"] for row in scored}) > 1


def test_labels_below_the_minimum_confidence_are_withheld(input_file, model, tmp_path):
    free = run(input_file, tmp_path / "free.parquet", model)
    held = run(input_file, tmp_path / "held.parquet", model, min_confidence=0.6, top_k=1)
    for before, after in zip(free.to_pylist(), held.to_pylist(), strict=True):
        if before["confidence"] is not None and before["confidence"] < 0.6:
            assert (after["status"], after["predicted_label"]) == ("low_confidence", None)
            assert after["confidence"] is None
            assert after["top_labels"] == [before["predicted_label"]]
        else:
            assert after["predicted_label"] == before["predicted_label"]
    assert "low_confidence" in held["status"].to_pylist()


def test_prefix_names_the_added_columns_and_clashes_are_refused(input_file, model, tmp_path):
    first = tmp_path / "first.parquet"
    run(input_file, first, model)
    with pytest.raises(ConflictError, match=r"already has a column .predicted_label.*--prefix"):
        run(first, tmp_path / "second.parquet", model)
    second = run(first, tmp_path / "second.parquet", model, prefix="v2_")
    assert second["v2_predicted_label"].equals(second["predicted_label"])


def test_columns_chooses_what_passes_through(input_file, model, tmp_path):
    table = run(input_file, tmp_path / "out.parquet", model, columns=("id",))
    assert table.column_names == ["id", "predicted_label", "confidence", "status"]


def test_input_without_rows_gives_output_without_rows(model, tmp_path):
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), source)
    report = score(ScoreConfig(inputs=(source,), output=tmp_path / "out.parquet", model=model))
    assert (report.state, report.rows_in, report.rows_out) == ("done", 0, 0)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names == ["text", "predicted_label", "confidence", "status"]


def test_text_type_does_not_matter(texts, model, tmp_path):
    kinds = writable(
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.dictionary(pa.int32(), pa.string()),
    )
    answers = []
    for index, kind in enumerate(kinds):
        source = tmp_path / f"{index}.parquet"
        pq.write_table(pa.table({"text": pa.array(texts, pa.string()).cast(kind)}), source)
        answers.append(run(source, tmp_path / "out.parquet", model).drop_columns(["text"]))
    assert all(answer.equals(answers[0]) for answer in answers)


def test_undecodable_rows_fail_the_job_unless_allowed(model, tmp_path):
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": [b"refund", b"\xff\xfe", None, b"\xc3"]}), source)
    with pytest.raises(TooManyBadRowsError, match="2 rows are not valid UTF-8, the first is row 2"):
        run(source, tmp_path / "out.parquet", model)
    assert list(tmp_path.iterdir()) == [source]
    table = run(source, tmp_path / "out.parquet", model, max_bad_rows=2)
    assert table["status"].to_pylist() == ["ok", "bad_text", "null_text", "bad_text"]
    assert table["text"].to_pylist() == [b"refund", b"\xff\xfe", None, b"\xc3"]


def test_existing_output_stays_without_overwrite(input_file, model, tmp_path):
    output = tmp_path / "out.parquet"
    output.write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists; add --overwrite"):
        score(ScoreConfig(inputs=(input_file,), output=output, model=model))
    assert output.read_bytes() == b"precious"


def test_dry_run_checks_everything_and_writes_nothing(input_file, model, tmp_path):
    output = tmp_path / "out.parquet"
    report = score(ScoreConfig(inputs=(input_file,), output=output, model=model, dry_run=True))
    assert (report.state, report.rows_in) == ("planned", 500)
    assert list(tmp_path.iterdir()) == [input_file]


def test_one_row_group_whatever_the_chunks(input_file, model, tmp_path):
    output = tmp_path / "out.parquet"
    run(input_file, output, model, chunk_rows=7)
    assert pq.read_metadata(output).num_row_groups == 1


def test_more_labels_than_fit_a_vector_register_change_nothing(input_file, tmp_path):
    labels = tuple(f"label-{index}" for index in range(77))
    model = write_bundle(tmp_path / "model", random_bundle(labels=labels))
    wide = {"probabilities": True}
    plain = run(input_file, tmp_path / "plain.parquet", model, **wide)
    single = run(input_file, tmp_path / "single.parquet", model, batch_tokens=1, **wide)
    assert single.equals(plain)
