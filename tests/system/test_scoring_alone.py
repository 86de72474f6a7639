"""What works, and what is said, where only the dependencies of scoring are installed.

Runs in `make test-lowest`; elsewhere other tests look at the same with libraries hidden.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pyarrow.parquet as pq
import pytest
from support.bundles import run_cli, write_texts

import textbatch
from textbatch.errors import MissingExtraError
from textbatch.model.quality.thresholds import HeldOut, thresholds

pytestmark = pytest.mark.skipif(
    find_spec("keras") is not None, reason="the extra train is installed"
)


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("train", "in.csv"), "train"),
        (("evaluate", "in.csv"), "train"),
        (("vectors", "in.csv", "out.vec"), "train"),
        (("tune", "in.csv"), "tune"),
        (("audit", "in.csv"), "audit"),
        (("demo",), "train"),
        (("score", "in.csv", "out.parquet", "--html", "run.html"), "html"),
        (("score", "in.csv", "out.parquet", "--metrics-file", "run.prom"), "prometheus"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_command_says_the_one_line_to_run(words, extra, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("text,label\nrefund,a\n")
    run = run_cli(*words, TEXTBATCH_SCORE_MODEL=str(model))
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1
    assert run.stderr.endswith(f"not installed; pip install 'textbatch[{extra}]'\n")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_python_says_so_too():
    with pytest.raises(MissingExtraError, match=r"pip install 'textbatch\[train\]'"):
        textbatch.train  # noqa: B018


def test_score_inspect_and_verify_work(model, texts, tmp_path):
    source, output = write_texts(tmp_path / "in.parquet", texts), tmp_path / "out.parquet"
    for words in (
        ("score", source, output, "--model", model, "--probabilities", "--top-k", "2"),
        ("inspect", output),
        ("inspect", model),
        ("verify", output, "--model", model),
    ):
        run = run_cli(*words)
        assert run.returncode == 0, run.stderr
    assert pq.read_table(output).num_rows == len(texts)
    textbatch.score(source, tmp_path / "python.parquet", model=model)
    frame = pq.read_table(source).to_pandas()
    with textbatch.load(model) as loaded:
        assert len(loaded.score_table(frame)) == len(frame)


def test_thresholds_need_no_scipy():
    answers = HeldOut(confidences=[[0.9] * 100], correct=[[True] * 100])
    assert thresholds(answers, ("a",), 0.9) == np.float32(0.9)
