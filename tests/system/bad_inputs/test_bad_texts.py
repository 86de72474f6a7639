"""Bytes that are no text, in the text column and in others: bad rows, and an output that reads."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

GOOD = b'{"text": "refund", "note": "x", "tags": ["y"]}\n'
BAD = {
    "the text": b'{"text": "caf\xe9", "note": "x", "tags": ["y"]}\n',
    "another column": b'{"text": "refund", "note": "caf\xe9", "tags": ["y"]}\n',
    "a list": b'{"text": "refund", "note": "x", "tags": ["y", "caf\xe9"]}\n',
}


@pytest.fixture(params=["jsonl", "parquet"])
def source(request, cli):
    """Writes rows, given as JSON."""

    def write(*lines: bytes):
        path = cli.folder / f"in.{request.param}"
        if request.param == "jsonl":
            path.write_bytes(b"".join(lines))
            return path
        rows = [json.loads(line.decode("utf-8", "surrogateescape")) for line in lines]

        def texts(name):
            cells = [row[name].encode("utf-8", "surrogateescape") for row in rows]
            return pa.Array.from_buffers(pa.string(), len(cells), pa.array(cells).buffers())

        tags = [[tag.encode("utf-8", "surrogateescape") for tag in row["tags"]] for row in rows]
        lists = pa.array(tags, pa.list_(pa.binary()))
        inner = lists.values
        inner = pa.Array.from_buffers(pa.string(), len(inner), inner.buffers())
        lists = pa.ListArray.from_arrays(lists.offsets, inner)
        columns = {"text": texts("text"), "note": texts("note"), "tags": lists}
        pq.write_table(pa.table(columns), path)
        return path

    return write


@pytest.mark.parametrize("name", BAD)
def test_it_is_a_bad_row_like_any_other(name, source, cli):
    path = source(GOOD, BAD[name], GOOD)
    cli.refuses(path, 67, "1 row.* not valid UTF-8, the first is row 2; --max-bad-rows")
    found = cli.accepts(path, "--max-bad-rows", 1)
    assert found["status"].to_pylist() == ["ok", "bad_text", "ok"]
    assert found["predicted_label"].to_pylist()[1] is None
    found.validate(full=True)
    expected = {
        "the text": ("caf\ufffd", "x", ["y"]),
        "another column": ("refund", "caf\ufffd", ["y"]),
        "a list": ("refund", "x", None),
    }[name]
    assert tuple(found[c].to_pylist()[1] for c in ("text", "note", "tags")) == expected
    assert cli("verify", cli.output) == 0


@pytest.mark.parametrize("name", BAD)
def test_it_goes_to_the_quarantine(name, source, cli):
    aside = cli.folder / "aside.jsonl"
    path = source(GOOD, BAD[name], GOOD)
    found = cli.accepts(path, "--quarantine", aside, "--max-bad-rows", 1)
    assert found["text"].to_pylist() == ["refund", "refund"]
    told = json.loads(aside.read_text())
    assert (told["row"], told["reason"]) == (2, "bad_utf8")


def test_a_column_that_is_left_out_spoils_no_row(source, cli):
    found = cli.accepts(source(GOOD, BAD["another column"]), "--columns", "text,tags")
    assert found["status"].to_pylist() == ["ok", "ok"]


@pytest.mark.parametrize("value", ["{}", "[{}]", '{"a": {}}', "[[{}], []]", '{"a": [{}], "b": 1}'])
def test_objects_without_keys_are_refused_and_may_be_left_out(value, cli):
    path = cli.folder / "in.jsonl"
    path.write_text(f'{{"text": "refund", "meta": {value}}}\n')
    cli.refuses(path, 65, r"column 'meta' holds objects without any key, \{\}.*--columns")
    assert cli.accepts(path, "--columns", "text").num_rows == 1


def test_lists_that_parquet_cannot_hold_are_refused_and_may_be_left_out(cli):
    path = cli.folder / "in.jsonl"
    path.write_text('{"text": "refund", "meta": ' + "[" * 60 + "1" + "]" * 60 + "}\n")
    cli.refuses(path, 65, "column 'meta' nests deeper than readers of Parquet go; .*--columns")
    assert cli.accepts(path, "--columns", "text").num_rows == 1


def test_objects_that_have_a_key_in_another_row_are_objects(cli):
    path = cli.folder / "in.jsonl"
    path.write_text('{"text": "refund", "meta": {}}\n{"text": "refund", "meta": {"a": 1}}\n')
    assert cli.accepts(path)["meta"].to_pylist() == [{"a": None}, {"a": 1}]
