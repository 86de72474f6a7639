from __future__ import annotations

import csv

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.output.small_table import write_table

FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "－1",
    "=cmd|' /C calc'!A0", '="a","b"',
)  # fmt: skip
PLAIN = ("", "refund", "a=1", "'=1", " ", "1-1", '"', "a,b", "a\nb")


def table_of(texts) -> pa.Table:
    columns = {"row": [*range(-1, len(texts) - 1)], "text": texts, "=label": [-0.5] * len(texts)}
    return pa.table(columns)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(text, tmp_path):
    write_table(table_of([text]), tmp_path / "t.csv", overwrite=False)
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        assert [*csv.reader(file)] == [["row", "text", "'=label"], ["-1", f"'{text}", "-0.5"]]


def test_other_texts_numbers_and_parquet_stay_as_they_are(tmp_path):
    write_table(table_of(PLAIN), tmp_path / "t.csv", overwrite=False)
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        assert [row[1] for row in csv.reader(file)] == ["text", *PLAIN]
    write_table(table_of(FORMULAS), tmp_path / "t.parquet", overwrite=False)
    found = pq.read_table(tmp_path / "t.parquet")
    assert found["text"].to_pylist() == [*FORMULAS]
    assert found.column_names == ["row", "text", "=label"]
