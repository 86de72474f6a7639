"""A stop ends with a message and its exit code, also where native code hears nothing of it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from support.pressed import press_ctrl_c

from textbatch.cli.signals import message

MAIN = """
from textbatch.cli import signals
signals.GRACE_SECONDS = 0.05
signals.catch_signals()
import deaf
"""
#: A native call of many seconds, as the training of word vectors: Python's handlers wait for it.
#: In an import they do not raise, so that no signal is too early.
DEAF = """
import hashlib
print("begun", flush=True)
hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
"""


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [
        (signal.SIGINT, 130, "error[Interrupted]: stopped by Ctrl-C; "),
        (signal.SIGTERM, 143, "error[Terminated]: stopped by SIGTERM; "),
    ],
)
def test_a_stop_is_told_where_native_code_does_not_listen(number, code, told, tmp_path):
    (tmp_path / "deaf.py").write_text(DEAF)
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "score"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert said.count("stopped by") == 1
    assert f"{told}the output is as it was; run again to go on" in said


SHORT_GRACE = """
from textbatch.cli import signals
signals.GRACE_SECONDS = 0.05
signals.catch_signals()
import drawn_bar
"""
#: The same on a terminal with a bar, a folder of temporary files, and a silenced number 2.
DRAWN = """
import os
from textbatch.cli.console import errors, progress
from textbatch.data.storage.passing import passing_folder
with passing_folder() as folder, progress().step("word vectors", 7) as step:
    step.advance(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    import deaf
"""


def test_a_process_that_must_end_at_once_leaves_no_bar_and_no_folder(tmp_path, monkeypatch):
    (tmp_path / "deaf.py").write_text(DEAF.replace('print("begun", flush=True)', ""))
    (tmp_path / "drawn_bar.py").write_text(DRAWN)
    monkeypatch.setattr(sys, "argv", ["textbatch", "train"])
    left = press_ctrl_c(["train"], folder=tmp_path, moment="deaf", code=SHORT_GRACE)
    assert left.code == 130
    (line,) = filter(None, left.screen)
    assert line == f"textbatch: error[Interrupted]: {message(signal.SIGINT)}"
    assert not left.hides_cursor
    assert not left.files


_LOST = """
from textbatch.cli.signals import catch_signals
catch_signals()
class Library:
    def __del__(self):
        raise ValueError("a cell")
made = Library()
del made
"""


@pytest.mark.parametrize("flags", [(), ("--debug",)])
def test_what_a_destructor_raises_is_told_under_debug_alone(flags):
    done = subprocess.run(
        [sys.executable, "-c", _LOST, *flags], capture_output=True, text=True, check=True
    )
    assert ("a cell" in done.stderr) == bool(flags)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["score", "a", "b"], "the output is as it was; run again to go on"),
        (["--config", "x.toml", "train", "a"], "the output is as it was; run again to go on"),
        (["audit", "a"], "the output is as it was; run again"),
        (["export", "model", "score"], "the output is as it was; run again"),
        (["tune", "a"], "the trials that are done are kept; run again to go on"),
        (["promote", "a"], "the releases are as they were; run again"),
        (["doctor"], "nothing was changed; run again"),
        (["vectors", "a", "b"], "the output is as it was; run again"),
        (["evaluate", "a"], "nothing was changed; run again"),
        (["show", "a"], "nothing was changed; run again"),
    ],
)
def test_a_stop_says_what_is_left_and_whether_a_rerun_goes_on(words, told, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["textbatch", *words])
    assert message(signal.SIGINT) == f"stopped by Ctrl-C; {told}"
