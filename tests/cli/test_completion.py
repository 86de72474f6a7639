"""Completion in the shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """A home of its own, and `textbatch` on the path, of these sources."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    command = bin_ / "textbatch"
    code = "import sys; sys.argv[0] = 'textbatch'; from textbatch.cli.entry import main; main()"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$@"\n')
    command.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    return {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}", "HOME": str(home)}


def run(shell: str, script: str, environment: dict[str, str]) -> str:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell}")
    done = subprocess.run(
        [program, "-c", script], env=environment, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_bash(words: list[str], environment: dict[str, str]) -> list[str]:
    line = " ".join(f"'{word}'" for word in words)
    script = (
        'eval "$(textbatch --show-completion bash)"\n'
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}\n"
        "_textbatch_completion textbatch\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return run("bash", script, environment).split()


def test_bash_completes_commands_options_and_choices(environment):
    environment["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    assert in_bash(["textbatch", "sc"], environment) == ["score"]
    assert "show" in in_bash(["textbatch", "config", "s"], environment)
    assert "--min-confidence" in in_bash(["textbatch", "score", "--min-"], environment)
    assert in_bash(["textbatch", "score", "--engine", "o"], environment) == ["onnx"]
    assert in_bash(["textbatch", "score", ""], environment) == []  # bash takes files then


def test_a_broken_settings_file_does_not_disturb_completion(environment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("textbatch.toml").write_text("[score\n")
    environment["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    assert in_bash(["textbatch", "score", "--engine", "o"], environment) == ["onnx"]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script_and_installs_it(shell, environment):
    home = Path(environment["HOME"])
    # The shell is found by the parent process.
    told = run(shell, "textbatch --install-completion; true", environment)
    assert f"{shell} completion installed in" in told
    assert [path for path in home.rglob("*") if path.is_file() and "textbatch" in path.read_text()]


def test_zsh_completes(environment):
    asked = {"_TEXTBATCH_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "textbatch sc"}
    assert '"score"' in run("zsh", "textbatch", environment | asked)


def test_fish_completes(environment):
    script = "textbatch --show-completion fish | source; complete --do-complete 'textbatch sc'"
    environment["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    assert run("fish", script, environment).startswith("score")
