from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textbatch.data.readers import quoting
from textbatch.data.readers.source import open_source
from textbatch.errors import DataError


def rows_of(path: Path, *, max_rows: int = 1000) -> list[tuple[str, ...]]:
    source = open_source(path)
    rows: list[tuple[str, ...]] = []
    for batch in source.batches(source.schema.names, max_rows):
        assert batch.num_rows <= max_rows
        rows.extend(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    return rows


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "cell",
    [
        "007",
        "NA",
        "null",
        "nan",
        "None",
        "1e5",
        "TRUE",
        "",
        " x ",
        "2024-01-01",
        "a\x00b",
        "-",
        "é",
    ],
)
def test_cells_are_text_verbatim(cell, tmp_path):
    path = write(tmp_path / "in.csv", f"id,text\n{cell},{cell}\n".encode())
    assert rows_of(path) == [(cell, cell)]
    assert open_source(path).schema.types == [pa.string(), pa.string()]


@pytest.mark.parametrize("shift", range(16))
@pytest.mark.parametrize("edge", [4096, 8192, 65_536])
@pytest.mark.parametrize("breaks", ["\r\n", "\n", "\r", "\n\r\n", "\r\r\n"])
def test_quoted_line_breaks_are_kept_byte_for_byte_across_buffer_edges(
    breaks, edge, shift, tmp_path
):
    filling = "x" * (edge - 8 - len("id,text\r\n1,") - shift)
    cell = f'{filling}"a"{breaks}b,{breaks}'
    quoted = cell.replace('"', '""')
    path = write(tmp_path / "in.csv", f'id,text\r\n1,"{quoted}"\r\n2,z\r\n'.encode())
    assert rows_of(path) == [("1", cell), ("2", "z")]


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=9),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    delimiter=st.sampled_from([",", "\t"]),
    max_rows=st.integers(1, 10),
)
def test_what_python_writes_is_read_back(rows, line_end, delimiter, max_rows, tmp_path):
    path = tmp_path / ("in.csv" if delimiter == "," else "in.tsv")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "text"), *rows])
    path.write_bytes(text.getvalue().encode())
    assert rows_of(path, max_rows=max_rows) == rows


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"\xef\xbb\xbfid,text\n1,a\n", [("1", "a")]),
        (b"id,text\r1,a\r2,b\r", [("1", "a"), ("2", "b")]),
        (b"id,text\n1,a", [("1", "a")]),
        (b"\n\nid,text\n\n1,a\n\r\n\n2,b\n\n", [("1", "a"), ("2", "b")]),
        (b"id,text", []),
        (b"id,text\n", []),
        (b'id,text\n"",a"b\n', [("", 'a"b')]),
    ],
)
def test_odd_files_that_are_right(content, rows, tmp_path):
    path = write(tmp_path / "in.csv", content)
    assert open_source(path).schema.names == ["id", "text"]
    assert rows_of(path) == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "id,text\n1,a\n".encode("utf-16"),
            "not UTF-8: its byte-order mark is that of UTF-16-LE; give --encoding utf-16",
        ),
        (b"id,text\n1,a\n2,caf\xe9\n3,b\n", "not UTF-8 at line 3; convert it"),
        (b"id,text\n" + b"1,a\n" * 9000 + b"2,caf\xe9\n3,b\n", "not UTF-8 at line 9002"),
        (b"id,text\n1,a\n2,caf\xc3", "not UTF-8 at line 3"),
        (b"id,text\n1,a\n2\n", "1 cells in data row 2 and 2 in its header"),
        (b"id,text\n1,a\n\n2,b,c\n", "3 cells in data row 2 and 2 in its header"),
        (b'id,text\n1,"a\n2,b\n', "quoting error .* at line 3, in the row of line 2; close"),
        (b'id,text\n1,"a"b\n', "quoting error .* at line 2"),
        (b"text,text\n1,2\n", "more than one column 'text'; rename"),
        (b"\n\n", "has no header line"),
        (b"", r"is empty \(0 bytes\)"),
    ],
)
def test_malformed_files_are_data_errors_that_say_where(content, message, tmp_path):
    path = write(tmp_path / "in.csv", content)
    with pytest.raises(DataError, match=message):
        rows_of(path)


def test_the_row_number_of_a_ragged_row_counts_over_batches(tmp_path):
    path = write(tmp_path / "in.csv", b"id,text\n" + b"1,a\n" * 25 + b"2\n")
    with pytest.raises(DataError, match="data row 26 "):
        rows_of(path, max_rows=10)


def test_a_very_long_cell_is_read_and_an_endless_one_is_not(tmp_path, monkeypatch):
    long = "x" * (5 << 20)
    path = write(tmp_path / "in.csv", f"id,text\n1,{long}\n".encode())
    assert rows_of(path) == [("1", long)]
    monkeypatch.setattr(quoting, "MAX_CELL_CHARACTERS", 1000)
    with pytest.raises(DataError, match="endless cell at line 2"):
        rows_of(path)


@pytest.mark.parametrize("name", ["in.tsv", "IN.TSV", "in.tsv.gz", "in.csv.tsv"])
def test_tabs_divide_the_cells_of_a_tsv_file(name, tmp_path):
    content = b"id\ttext\n1\ta,b\n"
    packed = gzip.compress(content) if name.endswith(".gz") else content
    assert rows_of(write(tmp_path / name, packed)) == [("1", "a,b")]


def test_commas_divide_the_cells_of_a_csv_file_whatever_else_its_name_holds(tmp_path):
    assert rows_of(write(tmp_path / "in.tsv.csv", b"id,text\n1,a\tb\n")) == [("1", "a\tb")]


def packed(suffix: str, content: bytes) -> bytes:
    return gzip.compress(content) if suffix == ".gz" else pa.compress(content, "zstd", asbytes=True)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_files_are_read(suffix, tmp_path):
    content = b"id,text\n" + b"1,abc\n" * 50_000
    path = write(tmp_path / f"in.csv{suffix}", packed(suffix, content))
    assert rows_of(path) == [("1", "abc")] * 50_000


def test_gzip_members_are_read_one_after_the_other(tmp_path):
    content = gzip.compress(b"id,text\n1,a\n") + gzip.compress(b"2,b\n")
    assert rows_of(write(tmp_path / "in.csv.gz", content)) == [("1", "a"), ("2", "b")]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_truncated_compressed_files_are_data_errors_wherever_they_end(suffix, tmp_path):
    text = "".join(f"{i},{i * i} {i**3}\n" for i in range(5000))
    content = packed(suffix, f"id,text\n{text}".encode())
    path = tmp_path / f"in.csv{suffix}"
    for size in [
        1,
        5,
        20,
        len(content) // 3,
        len(content) // 2,
        len(content) - 9,
        len(content) - 1,
    ]:
        path.write_bytes(content[:size])
        with pytest.raises(DataError, match="truncated or damaged inside its compression"):
            rows_of(path)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_plain_file_with_a_compressed_name_is_a_data_error(suffix, tmp_path):
    with pytest.raises(DataError, match="not compressed as its name tells"):
        rows_of(write(tmp_path / f"in.csv{suffix}", b"id,text\n1,a\n"))


def test_progress_grows_to_the_whole_file(tmp_path):
    source = open_source(write(tmp_path / "in.csv", b"id,text\n" + b"1,abc\n" * 50_000))
    shares = [source.progress() for _ in source.batches(["text"], 10_000)]
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.5
    assert shares[-1] == 1.0
