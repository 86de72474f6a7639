from __future__ import annotations

import json
from collections import deque
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbatch.data.output.quarantine import Quarantine, Sieve
from textbatch.data.readers.bad_rows import BadRow
from textbatch.errors import OutputError
from textbatch.types import Predictions, Status, TextBatch

KINDS = ("good", "bad text", "no row")


def chunk_of(numbers: list[int], bad: list[bool]) -> tuple[TextBatch, Predictions]:
    texts = pa.array([str(number) for number in numbers], pa.large_string())
    mask = np.array(bad, bool)
    status = np.where(mask, np.int8(Status.BAD_TEXT), np.int8(Status.OK)).astype(np.int8)
    table = pa.record_batch({"n": pa.array(numbers, pa.int64())})
    batch = TextBatch(table=table, texts=texts, undecodable=mask, source=texts)
    return batch, Predictions(probabilities=np.zeros((len(mask), 2), np.float32), status=status)


@given(
    kinds=st.lists(st.sampled_from(KINDS), max_size=60),
    size=st.integers(1, 20),
    late=st.booleans(),
)
def test_every_row_is_in_the_output_or_in_the_quarantine_by_its_number(
    kinds, size, late, tmp_path_factory
):
    path = tmp_path_factory.mktemp("quarantine") / "aside.jsonl"
    file = Quarantine(path, source=path, output=path.with_name("out"), with_text=False)
    waiting: deque[BadRow] = deque()
    sieve = Sieve(file, SimpleNamespace(set_aside=waiting))
    unread = [
        BadRow(row=number, reason="wrong_cell_count")
        for number, kind in enumerate(kinds, 1)
        if kind == "no row"
    ]
    if not late:
        waiting.extend(unread)
    delivered = [(n, kind == "bad text") for n, kind in enumerate(kinds, 1) if kind != "no row"]
    kept: list[int] = []
    for first in range(0, len(delivered), size):
        rows = delivered[first : first + size]
        # A reader has set aside at least what stands before the rows that it has delivered.
        while late and unread and unread[0].row < rows[-1][0]:
            waiting.append(unread.pop(0))
        stays, predictions, _ = sieve.sift(*chunk_of([n for n, _ in rows], [b for _, b in rows]))
        assert len(predictions) == len(stays) == stays.table.num_rows
        kept += stays.table.column("n").to_pylist()
    if late:
        waiting.extend(unread)
    sieve.rest()
    sieve.publish()
    sieve.close()
    told = [json.loads(line)["row"] for line in path.read_text().splitlines()]
    assert kept == [n for n, kind in enumerate(kinds, 1) if kind == "good"]
    assert told == [n for n, kind in enumerate(kinds, 1) if kind != "good"]


def test_without_a_file_every_row_stays():
    sieve = Sieve(None, SimpleNamespace(set_aside=deque()))
    chunk, predictions = chunk_of([1, 2], [True, False])
    assert sieve.sift(chunk, predictions) == (chunk, predictions, [])
    assert sieve.rest() == []
    sieve.publish()
    sieve.close()


def test_a_file_that_is_not_published_leaves_nothing(tmp_path):
    path = tmp_path / "aside.jsonl"
    path.write_text("old")
    for _ in range(2):
        file = Quarantine(path, source=path, output=tmp_path / "out", with_text=False)
        file.add([BadRow(row=1, reason="bad_utf8")])
    # The second one has removed what the first, as if dead, left behind.
    assert len(list(tmp_path.glob(".aside*"))) == 1
    file.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["aside.jsonl"]
    assert path.read_text() == "old"


def test_a_place_without_a_directory_is_told(tmp_path):
    with pytest.raises(OutputError, match="cannot create"):
        Quarantine(tmp_path / "no" / "q", source=tmp_path, output=tmp_path, with_text=False)
