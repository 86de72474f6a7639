from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from textbatch.data.json_text import json_text
from textbatch.data.strict_json import Count, Share, as_record, parse_json, read_record, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    rows: Count
    share: Share | None = None
    inner: Inner
    counts: dict[str, Count]


GOOD = '{"rows": 3, "share": 0.5, "inner": {"name": "\\udcff"}, "counts": {"a": 1}}'


def test_a_record_comes_back_as_it_was():
    record = read_record(Record, GOOD)
    assert record == Record(rows=3, share=0.5, inner=Inner(name="\udcff"), counts={"a": 1})
    assert as_record(Record, to_json(record)) == record


def test_a_key_that_a_newer_version_has_added_is_ignored():
    assert read_record(Record, GOOD[:-1] + ', "more": [1]}') == read_record(Record, GOOD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("3", "-1"),
        ("3", "3.0"),
        ("3", "true"),
        ("3", '"3"'),
        ("3", "null"),
        ("3", "9007199254740992"),
        ("3", "1" * 19),
        ("3", "NaN"),
        ("0.5", "1.5"),
        ("0.5", "1e999"),
        ("0.5", "-Infinity"),
        ('"share"', '"rows"'),
        ('"rows": 3, ', ""),
        ('{"name": "\\udcff"}', '["name"]'),
        ('{"a": 1}', '{"a": -1}'),
        ('{"a": 1}', '{"a": 1, "a": 2}'),
        ("}}", "}"),
    ],
)
def test_anything_else_is_a_value_error_that_quotes_nothing(old, new):
    assert old in GOOD
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        read_record(Record, GOOD.replace(old, new))
    assert len(str(caught.value)) < 80


@pytest.mark.parametrize("data", [b"\xff", b"", b"[" * 100_000, b"{} {}", b"\xef\xbb\xbf{}"])
def test_what_is_no_json_is_a_value_error(data):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_json(data)


SOURCE = Path(__file__).parents[2] / "src" / "textbatch"
#: They hash what they write, keep the notes of other tools as they are, or write TOML.
OTHER_JSON = {
    "cli/settings/template.py",
    "data/output/footer_schemas.py",
    "data/readers/identity.py",
    "data/readers/spark_notes.py",
    "data/json_text.py",
    "model/bundle/strict_json.py",
    "scoring/folder/plan.py",
    "training/recipes/file.py",
}


def test_what_is_no_number_becomes_null():
    value = {"a": math.nan, "b": [math.inf, (-math.inf, 1.5)], "c": {"d": math.nan}, "e": True}
    assert json_text(value) == '{"a": null, "b": [null, [null, 1.5]], "c": {"d": null}, "e": true}'


@pytest.mark.parametrize("indent", [None, 2])
def test_json_shows_no_control_character_and_is_read_back(indent):
    value = {"\x1b[2J\x9b": ["\x7f\x85\u2028\u202e\u200b\ufeff\r\n\udcff", "é 文 😀"]}
    text = json_text(value, indent=indent)
    assert text.replace("\n", "").isprintable()
    assert "é 文 😀" in text
    assert json.loads(text) == value
    text.encode()


def test_all_json_comes_from_one_encoder():
    writers = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if re.search(r"\bjson\.dumps?\(", path.read_text())
    }
    assert writers == OTHER_JSON
