from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textbatch.data.readers import json_blocks
from textbatch.data.readers.source import open_source
from textbatch.errors import DataError


def rows_of(path: Path, *, max_rows: int = 1000) -> list[dict[str, Any]]:
    source = open_source(path)
    batches = list(source.batches(source.schema.names, max_rows))
    assert all(batch.num_rows <= max_rows for batch in batches)
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert source.num_rows == len(rows)
    return rows


@pytest.fixture
def lines(tmp_path):
    """Write lines of JSON and return the file."""

    def write(*lines: str, name: str = "in.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes("\n".join(lines).encode())
        return path

    return write


@pytest.fixture(params=[1, 7, 40, 8 << 20], ids=lambda size: f"{size}-byte-blocks")
def blocks(request, monkeypatch):
    """Blocks of several sizes, so that types meet inside a block and over its edge."""
    monkeypatch.setattr(json_blocks, "_BLOCK_BYTES", request.param)


@pytest.mark.usefixtures("blocks")
def test_types_are_found_over_the_whole_file(lines):
    path = lines(
        '{"text": null, "n": 1, "list": [], "s": {"a": 1}, "late": null}',
        '{"text": "x", "n": 2.5, "list": [1], "s": {"b": "y"}}',
        '{"n": null, "text": "z", "late": true}',
    )
    assert rows_of(path) == [
        {"text": None, "n": 1.0, "list": [], "s": {"a": 1, "b": None}, "late": None},
        {"text": "x", "n": 2.5, "list": [1], "s": {"a": None, "b": "y"}, "late": None},
        {"text": "z", "n": None, "list": None, "s": None, "late": True},
    ]


@pytest.mark.usefixtures("blocks")
def test_what_looks_like_a_date_stays_text(lines):
    path = lines(
        '{"text": "2024-01-01", "deep": {"l": ["2024-01-01T00:00:00Z"]}}',
        '{"text": "12:30:00", "deep": {"l": ["soon"]}}',
        '{"text": "2024-01-01 10:00:00"}',
    )
    rows = rows_of(path)
    assert [row["text"] for row in rows] == ["2024-01-01", "12:30:00", "2024-01-01 10:00:00"]
    assert [row["deep"] for row in rows[:2]] == [{"l": ["2024-01-01T00:00:00Z"]}, {"l": ["soon"]}]


@pytest.mark.usefixtures("blocks")
def test_blank_lines_are_no_rows_and_the_last_line_needs_no_end(lines):
    path = lines("", '{"text": "a"}', "", "  ", *[""] * 50, '{"text": "b"}\r', '{"text": "c"}')
    assert rows_of(path) == [{"text": "a"}, {"text": "b"}, {"text": "c"}]


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize(
    ("first", "second"),
    [("1", '"x"'), ("true", "1"), ("1", "[1]"), ("[1]", '["x"]'), ('{"a": 1}', '{"a": "x"}')],
)
def test_a_column_of_mixed_types_is_a_data_error(first, second, lines):
    path = lines(f'{{"text": "a", "n": {first}}}', f'{{"text": "a", "n": {second}}}')
    with pytest.raises(DataError, match=r"line 2 has .* in column 'n(\.a)?', which held"):
        open_source(path)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize(
    "bad",
    [
        '{"text": "a',
        '{"text": "a"} x',
        "null",
        "[1]",
        '"a"',
        '{"text": }',
        "{'text': 'a'}",
        '{"a"}',
    ],
)
def test_a_bad_line_is_told_by_its_number(bad, lines):
    path = lines('{"text": "a"}', "", '{"text": "b"}', bad, '{"text": "c"}')
    with pytest.raises(
        DataError, match=r"line 4 is not (a JSON object|valid JSON at character \d+: )"
    ):
        open_source(path)


def test_a_file_cut_off_inside_a_line_is_a_data_error(lines):
    path = lines('{"text": "a"}', '{"text": "b"}', '{"text": "c')
    with pytest.raises(DataError, match="line 3 is not"):
        open_source(path)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}"), ('[{"a": ', "}]")])
def test_deep_nesting_is_refused_before_it_can_end_the_process(opening, closing, lines):
    deep = opening * 50_000 + "1" + closing * 50_000
    with pytest.raises(DataError, match="line 2 nests more than 100 levels deep"):
        open_source(lines('{"text": "a"}', f'{{"text": "a", "n": {deep}}}'))


def test_brackets_in_texts_and_side_by_side_are_no_nesting(lines):
    text = '[{"' * 200 + "\\"
    path = lines(json.dumps({"text": text, "n": [[1]] * 200}))
    assert rows_of(path) == [{"text": text, "n": [[1]] * 200}]


SECRET = "Jane Doe"
BAD_LINES = {
    '{"text": "SECRET"} // x': "is not a JSON object: something follows the object at character",
    '{"text": "SECRET"': "is not a JSON object: it ends before the object does",
    '{"text": "SECRET", "text": "b"}': "has twice the key of column 'text'; write each key once",
    '{"text": "a", "s": {"b": 1, "b": "SECRET"}}': "has twice the key of column 's.b'",
    '{"text": "a", "s": [{"SECRET x y": 1, "SECRET x y": 2}]}': "has twice the key of column 's'",
    '{"text": "SECRET \\ud800"}': "has half a surrogate pair in column 'text'; mend how",
    '{"text": "a", "s": {"t": ["\\udc80SECRET"]}}': "has half a surrogate pair in column 's.t'",
    '{"text": "a", "SECRET\\ud800": 1}': "has a key that holds half a surrogate pair",
    '{"text": 7, "id": "SECRET"}': "has a number in column 'text', which held a text before",
    '{"text": "a", "n": "SECRET"}': "has a text in column 'n', which held a number before",
    '{"text": "a", "n": true}': "has true or false in column 'n', which held a number before",
    '{"text": "a", "n": {"SECRET": 1}}': "has an object in column 'n', which held a number before",
    '{"text": "a", "l": "SECRET"}': "has a text in column 'l', which held a list before",
    '{"text": "a", "l": ["SECRET"]}': "has a text in column 'l', which held a number before",
    '{"text": "a", "o": {"k": "SECRET"}}': "has a text in column 'o.k', which held a number before",
    '{"text": "SECRET"}{"text": "b"}': "holds more than one object; write one JSON object a line",
    '{"text": "SECRET"} {"text": "b"}': "holds more than one object",
    '{"text": "SECRET"},{"text": "b"}': "is not valid JSON at character 21: something follows",
    '{"text": "SECRET\t"}': "is not valid JSON at character 19: invalid control character",
    '{"text": "SECRET" "id"}': "is not valid JSON at character 21: expecting",
    '{"text": SECRET}': "is not valid JSON at character 10: expecting value",
    '{"text": "a", "x": 1e400}': "has a number beyond a double's range in column 'x'; write it",
    '{"text": "a", "x": -1e400}': "has a number beyond a double's range in column 'x'",
    '{"text": "a", "x": 01}': "is not valid JSON at character",
    '{"text": "a", "d": ' + "[" * 101 + '"SECRET"' + "]" * 101 + "}": "nests more than 100 levels",
}


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_bad_line_is_told_with_its_column_and_cause_and_not_quoted(bad, lines):
    good = '{"text": "a", "n": 1, "l": [1], "o": {"k": 1}}'
    path = lines(good, "", good, bad.replace("SECRET", SECRET), good)
    with pytest.raises(DataError) as caught:
        open_source(path)
    assert f"line 4 {BAD_LINES[bad]}" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_bytes_that_are_no_text_are_an_error_in_a_key_alone(lines):
    for bad in (b'{"caf\xe9": 1}', b'{"s": {"caf\xe9": 1}}', b'{"s": [{"caf\xe9": 1}]}'):
        path = lines(name="in.jsonl")
        path.write_bytes(b'{"text": "a"}\n' + bad)
        with pytest.raises(DataError, match="line 2 has a key that is not UTF-8; mend how"):
            open_source(path)
    path.write_bytes(b'{"text": "caf\xe9"}\n')
    assert open_source(path).num_rows == 1


@pytest.mark.parametrize(
    ("beginning", "message"),
    [
        ('[{"text": "a"},', "it begins one array of all rows; .* jq -c"),
        ("[", "it begins one array of all rows"),
        ("{", "it ends before the object does; write one JSON object a line"),
        ('{"text":', "it ends before the object does"),
        ("id,text", "line 1 is not a JSON object; write one"),
    ],
)
def test_json_that_is_no_json_lines_is_told(beginning, message, lines):
    with pytest.raises(DataError, match=message):
        open_source(lines(beginning, '"text": "a"}'))


ROUNDED = {
    "beside a fraction": ('{"n": 0.5}', '{"n": 9007199254740993}'),
    "beside a fraction, before it": ('{"n": 9007199254740993}', '{"n": 0.5}'),
    "beyond 64 bits": ('{"n": 1}', '{"n": 12345678901234567891}'),
    "beyond 64 bits, negative": ('{"n": 1}', '{"n": -9223372036854775809}'),
    "beyond all doubles": ('{"n": 1}', '{"n": ' + "9" * 5000 + "}"),
    "in an object": ('{"n": {"id": 1.5}}', '{"n": {"id": 9007199254740993}}'),
    "in a list": ('{"n": [1.5]}', '{"n": [7, 9007199254740993]}'),
    "in objects of lists": ('{"n": [[{"id": 1.5}]]}', '{"n": [[{"id": 9007199254740993}]]}'),
}


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("name", ROUNDED)
def test_an_integer_that_would_be_rounded_is_refused_with_its_line_and_column(name, lines):
    first, second = ROUNDED[name]
    bad = 1 if "90071" in first else 2
    message = rf"line {bad} has .* in column 'n(\.id)?'; write (the numbers|it)"
    with pytest.raises(DataError, match=message):
        rows_of(lines(first, second))


def test_a_column_that_is_not_read_is_not_refused(lines):
    source = open_source(lines('{"text": "a", "id": 12345678901234567891}', '{"text": "b"}'))
    assert sum(map(len, source.batches(["text"], 9))) == 2


@pytest.mark.usefixtures("blocks")
def test_numbers_keep_their_values(lines):
    path = lines(
        '{"id": 9223372036854775807, "x": 0.1, "y": -0, "z": 9007199254740992}',
        '{"id": -9223372036854775808, "x": 1e3, "y": 5, "z": 1.5, "t": "1234567890123456789"}',
        '{"id": 9007199254740993, "x": -2, "y": null, "z": 18014398509481984}',
    )
    rows = rows_of(path)
    assert [row["id"] for row in rows] == [2**63 - 1, -(2**63), 2**53 + 1]
    assert [row["x"] for row in rows] == [0.1, 1000.0, -2.0]
    assert [row["y"] for row in rows] == [0, 5, None]
    assert [row["z"] for row in rows] == [2.0**53, 1.5, 2.0**54]


@pytest.mark.usefixtures("blocks")
def test_columns_without_any_value_are_text(lines):
    path = lines('{"text": "a", "n": null, "l": [], "o": {"k": null}}', '{"text": "b", "n": null}')
    assert open_source(path).schema.types == [
        pa.string(),
        pa.string(),
        pa.list_(pa.string()),
        pa.struct([("k", pa.string())]),
    ]
    assert rows_of(path)[0] == {"text": "a", "n": None, "l": [], "o": {"k": None}}


def test_a_line_without_end_is_refused_before_it_fills_memory(lines, monkeypatch):
    monkeypatch.setattr(json_blocks, "_BLOCK_BYTES", 1000)
    monkeypatch.setattr(json_blocks, "MAX_LINE_BYTES", 100_000)
    path = lines('{"text": "a"}', '{"text": "' + "x" * 90_000 + '"}')
    assert rows_of(path)[1]["text"] == "x" * 90_000
    path = lines('{"text": "a"}', '{"text": "' + "x" * 110_000 + '"}', name="b.jsonl")
    with pytest.raises(DataError, match="a line of more than 100,000 bytes, line 2"):
        open_source(path)


def test_escapes_and_a_byte_order_mark_are_read(lines):
    path = lines('\ufeff{"text": "\\ud83d\\ude00 \\u0000 \\n \\u00e9"}')
    assert rows_of(path) == [{"text": "😀 \0 \n é"}]


def test_compressed_files_are_read_and_truncated_ones_are_data_errors(lines):
    path = lines(name="in.jsonl.gz")
    content = gzip.compress(b'{"text": "a"}\n' * 5000)
    path.write_bytes(content)
    assert rows_of(path) == [{"text": "a"}] * 5000
    for size in (5, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(DataError, match="truncated or damaged inside its compression"):
            open_source(path)


def test_columns_come_in_the_order_asked_for(lines):
    source = open_source(lines('{"a": 1, "text": "x", "b": 2}'))
    assert [batch.schema.names for batch in source.batches(["text", "a"], 9)] == [["text", "a"]]


def test_files_without_any_column_are_data_errors(lines):
    for empty in ([""], ["", "", ""], ["{}", "{}"], ["{}"] * 5):
        with pytest.raises(DataError, match=r"has no columns|is empty"):
            open_source(lines(*empty))


VALUES = st.one_of(st.none(), st.text(max_size=9))


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(st.fixed_dictionaries({"id": st.integers(0, 99), "text": VALUES}), min_size=1),
    block_bytes=st.integers(1, 200),
    max_rows=st.integers(1, 10),
    ascii_only=st.booleans(),
)
def test_what_python_writes_is_read_back(
    rows, block_bytes, max_rows, ascii_only, tmp_path, monkeypatch
):
    monkeypatch.setattr(json_blocks, "_BLOCK_BYTES", block_bytes)
    path = tmp_path / "in.jsonl"
    text = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
    path.write_bytes(text.encode())
    assert rows_of(path, max_rows=max_rows) == rows
    assert open_source(path).schema.field("id").type == pa.int64()
