"""A folder job tells what is to be told of its files, with their names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.records import part_record

from textbatch import score
from textbatch.data.output.records import PartRecord
from textbatch.scoring.folder.notes import FileNotes

CUT = "column 'at' of INT96 lost digits beyond the microsecond"


@pytest.fixture
def inputs(tmp_path):
    """Two files that lose digits, and one between them that does not."""
    (tmp_path / "in").mkdir()
    at = pa.array([1_700_000_000_123_456_789], pa.timestamp("ns"))
    for name in ("a", "b", "c"):
        path = tmp_path / "in" / f"{name}.parquet"
        table = pa.table({"text": ["refund"], "at": at})
        pq.write_table(table, path, use_deprecated_int96_timestamps=name != "b")
    return tmp_path / "in"


def test_equal_notes_of_files_are_told_once_with_the_first_name(inputs, model, tmp_path):
    told = [f"{inputs / 'a.parquet'} and 1 more: {CUT}"]
    notes = score(inputs, tmp_path / "out", model=model).notes
    assert [note for note in notes if "INT96" in note] == told
    # Nothing is told of what was done before.
    assert score(inputs, tmp_path / "out", model=model, if_exists="skip").notes == [
        f"{tmp_path / 'out'} is complete, it is of the same job: nothing was done"
    ]


def test_the_report_of_a_failure_tells_what_was_found_before_it(
    inputs, model, tmp_path, in_process
):
    (inputs / "d.parquet").write_bytes((inputs / "c.parquet").read_bytes())
    content = bytearray((inputs / "d.parquet").read_bytes())
    chunk = pq.read_metadata(inputs / "d.parquet").row_group(0).column(0)
    content[chunk.dictionary_page_offset] ^= 255
    (inputs / "d.parquet").write_bytes(content)
    report = tmp_path / "report.json"
    run = in_process("score", inputs, tmp_path / "out", "--model", model, "--report", report)
    assert run.returncode == 65
    assert f"{inputs / 'a.parquet'} and 1 more: {CUT}" in report.read_text()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_rerun_tells_what_a_killed_run_found(seed, inputs, model, tmp_path, in_process):
    line = [sys.executable, "-m", "textbatch", "score", inputs, tmp_path / "out", "--model", model]
    environment = {**os.environ, "TEXTBATCH_FAILPOINTS": f"part-noted:0.5:{seed}"}
    killed = subprocess.run(line, env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    done = in_process(*line[3:], "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows_resumed"] >= 1
    notes = json.loads(done.stdout)["notes"]
    assert f"{inputs / 'a.parquet'} and 1 more: {CUT}" in notes
    assert in_process("verify", tmp_path / "out").returncode == 0


def test_notes_of_a_part_are_kept_within_limits():
    assert PartRecord.of_line(part_record(notes=("x",)).to_line()).notes == ("x",)
    assert PartRecord.of_line(part_record(notes=("x",) * 21).to_line()) is None
    assert PartRecord.of_line(part_record(notes=("x" * 2001,)).to_line()) is None


def test_left_out_files_are_named(inputs, model, tmp_path):
    for name in ("_SUCCESS", ".a.crc", "_old/x.parquet", ".b.crc", "_c"):
        (inputs / name).parent.mkdir(exist_ok=True)
        (inputs / name).write_bytes(b"")
    (note,) = (n for n in score(inputs, tmp_path / "out", model=model).notes if "left out" in n)
    begin, _, names = note.partition(": ")
    assert begin == "5 files are left out, their names or folders begin with _ or ."
    assert names.count(str(inputs)) == 3
    assert names.endswith(" and 2 more")


def test_only_so_many_notes_are_told():
    notes = FileNotes()
    for number in range(1000):
        notes.add(f"f{number}", [f"{number} values are NaN", "same"])
    told = notes.told()
    assert told[:3] == ["f0: 0 values are NaN", "f0 and 999 more: same", "f1: 1 values are NaN"]
    assert told[20:] == ["981 more notes on files"]
