"""`textbatch vectors`."""

from __future__ import annotations

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_record, progress_shown, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.cli.then_train import overwriting
from textbatch.options import options
from textbatch.training.config.vectors import VectorsConfig


@options
class VectorsCommand(VectorsConfig, PrintOptions):
    """What `textbatch vectors` takes."""


def vectors_command(given: Given[VectorsCommand]) -> None:
    """Train word vectors on texts, for `train --vectors`.

    Example: textbatch vectors tickets.parquet mails.txt.gz ours.vec.gz

    Any amount of text is streamed; one seed gives the same vectors every time.
    """
    config = given.made()
    from textbatch.report.next_steps import after_vectors
    from textbatch.training.vectors import train_vectors

    with progress_shown() as shown:
        done = train_vectors(config, listener=shown)
    if done.undecodable:
        log(f"warning: {done.undecodable:,} texts are not valid UTF-8; they are left out")
    if done.unreadable:
        log(f"warning: {done.unreadable:,} rows cannot be read; they are left out")
    line = (
        f"{done.output}: {done.words:,} words, {done.dim} dimensions, from "
        f"{done.tokens:,} words of {done.texts:,} texts in {done.seconds:.1f} s "
        f"({done.tokens_per_second:,.0f} words/s in training)"
    )
    with told_if_possible():
        print_record(
            done.to_dict(),
            lambda: [line, *after_vectors(done.output, overwriting(given))],
            as_json=config.json,
        )
