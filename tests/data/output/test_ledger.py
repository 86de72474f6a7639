from __future__ import annotations

import pytest

from textbatch.data.output.ledger import Ledger, read_entries, write_entries
from textbatch.errors import DataError

ENTRIES = [{"part": f"{n}.parquet", "state": f"s{n}"} for n in range(3)]


def noted(path, job="a"):
    ledger = Ledger(path, job)
    for entry in ENTRIES:
        ledger.add(entry)
    ledger.close()
    return path


def test_a_later_run_of_the_same_job_knows_what_is_finished(tmp_path):
    ledger = Ledger(noted(tmp_path / "parts"), "a")
    assert ledger.finished == {entry["part"]: entry["state"] for entry in ENTRIES}
    assert list(ledger.entries()) == ENTRIES
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
    ledger.add(ENTRIES[2])
    assert list(ledger.entries()) == ENTRIES
    ledger.close()


def test_a_part_that_was_made_again_counts_with_its_last_state(tmp_path):
    ledger = Ledger(noted(tmp_path / "parts"), "a")
    ledger.add({"part": "0.parquet", "state": "new"})
    ledger.close()
    assert Ledger(ledger.path, "a").finished["0.parquet"] == "new"


def test_a_manifest_is_written_whole_and_a_damaged_line_is_told(tmp_path):
    path = tmp_path / "_manifest.jsonl"
    names = [{"part": "a\udcff.parquet", "state": "x"}]
    write_entries(path, [*ENTRIES, *names], owner="0" * 16)
    assert list(read_entries(path)) == [*ENTRIES, *names]
    assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(path.read_bytes() + b'{"part": ')
    with pytest.raises(DataError, match=r"_manifest\.jsonl is damaged"):
        list(read_entries(path))
