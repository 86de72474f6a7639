"""Decimals in JSON with more digits than a double holds are told; digits of a double are not."""

from __future__ import annotations

import json
import random

import pytest

from textbatch.data.readers.source import open_source
from textbatch.errors import DataError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

LOST = [
    "1234567890123456.78",
    "0.12345678901234567890",
    "-3.14159265358979323846",
    "1.2345678901234567891e-7",
    "0.000000123456789012345678",
]
KEPT = [
    "0.1",
    "1.50000000000000000000000",
    # What C, Java and Python write of a double, with few digits and with many.
    "0.10000000000000001",
    "0.10000000000000000555",
    "0.1000000000000000055511151231257827021181583404541015625",
    "2.2250738585072014e-308",
    "1e22",
]


@pytest.fixture
def read(tmp_path):
    """Writes rows of JSON, reads them, and gives the notes."""

    def read(*lines: str, columns=None) -> list[str]:
        path = tmp_path / "in.jsonl"
        path.write_text("\n".join(lines))
        source = open_source(path)
        rows = [row for b in source.batches(columns or source.schema.names, 100) for row in b[0]]
        assert len(rows) == len(lines)
        return source.notes

    return read


@pytest.mark.parametrize("number", LOST)
def test_a_decimal_that_is_rounded_is_counted_with_its_column_and_first_line(number, read):
    (note,) = read('{"x": 1.5}', f'{{"x":{number}}}', f'{{"x": {number} , "y": 1}}')
    told = "column 'x' has 2 decimals with more digits than a double holds, the first in line 2"
    assert note == f"{told}: they are rounded"


@pytest.mark.parametrize("number", KEPT)
def test_the_digits_of_a_double_are_no_loss(number, read):
    assert read(f'{{"x": {number}}}', f'{{"x": [{number}]}}'.replace("x", "y")) == []


def test_inner_numbers_are_told_and_texts_and_integers_are_not(read):
    number = LOST[0]
    assert read(f'{{"x": {{"a": [1.5, {number}]}}}}')[0].startswith("column 'x.a' has 1 decimals")
    assert read(f'{{"x": "a {number}, b:{number}", "y": 1.5, "id": 1234567890123456789}}') == []
    # A column that is left out is not told.
    assert read(f'{{"x": {number}, "y": 1}}', columns=["y"]) == []


def test_numbers_that_tools_write_are_never_told(read):
    draw = random.Random(0)
    numbers = [draw.uniform(-1, 1) * 10 ** draw.randint(-30, 30) for _ in range(2000)]
    forms = ("{!r}", "{:.17g}", "{:.16f}", "{:.25e}", "{:.60g}")
    lines = [
        json.dumps({"x": "?"}).replace('"?"', draw.choice(forms).format(one)) for one in numbers
    ]
    assert read(*lines) == []


@pytest.mark.parametrize("several", [False, True])
def test_strict_types_refuse_them_with_line_and_column(several, model, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"text": "refund", "x": 1.5}\n')
    (folder / "b.jsonl").write_text(f'{{"text": "refund", "x": 1}}\n{{"x": {LOST[0]}}}\n')
    source, output = (folder, "out") if several else (folder / "b.jsonl", "out.parquet")
    config = {"inputs": (source,), "output": tmp_path / output, "model": model}
    told = r"b.jsonl line 2 has a decimal that a double would round, in column 'x'"
    for dry in (True, False):
        with pytest.raises(DataError, match=told):
            score(ScoreConfig(**config, strict_types=True, dry_run=dry))
    assert not (tmp_path / output).exists()
    report = score(ScoreConfig(**config))
    assert any("column 'x' has 1 decimals with more digits" in note for note in report.notes)
    score(ScoreConfig(**config, columns=("text",), strict_types=True, if_exists="replace"))
