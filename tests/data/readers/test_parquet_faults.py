"""A column that Arrow does not know, and one that is damaged: what is said of each."""

from __future__ import annotations

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.source import open_source
from textbatch.data.readers.thrift_compact import Kind, read_struct, write_struct
from textbatch.errors import DataError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

DATA_PAGE, ENCODING, UNHEARD_OF = 5, 2, 60


def write_unknown(path, column: str):
    """A Parquet file, one column of which has an encoding that nobody knows."""
    table = pa.table({"id": [1, 2], "text": ["refund", "login"], "label": ["a", "b"]})
    pq.write_table(table, path, use_dictionary=False, compression="none")
    content = bytearray(path.read_bytes())
    chunk = pq.read_metadata(path).row_group(0).column(table.column_names.index(column))
    start = chunk.data_page_offset
    header, end = read_struct(bytes(content), start)
    header[DATA_PAGE][1][ENCODING] = (Kind.I32, UNHEARD_OF)
    changed = write_struct(header)
    assert len(changed) == end - start
    content[start:end] = changed
    path.write_bytes(content)
    return path


def test_an_unknown_encoding_is_told_with_its_column_and_the_way_around_it(
    model, tmp_path, in_process
):
    path = write_unknown(tmp_path / "in.parquet", "id")
    run = in_process("score", path, tmp_path / "out.parquet", "--model", model)
    assert run.returncode == 65
    assert "has a column 'id' of an encoding or type that this version of Arrow" in run.stderr
    assert "leave it out with --columns" in run.stderr
    assert "damaged" not in run.stderr
    score(
        ScoreConfig(inputs=(path,), output=tmp_path / "out.parquet", model=model, columns=("text",))
    )


def test_a_text_column_of_an_unknown_encoding_has_no_way_around_it(model, tmp_path):
    path = write_unknown(tmp_path / "in.parquet", "text")
    with pytest.raises(DataError, match="column 'text' of an encoding or type") as caught:
        score(ScoreConfig(inputs=(path,), output=tmp_path / "out.parquet", model=model))
    assert "--columns" not in str(caught.value)


def test_a_command_without_columns_does_not_name_them(tmp_path):
    path = write_unknown(tmp_path / "in.parquet", "label")
    with pytest.raises(DataError, match="column 'label' of an encoding or type") as caught:
        read_labelled([path], ReadOptions(), text_column="text", label_column="label")
    assert "--columns" not in str(caught.value)


def test_a_damaged_page_is_told_with_its_column(tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(
        pa.table({"id": range(1000), "text": ["refund"] * 1000}), path, write_page_checksum=True
    )
    content = bytearray(path.read_bytes())
    content[pq.read_metadata(path).row_group(0).column(1).dictionary_page_offset - 5] ^= 255
    path.write_bytes(content)
    with pytest.raises(DataError, match="is damaged after row 0 in column 'id'; write the file"):
        list(open_source(path).batches(["id", "text"], 100))


def with_int128() -> pl.DataFrame:
    wide = pl.Series([1, 2], dtype=pl.Int128)
    price = pl.Series(["1.50", None]).cast(pl.Decimal(10, 2))
    return pl.DataFrame({"text": ["a", "b"], "label": ["x", "y"], "wide": wide, "price": price})


def test_integers_of_128_bits_are_told_with_their_column_and_the_way_around(model, tmp_path):
    path, frame = tmp_path / "in.parquet", with_int128()
    frame.write_parquet(path)
    config = {"inputs": (path,), "output": tmp_path / "out.parquet", "model": model}
    with pytest.raises(
        DataError, match="column 'wide' of a type that this version of Arrow does not read"
    ) as told:
        score(ScoreConfig(**config))
    assert "damaged" not in str(told.value)
    assert "leave it out with --columns" in str(told.value)
    report = score(ScoreConfig(**config, columns=("text", "label", "price")))
    assert report.notes == ["types that only Arrow's copy of the schema tells are not known"]
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.select(["text", "price"]).to_pydict() == frame.select("text", "price").to_dict(
        as_series=False
    )


def test_labelled_files_may_have_integers_of_128_bits_elsewhere(tmp_path):
    path = tmp_path / "in.parquet"
    with_int128().write_parquet(path)
    rows = read_labelled([path], ReadOptions(), text_column="text", label_column="label")
    assert rows.labels.to_pylist() == ["x", "y"]
    # Whoever needs the column cannot leave it out.
    with pytest.raises(DataError, match="column 'wide' of a type") as told:
        list(open_source(path).batches(["wide"], 10))
    assert "--columns" not in str(told.value)


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_labelled_files_may_have_delta_encodings(encoding, tmp_path):
    path = tmp_path / "in.parquet"
    table = pa.table({"text": ["refund", "login"], "label": ["a", "b"]})
    pq.write_table(
        table, path, use_dictionary=False, column_encoding={"text": encoding, "label": encoding}
    )
    rows = read_labelled([path], ReadOptions(), text_column="text", label_column="label")
    assert rows.texts.to_pylist() == ["refund", "login"]
    assert rows.labels.to_pylist() == ["a", "b"]


def test_arrays_of_duckdb_with_nulls_are_told_with_a_way_around(model, tmp_path):
    path, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    rows = "select 'a' as text, [1, 2]::int[2] as pair union all select 'b', null"
    duckdb.sql(f"copy ({rows}) to '{path}' (format parquet)")
    config = {"inputs": (path,), "output": output, "model": model}
    with pytest.raises(DataError, match="column 'pair' of lists whose lengths do not") as told:
        score(ScoreConfig(**config))
    assert "leave it out with --columns, or cast it" in str(told.value)
    score(ScoreConfig(**config, columns=("text",)))
    duckdb.sql(
        f"copy (select text, pair::int[] as pair from ({rows})) to '{path}' (format parquet)"
    )
    score(ScoreConfig(**config, if_exists="replace"))
    assert pq.read_table(output)["pair"].to_pylist() == [[1, 2], None]


def test_strict_types_refuse_a_copy_of_the_schema_that_arrow_does_not_read(model, tmp_path):
    path = tmp_path / "in.parquet"
    with_int128().write_parquet(path)
    config = {"inputs": (path,), "output": tmp_path / "out.parquet", "model": model}
    with pytest.raises(DataError, match="a copy of Arrow's schema that this version"):
        score(ScoreConfig(**config, columns=("text", "price"), strict_types=True, dry_run=True))


def test_a_dry_run_finds_the_columns_that_cannot_be_read(model, tmp_path):
    path, folder = tmp_path / "in" / "a.parquet", tmp_path / "in"
    folder.mkdir()
    with_int128().write_parquet(path)
    for source, output in ((path, tmp_path / "out.parquet"), (folder, tmp_path / "out")):
        config = {"inputs": (source,), "output": output, "model": model, "dry_run": True}
        with pytest.raises(DataError, match=r"column 'wide' of a type .*leave it out with"):
            score(ScoreConfig(**config))
        assert score(ScoreConfig(**config, columns=("text",))).rows_in == 2


PHYSICAL, CONVERTED, LOGICAL = 1, 6, 10


def with_unknown_type(path, column: int, field: int, number: int):
    """A Parquet file, one column of which has a type that nobody knows."""
    table = pa.table({"text": ["refund", None], "id": [1, 2], "in": [{"x": 1, "y": "b"}, None]})
    pq.write_table(table, path)
    content = path.read_bytes()
    end = int.from_bytes(content[-8:-4], "little") + 8
    footer, _ = read_struct(content[-end:-8])
    element = footer[2][1].values[column]
    element.pop(LOGICAL, None)
    element[field] = (Kind.I32, number)
    footer[2][1].values[column] = dict(sorted(element.items()))
    changed = write_struct(footer)
    path.write_bytes(content[:-end] + changed + len(changed).to_bytes(4, "little") + b"PAR1")
    return table


@pytest.mark.parametrize(("column", "name"), [(2, "id"), (4, "in"), (5, "in")])
@pytest.mark.parametrize(("field", "number"), [(PHYSICAL, 9), (CONVERTED, 99)])
def test_an_unknown_type_in_the_footer_is_told_with_its_column(
    field, number, column, name, model, tmp_path
):
    path = tmp_path / "in.parquet"
    table = with_unknown_type(path, column, field, number)
    config = {"inputs": (path,), "output": tmp_path / "out.parquet", "model": model}
    with pytest.raises(DataError, match=f"column '{name}' of a type that .* does not know; leave"):
        score(ScoreConfig(**config))
    others = [one for one in table.column_names if one != name]
    score(ScoreConfig(**config, columns=tuple(others)))
    found = pq.read_table(tmp_path / "out.parquet").select(others)
    assert found.to_pydict() == table.select(others).to_pydict()


def test_an_unknown_type_in_the_text_column_has_no_way_around_it(model, tmp_path):
    path = tmp_path / "in.parquet"
    with_unknown_type(path, 1, CONVERTED, 99)
    with pytest.raises(DataError, match=r"column 'text' of a type that .* does not know; cast"):
        score(ScoreConfig(inputs=(path,), output=tmp_path / "out.parquet", model=model))


def test_a_footer_that_is_damaged_is_called_damaged(tmp_path):
    path = tmp_path / "in.parquet"
    with_unknown_type(path, 2, PHYSICAL, 9)
    content = bytearray(path.read_bytes())
    content[-60:-40] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged Parquet footer"):
        open_source(path)
