from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbatch.data.output import journal as journal_module
from textbatch.data.output.journal import Journal, OtherTextsError
from textbatch.errors import OutputError
from textbatch.types import Predictions, Status, has_evidence

LABELS = 5


def predictions(rows: int, seed: int = 0) -> Predictions:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(LABELS), rows).astype(np.float32)
    status = random.integers(0, len(Status), rows).astype(np.int8)
    probabilities[~has_evidence(status)] = np.nan
    return Predictions(probabilities=probabilities, status=status)


ALL = predictions(1000)
TEXTS = pa.array([None if i % 7 == 3 else f"text {i}" * (i % 5) for i in range(1000)])
UNDECODABLE = np.arange(1000) % 11 == 3


def take(journal: Journal, rows: int, texts: pa.Array = TEXTS) -> Predictions | None:
    """Take the next rows."""
    now = slice(journal.rows, journal.rows + rows)
    return journal.take(texts[now], UNDECODABLE[now])


def append(journal: Journal, first: int, stop: int) -> None:
    now = slice(first, stop)
    journal.append(ALL[now], TEXTS[now], UNDECODABLE[now])


def opened(
    path: Path, *, key: str = "k", whole: bool = True, total: int | None = None, extras: int = 0
) -> Journal:
    return Journal(path, key=key, num_labels=LABELS, whole=whole, total_rows=total, extras=extras)


def write(path: Path, sizes: list[int], *, whole: bool = True) -> None:
    journal = opened(path, whole=whole)
    assert take(journal, 10) is None
    first = 0
    for size in sizes:
        append(journal, first, first + size)
        first += size
    journal.close()


def take_all(path: Path, chunk: int, **options) -> tuple[Predictions | None, Journal]:
    journal = opened(path, **options)
    parts = []
    while (part := take(journal, chunk)) is not None:
        parts.append(part)
        if len(part) < chunk:
            break
    return (Predictions.concatenate(parts) if parts else None), journal


def same(found: Predictions | None, expected: Predictions) -> bool:
    assert found is not None
    return (
        found.status.tobytes() == expected.status.tobytes()
        and found.probabilities.tobytes() == expected.probabilities.tobytes()
    )


@given(
    sizes=st.lists(st.integers(1, 90), min_size=1, max_size=10),
    chunk=st.integers(1, 300),
)
def test_what_was_noted_comes_back_whatever_the_chunks(sizes, chunk, tmp_path_factory):
    path = tmp_path_factory.mktemp("journal") / "journal"
    write(path, sizes)
    found, journal = take_all(path, chunk)
    assert same(found, ALL[: sum(sizes)])
    assert journal.rows_resumed == sum(sizes)
    journal.close()


def test_without_all_probabilities_the_best_label_and_its_confidence_come_back(tmp_path):
    write(tmp_path / "whole", [400])
    write(tmp_path / "best", [400], whole=False)
    assert (tmp_path / "best").stat().st_size < (tmp_path / "whole").stat().st_size
    found, journal = take_all(tmp_path / "best", 100, whole=False)
    journal.close()
    evidence = has_evidence(ALL.status[:400])
    wanted = ALL.probabilities[:400][evidence]
    assert found.status.tobytes() == ALL.status[:400].tobytes()
    assert (found.probabilities[evidence].argmax(axis=1) == wanted.argmax(axis=1)).all()
    assert (found.probabilities[evidence].max(axis=1) == wanted.max(axis=1)).all()
    assert np.isnan(found.probabilities[~evidence]).all()


def test_a_journal_torn_anywhere_gives_whole_records_and_goes_on_from_there(tmp_path):
    path = tmp_path / "journal"
    write(path, [100, 100, 100])
    content = path.read_bytes()
    known = set()
    for size in range(0, len(content) + 1, 7):
        path.write_bytes(content[:size])
        found, journal = take_all(path, 80)
        rows = 0 if found is None else len(found)
        assert rows in (0, 100, 200, 300)
        assert found is None or same(found, ALL[:rows])
        known.add(rows)
        append(journal, rows, rows + 50)
        journal.close()
        again, journal = take_all(path, 1000)
        journal.close()
        assert same(again, ALL[: rows + 50])
    assert known == {0, 100, 200}


def test_any_flipped_bit_ends_the_journal_before_it(tmp_path):
    path = tmp_path / "journal"
    write(path, [100, 100, 100])
    content = path.read_bytes()
    random = np.random.default_rng(1)
    for position in random.integers(0, len(content), 300):
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        found, journal = take_all(path, 1000)
        journal.close()
        assert found is None or (len(found) in (100, 200) and same(found, ALL[: len(found)]))


@pytest.mark.parametrize("change", [{"key": "other"}, {"whole": False}])
def test_a_journal_of_another_job_is_dropped_and_that_is_said(change, tmp_path):
    path = tmp_path / "journal"
    write(path, [100])
    journal = opened(path, **change)
    assert take(journal, 10) is None
    assert "started over" in journal.notes()[0]
    append(journal, 0, 20)
    journal.close()
    found, journal = take_all(path, 100, **change)
    assert len(found) == 20
    journal.close()


def test_a_job_of_one_chunk_leaves_the_disk_alone(tmp_path):
    journal = opened(tmp_path / "journal", total=100)
    append(journal, 0, 100)
    journal.close()
    assert not (tmp_path / "journal").exists()


def test_the_last_chunk_is_not_noted(tmp_path):
    journal = opened(tmp_path / "journal", total=100)
    append(journal, 0, 60)
    size = (tmp_path / "journal").stat().st_size
    append(journal, 60, 100)
    journal.close()
    assert (tmp_path / "journal").stat().st_size == size


def test_records_are_synced_now_and_then(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    journal = opened(tmp_path / "journal")
    append(journal, 0, 10)
    assert not synced
    monkeypatch.setattr(journal_module, "SYNC_SECONDS", 0.0)
    append(journal, 10, 20)
    assert len(synced) == 1
    journal.close()


def test_a_huge_length_in_a_record_is_not_believed(tmp_path):
    path = tmp_path / "journal"
    write(path, [10])
    content = path.read_bytes()
    start = content.index(b"TBJ1") + 12  # where the number of rows is
    rows = 1 << 30
    lie = rows.to_bytes(4, "little") + (rows * (1 + 4 * LABELS)).to_bytes(8, "little")
    path.write_bytes(content[:start] + lie + content[start + 12 :])
    found, journal = take_all(path, 10)
    journal.close()
    assert found is None


def test_a_link_planted_under_its_name_is_not_followed(tmp_path):
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "journal").symlink_to("victim")
    with pytest.raises(OutputError, match="cannot read"):
        opened(tmp_path / "journal")
    assert (tmp_path / "victim").read_bytes() == b"precious"


@pytest.mark.parametrize("chunk", [30, 100, 70, 250])
@pytest.mark.parametrize(
    ("row", "text"), [(0, "another"), (55, None), (99, "text 99"), (150, "x"), (199, "")]
)
def test_answers_to_other_texts_are_dropped_whatever_the_chunks(chunk, row, text, tmp_path):
    write(tmp_path / "journal", [100, 100])
    texts = TEXTS.to_pylist()
    texts[row] = text
    journal = opened(tmp_path / "journal")
    with pytest.raises(OtherTextsError):  # noqa: PT012 - any of the calls
        while take(journal, chunk, pa.array(texts)) is not None:
            pass
    again = opened(tmp_path / "journal")
    assert take(again, 100) is None
    assert "started over" in again.notes()[0]
    again.close()


def test_texts_that_run_together_are_other_texts(tmp_path):
    journal = opened(tmp_path / "journal")
    undecodable = np.zeros(2, bool)
    journal.append(ALL[:2], pa.array(["ab", "c"]), undecodable)
    journal.close()
    with pytest.raises(OtherTextsError):
        opened(tmp_path / "journal").take(pa.array(["a", "bc"]), undecodable)


def test_a_text_that_cannot_be_decoded_is_another_one_than_none(tmp_path):
    journal = opened(tmp_path / "journal")
    journal.append(ALL[:1], pa.array([None], pa.string()), np.array([True]))
    journal.close()
    with pytest.raises(OtherTextsError):
        opened(tmp_path / "journal").take(pa.array([None], pa.string()), np.array([False]))


def test_an_input_that_ends_within_a_record_is_another_one(tmp_path):
    write(tmp_path / "journal", [100])
    journal = opened(tmp_path / "journal")
    assert len(take(journal, 60)) == 60
    with pytest.raises(OtherTextsError):
        journal.finish()


def test_an_input_that_ends_at_the_end_of_a_record_is_the_same(tmp_path):
    write(tmp_path / "journal", [100, 50])
    journal = opened(tmp_path / "journal")
    assert len(take(journal, 100)) == 100
    journal.finish()


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_slices_and_kinds_of_text_do_not_matter(kind, tmp_path):
    write(tmp_path / "journal", [100])
    journal = opened(tmp_path / "journal")
    found = [take(journal, 50, TEXTS.cast(kind)), take(journal, 50, TEXTS.cast(kind))]
    assert same(Predictions.concatenate(found), ALL[:100])
    journal.finish()


def test_a_record_that_is_not_the_next_one_ends_the_journal(tmp_path):
    """As where the disk has lost the record before it, whole."""
    path = tmp_path / "journal"
    write(path, [100])
    first = path.read_bytes()
    write_on = opened(path)
    take(write_on, 1000)
    append(write_on, 100, 200)
    write_on.close()
    begin = first.index(b"\n") + 1
    path.write_bytes(first[:begin] + path.read_bytes()[len(first) :])
    found, journal = take_all(path, 1000)
    assert found is None
    assert journal.rows_resumed == 0


def test_what_else_is_told_of_the_rows_comes_back(tmp_path):
    random = np.random.default_rng(5)
    for whole in (True, False):
        path = tmp_path / f"journal-{whole}"
        told = random.normal(size=(60, 3)).astype(np.float32)
        answers = replace(ALL[:60], extras=told)
        journal = opened(path, whole=whole, extras=3)
        journal.append(answers[:40], TEXTS[:40], UNDECODABLE[:40])
        journal.append(answers[40:], TEXTS[40:60], UNDECODABLE[40:60])
        journal.close()
        found, journal = take_all(path, 25, whole=whole, extras=3)
        journal.close()
        assert found.extras.tobytes() == told.tobytes()
        without, journal = take_all(path, 25, whole=whole)
        journal.close()
        assert without is None
        assert journal.dropped
