"""CSV and JSON Lines output: what comes out is what went in, in bytes that nothing changes."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from textbatch.data.output.any_output import check_any_seal, entries_of, files_of, is_changed
from textbatch.data.output.csv_rows import CsvRows
from textbatch.data.output.output_format import find_format, format_of_output
from textbatch.data.output.read_back import rows_back
from textbatch.data.output.text_file import TextOutput, check_columns
from textbatch.data.storage.file_io import new_input
from textbatch.errors import ConflictError, DataError, OutputError

AWKWARD = [
    "plain",
    "",
    " blanks around ",
    "a,b",
    'says "so"',
    '"',
    "two\nlines",
    "return\r\nand feed",
    "\r",
    "=1+1",
    "'",
    "tab\there",
    "NA",
    "null",
    "0012",
    "\ufeffmark",
    "nul\x00byte",
    "back\\slash",
    "# no comment",
    "文本 \U0001f600 \u2028",
    None,
]


def write(path: Path, table: pa.Table, *, quote_empty: bool = True, step: int = 5) -> Path:
    output = TextOutput(
        path,
        table.schema,
        format_of_output(path),
        run_id="0" * 16,
        overwrite=False,
        quote_empty=quote_empty,
    )
    try:
        for batch in table.to_batches(max_chunksize=step):
            output.write(batch)
        output.commit({"textbatch.key": "k"})
    except BaseException:
        output.abort()
        raise
    return path


def read(path: Path) -> list[dict[str, object]]:
    return list(rows_back(new_input(path), find_format(path)))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a.parquet", ("parquet", ",", None)),
        ("a.PQ", ("parquet", ",", None)),
        ("a.csv", ("csv", ",", None)),
        ("a.b.CSV.GZ", ("csv", ",", "gzip")),
        ("a.tsv", ("csv", "\t", None)),
        ("a.tsv.zst", ("csv", "\t", "zstd")),
        ("a.jsonl", ("jsonl", ",", None)),
        ("a.ndjson.zst", ("jsonl", ",", "zstd")),
    ],
)
def test_the_name_says_the_format(name, told):
    found = format_of_output(Path(name))
    assert (found.kind, found.delimiter, found.codec) == told


@pytest.mark.parametrize("name", ["a", "a.txt", "a.xlsx", "a.gz", "a.parquet.gz", "a.json", ".csv"])
def test_other_names_are_refused_with_what_is_accepted(name):
    with pytest.raises(ConflictError, match=r"ends in \.parquet, \.csv or \.jsonl"):
        format_of_output(Path(name))


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.csv.gz", "out.csv.zst"])
def test_every_cell_of_csv_comes_back_as_it_was(name, tmp_path):
    table = pa.table({"text": AWKWARD, "n": list(range(len(AWKWARD)))})
    found = read(write(tmp_path / name, table))
    assert [row["text"] for row in found] == [text or "" for text in AWKWARD]
    assert [row["n"] for row in found] == [str(n) for n in range(len(AWKWARD))]


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"])
def test_every_value_of_json_lines_comes_back_as_it_was(name, tmp_path):
    table = pa.table({"text": AWKWARD, "n": [2**63 - 1] * len(AWKWARD)})
    assert read(write(tmp_path / name, table)) == table.to_pylist()


def test_only_cells_that_need_quotes_have_them(tmp_path):
    table = pa.table({"a": ["1", "x y", "a,b", "", None], "b": [1, None, 3, 4, 5]})
    content = write(tmp_path / "out.csv", table).read_bytes()
    assert content == b'a,b\n1,1\nx y,\n"a,b",3\n"",4\n,5\n'
    content = write(tmp_path / "plain.csv", table, quote_empty=False).read_bytes()
    assert content == b'a,b\n1,1\nx y,\n"a,b",3\n,4\n,5\n'


def test_names_of_columns_are_quoted_like_cells(tmp_path):
    table = pa.table({"\ufeffa": ["1"], 'b,"c"\n': ["2"]})
    path = write(tmp_path / "out.csv", table)
    assert path.read_text() == '"\ufeffa","b,""c""\n"\n1,2\n'
    assert next(csv.reader(io.StringIO(path.read_text(), newline=""))) == table.column_names


def test_values_of_parquet_have_one_text(tmp_path):
    moment = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
    table = pa.table(
        {
            "float32": pa.array([0.1, None], pa.float32()),
            "double": [0.1 + 0.2, float("nan")],
            "long": pa.array([2**64 - 1, 0], pa.uint64()),
            "decimal": pa.array([Decimal("0.0000000001"), Decimal("-12.3")], pa.decimal128(38, 10)),
            "date": [date(2024, 2, 3), None],
            "zone": pa.array([moment, None], pa.timestamp("s", "Europe/Berlin")),
            "naive": pa.array([moment.replace(tzinfo=None), None], pa.timestamp("ms")),
            "truth": [True, None],
            "took": pa.array([timedelta(seconds=1), None], pa.duration("s")),
            "category": pa.array(["x", None]).dictionary_encode(),
            "list": pa.array([[0.1, None], None], pa.list_(pa.float32())),
            "object": [{"a": "ü", "when": moment}, None],
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())),
        }
    )
    texts = read(write(tmp_path / "out.csv", table))
    assert texts[0] == {
        "float32": "0.1",
        "double": "0.30000000000000004",
        "long": "18446744073709551615",
        "decimal": "0.0000000001",
        "date": "2024-02-03",
        "zone": "2024-02-03 04:05:06Z",
        "naive": "2024-02-03 04:05:06.000",
        "truth": "true",
        "took": "1",
        "category": "x",
        "list": "[0.1,null]",
        "object": '{"a":"ü","when":"2024-02-03 04:05:06.000000Z"}',
        "map": '[{"key":"k","value":1}]',
    }
    assert {name: text for name, text in texts[1].items() if text} == {
        "double": "nan",
        "long": "0",
        "decimal": "-12.3000000000",
    }
    values = read(write(tmp_path / "out.jsonl", table))
    assert values[0] == texts[0] | {
        "float32": 0.1,
        "double": 0.30000000000000004,
        "long": 18446744073709551615,
        "truth": True,
        "list": [0.1, None],
        "object": {"a": "ü", "when": "2024-02-03 04:05:06.000000Z"},
        "map": [{"key": "k", "value": 1}],
    }
    assert {name: one for name, one in values[1].items() if one is not None} == {
        "long": 0,
        "decimal": "-12.3000000000",
    }


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (pa.array([b"x"]), "holds bytes"),
        (pa.array([[b"x"]]), "holds bytes"),
        (pa.array([{"a": b"x"}]), "holds bytes"),
        (
            pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]),
            "two keys of one name",
        ),
        (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), "has no text"),
    ],
)
def test_a_column_without_text_is_refused_by_name(column, told):
    with pytest.raises(DataError, match=f"in.parquet column 'odd' .*{told}.*--columns"):
        check_columns(pa.table({"odd": column}).schema, "in.parquet")


def test_lists_of_all_kinds_are_lists(tmp_path):
    values = [[1, 2], None, []]
    number = pa.int64()
    kinds = (pa.list_(number), pa.large_list(number), pa.list_view(number), pa.list_(number, 2))
    for place, kind in enumerate(kinds):
        rows = values if place < 3 else values[:2]
        column = pa.chunked_array([pa.array([None, *rows], kind).slice(1)])
        path = write(tmp_path / f"{place}.jsonl", pa.table({"a": column}), step=2)
        assert [row["a"] for row in read(path)] == rows


def test_a_time_beyond_all_calendars_is_refused(tmp_path):
    table = pa.table({"a": ["x"], "t": pa.array([2**62], pa.int64()).cast(pa.timestamp("s"))})
    for name in ("out.csv", "out.jsonl"):
        with pytest.raises(DataError, match="column 't' holds a time that has no text"):
            write(tmp_path / name, table)
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_json_lacks_are_null_and_told(tmp_path):
    table = pa.table({"x": [1.5, float("inf"), float("nan"), None]})
    path = tmp_path / "out.jsonl"
    output = TextOutput(
        path,
        table.schema,
        format_of_output(path),
        run_id="0" * 16,
        overwrite=False,
        quote_empty=True,
    )
    output.write(table.to_batches()[0])
    output.commit({})
    assert [row["x"] for row in read(path)] == [1.5, None, None, None]
    assert output.notes == [
        "column 'x': 2 values are NaN or infinite, which JSON does not have; they are null"
    ]


@pytest.mark.parametrize(
    "name", ["out.csv", "out.jsonl", "out.csv.gz", "out.csv.zst", "out.jsonl.gz", "out.jsonl.zst"]
)
def test_the_bytes_do_not_depend_on_how_the_rows_came(name, tmp_path):
    rows = 40_000
    table = pa.table(
        {
            "id": pa.array(range(rows)),
            "text": [hashlib.sha256(bytes([n % 251])).hexdigest() for n in range(rows)],
        }
    )
    contents = set()
    for step in (999, 20_000, rows):
        (tmp_path / str(step)).mkdir()
        contents.add(write(tmp_path / str(step) / name, table, step=step).read_bytes())
    assert len(contents) == 1


def test_gzip_has_no_time_and_no_name(tmp_path):
    content = write(tmp_path / "out.csv.gz", pa.table({"a": [1]})).read_bytes()
    assert content[3:8] == bytes(5)
    assert gzip.decompress(content) == b"a\n1\n"


def test_an_empty_table_is_a_header(tmp_path):
    table = pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.int8())})
    assert write(tmp_path / "out.csv", table).read_bytes() == b"a,b\n"
    assert write(tmp_path / "out.jsonl", table).read_bytes() == b""
    for name in ("out.csv", "out.jsonl"):
        assert check_any_seal(tmp_path / name)
        assert read(tmp_path / name) == []


def test_the_seal_covers_every_byte_of_output_and_record(tmp_path):
    path = write(tmp_path / "out.csv", pa.table({"a": ["x", "y"]}))
    record = files_of(path)[0]
    assert record == tmp_path / "_out.csv.seal.json"
    seal = check_any_seal(path)
    assert entries_of(path)["textbatch.seal"] == seal
    assert not is_changed(path)
    for file in (path, record):
        whole = file.read_bytes()
        for place in range(len(whole)):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(DataError):
                check_any_seal(path)
            assert is_changed(path)
        file.write_bytes(whole)
    path.write_bytes(path.read_bytes() + b"z\n")
    with pytest.raises(DataError, match="changed since it was written"):
        check_any_seal(path)


def test_a_lost_record_is_told(tmp_path):
    path = write(tmp_path / "out.csv", pa.table({"a": ["x"]}))
    files_of(path)[0].unlink()
    with pytest.raises(DataError, match=r"_out\.csv\.seal\.json is not beside it"):
        check_any_seal(path)
    assert entries_of(path) == {}


def test_the_record_of_another_file_does_not_fit(tmp_path):
    one = write(tmp_path / "one.csv", pa.table({"a": ["x"]}))
    other = write(tmp_path / "other.csv", pa.table({"a": ["y"]}))
    files_of(one)[0].replace(files_of(other)[0])
    assert is_changed(other)


def test_a_name_as_long_as_can_be_has_a_record(tmp_path):
    path = write(tmp_path / f"{'x' * 251}.csv", pa.table({"a": ["x"]}))
    record = files_of(path)[0]
    assert len(record.name) == 255
    assert json.loads(record.read_text())["textbatch.key"] == "k"
    assert check_any_seal(path)


def test_a_folder_in_the_place_of_the_record_is_told_before_a_row_is_written(tmp_path):
    (tmp_path / "_out.csv.seal.json").mkdir()
    with pytest.raises(OutputError, match="is a directory"):
        write(tmp_path / "out.csv", pa.table({"a": ["x"]}))
    assert [entry.name for entry in tmp_path.iterdir()] == ["_out.csv.seal.json"]


def test_an_output_that_is_dropped_leaves_nothing(tmp_path):
    for name in ("out.csv", "out.csv.gz", "out.jsonl.zst"):
        path = tmp_path / name
        output = TextOutput(
            path,
            pa.schema([("a", pa.int64())]),
            format_of_output(path),
            run_id="0" * 16,
            overwrite=False,
            quote_empty=True,
        )
        output.write(pa.record_batch({"a": pa.array(range(50_000))}))
        output.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_cut_off_output_is_told(tmp_path):
    table = pa.table({"a": ["x" * 50, 'quoted "cell", here'] * 10_000})
    for name in ("out.csv.gz", "out.jsonl.zst", "out.csv", "out.jsonl"):
        path = write(tmp_path / name, table)
        path.write_bytes(path.read_bytes()[:-5])
        with pytest.raises(DataError, match="damaged"):
            read(path)


def test_rows_of_csv_do_not_depend_on_their_neighbours():
    rows = CsvRows(pa.schema([("a", pa.string())]), delimiter=",", quote_empty=True)
    batch = pa.record_batch({"a": AWKWARD})
    alone = b"".join(rows.encode(batch.slice(row, 1)) for row in range(len(batch)))
    assert rows.encode(batch) == alone


@pytest.mark.parametrize("name", ["out.csv", "out.tsv"])
def test_other_programs_read_awkward_cells_as_they_were(name, tmp_path):
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    path = write(tmp_path / name, pa.table({"n": range(len(AWKWARD)), "text": AWKWARD}))
    delimiter = find_format(path).delimiter
    found = pandas.read_csv(path, keep_default_na=False, dtype=str, sep=delimiter)
    assert found["text"].tolist() == [text or "" for text in AWKWARD]
    found = polars.read_csv(path, separator=delimiter, infer_schema_length=None)
    assert found["text"].to_list() == AWKWARD
    told = f"delim = '{delimiter}', header = true, all_varchar = true, allow_quoted_nulls = false"
    rows = duckdb.sql(f"select text from read_csv('{path}', {told})").fetchall()
    assert [text for (text,) in rows] == AWKWARD


def test_other_programs_read_awkward_values_of_json_as_they_were(tmp_path):
    polars = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    path = write(tmp_path / "out.jsonl", pa.table({"text": AWKWARD}))
    assert polars.read_ndjson(path)["text"].to_list() == AWKWARD
    rows = duckdb.sql(f"select text from read_json('{path}')").fetchall()
    assert [text for (text,) in rows] == AWKWARD
