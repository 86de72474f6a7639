"""What is the same for all formats. Whoever adds one is told here what is missing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

import pytest

from textbatch.data.choices import FileFormat, InputFormat
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.source import FORMATS, TITLES, open_input
from textbatch.data.storage.file_io import new_input
from textbatch.errors import ConflictError, DataError, UsageError

KINDS = get_args(FileFormat)


def test_every_format_has_a_suffix_and_a_name_for_messages():
    assert set(FORMATS.values()) == set(TITLES) == set(KINDS)
    assert get_args(InputFormat) == ("auto", *KINDS)


def test_a_name_without_a_format_is_answered_with_all_formats(tmp_path):
    path = tmp_path / "rows.dat"
    path.write_text("text\nrefund\n")
    with pytest.raises(UsageError, match="give --format parquet, csv or jsonl"):
        open_input(new_input(path), ReadOptions())


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"csv"}))
def test_an_option_of_csv_is_refused_by_the_formats_own_name(tmp_path, kind):
    path = tmp_path / "rows"
    path.write_text("{}\n")
    with pytest.raises(ConflictError, match=f"--delimiter is for CSV, and .* is {TITLES[kind]};"):
        open_input(new_input(path), ReadOptions(input_format=kind, delimiter=";"))


def test_a_pipe_or_a_device_is_not_called_an_empty_file(tmp_path):
    os.mkfifo(tmp_path / "in.csv")
    (tmp_path / "empty.csv").touch()
    for path in (tmp_path / "in.csv", Path(os.devnull)):
        with pytest.raises(DataError, match="is a pipe or a device, not a file"):
            open_input(new_input(path), ReadOptions(input_format="csv"))
    with pytest.raises(DataError, match=r"is empty \(0 bytes\)"):
        open_input(new_input(tmp_path / "empty.csv"), ReadOptions())
