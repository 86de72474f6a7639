"""The public test files of the Parquet project: what pyarrow reads comes out as it went in."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.text_column import stored_type
from textbatch.errors import DataError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score
from textbatch.scoring.verify import verify_output

CORPUS = Path(
    os.environ.get(
        "TEXTBATCH_PARQUET_CORPUS",
        Path(__file__).parents[3] / "shared" / "corpora" / "parquet-testing",
    )
)
FILES = sorted(CORPUS.glob("*.parquet")) if CORPUS.is_dir() else []
#: A damaged page, which pyarrow notices only when it is asked to check.
DAMAGED = {"rle-dict-uncompressed-corrupt-checksum.parquet"}
TEXTS = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())

pytestmark = pytest.mark.skipif(
    not FILES, reason="no corpus of Parquet files (set TEXTBATCH_PARQUET_CORPUS)"
)


def original(path: Path) -> pa.Table | None:
    """The file as pyarrow reads it, timestamps of INT96 in the unit that ours have."""
    try:
        return pq.read_table(path, coerce_int96_timestamp_unit="us", partitioning=None)
    except (pa.ArrowException, OSError):
        return None


def text_columns(table: pa.Table) -> list[str]:
    return [field.name for field in table.schema if stored_type(field.type) in TEXTS]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_column_of_a_public_file_comes_out_equal(path, model, tmp_path):
    table = original(path)
    if table is None:
        pytest.skip("pyarrow does not read it")
    if not (texts := text_columns(table)):
        pytest.skip("no column of text")
    output = tmp_path / "out.parquet"
    config = ScoreConfig(
        inputs=(path,),
        output=output,
        model=model,
        text_column=texts[0],
        prefix="tb_",
        max_bad_rows="100%",
    )
    if path.name in DAMAGED:
        with pytest.raises(DataError, match="is damaged after row 0 in column"):
            score(config)
        return
    report = score(config)
    assert report.rows_out == table.num_rows
    scored = pq.read_table(output)
    assert scored.select(table.column_names).schema.types == table.schema.types
    # As text: NaN is itself there, and other than -NaN.
    kept = scored.select(table.column_names).to_pydict()
    assert repr(kept) == repr(table.to_pydict())
    verify_output(output)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_that_pyarrow_does_not_read_is_refused(path, model, tmp_path):
    if original(path) is not None:
        pytest.skip("pyarrow reads it")
    config = ScoreConfig(inputs=(path,), output=tmp_path / "out.parquet", model=model)
    with pytest.raises(DataError) as told:
        score(config)
    assert "this is a bug" not in str(told.value)
