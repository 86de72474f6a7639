"""`--strict-types`: nothing is written where a column would come out with another type."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.errors import DataError
from textbatch.scoring import job
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.folder import ending as folder_job
from textbatch.scoring.score import score

KEPT = """
    select 'refund' as text, interval '3 days' as span, timetz '10:00:00+02' as clock,
        uuid() as id, '{"a": 1}'::json as doc, 'x'::enum('x', 'y') as kind,
        timestamp_ns '2024-01-01 00:00:00.123456789' as at
"""


def int96(path, **columns: pa.Array):
    table = pa.table({"text": ["refund", None], "id": [1, 2], **columns})
    pq.write_table(table, path, use_deprecated_int96_timestamps=True)
    return path


@pytest.fixture
def moments() -> pa.Array:
    return pa.array([0, None], pa.timestamp("us"))


def test_types_that_stay_are_no_reason_to_refuse(model, tmp_path):
    source, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    duckdb.sql(f"copy ({KEPT}) to '{source}' (format parquet)")
    report = score(ScoreConfig(inputs=(source,), output=output, model=model, strict_types=True))
    assert report.notes == []
    before, after = (duckdb.sql(f"describe from '{path}'").fetchall() for path in (source, output))
    assert after[: len(before)] == before


def test_int96_is_refused_with_its_columns_before_anything_is_written(
    moments, model, tmp_path, in_process
):
    source = int96(
        tmp_path / "in.parquet", at=moments, inner=pa.StructArray.from_arrays([moments], ["x"])
    )
    arguments = ("score", source, tmp_path / "out.parquet", "--model", model, "--strict-types")
    run = in_process(*arguments)
    assert run.returncode == 65
    assert "whose types do not stay in Parquet: 'at' (INT96), 'inner' (INT96)" in run.stderr
    assert "leave them out with --columns" in run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]
    assert in_process(*arguments, "--dry-run").returncode == 65
    assert in_process(*arguments, "--columns", "id,text").returncode == 0


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("out.csv", "CSV: 'id' (int64), 'words' (list), 'at' (timestamp[us]), 'doc' (JSON)"),
        ("out.jsonl.gz", "JSON Lines: 'at' (timestamp[us]), 'doc' (JSON)"),
    ],
)
def test_what_becomes_text_in_a_text_file_is_refused(name, refused, model, tmp_path):
    source = tmp_path / "in.parquet"
    rows = "select 'refund' as text, 1::bigint as id, ['a'] as words, timestamp '2024-01-01' as at"
    duckdb.sql(f"copy ({rows}, '[]'::json as doc) to '{source}' (format parquet)")
    config = ScoreConfig(inputs=(source,), output=tmp_path / name, model=model, strict_types=True)
    with pytest.raises(DataError) as caught:
        score(config)
    assert refused in str(caught.value)
    plain = ScoreConfig(inputs=(source,), output=tmp_path / name, model=model)
    assert score(plain).notes == []


def test_texts_stay_texts_in_any_format(model, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("id,text\n1,refund\n")
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        score(ScoreConfig(inputs=(source,), output=tmp_path / name, model=model, strict_types=True))


def test_a_folder_is_checked_whole_before_its_first_file_is_scored(
    moments, model, tmp_path, monkeypatch
):
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"text": ["refund"]}), tmp_path / "in" / "a.parquet")
    int96(tmp_path / "in" / "b.parquet", at=moments)
    config = ScoreConfig(
        inputs=(tmp_path / "in",), output=tmp_path / "out", model=model, strict_types=True
    )
    monkeypatch.setattr(folder_job, "prepare_place", pytest.fail)
    with pytest.raises(DataError, match=r"b\.parquet has columns .* Parquet: 'at' \(INT96\)"):
        score(config)
    assert not (tmp_path / "out").exists()


def test_names_that_look_like_data_are_counted(moments, model, tmp_path):
    source = int96(tmp_path / "in.parquet", **{"4111 1111 1111 1111": moments, "at": moments})
    config = ScoreConfig(
        inputs=(source,), output=tmp_path / "out.parquet", model=model, strict_types=True
    )
    with pytest.raises(DataError, match=r"'at' \(INT96\), 1 more;"):
        score(config)


def test_without_it_the_report_names_what_parquet_does_not_keep(model, input_file, monkeypatch):
    monkeypatch.setattr(job, "changed_types", lambda *_: {"span": "INTERVAL", "at": "INT96"})
    output = input_file.with_name("out.parquet")
    report = score(ScoreConfig(inputs=(input_file,), output=output, model=model))
    assert report.notes == ["types are lost, their values are kept: 'span' (INTERVAL)"]
