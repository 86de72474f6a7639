from __future__ import annotations

import json
from dataclasses import asdict

import pyarrow as pa
import pytest

from textbatch.model.quality.text_sketch import TextSketch


def texts(start: int, end: int) -> pa.Array:
    return pa.array([f"text {i}" for i in range(start, end)], pa.large_string())


@pytest.mark.parametrize("rows", [300, 20_000])
def test_the_share_of_known_texts_is_found(rows):
    sketch = TextSketch.of(texts(0, rows // 2), texts(rows // 2, rows))
    assert sketch.texts == rows
    assert len(sketch.hashes) <= 1_024
    assert sketch.share_of(texts(0, rows)) == 1.0
    assert sketch.share_of(texts(rows, 2 * rows)) == 0.0
    assert sketch.share_of(texts(rows // 2, rows + rows // 2)) == pytest.approx(0.5, abs=0.06)


def test_of_too_few_texts_no_share_is_made():
    sketch = TextSketch.of(texts(0, 20_000))
    assert sketch.share_of(texts(0, 9)) is None
    assert sketch.share_of(pa.array([None, ""] * 50, pa.large_string())) is None
    assert TextSketch.of(texts(0, 300)).share_of(pa.array([], pa.large_string())) is None


def test_the_sketch_holds_no_text_and_stays_small():
    told = json.dumps(asdict(TextSketch.of(texts(0, 20_000))))
    assert "text " not in told
    assert len(told) < 16_384
