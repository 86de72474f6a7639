"""The `textbatch` command."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperArgument

from textbatch import __version__
from textbatch.cli.command import add_command
from textbatch.cli.commands import (
    audit,
    calibrate,
    config,
    demo,
    diff,
    doctor,
    evaluate,
    export,
    finish,
    inspect,
    model_import,
    predict,
    profile,
    promote,
    review,
    rollback,
    score,
    show,
    train,
    tune,
    vectors,
    verify,
)
from textbatch.cli.console import error_line
from textbatch.cli.help import HelpedGroup, arguments_of, usage_of
from textbatch.cli.machine import is_shortage
from textbatch.cli.score_options import ScoreCommand
from textbatch.cli.signals import message, stopped
from textbatch.cli.streams import drop_stdout, flush_stdout
from textbatch.cli.tracebacks import told_traceback
from textbatch.errors import (
    MissingExtraError,
    OutOfMemoryError,
    StarvedError,
    StorageError,
    TerminatedError,
    TextbatchError,
)
from textbatch.options.credentials import refuse_credentials

app = typer.Typer(
    name="textbatch",
    cls=HelpedGroup,
    help="Trustworthy labels on text, in batch.\n\n"
    "Example: textbatch train labelled.csv && textbatch score new.csv out.parquet",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks print local variables, and texts are private
    context_settings={"help_option_names": ["-h", "--help"]},
)
add_command(app, "train", train.TrainCommand, train.train_command, extra="train")
add_command(app, "score", ScoreCommand, score.score_command)
add_command(app, "finish", finish.FinishCommand, finish.finish_command)
add_command(app, "show", show.ShowCommand, show.show_command)
add_command(app, "predict", predict.PredictCommand, predict.predict_command)
add_command(app, "evaluate", evaluate.EvaluateCommand, evaluate.evaluate_command, extra="train")
add_command(app, "inspect", inspect.InspectCommand, inspect.inspect_command)
add_command(app, "diff", diff.DiffCommand, diff.diff_command)
add_command(app, "profile", profile.ProfileCommand, profile.profile_command)
add_command(app, "review", review.ReviewCommand, review.review_command)
add_command(
    app, "calibrate", calibrate.CalibrateCommand, calibrate.calibrate_command, extra="train"
)
add_command(app, "verify", verify.VerifyCommand, verify.verify_command)
add_command(app, "import", model_import.ImportCommand, model_import.import_command, extra="keras")
add_command(app, "export", export.ExportCommand, export.export_command)
add_command(app, "promote", promote.PromoteCommand, promote.promote_command)
add_command(app, "rollback", rollback.RollbackCommand, rollback.rollback_command)
add_command(app, "vectors", vectors.VectorsCommand, vectors.vectors_command, extra="train")
add_command(app, "tune", tune.TuneCommand, tune.tune_command, extra="tune")
add_command(app, "audit", audit.AuditCommand, audit.audit_command, extra="audit")
add_command(app, "demo", demo.DemoCommand, demo.demo_command, extra="train")
add_command(app, "doctor", doctor.DoctorCommand, doctor.doctor_command, anywhere=True)
app.add_typer(config.config_app, name="config")

#: What a stdout that takes nothing raises.
_STDOUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)

#: What typer raises for a command line that it cannot read. It exports only one kind of it.
_UNREADABLE: Any = typer.BadParameter.__mro__[2]

#: What any call about any file may answer, and a later one may not.
_OF_DEVICES = (
    *(errno.EIO, errno.ESTALE, errno.EINTR, errno.EBUSY, errno.EDQUOT, errno.ETIMEDOUT),
    *(errno.ENOLCK, errno.EREMOTEIO, errno.EHOSTDOWN),
)

_debug = False


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        typer.echo(f"textbatch {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="TEXTBATCH_DEBUG", help="Show tracebacks.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            envvar="TEXTBATCH_CONFIG",
            metavar="PATH",
            help="Settings file (default: textbatch.toml or pyproject.toml, if there).",
        ),
    ] = None,
) -> None:
    global _debug
    _debug = debug


def main() -> None:
    """Run the command line, and exit with a code of the table in `errors`."""
    code = _run()
    flush_stdout()
    sys.exit(code)


def _run_command() -> int:
    if "predict" not in sys.argv:  # its words are texts
        for word in sys.argv[1:]:  # typer quotes words that it does not understand
            refuse_credentials(word, "the command line", bare=False)
    done = app(standalone_mode=False) or 0
    if done == 128 + signal.SIGINT:  # typer has caught it
        raise KeyboardInterrupt
    sys.stdout.flush()
    return done


def _run() -> int:
    try:
        return _run_command()
    except (KeyboardInterrupt, typer.Abort):
        stopped()
        return error_line("Interrupted", message(signal.SIGINT), code=128 + signal.SIGINT)
    except TerminatedError as error:
        stopped()
        return error_line("Terminated", message(signal.SIGTERM), code=error.exit_code)
    except Exception as error:
        stopped()  # a signal that came now is too late: the run has ended, and says why
        return _failed(error)


def _failed(error: Exception) -> int:
    try:
        raise error
    except _UNREADABLE as error:
        return error_line("Usage", f"{_told(error)}; see `{_helping(error)} --help`", code=2)
    except TextbatchError as error:
        if _debug:
            sys.stderr.write(told_traceback(error))
        return error_line(error.title, str(error), code=error.exit_code)
    except BrokenPipeError:
        drop_stdout()
        return 0
    except Exception as error:
        if _debug:
            sys.stderr.write(told_traceback(error))
        return _unforeseen(error)


def _unforeseen(error: Exception) -> int:
    if isinstance(error, MemoryError):
        told = "not enough memory; give it more, or `score` a smaller --chunk-rows"
        return error_line("OutOfMemory", told, code=OutOfMemoryError.exit_code)
    if is_shortage(error):
        told = "this machine lacks memory, file handles or threads; raise the limits of `ulimit`"
        return error_line("Starved", told, code=StarvedError.exit_code)
    if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("textbatch"):
        # Only what `score` needs is always there.
        missing = MissingExtraError("this command", str(error.name).split(".")[0], "train")
        return error_line(missing.title, str(missing), code=missing.exit_code)
    if isinstance(error, OSError) and error.errno in _STDOUT_ERRORS:
        # Files have errors of their own, so it must be stdout.
        drop_stdout()
        told = f"stdout: {os.strerror(error.errno).lower()}; mend that, then run again"
        return error_line("Storage", told, code=StorageError.exit_code)
    if isinstance(error, OSError) and error.errno in _OF_DEVICES:
        # What looks at paths by the way leaves such errors as they are.
        told = f"cannot use {error.filename or 'a file'}: {os.strerror(error.errno)}"
        return error_line("Storage", f"{told}; run again", code=StorageError.exit_code)
    # The text of the error is not shown, because it may quote a cell.
    told = f"{type(error).__name__} {_place(error)}; run with --debug and report it"
    return error_line("Bug", told, code=1)


def _told(error: Any) -> str:  # noqa: ANN401 - typer's own
    """Say what is wrong with the command line, and what would be right."""
    parameter, context = getattr(error, "param", None), getattr(error, "ctx", None)
    if isinstance(parameter, TyperArgument) and context:
        # typer names the first argument, but it is the last one that is missing.
        needed = " ".join(usage_of(argument) for argument in arguments_of(context.command))
        return f"an argument is missing; give {needed}"
    return str(error.format_message()).rstrip(".?") or "no command given"


def _helping(error: Exception) -> str:
    """The command whose help explains it."""
    names: list[str] = []
    context = getattr(error, "ctx", None)
    while context and context.parent:
        names.insert(0, context.info_name)
        context = context.parent
    return " ".join(["textbatch", *names])


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    place = "at an unknown place"
    while trace:
        code = trace.tb_frame.f_code
        if "textbatch" in code.co_filename:
            place = f"in {code.co_name}, {Path(code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
