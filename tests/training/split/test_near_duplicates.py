from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa

from textbatch.training.config.train import TrainConfig
from textbatch.training.split.dataset import read_splits
from textbatch.training.split.near_duplicates import count_repeats, text_groups

WORDS = [f"word{number}" for number in range(2000)]


def article(seed: int) -> list[str]:
    return np.random.default_rng(seed).choice(WORDS, 25).tolist()


def edited(words: list[str], seed: int) -> str:
    """The same article with one word replaced."""
    changed = list(words)
    changed[10] = f"edit{seed}"
    return " ".join(changed)


def write(path: Path, rows: list[tuple[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


def test_near_duplicates_are_on_one_side_of_every_split(tmp_path):
    rows = [
        (edited(article(number), copy), "ab"[number % 2]) for number in range(60) for copy in (1, 2)
    ]
    path = write(tmp_path / "rows.csv", rows)
    for seed in range(3):
        splits = read_splits(TrainConfig(inputs=(path,), seed=seed))
        firsts = [
            {text.split()[0] + text.split()[1] for text in part.texts.to_pylist()}
            for part in (splits.training, splits.validation, splits.test)
        ]
        assert [len(part) for part in firsts] == [48, 6, 6]
        assert len(set.union(*firsts)) == 60
        assert splits.near_duplicates == {"grouped": 120}
        assert splits.warnings == []


def test_given_files_that_repeat_training_texts_are_warned_about_without_a_text(tmp_path):
    rows = [(" ".join(article(number)), "ab"[number % 2]) for number in range(40)]
    test = [(rows[0][0].upper(), "a"), (edited(article(1), 7), "b"), ("something else", "a")]
    splits = read_splits(
        TrainConfig(
            inputs=(write(tmp_path / "rows.csv", rows),),
            validation=write(tmp_path / "validation.csv", [("quite new", "a")]),
            test=write(tmp_path / "test.csv", test),
        )
    )
    assert splits.near_duplicates == {"grouped": 0, "validation": 0, "test": 2}
    assert splits.warnings == [
        (
            "2 of 3 test rows repeat a training text, word for word or nearly: the metrics look "
            "better than they are"
        )
    ]


def test_a_family_too_large_for_one_side_is_split_by_equal_texts_with_a_warning():
    words = article(0)
    texts = [edited(words, number // 2) for number in range(100)]
    texts += [" ".join(article(number)) for number in range(1, 101)]
    warnings: list[str] = []
    groups, kept = text_groups(pa.array(texts), warnings)
    assert groups[:100].tolist() == [number // 2 * 2 for number in range(100)]
    assert groups[100:].tolist() == list(range(100, 200))
    assert kept == 0
    assert warnings == [
        (
            "100 rows belong to 1 families of near duplicates larger than 10 rows, which no split "
            "can keep on one side: held-out rows resemble training rows"
        )
    ]


def test_many_equal_texts_stay_together():
    groups, kept = text_groups(pa.array(["one text"] * 50 + ["another one"] * 50), [])
    assert set(groups[:50]) == {0}
    assert set(groups[50:]) == {50}
    assert kept == 0


def test_no_held_out_file_means_no_count():
    assert count_repeats(pa.array(["a b"]), {}, []) == {}
