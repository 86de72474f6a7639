from __future__ import annotations

import pytest
from support.records import part_record

from textbatch.data.output.ledger import Ledger, read_records, write_records
from textbatch.errors import DataError

RUN, JOB, OTHER = "b" * 16, "a" * 64, "0" * 64
RECORDS = [part_record(f"{n}.parquet", state=f"s{n}") for n in range(3)]


def noted(path, job=JOB):
    ledger = Ledger(path, job)
    ledger.begin(RUN)
    for record in RECORDS:
        ledger.add(record)
    ledger.close()
    return path


def test_a_later_run_of_the_same_job_knows_what_is_finished(tmp_path):
    ledger = Ledger(noted(tmp_path / "parts"), JOB)
    assert ledger.finished == {record.part: record.state for record in RECORDS}
    assert list(ledger.records()) == RECORDS
    ledger.remove()
    assert list(tmp_path.iterdir()) == []


def test_the_order_is_that_of_the_names_whichever_part_was_done_first(tmp_path):
    orders = []
    for number, done in enumerate((RECORDS, RECORDS[::-1], [RECORDS[1], RECORDS[0], RECORDS[2]])):
        ledger = Ledger(tmp_path / str(number), JOB)
        ledger.begin(RUN)
        for record in done:
            ledger.add(record)
        orders.append(list(ledger.records()))
        ledger.close()
    assert orders == [RECORDS] * 3


def test_a_run_and_each_part_are_on_the_disk_before_the_next_step(tmp_path, monkeypatch):
    """A power cut must not lose what is known of a part that is in its place."""
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", lambda _: synced.append((tmp_path / "parts").stat().st_size))
    ledger = Ledger(tmp_path / "parts", JOB)
    ledger.begin(RUN)
    assert synced == [(tmp_path / "parts").stat().st_size]
    for number, record in enumerate(RECORDS, 2):
        ledger.add(record)
        assert len(synced) == number
        assert synced[-1] == (tmp_path / "parts").stat().st_size
    ledger.close()


def test_another_job_starts_anew_but_knows_what_stands_there(tmp_path):
    ledger = Ledger(noted(tmp_path / "parts"), OTHER)
    assert (ledger.finished, ledger.begun) == ({}, True)
    assert list(ledger.records()) == []
    assert ledger.seals == {record.part: record.seal for record in RECORDS}
    assert ledger.runs == {RUN}
    ledger.begin("c" * 16)
    anew = part_record("0.parquet", job=OTHER, seal="9" * 64)
    ledger.add(anew)
    ledger.close()
    ledger = Ledger(tmp_path / "parts", JOB)
    assert list(ledger.finished) == ["1.parquet", "2.parquet"]
    assert ledger.seals["0.parquet"] == "9" * 64
    assert ledger.runs == {RUN, "c" * 16}
    ledger.close()


def test_a_ledger_of_another_format_is_dropped(tmp_path):
    path = tmp_path / "parts"
    path.write_text('{"format": 1, "job": "a"}\n')
    ledger = Ledger(path, JOB)
    assert (ledger.begun, path.exists()) == (False, False)


@pytest.mark.parametrize("torn", range(1, 30, 4))
def test_a_torn_last_line_is_forgotten(torn, tmp_path):
    path = noted(tmp_path / "parts")
    path.write_bytes(path.read_bytes()[:-torn])
    ledger = Ledger(path, JOB)
    assert list(ledger.finished) == ["0.parquet", "1.parquet"]
    ledger.add(RECORDS[2])
    assert list(ledger.records()) == RECORDS
    ledger.close()


def test_a_part_that_was_made_again_counts_with_its_last_state(tmp_path):
    ledger = Ledger(noted(tmp_path / "parts"), JOB)
    ledger.add(part_record("0.parquet", state="new"))
    ledger.close()
    assert Ledger(ledger.path, JOB).finished["0.parquet"] == "new"


def test_a_manifest_is_written_whole_and_a_damaged_line_is_told(tmp_path):
    path = tmp_path / "_manifest.jsonl"
    names = [part_record("a\udcff.parquet")]
    write_records(path, [*RECORDS, *names], owner="0" * 16)
    assert list(read_records(path)) == [*RECORDS, *names]
    assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(path.read_bytes() + b'{"part": ')
    with pytest.raises(DataError, match=r"_manifest\.jsonl is damaged in line 5"):
        list(read_records(path))
