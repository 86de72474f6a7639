"""Each option of `score` makes another job, or cannot change a bit of the output."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, with_reference, write_bundle
from support.options import odd_value

import textbatch
from textbatch.errors import OutputError, QualityGateError
from textbatch.options import options_of
from textbatch.scoring.config import ScoreConfig

#: Which input, output and model, and what happens where the output is there: no test changes them.
#: How a folder is cut: test_shards.py.
GIVEN = {
    *("inputs", "output", "model", "if_exists", "dry_run", "incremental", "rescore"),
    *("output_format", "shard", "shard_rows"),
    # An engine scores folders: tests/system/engines.
    *("backend", "address", "gpus_per_worker"),
}
OPTIONS = {one.name: one for one in options_of(ScoreConfig) if one.name not in GIVEN}
#: Odd values that fit the input.
FITTING = {
    "columns": ["text"],
    "text_column": "id",  # not the model's own
    "encoding": "latin-1",
    "input_format": "csv",
    "max_bad_rows": "5%",
    "max_bad_files": 1,
}
DECIDING = [name for name, one in OPTIONS.items() if one.decides]
BESIDE = [name for name in OPTIONS if name not in DECIDING]


@pytest.fixture
def job(tmp_path):
    """Scores one file with options, and tells what is in the output."""
    source = tmp_path / "in.csv"
    texts = [f"refund the card {i}" for i in range(40)]
    source.write_text("id,text\n" + "".join(f"{i},{text}\n" for i, text in enumerate(texts)))
    # --fail-on-drift has to be able to tell.
    model = write_bundle(tmp_path / "measured", with_reference(random_bundle(), texts))

    def run(**settings) -> tuple[str, object]:
        output = tmp_path / "out.parquet"
        done = textbatch.score(source, output, **{"model": model, **settings})
        return done.state, pq.read_table(output)

    return run


def odd(name: str, folder: Path) -> dict[str, object]:
    found = {name: FITTING.get(name, odd_value(OPTIONS[name], folder))}
    if name == "quarantine_text":
        found["quarantine"] = folder / "aside.jsonl"
    if name == "strict_precision":
        found["min_precision"] = 0.5
    if name == "cache_mib":
        found["cache"] = folder / "cache"
    if name == "max_bad_files":
        found["bad_files"] = "skip"
    return found


@pytest.mark.parametrize("name", DECIDING)
def test_skip_refuses_the_output_of_another_option(name, job, tmp_path):
    base = {"quarantine": tmp_path / "aside.jsonl"} if name == "quarantine_text" else {}
    job(**base)
    # A limit that this model cannot prove is refused even before.
    with pytest.raises((OutputError, QualityGateError), match=r"made (from|with) another|held-out"):
        job(if_exists="skip", **odd(name, tmp_path))


@pytest.mark.parametrize("name", BESIDE)
def test_what_does_not_decide_changes_no_bit_and_skip_takes_the_output(name, job, tmp_path):
    _, table = job()
    assert job(if_exists="skip", **odd(name, tmp_path))[0] == "skipped"
    state, again = job(if_exists="replace", **odd(name, tmp_path))
    assert state == "done"
    assert again.equals(table)
    assert again.schema.equals(table.schema, check_metadata=False)


def test_the_text_column_of_the_model_is_the_same_named_or_not(job):
    job()
    assert job(if_exists="skip", text_column="text")[0] == "skipped"


def test_skip_refuses_the_output_of_another_version(job, monkeypatch):
    job()
    for module in ("job", "differences"):
        monkeypatch.setattr(f"textbatch.scoring.{module}.__version__", "99.0")
    with pytest.raises(OutputError, match=r"made by textbatch \d"):
        job(if_exists="skip")


def test_skip_refuses_the_output_of_another_model(job, tmp_path):
    other = tmp_path / "other"
    write_bundle(other, random_bundle(max_sequence_length=11))
    job()
    with pytest.raises(OutputError, match="made by another model"):
        job(if_exists="skip", model=other)


def test_a_new_option_decides_unless_it_says_otherwise():
    assert set(BESIDE) == {
        "bad_files", "batch_tokens", "cache", "cache_mib", "chunk_rows", "drift_history",
        "fail_on_drift", "jobs",
        "max_bad_files",
        "max_bad_rows",
        "min_rows", "report", "threads", "warn_on_drift", "work_dir",
    }  # fmt: skip
