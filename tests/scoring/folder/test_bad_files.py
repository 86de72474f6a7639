"""Malformed files of a job: all are named; --bad-files skip sets them aside, and never silently."""

from __future__ import annotations

import json

import pytest
from support.bundles import random_bundle, write_bundle, write_texts

import textbatch
from textbatch.errors import ConflictError, DataError, TooManyBadFilesError, UsageError
from textbatch.scoring.inspect import inspect_path
from textbatch.scoring.verify import verify_output


@pytest.fixture
def score(model, tmp_path):
    def score(**settings):
        given = {"model": model, "bad_files": "skip", **settings}
        return textbatch.score(tmp_path / "in", tmp_path / "out", **given)

    return score


@pytest.fixture
def folder(tmp_path):
    """Two good files, and one bad file of each kind."""
    inputs = tmp_path / "in"
    inputs.mkdir()
    write_texts(inputs / "a.parquet", ["refund the card", "the app is slow"])
    (inputs / "b.csv").write_text("text\nlogin\n")
    (inputs / "no-column.csv").write_text("body\nlogin\n")
    (inputs / "no.parquet").write_bytes(b"no Parquet at all")
    (inputs / "torn.csv").write_text("text\n" + "refund\n" * 50 + "one,two\n")
    (inputs / "cut.jsonl").write_text('{"text": "card"}\n{"text": \n')
    return inputs


BAD = ["cut.jsonl", "no-column.csv", "no.parquet", "torn.csv"]


def bad(report) -> list[str]:
    return sorted(one["file"].rsplit("/", 1)[-1] for one in report.bad_files)


def success(folder) -> dict:
    return json.loads((folder / "_SUCCESS").read_text())


def test_all_bad_files_are_named_at_once(folder, score, tmp_path):
    with pytest.raises(DataError, match="3 of 6 input files cannot be scored") as found:
        score(bad_files="fail", report=tmp_path / "report.json")
    for name in set(BAD) - {"torn.csv"}:  # its header is good
        assert name in str(found.value)
    assert "--bad-files skip" in str(found.value)
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["bad_files"]) == 3
    assert not (tmp_path / "out").exists()


def test_files_that_only_reading_shows_as_bad_are_all_named_and_the_others_scored(
    folder, score, tmp_path
):
    for name in set(BAD) - {"torn.csv"}:
        (folder / name).unlink()
    (folder / "aa.csv").write_text("text\nx\n1,2\n")
    with pytest.raises(DataError, match=r"2 of 4 input files.*aa\.csv.*torn\.csv"):
        score(bad_files="fail")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.parquet", "b.parquet"]


def test_bad_files_are_set_aside_and_told_in_report_and_success(folder, score, tmp_path):
    done = score()
    assert (done.state, done.rows_out, bad(done)) == ("done", 3, BAD)
    assert done.files["scored"] == 2
    assert sum("set aside: " in note for note in done.notes) == 4
    told = success(tmp_path / "out")["bad_files"]
    assert told == done.bad_files
    for one in told:
        assert one["file"] in one["error"]
    assert verify_output(tmp_path / "out").bad_files == 4
    assert inspect_path(tmp_path / "out").bad_files == 4
    assert not list(tmp_path.rglob(".*"))


def test_a_mended_file_is_scored_by_the_next_incremental_run(folder, score, tmp_path):
    score(incremental=True)
    again = score(incremental=True)
    assert (again.state, again.files["scored"], bad(again)) == ("done", 0, BAD)
    (folder / "torn.csv").write_text("text\nrefund\n")
    mended = score(incremental=True)
    assert (mended.files["scored"], mended.rows_out) == (1, 1)
    assert bad(mended) == sorted(set(BAD) - {"torn.csv"})
    for name in set(BAD) - {"torn.csv"}:
        (folder / name).unlink()
    score(incremental=True, bad_files="fail")
    assert len(success(tmp_path / "out")["bad_files"]) == 3  # no file was new: nothing was written
    assert verify_output(tmp_path / "out").rows == 4


def test_the_part_of_an_earlier_version_stays_and_that_is_told(folder, score, tmp_path):
    score(incremental=True)
    (folder / "b.csv").write_text("text\nlogin\n1,2\n")
    done = score(incremental=True)
    kept = {one["part"]: one["kept"] for one in done.bad_files}
    assert kept.pop("b.parquet")
    assert not any(kept.values())
    assert any("b.csv" in note and "earlier version stays" in note for note in done.notes)
    assert verify_output(tmp_path / "out").rows == 3


def test_a_replaced_output_keeps_no_part_of_a_bad_file(folder, score, tmp_path):
    score()
    (folder / "b.csv").write_text("text\nlogin\n1,2\n")
    assert score(if_exists="replace").rows_out == 2
    assert not (tmp_path / "out" / "b.parquet").exists()
    assert verify_output(tmp_path / "out").bad_files == 5


def test_skip_takes_an_output_with_bad_files_only_where_they_may_be(folder, score):
    score()
    again = score(if_exists="skip")
    assert (again.state, bad(again)) == ("skipped", BAD)
    with pytest.raises(DataError, match="4 of 6 input files"):
        score(if_exists="skip", bad_files="fail")
    with pytest.raises(TooManyBadFilesError):
        score(if_exists="skip", max_bad_files=3)


@pytest.mark.parametrize(("limit", "fails"), [(3, True), (4, False), ("50%", True), ("67%", False)])
def test_more_than_the_limit_ends_with_67(folder, score, tmp_path, limit, fails):
    if not fails:
        assert score(max_bad_files=limit).state == "done"
        return
    with pytest.raises(TooManyBadFilesError, match="--max-bad-files allows") as found:
        score(max_bad_files=limit)
    assert found.value.exit_code == 67
    assert not (tmp_path / "out" / "_SUCCESS").exists()


def test_a_job_without_a_good_file_is_no_success(folder, score, tmp_path):
    for name in ("a.parquet", "b.csv"):
        (folder / name).unlink()
    with pytest.raises(TooManyBadFilesError, match="4 of 4 input files"):
        score()
    assert not (tmp_path / "out" / "_SUCCESS").exists()


def test_json_files_that_do_not_go_with_the_first_are_bad(score, tmp_path):
    inputs = tmp_path / "in"
    inputs.mkdir()
    for name, value in (("a", "1"), ("b", "{}"), ("c", "2"), ("d", "[1]")):
        (inputs / f"{name}.jsonl").write_text(f'{{"text": "card", "n": {value}}}\n')
    with pytest.raises(DataError, match=r"2 of 4.*b\.jsonl.*d\.jsonl"):
        score(bad_files="fail")
    done = score()
    assert (bad(done), done.rows_out) == (["b.jsonl", "d.jsonl"], 2)


def test_a_dry_run_names_the_bad_files_and_writes_nothing(folder, score, tmp_path):
    with pytest.raises(DataError, match="3 of 6 input files"):
        score(bad_files="fail", dry_run=True)
    planned = score(dry_run=True)
    assert (planned.plan, len(planned.bad_files), planned.files["scored"]) == ("score", 3, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_interrupted_job_goes_on_beside_its_bad_files(folder, score, tmp_path):
    with pytest.raises(TooManyBadFilesError):
        score(max_bad_files=3)  # the fourth is only found by reading it
    assert score(dry_run=True).plan == "resume"
    done = score()
    assert (done.rows_resumed, done.files["scored"], bad(done)) == (3, 0, BAD)
    assert verify_output(tmp_path / "out").rows == 3


def test_a_limit_is_a_count_or_a_share_of_files_that_are_set_aside(score):
    with pytest.raises(UsageError, match="--max-bad-files is '-1'; give a number of them"):
        score(max_bad_files=-1)
    with pytest.raises(ConflictError, match="needs --bad-files skip"):
        score(bad_files="fail", max_bad_files=1)


def test_of_another_model_no_part_stays_where_the_file_is_bad_now(folder, score, tmp_path):
    score(incremental=True)
    (folder / "b.csv").write_text("text\nlogin\n1,2\n")
    other = write_bundle(tmp_path / "other", random_bundle(seed=7))
    done = score(incremental=True, rescore="stale", model=other)
    assert (done.files["scored"], done.files["rescored"], len(done.bad_files)) == (1, 1, 5)
    assert not any(one["kept"] for one in done.bad_files)
    assert verify_output(tmp_path / "out", model=other).rows == 2
    assert not (tmp_path / "out" / "b.parquet").exists()
