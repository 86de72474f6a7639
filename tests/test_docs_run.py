"""Every code block of the documentation runs."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from making import random_bundle, run_cli, write_bundle

from textbatch.demo.tickets import labelled_tickets, unlabelled_texts

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

#: Lines that are not run here, and why.
ELSEWHERE = {
    "pip install .": "the tests run on it",
    "make ": "make runs the tests",
    "pip install '.[s3]'": "the tests have it",
    "textbatch score s3://": "tests/storage",
    "textbatch demo": "tests/test_demo.py",
    "textbatch --install-completion": "tests/cli/test_completion.py",
    "textbatch train tickets.csv --vectors cc.en.300.bin": "a file of 7 GB",
}

#: Training in a moment: what is tested here are the commands, not the models.
QUICK = 'min_count = 1\n[fit]\nmax_epochs = 2\n[[layers]]\ncell = "gru"\nunits = 4\n'


def blocks(page: Path, *languages: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [text for language, text in fenced if language in languages]


def commands(page: Path) -> list[str]:
    lines = "\n".join(blocks(page, "", "sh", "bash", "console")).replace("\\\n", " ").splitlines()
    return [line for line in lines if re.match(r"([A-Z_]+=\S+ )*(textbatch|pip|make) ", line)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """All files that the pages name, small."""
    folder = tmp_path_factory.mktemp("docs")
    tickets = pd.DataFrame(
        {"text": ticket.text, "label": ticket.queue, "body": ticket.text, "queue": ticket.queue}
        for ticket in labelled_tickets(200, seed=0)
    )
    tickets.to_csv(folder / "tickets.csv", index=False)
    texts = [text for text in unlabelled_texts(300, seed=1) if text and text.strip()]
    pd.DataFrame({"text": texts, "body": texts}).to_parquet(folder / "input.parquet")
    pd.DataFrame({"text": texts}).to_parquet(folder / "mails.parquet")
    (folder / "incoming" / "year=2026").mkdir(parents=True)
    pd.DataFrame({"text": texts}).to_parquet(folder / "incoming" / "a.parquet")
    for place in ("january.csv", "february.csv", "incoming/year=2026/b.csv.gz"):
        pd.DataFrame({"text": texts}).to_csv(folder / place, index=False)
    (folder / "texts.txt").write_text("\n".join(texts))
    with gzip.open(folder / "chats.txt.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(texts))
    random = Random(0)
    words = sorted({word for text in texts for word in text.lower().split()})
    rows = (f"{word} " + " ".join(f"{random.random():.3f}" for _ in range(100)) for word in words)
    (folder / "glove.6B.100d.txt").write_text("\n".join(rows))
    (folder / "synonyms.txt").write_text("refund, reimbursement, money back\n")
    patterns = '[patterns]\nbilling = ["charged for {it}"]\n[slots]\nit = ["a book"]\n'
    (folder / "t.toml").write_text(patterns)
    demo = folder / "textbatch-demo"
    demo.mkdir()
    tickets[["text", "label"]].to_parquet(demo / "tickets-labelled.parquet")
    pd.DataFrame({"text": texts}).to_parquet(demo / "tickets-unlabelled.parquet")
    write_bundle(folder / "model", random_bundle())
    (folder / "quick.toml").write_text(QUICK)
    bin_ = folder / "bin"
    bin_.mkdir()
    script = bin_ / "textbatch"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m textbatch "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda page: page.name)
def test_commands_run_one_after_the_other(page, folder, tmp_path):
    here = shutil.copytree(folder, tmp_path / "here")
    environment = {
        **os.environ,
        "PATH": f"{here / 'bin'}:{os.environ['PATH']}",
        "TEXTBATCH_TRAIN_SETTINGS": "quick.toml",
        "TEXTBATCH_AUDIT_SETTINGS": "quick.toml",
        # A reader picks one of several commands that write the same file.
        **{f"TEXTBATCH_{name}_OVERWRITE": "1" for name in ("TRAIN", "VECTORS")},
    }
    for line in commands(page):
        if line.startswith(tuple(ELSEWHERE)):
            continue
        environment["TEXTBATCH_SCORE_OVERWRITE"] = str(int("--incremental" not in line))
        run = subprocess.run(
            ["sh", "-c", line], cwd=here, env=environment, capture_output=True, text=True,
            timeout=600, check=False,
        )  # fmt: skip
        assert run.returncode == 0, f"{line}\n{run.stderr}"


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "toml")], ids=lambda p: p.name)
def test_toml_is_toml_and_settings_are_settings(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in blocks(page, "toml"):
        assert tomllib.loads(text)
        if page.name == "configuration.md":
            Path("textbatch.toml").write_text(text)
            run = run_cli("config", "show")
            assert run.returncode == 0, run.stderr


def test_the_python_of_the_readme_runs(folder, tmp_path, monkeypatch):
    import textbatch

    here = shutil.copytree(folder, tmp_path / "here")
    monkeypatch.chdir(here)
    # Training runs in the test of the command; TensorFlow needs a process of its own.
    monkeypatch.setattr(textbatch, "train", lambda *_, **__: None)
    names = {"frame": pd.read_parquet("input.parquet")}
    (text,) = blocks(ROOT / "README.md", "python")
    exec(text, names)
    assert list(names["frame"].columns[-3:]) == ["predicted_label", "confidence", "status"]
    assert np.isfinite(names["frame"]["confidence"].dropna()).all()
    assert len(pd.read_parquet("out.parquet")) == len(names["frame"])


def test_yaml_is_yaml():
    yaml = pytest.importorskip("yaml")
    for page in PAGES:
        for text in blocks(page, "yaml"):
            assert yaml.safe_load(text)


def test_what_is_left_out_is_still_there():
    told = [line for page in PAGES for line in commands(page)]
    for beginning in ELSEWHERE:
        assert any(line.startswith(beginning) for line in told), beginning
