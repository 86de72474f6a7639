"""A run that finds fewer rows than it should is no success."""

from __future__ import annotations

import pytest
from support.bundles import write_texts

from textbatch.errors import InputNotFoundError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

TEXTS = ["refund the card", "cannot log in", "the app is slow"]


@pytest.fixture
def run(model, tmp_path):
    def run(source, name="out.parquet", **settings):
        given = {"inputs": (source,), "output": tmp_path / name, "model": model, **settings}
        return score(ScoreConfig(**given))

    return run


def test_one_row_too_few_publishes_nothing(run, tmp_path):
    source = write_texts(tmp_path / "in.parquet", TEXTS)
    with pytest.raises(InputNotFoundError, match="has 3 rows; --min-rows asks for 4") as found:
        run(source, min_rows=4)
    assert found.value.exit_code == 68
    assert [one.name for one in tmp_path.iterdir()] == ["in.parquet"]
    assert run(source, min_rows=3).state == "done"


def test_a_dry_run_says_so_where_the_rows_are_known(run, tmp_path):
    source = write_texts(tmp_path / "in.parquet", TEXTS)
    with pytest.raises(InputNotFoundError):
        run(source, min_rows=4, dry_run=True)
    source = tmp_path / "in.csv"
    source.write_text("text\nhello\n")
    assert run(source, min_rows=4, dry_run=True).rows_in is None
    with pytest.raises(InputNotFoundError):
        run(source, min_rows=4)


def test_rows_in_quarantine_count_as_read(run, tmp_path):
    source = tmp_path / "in.csv"
    source.write_bytes(b"text\nhello\n\xff\n")
    places = {"quarantine": tmp_path / "bad.jsonl", "max_bad_rows": 1}
    assert run(source, min_rows=2, **places).rows_quarantined == 1


def test_skipping_an_output_counts_its_rows(run, tmp_path):
    source = write_texts(tmp_path / "in.parquet", TEXTS)
    run(source)
    assert run(source, if_exists="skip", min_rows=3).state == "skipped"
    with pytest.raises(InputNotFoundError):
        run(source, if_exists="skip", min_rows=4)


def test_a_folder_counts_all_its_files_and_goes_on_where_it_stopped(run, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write_texts(folder / "a.parquet", TEXTS)
    with pytest.raises(InputNotFoundError):
        run(folder, "out", min_rows=6)
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    write_texts(folder / "b.parquet", TEXTS)
    done = run(folder, "out", min_rows=6)
    assert (done.state, done.rows_in) == ("done", 6)
    assert done.rows_resumed == 3
    assert (tmp_path / "out" / "_SUCCESS").exists()


def test_a_night_without_a_new_file_has_no_rows(run, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write_texts(folder / "a.parquet", TEXTS)
    assert run(folder, "out", incremental=True, min_rows=1).state == "done"
    assert run(folder, "out", incremental=True).state == "skipped"
    with pytest.raises(InputNotFoundError, match="has 0 rows"):
        run(folder, "out", incremental=True, min_rows=1)
    # A night with too few leaves what was there, and the next one takes them along.
    write_texts(folder / "b.parquet", TEXTS)
    with pytest.raises(InputNotFoundError):
        run(folder, "out", incremental=True, min_rows=4)
    write_texts(folder / "c.parquet", TEXTS)
    assert run(folder, "out", incremental=True, min_rows=4).rows_in == 6
