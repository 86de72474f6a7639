"""A stop ends with a message and its exit code, also where native code hears nothing of it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

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
        (["vectors", "a", "b"], "the output is as it was; run again"),
        (["evaluate", "a"], "nothing was changed; run again"),
        (["show", "a"], "nothing was changed; run again"),
    ],
)
def test_a_stop_says_what_is_left_and_whether_a_rerun_goes_on(words, told, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["textbatch", *words])
    assert message(signal.SIGINT) == f"stopped by Ctrl-C; {told}"
