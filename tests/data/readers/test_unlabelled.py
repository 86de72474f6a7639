from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.unlabelled import UnlabelledFiles, _bad_rows
from textbatch.errors import ConflictError, DataError, InputNotFoundError


def files(*paths: Path, column: str = "text") -> UnlabelledFiles:
    return UnlabelledFiles(inputs=paths, options=ReadOptions(), text_column=column)


def texts_of(*paths: Path, bad: list[int] | None = None, column: str = "text") -> list[str]:
    numbers = bad if bad is not None else []
    chunks = files(*paths, column=column).texts(
        lambda _, rows: numbers.extend(row.row for row in rows)
    )
    return [text for chunk in chunks for text in chunk.to_pylist()]


def test_all_formats_give_their_texts_in_order(tmp_path):
    pq.write_table(pa.table({"text": ["a b", None, "c"]}), tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("id,text\n1,d\n2,e\n")
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(b'{"text": "f"}\n{"text": null}\n'))
    (tmp_path / "d.txt").write_text("g h\n\ni")
    found = texts_of(*sorted(tmp_path.iterdir()))
    assert [text.strip() for text in found if text.strip()] == [
        "a b",
        "c",
        "d",
        "e",
        "f",
        "g h",
        "i",
    ]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lines_are_whole_wherever_the_reads_end(tmp_path, pack):
    lines = [f"line {number} " + "x" * (number % 500) for number in range(20_000)]
    path = tmp_path / ("big.txt.gz" if pack is gzip.compress else "big.txt")
    path.write_bytes(pack("\n".join(lines).encode()))
    assert [text.rstrip("\n") for text in texts_of(path)] == lines


def test_an_endless_line_is_broken(tmp_path):
    (tmp_path / "one.txt").write_text("word " * 900_000)
    found = texts_of(tmp_path / "one.txt")
    assert len(found) > 1
    assert max(map(len, found)) <= 2 << 20


def test_undecodable_texts_are_counted_and_left_out(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"good\nb\xffd\nfine\n")
    bad: list[int] = []
    assert [text.strip() for text in texts_of(tmp_path / "a.txt", bad=bad)][:2] == ["good", "fine"]
    assert bad == [2]


def test_wrong_files_show_before_any_work(tmp_path):
    pq.write_table(pa.table({"n": [1]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"no column 'text'.*--text-column"):
        files(tmp_path / "a.parquet").check()
    with pytest.raises(DataError, match="not text"):
        files(tmp_path / "a.parquet", column="n").check()
    with pytest.raises(InputNotFoundError):
        files(tmp_path / "no.txt").check()
    (tmp_path / "b.txt").write_bytes(b"\0" * 9)
    with pytest.raises(DataError, match="not a text file"):
        texts_of(tmp_path / "b.txt")


def test_the_share_read_grows_to_the_whole_whatever_the_formats(tmp_path):
    pq.write_table(pa.table({"text": ["a"] * 5_000}), tmp_path / "a.parquet", compression=None)
    (tmp_path / "b.csv").write_text("text\n" + "word\n" * 5_000)
    (tmp_path / "c.jsonl").write_text('{"text": "f"}\n' * 3_000)
    (tmp_path / "d.txt.gz").write_bytes(gzip.compress(b"line\n" * 400_000))
    told: list[tuple[int, float]] = []
    chunks = files(*sorted(tmp_path.iterdir())).texts(
        on_read=lambda rows, share: told.append((rows, share))
    )
    assert sum(map(len, chunks)) - 1 == sum(rows for rows, _ in told) == 413_000
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    sizes = [path.stat().st_size for path in sorted(tmp_path.iterdir())]
    assert shares[0] == pytest.approx(sizes[0] / sum(sizes))


@pytest.mark.parametrize("encoding", ["utf-8", None])
def test_a_mark_is_no_part_of_the_first_line(encoding, tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffrefund\nlogin\n".encode())
    marked = UnlabelledFiles(
        inputs=[tmp_path], options=ReadOptions(encoding=encoding), text_column="text"
    )
    found = pa.concat_arrays(list(marked.texts())).to_pylist()
    assert [text.strip() for text in found if text] == ["refund", "login"]


def test_txt_that_is_an_archive_is_told(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"PK\x03\x04" + b"a" * 600)
    with pytest.raises(DataError, match="is a zip archive"):
        texts_of(tmp_path / "a.txt")


def test_txt_in_another_encoding(tmp_path):
    (tmp_path / "a.txt").write_bytes("größe\nklein\n".encode("latin-1"))
    latin = UnlabelledFiles(
        inputs=[tmp_path], options=ReadOptions(encoding="latin-1"), text_column="text"
    )
    found = pa.concat_arrays(list(latin.texts())).to_pylist()
    assert [text.strip() for text in found if text] == ["größe", "klein"]


def test_a_name_beside_the_inputs_counts_more_than_their_format(tmp_path):
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "a.parquet")
    (tmp_path / "b.txt").write_text("b")
    (tmp_path / "c.csv").write_text("id;text\n1;c\n2;NA\n")
    options = ReadOptions(input_format="csv", encoding="utf-8", delimiter=";", null_text=("NA",))
    beside = UnlabelledFiles(inputs=[tmp_path], options=options, text_column="text", beside=True)
    beside.check()
    found = pa.concat_arrays(list(beside.texts())).to_pylist()
    assert found == ["a", "b", "c"]
    with pytest.raises(ConflictError, match="--encoding is for CSV"):
        UnlabelledFiles(
            inputs=[tmp_path / "a.parquet"],
            options=ReadOptions(encoding="utf-8"),
            text_column="text",
        ).check()


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("word\n" * 500_000)
    chunks = files(path).texts()
    next(chunks)
    path.write_text("other\n" * 500_000)
    with pytest.raises(DataError, match="changed while the job ran"):
        list(chunks)


def test_rows_that_are_left_out_have_their_numbers_in_the_file(tmp_path):
    lines = [b"good,1", b"a,b,c", b"caf\xe9,2", b"good,3", b"x", b"y", b"caf\xe9,4", b"good,5"]
    (tmp_path / "a.csv").write_bytes(b"text,n\n" + b"\n".join(lines) + b"\n")
    found: list[tuple[int, str]] = []
    read: list[int] = []
    chunks = UnlabelledFiles(
        inputs=[tmp_path], options=ReadOptions(), text_column="text", sets_aside=True
    ).texts(
        lambda _, rows: found.extend((row.row, row.reason) for row in rows),
        lambda rows, _: read.append(rows),
    )
    assert pa.concat_arrays(list(chunks)).to_pylist() == ["good"] * 3
    counts, bad = "wrong_cell_count", "bad_utf8"
    assert found == [(2, counts), (3, bad), (5, counts), (6, counts), (7, bad)]
    assert sum(read) == len(lines)


def test_texts_between_rows_that_were_set_aside_have_their_numbers(tmp_path):
    aside = [BadRow(row=row, reason="wrong_cell_count") for row in (1, 4, 5, 9)]
    # The rows that were read have the numbers 2, 3, 6, 7, 8, 10, 11.
    found = _bad_rows([0, 2, 5, 6], aside)
    assert [row.row for row in found if row.reason == "bad_utf8"] == [2, 6, 10, 11]
    assert [row.row for row in found] == sorted(row.row for row in found)
