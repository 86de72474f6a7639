"""The command line on a bad input: its exit code, its one line, and no cell in anything it told.

The numbers in the test names are those of the project's table of bad inputs.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.cli import app

CANARY = "kanarienvogel"


class CommandLine:
    """Runs `textbatch` in this process."""

    def __init__(self, folder: Path, model: Path, monkeypatch, capfd) -> None:
        self.folder, self.model = folder, model
        self.output = folder / "out.parquet"
        self.error = self.told = ""
        self._monkeypatch, self._capfd = monkeypatch, capfd

    def __call__(self, *arguments: object) -> int:
        line = ["textbatch", *map(str, arguments)]
        self._monkeypatch.setattr(sys, "argv", line)
        with pytest.raises(SystemExit) as ended:
            app.main()
        told = self._capfd.readouterr()
        self.told, self.error = told.out, told.err
        assert "Traceback" not in told.err
        assert CANARY not in (told.out + told.err).lower()
        return ended.value.code

    def score(self, source: Path, *flags: object) -> int:
        report = self.folder.parent / f"{self.folder.name}-report.json"
        code = self("score", source, self.output, "--model", self.model, "--report", report, *flags)
        if report.exists():
            assert CANARY not in report.read_text().lower()
        for left in self.folder.rglob(".*"):
            assert left.is_dir() or CANARY.encode() not in left.read_bytes()
        return code

    def refuses(self, source: Path, code: int, message: str, *flags: object) -> None:
        """The input is refused: this code, one line with this message, nothing published."""
        assert self.score(source, *flags) == code, self.error
        assert self.error.startswith("textbatch: error["), self.error
        assert self.error.count("\n") == 1, self.error
        assert re.search(message, self.error), self.error
        assert not self.output.exists()
        assert not list(self.folder.glob(".out*"))

    def accepts(self, source: Path, *flags: object) -> pa.Table:
        """The input is scored; the output."""
        assert self.score(source, *flags) == 0, self.error
        return pq.read_table(self.output)


@pytest.fixture
def cli(tmp_path, model, monkeypatch, capfd) -> CommandLine:
    folder = tmp_path / "work"
    folder.mkdir()
    return CommandLine(folder, model, monkeypatch, capfd)
