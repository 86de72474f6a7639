"""Which part of long texts a model reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.training import FILLERS, KEYWORDS, QUICK, config_of

import textbatch
from textbatch.model.bundle.bundle import load_bundle
from textbatch.report.terminal.tables import long_texts_of
from textbatch.scoring.inspect import inspect_path
from textbatch.training.long_texts import LongAnswers, choose_part
from textbatch.training.recipes.presets import RECIPES
from textbatch.training.train import train

RANDOM = np.random.default_rng(0)
TRUE = RANDOM.integers(0, 3, 400)


def logits(sureness: float, rows: int = 400) -> np.ndarray:
    """Answers that are the better the larger `sureness` is."""
    noise = np.random.default_rng(1).normal(size=(rows, 3))
    return (noise + sureness * np.eye(3)[TRUE[:rows]]).astype(np.float32)


def chosen(rows: int = 400, **better: float) -> str | None:
    answers = {"tail": 1.0, "head-tail": 1.0, "window": 1.0} | better
    long = np.arange(0, rows, 4)
    others = {part: logits(sureness, rows)[long] for part, sureness in answers.items()}
    found = choose_part(logits(1.0, rows), LongAnswers(rows=long, logits=others), TRUE[:rows], 9)
    return found.chosen if found else None


def test_the_part_that_loses_clearly_less_is_chosen_else_the_first_tokens():
    assert chosen() == "head"
    assert chosen(tail=0.5, window=1.02) == "head"
    assert chosen(window=2.0) == "window"
    assert chosen(window=2.0, tail=3.0) == "tail"


def test_a_few_long_rows_choose_nothing():
    assert chosen(rows=100, tail=3.0) is None
    few = LongAnswers(rows=np.arange(31), logits={"tail": logits(3.0)[:31]})
    assert choose_part(logits(1.0), few, TRUE, 9) is not None
    many = np.tile(TRUE, 10)
    assert choose_part(np.tile(logits(1.0), (10, 1)), few, many, 9) is None


def test_rows_without_evidence_choose_nothing():
    nothing = np.full((100, 3), np.nan, np.float32)
    long = LongAnswers(rows=np.arange(100), logits={"tail": nothing})
    assert choose_part(logits(1.0), long, TRUE, 9) is None


@pytest.fixture
def rows(tmp_path) -> Path:
    """Short texts with their keywords, and long ones whose keywords come last."""
    random, texts = np.random.default_rng(0), []
    labels = random.choice(list(KEYWORDS), 700).tolist()
    for number, label in enumerate(labels):
        words = [*random.choice(KEYWORDS[label], 3)]
        before = [*random.choice(FILLERS, 20)] if number % 2 else []
        texts.append(" ".join([*before, f"row{number}", *words]))
    pq.write_table(pa.table({"body": texts, "queue": labels}), tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


def test_held_out_rows_find_that_the_end_of_a_text_decides(rows, tmp_path, monkeypatch):
    monkeypatch.setitem(RECIPES, "default", replace(QUICK, sequence_length=6, min_count=2))
    report = train(config_of(rows, tmp_path / "auto"))
    assert report.long_texts is not None
    assert (report.long_texts.chosen, report.long_texts.limit) == ("tail", 6)
    assert report.test.metrics.accuracy > 0.9
    inspected = inspect_path(tmp_path / "auto")
    assert (inspected.on_long, inspected.settings.on_long) == ("tail", "tail")
    assert long_texts_of(inspected) == "of more than 6 tokens the tail is used"
    # Each command goes by it, and by its own option before.
    table, model = pq.read_table(rows), tmp_path / "auto"
    default, tail, head = (
        textbatch.score(table, model=model, text_column="body", **more)["confidence"]
        for more in ({}, {"on_long": "tail"}, {"on_long": "head"})
    )
    assert default.equals(tail)
    assert not default.equals(head)

    given = train(config_of(rows, tmp_path / "head", on_long="head"))
    assert given.long_texts is None
    assert given.test.metrics.accuracy < report.test.metrics.accuracy
    window = load_bundle(tmp_path / "head").classifier
    assert (window.on_long, window.tokenizer.part) == ("head", "head")


def test_a_model_that_was_told_nothing_says_nothing(trained):
    """Its files are as they were before there was a choice."""
    model = Path(trained[0].model)
    assert "on_long" not in (model / "config.json").read_text("utf-8")
    assert inspect_path(model).on_long == "head"
