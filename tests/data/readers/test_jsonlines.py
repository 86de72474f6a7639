from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textbatch.data.readers import jsonlines
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
    monkeypatch.setattr(jsonlines, "_BLOCK_BYTES", request.param)


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
    with pytest.raises(DataError, match=r"mixed types|has both .* in column 'n'"):
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
    with pytest.raises(DataError, match=r"line 4 is not (a JSON object|valid UTF-8 JSON)"):
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


def test_repeated_keys_and_half_surrogate_pairs_are_data_errors(lines):
    for bad in ('{"text": "a", "text": "b"}', '{"text": "\\ud800"}'):
        with pytest.raises(DataError, match="a repeated key or half a surrogate pair"):
            open_source(lines(bad))


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
    for empty in ([""], ["", "", ""], ["{}", "{}"]):
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
    monkeypatch.setattr(jsonlines, "_BLOCK_BYTES", block_bytes)
    path = tmp_path / "in.jsonl"
    text = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
    path.write_bytes(text.encode())
    assert rows_of(path, max_rows=max_rows) == rows
    assert open_source(path).schema.field("id").type == pa.int64()
