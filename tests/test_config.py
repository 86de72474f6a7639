from __future__ import annotations

from pathlib import Path

import pytest

from textbatch.config import ScoreConfig, TrainConfig
from textbatch.errors import ConflictError, UsageError

PATHS = {"input": Path("in.parquet"), "output": Path("out.parquet")}


@pytest.mark.parametrize(
    "settings",
    [
        {"top_k": -1},
        {"min_confidence": 1.01},
        {"min_confidence": float("nan")},
        {"max_bad_rows": -1},
        {"max_bad_rows": "1.5"},
        {"max_bad_rows": "101%"},
        {"max_bad_rows": "nan%"},
        {"encoding": "klingon"},
        {"encoding": "zip"},
        {"chunk_rows": 0},
        {"batch_tokens": 0},
        {"threads": 0},
    ],
)
def test_settings_out_of_range_are_refused_by_their_flag(settings):
    (name,) = settings
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} is"):
        ScoreConfig(**PATHS, **settings)


@pytest.mark.parametrize("name", ["in.parquet", "out.parquet", "./sub/../out.parquet"])
def test_the_report_may_not_take_the_place_of_input_or_output(name):
    with pytest.raises(ConflictError, match="--report names a file that has another use"):
        ScoreConfig(**PATHS, report=Path(name))


def test_input_and_output_may_not_be_one_file_by_another_name():
    with pytest.raises(ConflictError, match="same file"):
        ScoreConfig(input=Path("a.parquet"), output=Path("b/../a.parquet"))


def test_training_needs_a_file_and_two_columns():
    with pytest.raises(UsageError, match="no input file"):
        TrainConfig(inputs=())
    with pytest.raises(ConflictError, match="both column 'text'"):
        TrainConfig(inputs=(Path("a.csv"),), label_column="text")
