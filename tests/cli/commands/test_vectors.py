from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from support.bundles import WORDS, run_cli

from textbatch.model.vectors.vectors_file import read_vectors


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("vectors")
    random = np.random.default_rng(0)
    lines = [" ".join(random.choice(WORDS[:20], 8)) for _ in range(300)]
    (path / "texts.txt").write_text("\n".join(lines[:200]))
    (path / "more.csv").write_text("body\n" + "\n".join(lines[200:]))
    (path / "words.txt").write_text("Refunds\ninvoiced\nrefund\n")
    (path / "old.vec").write_text("untouched")
    return path


def test_vectors_are_trained_in_one_line_and_read_back(folder):
    run = run_cli("vectors", folder / "texts.txt", folder / "new.vec.gz", "--dim", "9")
    assert run.returncode == 0, run.stderr
    line, *following = run.stdout.splitlines()
    assert "new.vec.gz: 20 words, 9 dimensions, from 1,600 words of 200 texts" in line
    assert len(following) == 2  # the next command
    assert "vectors: epoch 5 of 5" in run.stderr
    found = read_vectors(folder / "new.vec.gz", wanted=WORDS, most_frequent=0)
    assert set(found.words) == set(WORDS[:20])
    assert found.table.shape == (20, 9)


def test_one_record_tells_it_in_json_and_several_files_add_up(folder):
    run = run_cli(
        "vectors", folder / "texts.txt", folder / "more.csv", folder / "json.vec",
        "--text-column", "body", "--algorithm", "fasttext", "--words", folder / "words.txt",
        "--dim", "5", "--json",
    )  # fmt: skip
    record = json.loads(run.stdout)
    assert (record["texts"], record["tokens"], record["words"]) == (300, 2400, 22)
    words = [line.split()[0] for line in (folder / "json.vec").read_text().splitlines()[1:]]
    assert words[-2:] == ["invoiced", "refunds"]


def test_rows_that_cannot_be_read_are_listed_up_to_a_limit(tmp_path, in_process):
    source, listed, output = tmp_path / "in.csv", tmp_path / "bad.jsonl", tmp_path / "v.vec"
    lines = [b"text,n", *[b"refund card,1"] * 8, b"one,two,three", b"caf\xe9,2"]
    source.write_bytes(b"\n".join(lines) + b"\n")
    line = ("vectors", source, output, "--dim", "3", "--epochs", "1", "--json")
    assert in_process(*line).returncode == 65
    run = in_process(*line, "--quarantine", listed, "--max-bad-rows", "19%")
    assert run.returncode == 67
    assert "2 of 10 rows are bad" in run.stderr
    assert not listed.exists()
    assert not output.exists()
    run = in_process(*line, "--quarantine", listed, "--max-bad-rows", "20%")
    assert run.returncode == 0, run.stderr
    assert "1 texts are not valid UTF-8" in run.stderr
    assert "1 rows cannot be read" in run.stderr
    told = json.loads(run.stdout)
    assert (told["texts"], told["undecodable"], told["unreadable"]) == (8, 1, 1)
    rows = [json.loads(text) for text in listed.read_text().splitlines()]
    assert [(row["row"], row["reason"]) for row in rows] == [
        (9, "wrong_cell_count"),
        (10, "bad_utf8"),
    ]


CASES = {
    "output exists": ("@texts.txt @old.vec", 73, "exists; add --overwrite"),
    "no output directory": ("@texts.txt @no/new.vec", 73, "no directory"),
    "output of another kind": ("@texts.txt @more.csv", 2, "name the output last"),
    "missing texts": ("@no.txt @new.vec", 68, "no.txt"),
    "missing column": ("@more.csv @new.vec", 65, "no column 'text'.*--text-column"),
    "nothing frequent": ("@texts.txt @new.vec --min-count 9999", 65, "no word occurs 9999 times"),
    "words for word2vec": ("@texts.txt @new.vec --words @words.txt", 64, "--algorithm fasttext"),
    "no dimensions": ("@texts.txt @new.vec --dim 0", 2, "--dim is 0"),
}


@pytest.mark.parametrize("case", CASES)
def test_mistakes_are_told_in_one_line_and_leave_nothing(folder, case):
    import re

    line, code, message = CASES[case]
    run = run_cli("vectors", *line.replace("@", f"{folder}/").split())
    assert run.returncode == code
    assert re.search(message, run.stderr)
    assert run.stderr.count("textbatch: error[") == 1
    assert not (folder / "new.vec").exists()
    assert (folder / "old.vec").read_text() == "untouched"


def test_a_pickle_of_vectors_is_refused_by_train(folder, tmp_path):
    rows = "".join(f"refund the card {n},a\nlate parcel {n},b\n" for n in range(20))
    (tmp_path / "rows.csv").write_text("text,label\n" + rows)
    (tmp_path / "model.kv").write_bytes(pickle.dumps({"refund": [1.0]}))
    run = run_cli(
        "train", tmp_path / "rows.csv", "--vectors", tmp_path / "model.kv", "-m", tmp_path / "m"
    )
    assert run.returncode == 65
    assert "never loaded; export as word2vec text" in run.stderr
    assert not (tmp_path / "m").exists()


def test_the_next_step_replaces_a_model_only_where_there_is_one(
    folder, tmp_path, monkeypatch, in_process
):
    monkeypatch.chdir(tmp_path)
    arguments = ("vectors", folder / "texts.txt", "v.vec", "--dim", "2", "--epochs", "1")
    assert in_process(*arguments).stdout.splitlines()[-1].endswith("--vectors v.vec")
    (tmp_path / "model").mkdir()
    again = (*arguments, "--overwrite")
    assert in_process(*again).stdout.splitlines()[-1].endswith("--vectors v.vec --overwrite")
    # What `train` would do is told by its own variables.
    for variable, value in (("MODEL", "elsewhere"), ("IF_EXISTS", "replace")):
        run = in_process(*again, **{f"TEXTBATCH_TRAIN_{variable}": value})
        assert run.stdout.splitlines()[-1].endswith("--vectors v.vec")
