from __future__ import annotations

import json
from collections import deque
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbatch.data.bad_row_limit import BadRowLimit
from textbatch.data.output.quarantine import Quarantine
from textbatch.data.readers.bad_rows import BadRow
from textbatch.errors import TooManyBadRowsError
from textbatch.scoring.bad_row_filter import BadRowFilter
from textbatch.types import Predictions, Status, TextBatch

ANY = BadRowLimit.parse("100%")
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
    bad_rows = BadRowFilter(ANY, file, SimpleNamespace(set_aside=waiting, num_rows=None))
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
        stays, predictions = bad_rows.filter(*chunk_of([n for n, _ in rows], [b for _, b in rows]))
        assert len(predictions) == len(stays) == stays.table.num_rows
        kept += stays.table.column("n").to_pylist()
    if late:
        waiting.extend(unread)
    bad_rows.finish()
    bad_rows.publish()
    bad_rows.close()
    assert bad_rows.quarantined == len(kinds) - kinds.count("good")
    told = [json.loads(line)["row"] for line in path.read_text().splitlines()]
    assert kept == [n for n, kind in enumerate(kinds, 1) if kind == "good"]
    assert told == [n for n, kind in enumerate(kinds, 1) if kind != "good"]


def test_without_a_file_every_row_stays():
    bad_rows = BadRowFilter(ANY, None, SimpleNamespace(set_aside=deque(), num_rows=2))
    chunk, predictions = chunk_of([1, 2], [True, False])
    assert bad_rows.filter(chunk, predictions) == (chunk, predictions)
    bad_rows.check()
    bad_rows.finish()
    bad_rows.publish()
    bad_rows.close()
    assert bad_rows.quarantined == 0


def test_too_many_are_told_with_the_number_of_the_first():
    limit = BadRowLimit.parse(1)
    bad_rows = BadRowFilter(limit, None, SimpleNamespace(set_aside=deque(), num_rows=None))
    for first in (1, 4):
        bad_rows.filter(*chunk_of([first, first + 1, first + 2], [False, True, False]))
        if first == 1:
            bad_rows.check()
    with pytest.raises(TooManyBadRowsError, match=r"^2 rows are .*, the first is row 2;"):
        bad_rows.check()


def test_a_share_is_judged_when_the_rows_are_known():
    limit = BadRowLimit.parse("40%")
    for num_rows in (None, 3):
        source = SimpleNamespace(set_aside=deque(), num_rows=num_rows)
        bad_rows = BadRowFilter(limit, None, source)
        bad_rows.filter(*chunk_of([1, 2], [True, False]))
        # One of three is allowed, one of two is not.
        bad_rows.check()
        with pytest.raises(TooManyBadRowsError, match="--max-bad-rows allows 40%"):
            bad_rows.finish()
