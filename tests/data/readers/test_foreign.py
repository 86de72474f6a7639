from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.source import open_source
from textbatch.errors import DataError

TEXT = b"id,text\n1,refund\n"
TABLE = pa.table({"text": ["refund"]})


def zipped(*names: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return target.getvalue()


def written(write) -> bytes:
    target = io.BytesIO()
    write(target)
    return target.getvalue()


def tarred() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        entry = tarfile.TarInfo("a.csv")
        entry.size = len(TEXT)
        archive.addfile(entry, io.BytesIO(TEXT))
    return target.getvalue()


def database() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (text)")
    content = connection.serialize()
    connection.close()
    return content


def arrow_file(target) -> None:
    writer = pa.ipc.new_file(target, TABLE.schema)
    writer.write_table(TABLE)
    writer.close()


FILES = {
    "spreadsheet": (zipped("[Content_Types].xml", "xl/workbook.xml"), "a spreadsheet, .*CSV UTF-8"),
    "old spreadsheet": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "an old Excel"),
    "zip": (zipped("a.csv"), "a zip archive, no text; unpack it first with unzip"),
    "bzip2": (bz2.compress(TEXT), "a bzip2 archive, no text; unpack it first with bunzip2"),
    "xz": (lzma.compress(TEXT), "an xz archive, no text; unpack"),
    "gzip": (gzip.compress(TEXT), "a gzip archive, no text; let its name end with .gz"),
    "zstd": (pa.compress(TEXT, "zstd", asbytes=True), "let its name end with .zst"),
    "tar": (tarred(), "a tar archive"),
    "parquet": (written(lambda f: pq.write_table(TABLE, f)), "give --format parquet"),
    "orc": (written(lambda f: pyarrow.orc.write_table(TABLE, f)), "an ORC file"),
    "arrow": (written(arrow_file), "an Arrow file"),
    "avro": (b"Obj\x01\x04\x14avro.codec" + bytes(99), "an Avro file"),
    "sqlite": (database(), "an SQLite database"),
    "pickle": (pickle.dumps([1, 2]), "a pickle, which could run code and is never loaded"),
    "pdf": (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
    "pdf without other signs": (b"%PDF-1.4\n1 0 obj\n", "a PDF document"),
    "page": (b"\n<!DOCTYPE html>\n<title>Sign in</title>", "a page in HTML or XML"),
    "xml": (b'<?xml version="1.0"?><Error/>', "a page in HTML or XML"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".csv.zst"])
def test_a_file_of_another_kind_is_named(suffix, name, tmp_path):
    content, message = FILES[name]
    path = tmp_path / f"in{suffix}"
    packs = suffix.endswith(".zst")
    path.write_bytes(pa.compress(content, "zstd", asbytes=True) if packs else content)
    with pytest.raises(DataError, match=message):
        open_source(path)


@pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".zip", ".bz2", ".ods", ".json"])
def test_by_its_name_alone_it_is_told_too(suffix, tmp_path):
    path = tmp_path / f"in{suffix}"
    path.write_bytes(b"x")
    with pytest.raises(DataError, match=r"save it as|unpack|one JSON object a line"):
        open_source(path)


@pytest.mark.parametrize("first", ["ORC", "BZh", "PAR1", "Obj", "FEA1", "<b>", "{x}", "7z"])
def test_words_that_begin_like_a_kind_of_file_are_names(first, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(f"{first},text\n1,refund\n")
    assert open_source(path).schema.names == [first, "text"]


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.zst", ".jsonl.gz"])
def test_a_name_that_tells_of_a_compression_that_is_not_there(suffix, tmp_path):
    path = tmp_path / f"in{suffix}"
    path.write_bytes(TEXT * 100)
    with pytest.raises(DataError, match="is not compressed as its name tells"):
        open_source(path)
