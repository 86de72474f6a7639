"""`textbatch train`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_record, progress_shown, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.options import options
from textbatch.training.config.train import TrainConfig

if TYPE_CHECKING:
    from textbatch.report.training import TrainReport


@options
class TrainCommand(TrainConfig, PrintOptions):
    """What `textbatch train` takes."""


def train_command(given: Given[TrainCommand]) -> None:
    """Train a model on labelled rows.

    Example: textbatch train tickets.csv --text-column body --label-column queue

    Without --validation, every row teaches and measures: it is answered by models of the other
    folds, and the model learns from all rows. --quick keeps a tenth each aside instead. Rows with
    the same text, or nearly the same, stay together.
    """
    from textbatch.report.files import failure_reported

    with failure_reported(given["report"], lambda: {"model": str(given["model"])}):
        config = given.made()
    if config.multi_label:
        _train_multi_label(config)
        return
    from textbatch.training.train import train

    with progress_shown() as shown:
        done = train(config, listener=shown)
    for warning in done.warnings:
        log(f"warning: {warning}")
    with told_if_possible():
        print_record(done.to_dict(), lambda: _shown(done, config), as_json=config.json)


def _train_multi_label(config: TrainCommand) -> None:
    from textbatch.data.readers.read_options import ReadOptions
    from textbatch.report.next_steps import after_train, words_of
    from textbatch.report.terminal.multi_label import training_parts
    from textbatch.training.multi_label import train_multi_label

    with progress_shown() as shown:
        done = train_multi_label(config, listener=shown)
    for warning in done.warnings:
        log(f"warning: {warning}")
    more = after_train(done.model, config.inputs, words_of(config, ReadOptions))
    with told_if_possible():
        print_record(done.to_dict(), lambda: [*training_parts(done), *more], as_json=config.json)


def _shown(done: TrainReport, config: TrainCommand) -> Iterator[Any]:
    from textbatch.data.readers.read_options import ReadOptions
    from textbatch.model.layout import LAYOUT
    from textbatch.report.labels import shown_model
    from textbatch.report.next_steps import after_train, words_of
    from textbatch.report.terminal.tables import comparison_table, evaluation_tables

    yield from evaluation_tables(done.test)
    yield comparison_table(done.contenders, done.test, measured_on=done.measured_on)
    yield from done.vectors.lines() if done.vectors else ()
    if done.folds:
        yield done.folds.line()
    if done.learning_curve:
        yield done.learning_curve.line()
    yield (
        f"{shown_model(done.model)}: the model, of epoch {done.best_epoch} of {len(done.epochs)}, "
        f"made in {done.seconds:.0f} s. Its confidences are calibrated: the network's are divided "
        f"by a temperature of {done.calibration.temperature:.3f}"
    )
    yield f"{Path(done.model) / LAYOUT.page}: its report, with pictures"
    yield from after_train(done.model, config.inputs, words_of(config, ReadOptions))
