"""The command line on a bad input: its exit code, its one line, and no cell in anything it told.

The numbers in the test names are those of the project's table of bad inputs.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.cli import app, console

CANARY = "kanarienvogel"
#: What each command can write about a run, besides its result.
TOLD = {
    "score": {"--report": "run.json", "--metrics-file": "run.prom", "--html": "run.html"},
    "evaluate": {"--report": "run.json", "--html": "run.html"},
    **{command: {"--report": "run.json"} for command in ("train", "audit", "tune")},
}


class CommandLine:
    """Runs `textbatch` in this process."""

    def __init__(self, folder: Path, model: Path, monkeypatch, capfd) -> None:
        self.folder, self.model = folder, model
        self.output = folder / "out.parquet"
        self.error = self.told = ""
        self._told = folder.parent / f"{folder.name}-told"
        self._monkeypatch, self._capfd = monkeypatch, capfd

    def __call__(self, *arguments: object) -> int:
        code = self._run(*arguments)
        assert "Traceback" not in self.error
        return code

    def _run(self, *arguments: object) -> int:
        """Run it with all that it can write about the run, and look for the canary there."""
        told = {flag: self._told / name for flag, name in TOLD.get(str(arguments[0]), {}).items()}
        flags = [word for flag, path in told.items() for word in (flag, path)]
        line = ["textbatch", *map(str, arguments), *map(str, flags)]
        self._told.mkdir(exist_ok=True)
        with self._monkeypatch.context() as patched, patch.dict(os.environ):
            patched.setattr(sys, "argv", line)
            patched.setenv("OPENLINEAGE__TRANSPORT__TYPE", "file")
            patched.setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", str(self._told / "events"))
            with pytest.raises(SystemExit) as ended:
                app.main()
        printed = self._capfd.readouterr()
        self.told, self.error = printed.out, printed.err
        assert CANARY not in (self.told + self.error).lower()
        for path in self._told.iterdir():
            assert CANARY not in path.read_text(errors="replace").lower(), path.name
            path.unlink()
        return ended.value.code

    def score(self, source: Path, *flags: object) -> int:
        code = self("score", source, self.output, "--model", self.model, *flags)
        for left in self.folder.rglob(".*"):
            assert left.is_dir() or CANARY.encode() not in left.read_bytes()
        return code

    def explains(self, *arguments: object) -> None:
        """No cell is told either where everything about an error is, and in the form of logs."""
        with self._monkeypatch.context() as patched:
            patched.setenv("TEXTBATCH_DEBUG", "1")
            patched.setattr(console, "_log_fields", None)
            self._run(*arguments, "--log-format", "json")

    def refuses(self, source: Path, code: int, message: str, *flags: object) -> None:
        """The input is refused: this code, one line with this message, nothing published."""
        assert self.score(source, *flags) == code, self.error
        assert self.error.startswith("textbatch: error["), self.error
        assert self.error.count("\n") == 1, self.error
        assert re.search(message, self.error), self.error
        assert not self.output.exists()
        assert not list(self.folder.glob(".out*"))
        error = self.error
        self.explains("score", source, self.output, "--model", self.model, *flags)
        self.error = error

    def accepts(self, source: Path, *flags: object) -> pa.Table:
        """The input is scored; the output."""
        assert self.score(source, *flags) == 0, self.error
        return pq.read_table(self.output)


@pytest.fixture
def cli(tmp_path, model, monkeypatch, capfd) -> CommandLine:
    folder = tmp_path / "work"
    folder.mkdir()
    return CommandLine(folder, model, monkeypatch, capfd)
