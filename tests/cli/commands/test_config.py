from __future__ import annotations

from pathlib import Path

import pytest

from textbatch.errors import ConflictError, UsageError
from textbatch.scoring.config import ScoreConfig
from textbatch.training.config.train import TrainConfig

PATHS = {"inputs": (Path("in.parquet"),), "output": Path("out.parquet")}


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


def test_training_needs_a_file_and_two_columns():
    with pytest.raises(UsageError, match="no input file"):
        TrainConfig(inputs=())
    with pytest.raises(ConflictError, match="both column 'text'"):
        TrainConfig(inputs=(Path("a.csv"),), label_column="text")


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        ({"layers": 0}, "--layers"),
        ({"layers": 9}, "--layers"),
        ({"units": ()}, "--units"),
        ({"units": (5,) * 9}, "--units"),
        ({"units": (5, 0)}, "--units"),
        ({"units": (4097,)}, "--units"),
        ({"cell": "rnn"}, "--cell"),
        ({"pooling": "max+last"}, "--pooling"),
    ],
)
def test_networks_that_cannot_be_are_refused_by_their_flag(settings, flag):
    with pytest.raises(UsageError, match=flag):
        TrainConfig(inputs=(Path("a.csv"),), **settings)


def test_layers_and_widths_must_fit_each_other():
    with pytest.raises(ConflictError, match="--layers 3 with 2 --units"):
        TrainConfig(inputs=(Path("a.csv"),), layers=3, units=(5, 6))
    TrainConfig(inputs=(Path("a.csv"),), layers=3, units=(5,))
    TrainConfig(inputs=(Path("a.csv"),), layers=2, units=(5, 6))


@pytest.mark.parametrize(
    "settings",
    [{"cell": "gru"}, {"layers": 2}, {"units": (150, 200)}, {"bidirectional": False},
     {"pooling": "last"}],
)  # fmt: skip
def test_the_seed_preset_takes_no_network_option(settings):
    with pytest.raises(ConflictError, match="--preset seed is one exact network"):
        TrainConfig(inputs=(Path("a.csv"),), preset="seed", **settings)


def augmenting(augment: str, **files: Path) -> TrainConfig:
    return TrainConfig(inputs=(Path("a.csv"),), augment=augment, **files)


def test_all_and_auto_mean_the_methods_that_have_their_file():
    plain = ("neighbours", "swap", "delete", "typos")
    assert augmenting("none").augment_methods == ()
    assert augmenting("all").augment_methods == augmenting("auto").augment_methods == plain
    both = augmenting("auto", template_file=Path("t.toml"), synonyms=Path("s.txt"))
    assert both.augment_methods == ("templates", "synonyms", *plain)
    assert augmenting("typos,swap,typos").augment_methods == ("typos", "swap")


@pytest.mark.parametrize("augment", ["", "swaps", "swap,", "swap, delete", "none,swap", "ALL"])
def test_unknown_ways_to_augment_are_refused(augment):
    with pytest.raises(UsageError, match="--augment knows no '"):
        augmenting(augment)


@pytest.mark.parametrize(
    ("augment", "files", "message"),
    [
        ("none", {"template_file": Path("t")}, "--template-file without --augment templates"),
        ("swap", {"synonyms": Path("s")}, "--synonyms without --augment synonyms"),
        ("templates", {}, "--augment templates without --template-file"),
        ("swap,synonyms", {}, "--augment synonyms without --synonyms"),
    ],
)
def test_augmentation_and_its_files_come_together(augment, files, message):
    with pytest.raises(ConflictError, match=message):
        augmenting(augment, **files)


def test_what_trains_several_networks_cannot_be_resumed():
    with pytest.raises(ConflictError, match="--resume with --augment auto"):
        TrainConfig(inputs=(Path("a.csv"),), augment="auto", resume=True)
    assert TrainConfig(inputs=(Path("a.csv"),), augment="all", resume=True).resume
