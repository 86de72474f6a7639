"""Ctrl-C on a terminal, in each command at several moments: one line, and nothing half done."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from support.bundles import LABELS, random_bundle, write_bundle, write_texts
from support.keras_files import Layer, write_h5
from support.keras_pickles import as_json, attributes
from support.pressed import Left, press_ctrl_c

from textbatch.cli.app import app
from textbatch.cli.signals import _LEFT

#: A network that `import` reads.
KERAS: tuple[Layer, ...] = (
    ("Embedding", "words", {"mask_zero": True, "input_length": 7}, {"embeddings": (20, 4)}),
    (
        "LSTM",
        "lstm",
        {"units": 2},
        {"cell/kernel": (4, 8), "cell/recurrent_kernel": (2, 8), "cell/bias": (8,)},
    ),
    ("Dense", "labels", {"units": 2, "activation": "softmax"}, {"kernel": (2, 2), "bias": (2,)}),
)
FULL = os.environ.get("FAULTS") == "full"
#: What a run that goes on later keeps, and nothing else.
KEPT = {
    "score": (".out.parquet.textbatch",),
    "train": (".new.training",),
    "tune": ("study",),
    "demo": ("textbatch-demo",),
}
#: Each command, and the moments in it. Those that come first are tried always.
MOMENTS = {
    "score in.parquet out.parquet": ["publish", "numpy", "read", "write"],
    "predict refund": ["read", "numpy"],
    "promote {other} --to releases": ["publish", "read", "write"],
    "export {model} m.onnx": ["write", "read", "publish"],
    "evaluate labelled.csv --html page.html": ["publish", "sklearn", "read", "write"],
    "show scored.parquet": ["pyarrow.parquet"],
    "verify scored.parquet": ["pyarrow.parquet"],
    "diff scored.parquet scored.parquet --html d.html": ["pyarrow.parquet", "write", "publish"],
    "review scored.parquet --output q.csv": ["pyarrow.parquet", "write", "publish"],
    "profile in.parquet scored.parquet": ["pyarrow.parquet", "read"],
    "calibrate scored.parquet --label-column predicted_label --output c.csv": [
        "sklearn",
        "publish",
    ],
    "inspect {model}": ["numpy"],
    "inspect {model} --migrate new": ["write", "publish"],
    "rollback releases": ["read", "publish"],
    "finish shards": ["pyarrow.parquet", "publish"],
    "config show": ["tomllib"],
    "doctor": ["numpy", "subprocess"],
    "train labelled.csv --model new --quick": [
        "pandas",
        "gensim",
        "tensorflow",
        "write",
        "publish",
    ],
    "tune labelled.csv --trials 1": ["optuna", "gensim", "tensorflow", "write"],
    "audit labelled.csv": ["sklearn", "gensim", "tensorflow"],
    "vectors texts.txt v.vec": ["gensim", "write", "publish"],
    "import --keras m.h5 --tokenizer t.json --model new": ["write", "publish"],
    "demo": ["pandas", "gensim", "write"],
}
ALWAYS = {"score in.parquet out.parquet", "promote {other} --to releases"}
CASES = [
    (command, moment)
    for command, moments in MOMENTS.items()
    for moment in moments
    if FULL or (command in ALWAYS and moment == moments[0])
]


@pytest.fixture
def folder(tmp_path, model, in_process, monkeypatch) -> Path:
    """A folder with inputs and outputs of all kinds."""
    monkeypatch.chdir(tmp_path)
    texts = [f"please refund order {number} of my card" for number in range(60)]
    write_texts(tmp_path / "in.parquet", texts)
    lines = [f"{text},{LABELS[number % 2]}" for number, text in enumerate(texts)]
    (tmp_path / "labelled.csv").write_text("\n".join(["text,label", *lines]))
    (tmp_path / "texts.txt").write_text("\n".join(texts))
    shutil.copytree(model, tmp_path / "model")
    return tmp_path


def prepare(command: str, folder: Path, in_process) -> None:
    """Make what a command needs."""
    if "scored" in command:
        in_process("score", "in.parquet", "scored.parquet")
    if "shards" in command:
        (folder / "parts").mkdir()
        shutil.copy("in.parquet", folder / "parts")
        in_process("score", "parts", "shards", "--shard", "0/1")
    if "{other}" in command or "rollback" in command:
        in_process("promote", "model", "--to", "releases")
        write_bundle(folder / "other", random_bundle(seed=1))
    if "rollback" in command:
        in_process("promote", "other", "--to", "releases")
    if "import" in command:
        write_h5(folder / "m.h5", KERAS)
        (folder / "t.json").write_text(as_json(attributes()))


def assert_clean(left: Left, command: str, *, message: str = "stopped by Ctrl-C; ") -> None:
    told = " ".join(line for line in left.screen if line)
    assert left.code == 130, told
    assert told.count(message) == 1, told
    assert "Traceback" not in told
    assert "━" not in told, "a bar stayed"
    assert not left.hides_cursor
    kept = KEPT.get(command.split()[0], ())
    assert not [name for name in left.files if not name.startswith(kept or ("\0",))]


@pytest.mark.parametrize(("command", "moment"), CASES)
def test_ctrl_c_leaves_one_line_and_nothing_half_done(command, moment, folder, in_process):
    prepare(command, folder, in_process)
    words = command.format(model="model", other="other").split()
    left = press_ctrl_c(words, folder=folder, moment=moment)
    if left.code == 0 and moment not in ("read", "write", "publish"):
        pytest.skip(f"{command} does not import {moment}")
    assert_clean(left, command)


@pytest.mark.skipif(not FULL, reason="the long fault suite: FAULTS=full")
@pytest.mark.parametrize("command", ["score in.parquet out.parquet", "export {model} m.onnx"])
def test_a_second_ctrl_c_leaves_no_more(command, folder, in_process):
    prepare(command, folder, in_process)
    words = command.format(model="model", other="other").split()
    left = press_ctrl_c(words, folder=folder, moment="publish", times=2)
    assert_clean(left, command)


def test_each_command_says_what_it_leaves():
    names = {command.name for command in app.registered_commands}
    assert {*names, "config"} == set(_LEFT)
    assert {command.split()[0] for command in MOMENTS} == set(_LEFT)
