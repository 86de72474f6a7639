from __future__ import annotations

import pytest
from support.records import part_record

from textbatch.data.output.ledger import Ledger, read_records, write_records
from textbatch.errors import DataError

RECORDS = [part_record(f"{n}.parquet", state=f"s{n}") for n in range(3)]


def noted(path, job="a"):
    ledger = Ledger(path, job)
    for record in RECORDS:
        ledger.add(record)
    ledger.close()
    return path


def test_a_later_run_of_the_same_job_knows_what_is_finished(tmp_path):
    ledger = Ledger(noted(tmp_path / "parts"), "a")
    assert ledger.finished == {record.part: record.state for record in RECORDS}
    assert list(ledger.records()) == RECORDS
    ledger.remove()
    assert list(tmp_path.iterdir()) == []


def test_another_job_starts_anew(tmp_path):
    ledger = Ledger(noted(tmp_path / "parts"), "b")
    assert (ledger.finished, ledger.begun) == ({}, False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("torn", range(1, 30, 4))
def test_a_torn_last_line_is_forgotten(torn, tmp_path):
    path = noted(tmp_path / "parts")
    path.write_bytes(path.read_bytes()[:-torn])
    ledger = Ledger(path, "a")
    assert list(ledger.finished) == ["0.parquet", "1.parquet"]
    ledger.add(RECORDS[2])
    assert list(ledger.records()) == RECORDS
    ledger.close()


def test_a_part_that_was_made_again_counts_with_its_last_state(tmp_path):
    ledger = Ledger(noted(tmp_path / "parts"), "a")
    ledger.add(part_record("0.parquet", state="new"))
    ledger.close()
    assert Ledger(ledger.path, "a").finished["0.parquet"] == "new"


def test_a_manifest_is_written_whole_and_a_damaged_line_is_told(tmp_path):
    path = tmp_path / "_manifest.jsonl"
    names = [part_record("a\udcff.parquet")]
    write_records(path, [*RECORDS, *names], owner="0" * 16)
    assert list(read_records(path)) == [*RECORDS, *names]
    assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(path.read_bytes() + b'{"part": ')
    with pytest.raises(DataError, match=r"_manifest\.jsonl is damaged in line 5"):
        list(read_records(path))
