"""An output to standard output: scored into a file of its own, and printed when it is complete."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from textbatch.data.readers.source import format_of
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.passing import passing_folder
from textbatch.errors import storage_errors
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileResult, FileTask
from textbatch.scoring.model_handle import ModelHandle
from textbatch.scoring.score_file import FileRun

_BLOCK_BYTES = 1 << 20


class StdoutRun:
    """Scores one file to standard output, which gets nothing before every row is scored."""

    def __init__(
        self, config: ScoreConfig, run_id: str, model: ModelHandle, progress: Progress
    ) -> None:
        """Nothing is done yet.

        Args:
            config: The job's options.
            run_id: This run's id.
            model: Loaded when it is needed.
            progress: Called after every chunk.
        """
        self._config, self._run_id, self._model = config, run_id, model
        self._progress = progress
        self._run: FileRun | None = None
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._opened.__exit__(kind, error, traceback)

    def run(self) -> FileResult:
        """Score and print.

        Raises:
            TextbatchError: Its subclass tells the kind of error. Then nothing is printed.
            BrokenPipeError: Nobody reads it any more.
        """
        folder = self._opened.enter_context(passing_folder())
        output = folder / f"out.{self._format()}"
        task = FileTask.of(self._config, self._run_id, output=output)
        self._run = self._opened.enter_context(FileRun(task, self._model, self._progress))
        result = self._run.run()
        if result.state == "done":
            _print(output)
        # The seal is of a file that nobody has.
        return replace(result, seal=None)

    def known(self) -> FileResult:
        """The result so far, after a failure."""
        return self._run.known() if self._run else FileResult(state="failed")

    def _format(self) -> str:
        """CSV for CSV, and JSON Lines for anything else, if the options do not say it."""
        config = self._config
        if config.output_format != "auto":
            return config.output_format
        given = config.input_format
        if not config.from_standard_input:
            given = format_of(new_input(config.input), given)
        return "csv" if given == "csv" else "jsonl"


def stdout() -> BinaryIO:
    """Standard output, for bytes."""
    return sys.stdout.buffer


def _print(output: Path) -> None:
    with storage_errors("standard output", "cannot write"), output.open("rb") as file:
        try:
            to = stdout()
            shutil.copyfileobj(file, to, _BLOCK_BYTES)
            to.flush()
            return
        except BrokenPipeError as error:
            closed = error
    raise closed
