"""Every long step of every command is told of, with what it counts."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from support.bundles import Steps
from support.training import SPACE, config_of, labelled_table

from textbatch.data.readers import stdin as spool
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.evaluate_api import evaluate
from textbatch.scoring.score import score
from textbatch.training.audit import audit
from textbatch.training.config.audit import AuditConfig
from textbatch.training.config.tune import TuneConfig
from textbatch.training.config.vectors import VectorsConfig
from textbatch.training.recipes import search_space as space
from textbatch.training.train import train
from textbatch.training.tune import tune
from textbatch.training.vectors import train_vectors

pytestmark = pytest.mark.usefixtures("quick_recipe")

ROWS = 240
READING = [("reading", "rows"), ("near duplicates", "rows")]


@pytest.fixture(scope="module")
def labelled_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("labelled") / "rows.parquet"
    pq.write_table(labelled_table(ROWS, seed=0), path)
    return path


@pytest.fixture(scope="module")
def word_vectors(labelled_file):
    """Vectors of the rows' words, and what was told of their training."""
    steps = Steps()
    path = labelled_file.with_name("ours.vec")
    config = VectorsConfig(
        inputs=(labelled_file,), output=path, dim=8, min_count=1, epochs=2, text_column="body"
    )
    return path, steps, train_vectors(config, listener=steps)


def test_vectors_tells_the_texts_read_and_the_words_of_all_passes(word_vectors):
    _, steps, report = word_vectors
    assert steps.seen == [("reading", "texts"), ("word vectors", "words")]
    assert steps.done == [report.texts, 2 * report.tokens]
    assert (steps.totals[1], steps.shares[0], steps.open) == (2 * report.tokens, 1.0, 0)


def test_train_tells_of_all_its_steps(labelled_file, word_vectors, tmp_path):
    texts = tmp_path / "more.txt"
    texts.write_text("one more text\n" * 50)
    steps = Steps()
    config = config_of(
        labelled_file, tmp_path / "model", vectors=(word_vectors[0],), unlabelled=(texts,), folds=2
    )
    report = train(config, listener=steps)
    epochs = [(f"epoch {epoch.number}", "rows") for epoch in report.epochs]
    assert [seen for seen in steps.seen if not seen[0].startswith("epoch")] == [
        *READING,
        ("cross-validation", "folds"),
        ("reading unlabelled", "texts"),
        ("reading vectors", "bytes"),
        ("word vectors", "words"),
        ("fitting simple models", "rows"),
        ("testing", "rows"),
    ]
    assert [seen for seen in steps.seen if seen in epochs] == epochs
    done = dict(zip(steps.names(), steps.done, strict=True))
    assert (done["cross-validation"], done["reading"]) == (2, ROWS)
    assert done["reading vectors"] == word_vectors[0].stat().st_size
    assert done["testing"] == report.rows["test"]
    for step in ("word vectors", "cross-validation", "testing"):
        assert done[step] == steps.totals[steps.names().index(step)]
    # The second listener hears of the vectors that training makes of its own texts.
    steps = Steps()
    again = train(config_of(labelled_file, tmp_path / "other"), listener=steps)
    position = steps.names().index("word vectors")
    assert steps.done[position] == steps.totals[position]
    rows = Steps()
    evaluate(
        (labelled_file,),
        model=tmp_path / "other",
        text_column="body",
        label_column="queue",
        progress=rows,
    )
    assert rows.seen == [("reading", "rows"), ("evaluating", "rows")]
    assert rows.done == [ROWS, ROWS]
    asked = Steps()
    settings = {"text_column": "body", "label_column": "queue", "folds": 2}
    audited = AuditConfig(
        inputs=(labelled_file,),
        **settings,
        output=tmp_path / "errors.csv",
        model=tmp_path / "other",
    )
    audit(audited, listener=asked)
    assert asked.seen == [("reading", "rows"), ("asking the model", "rows")]
    assert asked.done == [ROWS, ROWS]
    assert again.rows == report.rows


def test_audit_tells_of_its_folds(labelled_file, tmp_path):
    steps = Steps()
    settings = {"text_column": "body", "label_column": "queue", "folds": 2, "jobs": 1}
    config = AuditConfig(inputs=(labelled_file,), output=tmp_path / "errors.csv", **settings)
    audit(config, listener=steps)
    assert steps.seen == [("reading", "rows"), ("cross-validation", "folds")]
    assert (steps.done, steps.open) == ([ROWS, 2], 0)


def test_tune_tells_of_the_passes_of_each_trial(labelled_file, tmp_path, monkeypatch):
    monkeypatch.setattr(space, "SPACE", SPACE)
    steps = Steps()
    columns = {"text_column": "body", "label_column": "queue"}
    study = tmp_path / "study"
    config = TuneConfig(inputs=(labelled_file,), study=study, trials=1, **columns)
    tune(config, listener=steps)
    assert steps.seen[:4] == [
        *READING,
        ("trial 0, word vectors", "words"),
        ("trial 0, epoch 1", "rows"),
    ]


def test_score_tells_of_standard_input_and_of_all_files_as_one(
    input_file, model, tmp_path, monkeypatch
):
    data = b"text\nrefund\nlogin\n"
    monkeypatch.setattr(spool.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    steps = Steps()
    piped = ScoreConfig(
        inputs=(Path("-"),), output=tmp_path / "o.parquet", model=model, input_format="csv"
    )
    score(piped, progress=steps)
    assert steps.seen == [("reading stdin", "bytes"), ("scoring", "rows")]
    assert steps.done == [len(data), 2]
    (tmp_path / "in").mkdir()
    for name in ("a.parquet", "b.parquet"):
        (tmp_path / "in" / name).write_bytes(input_file.read_bytes())
    folder = Steps()
    score(
        ScoreConfig(inputs=(tmp_path / "in",), output=tmp_path / "out", model=model),
        progress=folder,
    )
    assert folder.seen == [("scoring", "rows")]
    assert (folder.done, folder.shares) == ([1_000], [1.0])
