from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.unlabelled import check_unlabelled, unlabelled_texts
from textbatch.errors import DataError, InputNotFoundError


def texts_of(*paths: Path, bad: list[int] | None = None, column: str = "text") -> list[str]:
    on_bad = (bad if bad is not None else []).append
    chunks = unlabelled_texts(paths, text_column=column, on_bad=on_bad)
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
    assert bad == [1]


def test_wrong_files_show_before_any_work(tmp_path):
    pq.write_table(pa.table({"n": [1]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"no column 'text'.*--text-column"):
        check_unlabelled([tmp_path / "a.parquet"], text_column="text")
    with pytest.raises(DataError, match="not text"):
        check_unlabelled([tmp_path / "a.parquet"], text_column="n")
    with pytest.raises(InputNotFoundError):
        check_unlabelled([tmp_path / "no.txt"], text_column="text")
    (tmp_path / "b.txt").write_bytes(b"\0" * 9)
    with pytest.raises(DataError, match="not a text file"):
        texts_of(tmp_path / "b.txt")


def test_the_share_read_grows_to_the_whole_whatever_the_formats(tmp_path):
    pq.write_table(pa.table({"text": ["a"] * 5_000}), tmp_path / "a.parquet", compression=None)
    (tmp_path / "b.csv").write_text("text\n" + "word\n" * 5_000)
    (tmp_path / "c.jsonl").write_text('{"text": "f"}\n' * 3_000)
    (tmp_path / "d.txt.gz").write_bytes(gzip.compress(b"line\n" * 400_000))
    told: list[tuple[int, float]] = []
    chunks = unlabelled_texts(
        sorted(tmp_path.iterdir()),
        text_column="text",
        on_bad=lambda _: None,
        on_read=lambda rows, share: told.append((rows, share)),
    )
    assert sum(map(len, chunks)) - 1 == sum(rows for rows, _ in told) == 413_000
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    sizes = [path.stat().st_size for path in sorted(tmp_path.iterdir())]
    assert shares[0] == pytest.approx(sizes[0] / sum(sizes))
