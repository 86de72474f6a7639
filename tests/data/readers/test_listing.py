from __future__ import annotations

from pathlib import Path

import pytest

from textbatch.data.readers.listing import ListedFile, list_inputs
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.file_state import FileState
from textbatch.errors import ConflictError, DataError, UsageError


def file(name: str) -> ListedFile:
    found = FileState(size=1, modified=1, tag="")
    return ListedFile(file=new_input(Path(name)), name=name, found=found)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("a.parquet", "a.parquet"),
        ("x/a.csv.gz", "x/a.parquet"),
        ("a.b.JSONL.ZST", "a.b.parquet"),
        ("part-0", "part-0.parquet"),
    ],
)
def test_a_part_has_its_file_s_name(name, part):
    assert file(name).part == part


def test_partitions_are_decoded_in_order():
    found = file("k=a%2Fb/plain/y=/z=__HIVE_DEFAULT_PARTITION__/w=1=2/f.csv").partitions
    assert found == (("k", "a/b"), ("y", ""), ("z", None), ("w", "1=2"))


def test_any_change_of_a_file_changes_its_state(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text\n")
    (listed,) = list_inputs([tmp_path], "auto").files
    listed.check_unchanged()
    path.write_text("text\nx\n")
    (again,) = list_inputs([tmp_path], "auto").files
    assert again.state != listed.state
    for change in (lambda: None, path.unlink):
        change()
        with pytest.raises(DataError, match="changed while the job ran"):
            listed.check_unchanged()


def test_a_part_and_a_folder_of_parts_may_not_have_one_name(tmp_path):
    (tmp_path / "x.parquet" / "deep").mkdir(parents=True)
    (tmp_path / "x.csv").write_text("text\nrefund\n")
    (tmp_path / "x.parquet" / "deep" / "y.csv").write_text("text\nrefund\n")
    with pytest.raises(ConflictError, match=r"x\.csv would become x\.parquet, which is the folder"):
        list_inputs([tmp_path], "auto")


def test_a_name_that_is_too_long_for_its_part_is_told_at_once(tmp_path):
    (tmp_path / f"{'é' * 125}.csv").touch()
    with pytest.raises(UsageError, match="is too long for its part; rename it"):
        list_inputs([tmp_path], "auto")
