"""The next step after a command: a line that a shell takes as it is."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from textbatch.options import Options, options_of

if TYPE_CHECKING:
    from textbatch.report.tuning import TuneReport

#: What stands before a command line, so that no line is broken in it.
INDENT = "  "
#: Names of inputs that stand for themselves; all others stand for Parquet.
_TEXT_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson")
#: The statuses of rows whose label was withheld.
_WITHHELD = ("low_confidence", "novel")


def command_line(*words: str | os.PathLike[str]) -> str:
    """Write a command of textbatch, with quotes where a shell needs them.

    Args:
        words: The command and its arguments.
    """
    return shlex.join(["textbatch", *map(str, words)])


def after_train(
    model: os.PathLike[str] | str, inputs: Sequence[object], reading: Sequence[str] = ()
) -> Iterator[str]:
    """What to do with a new model.

    Args:
        model: The model.
        inputs: The labelled files, whose kind the new ones probably have too.
        reading: The flags that they were read with.
    """
    suffix = _suffix_of(inputs, reading)
    yield "To put its labels on new texts:"
    score = command_line("score", f"new{suffix}", f"scored{suffix}", "--model", model, *reading)
    yield f"{INDENT}{score}"


def after_tune(report: TuneReport, train: Sequence[str]) -> Iterator[str]:
    """What to do with the settings that were found.

    Args:
        report: The report.
        train: The words of the `train` command for the same rows.
    """
    if report.best == 0:
        yield (
            f"Nothing better found in {len(report.trials):,} trials: the settings as they were "
            "are the best. More --trials go on from here, or train with them as they are:"
        )
        yield f"{INDENT}{command_line(*train)}"
        return
    yield f"To train with the best settings, which are in {report.settings_file}:"
    yield f"{INDENT}{command_line(*train, '--settings', report.settings_file)}"


def after_audit(output: object, train: Sequence[str]) -> Iterator[str]:
    """What to do with likely label errors.

    Args:
        output: The file that lists them.
        train: The words of the `train` command for the same rows.
    """
    yield f"Look at the rows that {output} names, correct their labels in the input, then:"
    yield f"{INDENT}{command_line(*train)}"


def after_files(labelled: os.PathLike[str] | str, overwriting: Sequence[str] = ()) -> Iterator[str]:
    """What to do with made-up tickets.

    Args:
        labelled: Their file.
        overwriting: As in `after_vectors`.
    """
    columns = ("--text-column", "body", "--label-column", "queue")
    yield "To train a model on the first:"
    yield f"{INDENT}{command_line('train', labelled, *columns, *overwriting)}"


def after_vectors(output: os.PathLike[str] | str, overwriting: Sequence[str] = ()) -> Iterator[str]:
    """What word vectors are for.

    Args:
        output: Their file.
        overwriting: The flag that `train` needs where there is a model already.
    """
    yield "To train a model on them:"
    yield f"{INDENT}{command_line('train', 'labelled.csv', '--vectors', output, *overwriting)}"


def after_evaluate(evaluate: Sequence[str]) -> Iterator[str]:
    """What to do with a measured model, where no page was written.

    Args:
        evaluate: The words of the command.
    """
    yield "For pictures, and the rows of the surest mistakes:"
    yield f"{INDENT}{command_line(*evaluate, '--html', 'evaluation.html')}"


def after_score(
    output: os.PathLike[str] | str, statuses: Mapping[str, Mapping[str, int]] | None = None
) -> Iterator[str]:
    """What to look at in an output.

    Args:
        output: The output.
        statuses: Rows by status for each model, by its name. Withheld ones have no confidence that
            a limit could find.
    """
    found = statuses or {"": {}}
    withheld, status = next(
        ((name, one) for name, rows in found.items() for one in _WITHHELD if rows.get(one)),
        (None, ""),
    )
    name = next(iter(found)) if withheld is None else withheld
    of = ("--of", name) if len(found) > 1 else ()
    if withheld is not None:
        yield "To look at the rows whose label was withheld:"
        yield f"{INDENT}{command_line('show', output, *of, '--status', status)}"
        return
    yield "To look at the least sure rows:"
    yield f"{INDENT}{command_line('show', output, *of, '--below', '0.6')}"


def after_verify(output: os.PathLike[str] | str, models: Sequence[str] = ("",)) -> Iterator[str]:
    """What to look at in an output that is as it was written.

    Args:
        output: The output.
        models: The names of the models that answered.
    """
    return after_score(output, {name: {} for name in models})


def after_show(output: os.PathLike[str] | str) -> Iterator[str]:
    """What to do with an output whose rows were looked at.

    Args:
        output: The output.
    """
    yield "To check that it is as it was written, before others use it:"
    yield f"{INDENT}{command_line('verify', output)}"


def after_inspect(path: os.PathLike[str] | str, *, is_model: bool) -> Iterator[str]:
    """What to do with a model or an output.

    Args:
        path: The model or the output.
        is_model: Which of them it is.
    """
    return after_train(path, ()) if is_model else after_show(path)


def after_diff(diff: Sequence[str]) -> Iterator[str]:
    """What to look at after a comparison without a page.

    Args:
        diff: The words of the command.
    """
    yield "For pictures, and more of the flips:"
    yield f"{INDENT}{command_line(*diff, '--html', 'diff.html')}"


def after_review(queue: str, text_column: str, label_column: str) -> Iterator[str]:
    """What to do with rows that people label.

    Args:
        queue: Their file.
        text_column: Its column with the texts.
        label_column: Its column for the labels.
    """
    columns = ("--text-column", text_column, "--label-column", label_column, "--skip-unlabelled")
    yield "When people have filled in the labels, train with them and the rows from before:"
    yield f"{INDENT}{command_line('train', 'labelled.csv', queue, *columns)}"


def after_promote(releases: os.PathLike[str] | str, *, first: bool) -> Iterator[str]:
    """What to do with a model that was promoted.

    Args:
        releases: The folder of releases.
        first: Whether there is no version before it.
    """
    back = "" if first else ", and to go back to the version before"
    yield f"To put its labels on new texts{back}:"
    score = command_line("score", "new.parquet", "scored.parquet", "--model", releases)
    yield f"{INDENT}{score}"
    if not first:
        yield f"{INDENT}{command_line('rollback', releases)}"


def after_predict(model: os.PathLike[str] | str) -> Iterator[str]:
    """How to answer more texts than fit into a command line.

    Args:
        model: The model that answered.
    """
    yield "To put labels on all texts of a file:"
    yield f"{INDENT}{command_line('score', 'new.csv', 'scored.csv', '--model', model)}"


def words_of(given: Options, group: type[Options]) -> list[str]:
    """The words of a command line for what was given, without what is the default anyway.

    Args:
        given: The options of a command.
        group: The options to write. What `given` has beside them is left out.
    """
    arguments: list[str] = []
    flags: list[str] = []
    for one in options_of(group):
        value = getattr(given, one.name)
        if value is None or value == one.default:
            continue
        values = value if one.many and not one.commas else (value,)
        if one.argument:
            arguments += map(_text, values)
        elif one.kind == "truth":
            flags.append(f"--{one.key}" if value else f"--no-{one.key}")
        else:
            flags += [word for each in values for word in _flag(f"--{one.key}", _text(each))]
    return [*arguments, *flags]


def _flag(name: str, text: str) -> tuple[str, ...]:
    # A word of its own that begins with a dash would be another flag.
    return (f"{name}={text}",) if text.startswith("-") else (name, text)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


def _suffix_of(inputs: Sequence[object], reading: Sequence[str]) -> str:
    """The suffix for a file of the kind of the inputs, or of the one that `--format` names."""
    if "--format" in reading:
        return f".{reading[reading.index('--format') + 1]}"
    name = str(inputs[0]).lower() if inputs else ""
    for end in (".gz", ".zst"):
        name = name.removesuffix(end)
    return next((one for one in _TEXT_SUFFIXES if name.endswith(one)), ".parquet")
