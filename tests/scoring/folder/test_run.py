"""A folder of files scored to a mirror of it, at once, night by night, and after a kill."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, random_texts, run_cli, write_bundle, write_texts

from textbatch import score
from textbatch.data.readers import shard_source
from textbatch.errors import DataError, InputNotFoundError, OutputError, TooManyBadRowsError
from textbatch.scoring.inspect import inspect_path
from textbatch.scoring.verify import verify_output


def fill(folder: Path, numbers: range) -> dict[str, int]:
    """Files two folders deep, some without rows; their rows by name."""
    rows = {}
    for number in numbers:
        name = f"year=202{number % 4}/region=r{number % 5}/f{number:03d}.parquet"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        rows[name] = 0 if number % 17 == 0 else 5 + number % 40
        texts = pa.array(random_texts(50, seed=number)[: rows[name]], pa.string())
        ids = pa.array(range(len(texts)), pa.int64())
        pq.write_table(pa.table({"id": ids, "text": texts}), folder / name)
    return rows


def parts(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): pq.read_metadata(path).num_rows
        for path in folder.rglob("*.parquet")
    }


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    """The names of all input files that are opened."""
    read: list[str] = []
    real = shard_source.ParquetSource

    class Noted(real):
        def __init__(self, path: Path) -> None:
            read.append(path.name)
            super().__init__(path)

    monkeypatch.setattr(shard_source, "ParquetSource", Noted)
    return read


def test_two_hundred_files_come_out_as_a_mirror_and_only_new_ones_are_read(model, tmp_path, opened):
    rows = fill(tmp_path / "in", range(200))
    (tmp_path / "in" / "year=2020" / "_tmp").write_bytes(b"not for us")
    first = score(tmp_path / "in", tmp_path / "out", model=model, incremental=True)
    assert (first.state, first.rows_in, first.rows_out) == ("done", *[sum(rows.values())] * 2)
    assert first.files == {
        "found": 200,
        "scored": 200,
        "resumed": 0,
        "known": 0,
        "stray": 1,
        "stale": 0,
        "rescored": 0,
    }
    assert parts(tmp_path / "out") == rows
    success = json.loads((tmp_path / "out" / "_SUCCESS").read_text())
    assert (success["parts"], success["rows_out"]) == (200, sum(rows.values()))

    new = fill(tmp_path / "in", range(200, 203))
    opened.clear()
    second = score(tmp_path / "in", tmp_path / "out", model=model, incremental=True)
    assert {Path(name).name for name in new} == set(opened)
    assert (second.rows_in, second.rows_out) == (sum(new.values()),) * 2
    assert second.files == {
        "found": 203,
        "scored": 3,
        "resumed": 0,
        "known": 200,
        "stray": 1,
        "stale": 0,
        "rescored": 0,
    }
    assert parts(tmp_path / "out") == rows | new
    assert verify_output(tmp_path / "out", model=model).rows == sum((rows | new).values())

    opened.clear()
    third = score(tmp_path / "in", tmp_path / "out", model=model, incremental=True)
    assert (third.state, opened) == ("skipped", [])


def test_each_part_is_what_the_file_alone_would_give(model, tmp_path):
    fill(tmp_path / "in", range(3))
    score(tmp_path / "in", tmp_path / "out", model=model)
    for name in parts(tmp_path / "out"):
        score(tmp_path / "in" / name, tmp_path / "alone.parquet", model=model, if_exists="replace")
        alone = pq.read_table(tmp_path / "alone.parquet")
        assert pq.ParquetFile(tmp_path / "out" / name).read().equals(alone)


def test_partition_folders_come_back_for_whoever_reads_the_output(model, tmp_path):
    rows = fill(tmp_path / "in", range(10))
    score(tmp_path / "in", tmp_path / "out", model=model)
    table = pq.read_table(tmp_path / "out")
    assert table.num_rows == sum(rows.values())
    assert {"year", "region", "id", "text", "status"} <= set(table.column_names)
    assert set(table["region"].to_pylist()) <= {f"r{n}" for n in range(5)}


def test_partition_columns_can_be_written_into_the_parts(model, tmp_path):
    place = tmp_path / "in" / "a%20b=x%2Fy" / "c=__HIVE_DEFAULT_PARTITION__" / "f.parquet"
    place.parent.mkdir(parents=True)
    write_texts(place, ["refund", None])
    score(tmp_path / "in", tmp_path / "out", model=model, partition_columns=True)
    (part,) = (tmp_path / "out").rglob("*.parquet")
    table = pq.ParquetFile(part).read()
    assert table.column_names[:4] == ["id", "text", "a b", "c"]
    assert table["a b"].to_pylist() == ["x/y", "x/y"]
    assert table["c"].to_pylist() == [None, None]


def test_formats_mix_and_compression_ends_drop(model, tmp_path):
    (tmp_path / "in").mkdir()
    write_texts(tmp_path / "in" / "a.parquet", ["refund"])
    (tmp_path / "in" / "b.csv").write_text("text,n\nlogin,1\ncard,2\n")
    (tmp_path / "in" / "c.JSONL").write_text('{"text": "late"}\n')
    with pa.output_stream(tmp_path / "in" / "d.csv.gz", compression="gzip") as file:
        file.write(b"text\nlost\n")
    done = score(tmp_path / "in", tmp_path / "out", model=model)
    assert done.rows_out == 5
    assert parts(tmp_path / "out") == {
        "a.parquet": 1,
        "b.parquet": 2,
        "c.parquet": 1,
        "d.parquet": 1,
    }


def test_globs_and_lists_of_files_are_inputs_too(model, tmp_path):
    rows = fill(tmp_path / "in", range(1, 9))
    pattern = tmp_path / "in" / "year=202[12]" / "**" / "*.parquet"
    score(pattern, tmp_path / "some", model=model)
    wanted = {name: n for name, n in rows.items() if name[:9] in ("year=2021", "year=2022")}
    assert parts(tmp_path / "some") == wanted
    # As a shell expands the pattern.
    files = [tmp_path / "in" / name for name in rows]
    score(files, tmp_path / "all", model=model)
    assert parts(tmp_path / "all") == rows
    # A folder that the pattern matches is read to its bottom.
    score(tmp_path / "in" / "year=2021*", tmp_path / "year", model=model)
    assert parts(tmp_path / "year") == {n: c for n, c in rows.items() if n[:9] == "year=2021"}


def test_one_file_goes_into_a_folder_where_the_output_says_so(model, tmp_path, input_file):
    score(input_file, f"{tmp_path}/new/", model=model)
    assert parts(tmp_path / "new") == {"input.parquet": 500}
    (tmp_path / "there").mkdir()
    score(input_file, tmp_path / "there", model=model)
    assert (tmp_path / "there" / "_SUCCESS").exists()


def test_changed_files_are_scored_again_and_vanished_ones_keep_their_parts(model, tmp_path):
    rows = fill(tmp_path / "in", range(1, 5))
    job = {"model": model, "incremental": True}
    score(tmp_path / "in", tmp_path / "out", **job)
    changed, vanished, *_ = rows
    write_texts(tmp_path / "in" / changed, ["refund"])
    (tmp_path / "in" / vanished).unlink()
    done = score(tmp_path / "in", tmp_path / "out", **job)
    assert (done.rows_in, done.files["scored"]) == (1, 1)
    assert parts(tmp_path / "out") == rows | {changed: 1}
    assert verify_output(tmp_path / "out").parts == 4


def test_incremental_never_mixes_models_or_options(model, tmp_path):
    fill(tmp_path / "in", range(1, 3))
    score(tmp_path / "in", tmp_path / "out", model=model, incremental=True)
    other = write_bundle(tmp_path / "other", random_bundle(seed=5))
    for settings in ({"model": other}, {"model": model, "top_k": 1}):
        with pytest.raises(OutputError, match=r"was made (with another|by another model)"):
            score(tmp_path / "in", tmp_path / "out", incremental=True, **settings)
    assert (tmp_path / "out" / "_SUCCESS").exists()


def test_an_existing_folder_is_treated_as_the_flag_says(model, tmp_path):
    rows = fill(tmp_path / "in", range(1, 4))
    job = {"model": model}
    score(tmp_path / "in", tmp_path / "out", **job)
    with pytest.raises(OutputError, match="is not empty"):
        score(tmp_path / "in", tmp_path / "out", **job)
    skipped = score(tmp_path / "in", tmp_path / "out", if_exists="skip", **job)
    assert (skipped.state, skipped.rows_out) == ("skipped", sum(rows.values()))
    fill(tmp_path / "in", range(4, 5))
    with pytest.raises(OutputError, match="made from other files"):
        score(tmp_path / "in", tmp_path / "out", if_exists="skip", **job)
    (tmp_path / "in" / next(iter(rows))).unlink()
    # Parts whose input is gone go as well: the output is that of this job, no more.
    score(tmp_path / "in", tmp_path / "out", if_exists="replace", **job)
    left = {p.relative_to(tmp_path / "in") for p in (tmp_path / "in").rglob("*.parquet")}
    assert set(map(Path, parts(tmp_path / "out"))) == left


@pytest.mark.parametrize("flags", [(), ("--overwrite",), ("--incremental",)])
@pytest.mark.parametrize(
    "place", ["part-published", "part-noted", "manifest-written", "success-written"]
)
def test_a_killed_job_goes_on_where_it_stopped(place, flags, model, tmp_path):
    rows = fill(tmp_path / "in", range(1, 5))
    line = ("score", tmp_path / "in", tmp_path / "out", "--model", model, *flags)
    for seed in range(40):
        died = run_cli(*line, TEXTBATCH_FAILPOINTS=f"{place}:0.5:{seed}")
        if died.returncode == 0:
            break
        assert died.returncode == -9, died.stderr
        assert (tmp_path / "out" / "_SUCCESS").exists() == (place == "success-written")
    else:
        pytest.fail("never finished")
    assert parts(tmp_path / "out") == rows
    assert verify_output(tmp_path / "out").rows == sum(rows.values())
    assert names(tmp_path) == ["in", "out"]
    assert not list((tmp_path / "out").rglob(".*"))


def test_a_file_in_the_way_stops_the_job_and_the_parts_before_it_stay(model, tmp_path):
    rows = fill(tmp_path / "in", range(1, 5))
    bad = tmp_path / "in" / "zzz.csv"
    bad.write_text("text\n" + "refund\n" * 99 + "a,b\n")
    with pytest.raises(DataError, match=r"zzz\.csv has 2 cells in data row 100"):
        score(tmp_path / "in", tmp_path / "out", model=model)
    assert parts(tmp_path / "out") == rows
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    bad.write_text("text\nrefund\n")
    done = score(tmp_path / "in", tmp_path / "out", model=model)
    assert (done.files["scored"], done.files["resumed"], done.files["known"]) == (1, len(rows), 0)
    assert done.rows_resumed == sum(rows.values())
    assert done.rows_out == sum(rows.values()) + 1
    assert not (tmp_path / ".out.textbatch").exists()


@pytest.mark.parametrize("place", ["success-removed", "output-created", "output-sealed"])
def test_a_job_that_died_in_its_first_file_goes_on(place, model, tmp_path):
    rows = fill(tmp_path / "in", range(1, 3))
    line = ("score", tmp_path / "in", tmp_path / "out", "--model", model)
    assert run_cli(*line, TEXTBATCH_FAILPOINTS=f"{place}:1:0:term").returncode == 143
    done = run_cli(*line)
    assert done.returncode == 0, done.stderr
    assert parts(tmp_path / "out") == rows
    assert names(tmp_path) == ["in", "out"]


def test_bad_rows_are_counted_over_all_files(model, tmp_path):
    bad = pa.array([b"refund", b"\xff"], pa.binary())
    (tmp_path / "in").mkdir()
    for name in "abc":
        pq.write_table(pa.table({"text": bad}), tmp_path / "in" / f"{name}.parquet")
    with pytest.raises(TooManyBadRowsError, match=r"c\.parquet"):
        score(tmp_path / "in", tmp_path / "out", model=model, max_bad_rows=2)
    with pytest.raises(TooManyBadRowsError, match="3 of 6 rows are bad"):
        score(tmp_path / "in", tmp_path / "out", model=model, max_bad_rows="49%")
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    done = score(
        tmp_path / "in",
        tmp_path / "out",
        model=model,
        max_bad_rows="50%",
        quarantine=tmp_path / "bad",
        if_exists="replace",
    )
    assert (done.rows_in, done.rows_out, done.rows_quarantined) == (6, 3, 3)
    listed = [json.loads(path.read_text()) for path in sorted((tmp_path / "bad").iterdir())]
    assert [Path(line["file"]).name for line in listed] == ["a.parquet", "b.parquet", "c.parquet"]


def test_a_dry_run_looks_at_every_file_and_writes_nothing(model, tmp_path):
    rows = fill(tmp_path / "in", range(1, 6))
    planned = score(tmp_path / "in", tmp_path / "out", model=model, dry_run=True)
    assert (planned.state, planned.rows_in) == ("planned", sum(rows.values()))
    (tmp_path / "in" / "bad.jsonl").write_text('{"body": "x"}\n')
    with pytest.raises(DataError, match=r"bad\.jsonl has no column 'text'"):
        score(tmp_path / "in", tmp_path / "out", model=model, dry_run=True)
    assert names(tmp_path) == ["in"]


def test_an_empty_folder_is_no_success(model, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "_SUCCESS").touch()
    with pytest.raises(InputNotFoundError, match="but 1 whose names begin with _"):
        score(tmp_path / "in", tmp_path / "out", model=model)
    assert not (tmp_path / "out").exists()


def test_verify_finds_a_lost_a_foreign_and_an_exchanged_part(model, tmp_path):
    fill(tmp_path / "in", range(1, 4))
    score(tmp_path / "in", tmp_path / "out", model=model)
    one, two, *_ = sorted((tmp_path / "out").rglob("*.parquet"))
    content = one.read_bytes()
    for change, message in (
        (one.unlink, "has lost its part"),
        (lambda: one.write_bytes(two.read_bytes()), "is another file than was written"),
        (lambda: one.write_bytes(content[:-1]), "not a whole Parquet file"),
        (lambda: (tmp_path / "out" / "x.parquet").write_bytes(content), "none of its parts"),
        (lambda: (tmp_path / "out" / "_manifest.jsonl").write_bytes(b""), "has changed"),
        (lambda: (tmp_path / "out" / "_SUCCESS").unlink(), "has not finished"),
    ):
        change()
        with pytest.raises(DataError, match=message):
            verify_output(tmp_path / "out")
        one.write_bytes(content)


def test_inspect_shows_a_folder_in_one_screen(model, tmp_path):
    rows = fill(tmp_path / "in", range(1, 4))
    score(tmp_path / "in", tmp_path / "out", model=model)
    found = inspect_path(tmp_path / "out")
    assert found.parts == 3
    assert found.rows == sum(rows.values()) == sum(found.statuses.values())
    shown = run_cli("inspect", tmp_path / "out")
    assert f"{sum(rows.values())} in 3 parts" in shown.stdout
    assert "3 parts" in run_cli("verify", tmp_path / "out").stdout
