"""`textbatch score`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_advice, print_json, print_line, told_if_possible
from textbatch.cli.memory import limit_memory
from textbatch.cli.own_process import start_without_pandas
from textbatch.cli.score_options import ScoreCommand

if TYPE_CHECKING:
    from textbatch.report.scoring import ModelReport, RunReport


def score_command(given: Given[ScoreCommand]) -> None:
    """Put labels and confidences on every row of a file, or of all files of a folder.

    Example: textbatch score input.parquet out.parquet --model model

    One output row per input row, in order, with every input column untouched; the output
    appears whole or not at all. Its name says its format: .parquet, .csv or .jsonl, the last two
    also with .gz or .zst; - prints the rows. A folder gets one Parquet part per input file, and
    _SUCCESS at the end.
    """
    from textbatch.cli.score_watched import score_watched
    from textbatch.integrations.prometheus import failure_measured
    from textbatch.report.files import failure_reported
    from textbatch.report.next_steps import after_score

    paths = {
        "input": " ".join(map(str, given["inputs"])),
        "output": str(given["output"]),
        "model": str(given["model"]),
    }
    with (
        failure_reported(given["report"], lambda: paths),
        failure_measured(given["metrics_file"]),
    ):
        config = given.made()
        if config.max_memory is not None:
            limit_memory(config.max_memory)
    if config.backend == "local":  # libraries of clusters may use frames
        start_without_pandas()
    done = score_watched(config, given.run)
    with told_if_possible():
        if config.json:
            print_json(done.to_dict())
        else:
            # Standard output is for the rows alone.
            print_scored(done, log if config.to_standard_output else print_line)
            if done.state == "done" and not config.to_standard_output:
                of = {one.name: one.statuses for one in done.sections}
                print_advice(after_score(str(config.output), of))


def planned_lines(done: RunReport) -> Iterator[str]:
    """What a dry run prints."""
    rows = "all" if done.rows_in is None else f"{done.rows_in:,}"
    what = f"score {rows} rows of {done.input} into {done.output}"
    yield {
        "skip": f"would do nothing: {done.output} is there, of the same job",
        "replace": f"would {what}, and replace what is there",
        "resume": f"would go on with an interrupted run, and {what}",
    }.get(done.plan or "", f"would {what}")
    if done.files is not None:
        files = done.files
        unit = "files" if done.shards is None else "shards"
        stray = f", {files['stray']:,} left out for their names" if files["stray"] else ""
        bad = f", {len(done.bad_files):,} set aside" if done.bad_files else ""
        resumed = f"{files['resumed']:,} done already, " if files["resumed"] else ""
        yield (
            f"{unit}: {files['found']:,} found, {files['scored']:,} to score, "
            f"{resumed}{files['known']:,} scored before{stray}{bad}"
        )
    if done.shards is not None and done.shards["smallest"] is not None:
        smallest, largest = done.shards["smallest"], done.shards["largest"]
        yield f"rows of a shard: {smallest:,} to {largest:,}"


def print_scored(done: RunReport, show: Callable[[str], None]) -> None:
    """Print what a run has done.

    Args:
        done: Its report.
        show: Prints a line.
    """
    if done.state == "planned":
        for line in planned_lines(done):
            show(line)
        return
    if done.state == "skipped":
        show(f"{done.output}: {done.rows_out:,} rows, skipped")
        return
    files = ""
    if done.files is not None:
        # The rows are counted of both.
        before = done.files["resumed"]
        scored = done.files["scored"] + before
        unit = "file" if done.shards is None else "shard"
        files = f"{scored:,} {unit}{'' if scored == 1 else 's'}, " if scored else f"no new {unit}, "
        if before:
            files += f"{before:,} of them by the interrupted run, "
        if done.bad_files:
            files += f"{len(done.bad_files):,} set aside, "
    rate = f", {done.rows_per_second:,.0f} rows/s" if done.rows_per_second else ""
    statuses = "; ".join(map(_statuses, done.sections))
    if done.rows_quarantined:
        statuses += f", {done.rows_quarantined:,} in quarantine"
    told = f"{files}{done.rows_out:,} rows in {done.seconds:.1f} s{rate}"
    told += f", {done.rows_early:,} by early exit" if done.rows_early else ""
    told += f" ({statuses})" if statuses else ""
    show(f"{done.output}: {told}")


def _statuses(one: ModelReport) -> str:
    told = ", ".join(f"{name} {count:,}" for name, count in one.statuses.items())
    return f"{one.name}: {told}" if one.name and told else told
