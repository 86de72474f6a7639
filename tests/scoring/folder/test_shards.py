"""A folder cut into shards: small files packed, large ones split, the same rows and bits."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts

import textbatch
from textbatch.data.readers.listing import ListedFile
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.file_state import FileState
from textbatch.errors import ConflictError, DataError
from textbatch.report.listener import Listener
from textbatch.scoring.folder.shards import Footer, Group, cut_into_shards
from textbatch.scoring.verify import verify_output


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """One file of 9 row groups, six small ones, one of other columns, and one that is CSV."""
    folder = tmp_path_factory.mktemp("shards") / "in"
    folder.mkdir()
    table = pa.table({"id": list(range(170)), "text": random_texts(170, seed=1)})
    pq.write_table(table, folder / "a.parquet", row_group_size=20)
    for number in range(6):
        some = pa.table({"id": list(range(10)), "text": random_texts(10, seed=number)})
        pq.write_table(some[: 10 * (number != 2)], folder / f"b{number}.parquet")
    write_texts(folder / "c.parquet", random_texts(15, seed=9))
    (folder / "d.csv").write_text('id,text\n1,"refund\nthe card"\n2,login\n')
    return folder


def parts(output: Path) -> list[Path]:
    return sorted(path for path in output.rglob("*.parquet"))


def sha256_of(output: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in parts(output))).hexdigest()


def answers(output: Path) -> list[dict]:
    columns = ["id", "text", "predicted_label", "confidence", "status"]
    rows = [
        row | {"id": str(row["id"])}
        for path in parts(output)
        for row in pq.read_table(path, columns=columns).to_pylist()
    ]
    return sorted(rows, key=lambda row: (str(row["text"]), row["id"], row["status"]))


def listed(name: str, size: int = 100) -> ListedFile:
    found = FileState(size=size, modified=1, tag="")
    return ListedFile(file=new_input(Path(name)), name=name, found=found)


def footer(*rows: int, kind: str = "k") -> Footer:
    return Footer(kind, tuple(Group(count, 4, 4 + count) for count in rows))


def cut(*files: tuple[str, Footer | None], rows: int) -> list[object]:
    found = cut_into_shards(((listed(name), told) for name, told in files), rows=rows)
    return [
        shard.name if isinstance(shard, ListedFile) else [(p.title, p.rows) for p in shard]
        for shard in found
    ]


def test_small_files_are_packed_and_large_ones_split_at_their_row_groups():
    found = cut(("a", footer(40, 40, 40)), ("b", footer(10)), ("c", footer(30, 300)), rows=100)
    assert found == [
        [("a[0:2]", 80)],
        [("a[2:3]", 40), ("b", 10), ("c[0:1]", 30)],
        [("c[1:2]", 300)],
    ]


def test_what_has_other_columns_or_lies_elsewhere_or_is_no_parquet_is_a_shard_of_its_own():
    found = cut(
        ("a", footer(1)),
        ("b", footer(1, kind="other")),
        ("day=1/c", footer(1, kind="other")),
        ("d.csv", None),
        ("e", footer()),
        ("f", footer(0, 1)),
        rows=100,
    )
    assert found == [[("a", 1)], [("b", 1)], [("day=1/c", 1)], "d.csv", [("e", 0), ("f", 1)]]


@pytest.mark.parametrize("rows", [1, 7, 64, 10**9])
def test_every_row_group_is_in_one_shard_once_and_in_order(rows):
    files = [(f"f{n}", footer(*range(n % 5), kind="ab"[n % 7 == 0])) for n in range(40)]
    shards = cut_into_shards(((listed(name), told) for name, told in files), rows=rows)
    groups = [
        (piece.name, group)
        for shard in shards
        for piece in shard
        for group in range(piece.first, piece.stop)
    ]
    assert groups == [(name, n) for name, told in files for n in range(len(told.groups))]


def test_any_plan_gives_the_same_answers_and_one_plan_the_same_bytes(source, model, tmp_path):
    textbatch.score(source, tmp_path / "whole", model=model)
    expected = answers(tmp_path / "whole")
    for rows in (1, 50, 10_000):
        outputs = [tmp_path / f"{rows}-{jobs}" for jobs in (1, 2)]
        for jobs, output in enumerate(outputs, 1):
            fast = {"chunk_rows": 7} if jobs == 2 and rows == 50 else {}
            done = textbatch.score(
                source, output, model=model, shard_rows=rows, jobs=jobs if rows == 50 else 1, **fast
            )
            assert done.rows_out == 237
            assert done.shards["planned"] == len(parts(output)) == done.files["scored"]
        assert verify_output(outputs[0], model=model).parts == done.shards["planned"]
        assert answers(outputs[0]) == expected
        names = [[path.name for path in parts(output)] for output in outputs]
        assert names[0] == names[1]
        if rows != 50:
            assert sha256_of(outputs[0]) == sha256_of(outputs[1])
    assert [int(name[5:10]) for name in names[0]] == list(range(len(names[0])))


def test_one_file_into_a_folder_is_cut_and_into_a_file_is_refused(source, model, tmp_path):
    done = textbatch.score(f"{source}/a.parquet", f"{tmp_path}/out/", model=model, shard_rows=60)
    assert (done.rows_out, done.shards) == (
        170, {"planned": 3, "done": 0, "rows": 170, "smallest": 50, "largest": 60}
    )  # fmt: skip
    with pytest.raises(ConflictError, match="end the output with /"):
        textbatch.score(source / "a.parquet", tmp_path / "out.parquet", model=model, shard_rows=60)


def test_a_dry_run_tells_the_plan_and_what_is_done(source, model, tmp_path):
    settings = {"model": model, "shard_rows": 50}
    planned = textbatch.score(source, tmp_path / "out", dry_run=True, **settings)
    assert planned.shards["done"] == 0
    assert planned.shards["planned"] == 7
    assert not (tmp_path / "out").exists()
    textbatch.score(source, tmp_path / "out", **settings)
    again = textbatch.score(source, tmp_path / "out", if_exists="skip", **settings)
    assert again.state == "skipped"


def test_another_plan_replaces_the_parts_only_when_it_is_asked_to(source, model, tmp_path):
    output = tmp_path / "out"
    textbatch.score(source, output, model=model, shard_rows=50)
    before = sha256_of(output)
    with pytest.raises(textbatch.TextbatchError, match="--overwrite"):
        textbatch.score(source, output, model=model, shard_rows=90, if_exists="skip")
    assert sha256_of(output) == before
    done = textbatch.score(source, output, model=model, shard_rows=10_000, if_exists="replace")
    assert len(parts(output)) == done.shards["planned"]
    verify_output(output)


def test_partitions_stay_and_bad_rows_are_told_by_their_own_file(model, tmp_path):
    for day in (1, 2):
        for number in range(2):
            place = tmp_path / "in" / "deep" / f"day={day}" / f"{number}.parquet"
            place.parent.mkdir(parents=True, exist_ok=True)
            texts = pa.array([b"refund", b"login", b"caf\xe9"][: 2 + number], pa.binary())
            pq.write_table(pa.table({"text": texts}), place)
    aside, output = tmp_path / "aside", tmp_path / "out"
    aside.mkdir()
    textbatch.score(
        tmp_path / "in", output, model=model, shard_rows=100, partition_columns=True,
        quarantine=aside, max_bad_rows=2,
    )  # fmt: skip
    assert [path.parent.name for path in parts(output)] == ["day=1", "day=2"]
    assert pq.read_table(parts(output)[1])["day"].to_pylist() == ["2"] * 4
    told = [
        json.loads(line)
        for path in aside.rglob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert {(Path(one["file"]).name, one["row"]) for one in told} == {("1.parquet", 3)}
    verify_output(output)


def test_a_malformed_file_is_named_and_the_other_shards_are_there_after_the_rerun(
    source, model, tmp_path
):
    shutil.copytree(source, tmp_path / "in")
    bad = tmp_path / "in" / "a.parquet"
    sound, state = bad.read_bytes(), bad.stat()
    middle = len(sound) // 2
    bad.write_bytes(sound[:middle] + bytes(200) + sound[middle + 200 :])
    os.utime(bad, ns=(state.st_atime_ns, state.st_mtime_ns))
    settings = {"model": model, "shard_rows": 20}
    with pytest.raises(DataError, match=r"a\.parquet") as raised:
        textbatch.score(tmp_path / "in", tmp_path / "out", **settings)
    assert "text" not in str(raised.value).split("column")[0]
    there = {path.name: path.stat().st_mtime_ns for path in parts(tmp_path / "out")}
    assert len(there) > 4
    bad.write_bytes(sound)
    os.utime(bad, ns=(state.st_atime_ns, state.st_mtime_ns))
    done = textbatch.score(tmp_path / "in", tmp_path / "out", **settings)
    assert done.rows_out == 237
    now = {path.name: path.stat().st_mtime_ns for path in parts(tmp_path / "out")}
    assert there.items() <= now.items()
    verify_output(tmp_path / "out")


class Changes(Listener):
    """Changes a file as soon as the first rows are done."""

    def __init__(self, place: Path) -> None:
        self._place, self._done = place, False

    def advance(self, rows: int, share: float | None = None) -> None:
        if not self._done:
            write_texts(self._place, random_texts(10, seed=77))
            self._done = True


def test_a_file_that_changes_after_the_plan_was_made_is_noticed(source, model, tmp_path):
    shutil.copytree(source, tmp_path / "in")
    with pytest.raises(DataError, match=r"b3\.parquet changed") as raised:
        textbatch.score(
            tmp_path / "in", tmp_path / "out", model=model, shard_rows=20,
            progress=Changes(tmp_path / "in" / "b3.parquet"),
        )  # fmt: skip
    assert raised.value.exit_code == 65
    assert not (tmp_path / "out" / "_SUCCESS").exists()


@pytest.mark.parametrize("other", [{"incremental": True}, {"bad_files": "skip"}])
def test_options_that_are_about_whole_files_are_refused(other, source, model, tmp_path):
    with pytest.raises(ConflictError, match="--shard-rows"):
        textbatch.score(source, tmp_path / "out", model=model, shard_rows=9, **other)
