"""Airflow operators (3.2 or later) that run `textbatch score` and `textbatch finish`.

They need only this file, the error table of textbatch and the check of places. So Airflow's own
environment can have it without the libraries that score: `pip install --no-deps textbatch`.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import IO, Any

from airflow.sdk import Asset, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from textbatch.errors import ConflictError, bounded, final_exit_codes, printable
from textbatch.options.credentials import refuse_credentials

#: The command ends within 5 seconds after SIGTERM. If it has not ended after this time, it is
#: killed.
KILL_AFTER_SECONDS = 10.0

#: Why a command is not started today, but may be later: the machine is short of something.
_SHORTAGES = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY, errno.EIO)
#: The exit codes of a command that could not be run; shells and `setpriv` agree on them.
_NOT_RUN = (126, 127)

#: The fields of the run report that an asset event has.
_EVENT_FIELDS = ("run_id", "fingerprint", "rows_in", "rows_out", "mean_confidence")
#: How many entries of a list or a table of the report the XCom value has: it lies in a database.
_MOST_ENTRIES = 20


class _TextbatchOperator(BaseOperator):
    """What the operators have in common: a command runs, and its report is the task's value."""

    command: Sequence[str]
    flags: Sequence[str]
    env: Mapping[str, str] | None
    _child: subprocess.Popen[str] | None = None
    _stopping = False

    def words(self) -> list[str]:
        """The words after the program."""
        raise NotImplementedError

    def places(self) -> list[str]:
        """The words that are places, which may be refused with all that they hold."""
        raise NotImplementedError

    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """Run the command, and return its report.

        Raises:
            AirflowFailException: It failed and would fail again, or there is no such command.
            AirflowException: It failed and may succeed later.
        """
        self._stopping = False
        with tempfile.TemporaryFile("w+", encoding="utf-8") as stdout:
            self._child = child = self._start(stdout)
            try:
                if self._stopping:  # on_kill came before the child was started
                    self.on_kill()
                told = self._follow(child)
                code = child.wait()
            finally:
                # After a timeout the command still runs. It must not run longer than its task.
                self.on_kill()
                child.wait()
            if code:
                raise _failure(code, told)
            report = _report_in(stdout)
        for outlet in self.outlets:
            if isinstance(outlet, Asset):
                digest = {name: report.get(name) for name in _EVENT_FIELDS}
                context["outlet_events"][outlet].extra.update(digest)
        return _small(report)

    def on_kill(self) -> None:
        """Ask the command to stop, only once: a second SIGTERM would end it before it cleans up."""
        self._stopping = True
        child, self._child = self._child, None
        if child and child.poll() is None:
            child.terminate()
            last = threading.Timer(KILL_AFTER_SECONDS, _kill, [child])
            last.daemon = True
            last.start()

    def _start(self, stdout: IO[str]) -> subprocess.Popen[str]:
        try:
            return self._started(stdout)
        except ConflictError as error:
            raise AirflowFailException(str(error)) from None
        except (TypeError, ValueError, IndexError) as error:
            # A NUL, a lone surrogate, a number, a variable with `=` in its name, an empty command.
            told = f"no process can be given these words or variables: {error}"
            raise AirflowFailException(bounded(printable(told))) from None
        except OSError as error:
            told = f"the command cannot be started: {os.strerror(error.errno or errno.EIO)}"
            later = error.errno in _SHORTAGES
            raise (AirflowException if later else AirflowFailException)(told) from None

    def _started(self, stdout: IO[str]) -> subprocess.Popen[str]:
        words = [*self.command, *self.words()]
        places = self.places()
        for word in words:
            refuse_credentials(word, "this task", bare=word in places)
        # SIGKILL ends the task without a call of `on_kill`. Then the kernel ends the command.
        setpriv = shutil.which("setpriv")
        guard = [setpriv, "--pdeathsig", "TERM"] if setpriv else []
        if not shutil.which(self.command[0]):
            told = bounded(printable(self.command[0]))
            message = f"no command {told}; install textbatch, or give its full path"
            raise AirflowFailException(message)
        self.log.info("%s", bounded(printable(" ".join(words))))
        return subprocess.Popen(
            [*guard, *words],
            env={**os.environ, **(self.env or {})},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
            # A session of its own, so that Ctrl-C in a terminal does not reach the command too.
            start_new_session=True,
        )

    def _follow(self, child: subprocess.Popen[str]) -> str:
        """Log the messages of the command as they come. Return the last one."""
        line = ""
        assert isinstance(child.stderr, io.TextIOWrapper)
        child.stderr.reconfigure(newline="\n")  # what only moves a cursor ends no line
        with child.stderr as messages:
            for message in messages:
                line = bounded(printable(message.rstrip()))
                self.log.info("%s", line)
        return line


class TextbatchScoreOperator(_TextbatchOperator):
    """Runs `textbatch score` in a process of its own and returns its run report.

    The report is the XCom value of the task. Some fields of it go to the event of each asset in
    `outlets`. The messages of the command go to the log of the task. If the same command would only
    fail again, the task fails at once. For all other exit codes Airflow retries, if retries are
    left. When Airflow ends the task, the command gets SIGTERM, cleans up and ends.

    Args:
        input_path: What to score. It is a template, as are all arguments up to `env`.
        output_path: What to write.
        model_path: Directory of the model, or of several models by their names; None leaves it to
            the settings of the command.
        flags: More flags of `textbatch score`, one item for each word.
        env: Variables for the command, beside those of the worker.
        if_exists: What to do if the output exists. Airflow runs a finished task again when the task
            is cleared or lost, so None is to replace the output; with `--incremental` in `flags`
            it is to add to the output.
        command: The program, and its words before `score`. Give the full path if textbatch has a
            virtual environment of its own.
        **task: Other arguments of an Airflow task, such as `outlets` and `retries`.
    """

    template_fields: Sequence[str] = (
        "input_path",
        "output_path",
        "model_path",
        "flags",
        "env",
    )

    def __init__(
        self,
        *,
        input_path: str,
        output_path: str,
        model_path: str | Mapping[str, str] | None = None,
        flags: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        if_exists: str | None = None,
        command: Sequence[str] = ("textbatch",),
        **task: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**task)
        self.input_path = input_path
        self.output_path = output_path
        self.model_path = model_path
        self.flags = flags
        self.env = env
        self.if_exists = if_exists
        self.command = command

    def words(self) -> list[str]:
        """The words after the program."""
        words = ["score", "--json"]
        adds = "--incremental" in self.flags
        if_exists = self.if_exists or ("" if adds else "replace")
        words += ["--if-exists", if_exists] if if_exists else []
        for model in self._models():
            words += ["--model", model]
        return [*words, *self.flags, "--", self.input_path, self.output_path]

    def places(self) -> list[str]:
        """The input, the output and the models."""
        return [self.input_path, self.output_path, *self._models()]

    def _models(self) -> list[str]:
        if isinstance(self.model_path, Mapping):
            return [f"{name}={place}" for name, place in self.model_path.items()]
        return [self.model_path] if self.model_path else []


class TextbatchFinishOperator(_TextbatchOperator):
    """Runs `textbatch finish`, which completes what tasks with `--shard` in their `flags` wrote.

    Report, asset events, log, retries and the end of the task are as for `TextbatchScoreOperator`.

    Args:
        output_path: What the shares were written to. It is a template, as are all arguments up to
            `env`.
        flags: More flags of `textbatch finish`, one item for each word.
        env: Variables for the command, beside those of the worker.
        command: The program, and its words before `finish`.
        **task: Other arguments of an Airflow task, such as `outlets` and `retries`.
    """

    template_fields: Sequence[str] = ("output_path", "flags", "env")

    def __init__(
        self,
        *,
        output_path: str,
        flags: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        command: Sequence[str] = ("textbatch",),
        **task: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**task)
        self.output_path = output_path
        self.flags = flags
        self.env = env
        self.command = command

    def words(self) -> list[str]:
        """The words after the program."""
        return ["finish", "--json", *self.flags, "--", self.output_path]

    def places(self) -> list[str]:
        """The output."""
        return [self.output_path]


def _failure(code: int, told: str) -> AirflowException:
    # A negative code means that a signal ended the command.
    code = 128 - code if code < 0 else code
    message = f"exit code {code}: {told or 'no message'}"
    final = code in (*final_exit_codes(), *_NOT_RUN)
    return (AirflowFailException if final else AirflowException)(message)


def _report_in(stdout: IO[str]) -> dict[str, Any]:
    stdout.seek(0)
    with suppress(ValueError):
        report = json.load(stdout)
        if isinstance(report, dict):
            return report
    raise AirflowFailException("the command has printed no report; check `command`")


def _small(report: dict[str, Any]) -> dict[str, Any]:
    """Cut long lists and tables. What was cut is told by `<name>_more`."""
    small: dict[str, Any] = {}
    for name, value in report.items():
        small[name] = value
        if isinstance(value, list | dict) and len(value) > _MOST_ENTRIES:
            some = islice(value.items() if isinstance(value, dict) else value, _MOST_ENTRIES)
            small[name] = type(value)(some)
            small[f"{name}_more"] = len(value) - _MOST_ENTRIES
        if name == "models" and isinstance(value, list):
            # The section of a model has lists and tables of its own.
            small[name] = [_small(one) if isinstance(one, dict) else one for one in small[name]]
    return small


def _kill(child: subprocess.Popen[str]) -> None:
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
