"""Scoring files.

`python -m tools.python_api` writes the parameters from the classes of options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import overload

from textbatch.data.choices import (
    BackendName,
    IfExists,
    InputFormat,
    OnBadFile,
    OutputKind,
    Quoting,
    Rescore,
)
from textbatch.data.storage.location import PathLike
from textbatch.model.choices import DeviceName, EngineName, PrecisionName
from textbatch.report.scoring import RunReport
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.in_memory import TableT, score_in_memory
from textbatch.scoring.python_values import check_is_file, is_table
from textbatch.scoring.score import score as score_file
from textbatch.text.choices import OnLong


@overload
def score(
    inputs: PathLike | Sequence[PathLike],
    output: PathLike,
    *,
    model: PathLike | Mapping[str, PathLike] = "model",
    text_column: str | None = None,
    output_format: OutputKind = "auto",
    columns: Sequence[str] | None = None,
    strict_types: bool = False,
    min_rows: int = 0,
    max_bad_rows: int | str = 0,
    bad_files: OnBadFile = "fail",
    max_bad_files: int | str | None = None,
    quarantine: PathLike | None = None,
    quarantine_text: bool = False,
    chunk_rows: int = 16_384,
    batch_tokens: int | None = None,
    if_exists: IfExists = "fail",
    dry_run: bool = False,
    incremental: bool = False,
    rescore: Rescore = "none",
    work_dir: PathLike | None = None,
    partition_columns: bool = False,
    prefix: str = "",
    probabilities: bool = False,
    top_k: int = 0,
    min_confidence: float = 0.0,
    min_precision: float = 0.0,
    strict_precision: bool = False,
    shard_rows: int | None = None,
    shard: str | None = None,
    cache: PathLike | None = None,
    cache_mib: int | None = None,
    adapt_priors: bool = False,
    warn_on_drift: bool = False,
    fail_on_drift: bool = False,
    drift_history: PathLike | None = None,
    novelty: bool = False,
    max_novelty: float = 0.0,
    explain: int = 0,
    label_sets: float | None = None,
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    precision: PrecisionName = "f32",
    early_exit: bool = False,
    on_long: OnLong = "auto",
    threads: int | None = None,
    input_format: InputFormat = "auto",
    encoding: str | None = None,
    delimiter: str | None = None,
    quoting: Quoting = "auto",
    null_text: Sequence[str] = (),
    join_lists: str | None = None,
    jobs: int = 1,
    backend: BackendName = "local",
    address: str | None = None,
    gpus_per_worker: float = 0.0,
    report: PathLike | None = None,
    progress: Progress | None = None,
) -> RunReport: ...


@overload
def score(
    inputs: TableT,
    *,
    model: PathLike | Mapping[str, PathLike] = "model",
    text_column: str | None = None,
    prefix: str = "",
    probabilities: bool = False,
    top_k: int = 0,
    min_confidence: float = 0.0,
    min_precision: float = 0.0,
    strict_precision: bool = False,
    novelty: bool = False,
    max_novelty: float = 0.0,
    explain: int = 0,
    label_sets: float | None = None,
    join_lists: str | None = None,
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    precision: PrecisionName = "f32",
    early_exit: bool = False,
    on_long: OnLong = "auto",
    threads: int | None = None,
) -> TableT: ...


def score(
    inputs: PathLike | Sequence[PathLike] | TableT,
    output: PathLike | None = None,
    *,
    model: PathLike | Mapping[str, PathLike] = "model",
    text_column: str | None = None,
    output_format: OutputKind = "auto",
    columns: Sequence[str] | None = None,
    strict_types: bool = False,
    min_rows: int = 0,
    max_bad_rows: int | str = 0,
    bad_files: OnBadFile = "fail",
    max_bad_files: int | str | None = None,
    quarantine: PathLike | None = None,
    quarantine_text: bool = False,
    chunk_rows: int = 16_384,
    batch_tokens: int | None = None,
    if_exists: IfExists = "fail",
    dry_run: bool = False,
    incremental: bool = False,
    rescore: Rescore = "none",
    work_dir: PathLike | None = None,
    partition_columns: bool = False,
    prefix: str = "",
    probabilities: bool = False,
    top_k: int = 0,
    min_confidence: float = 0.0,
    min_precision: float = 0.0,
    strict_precision: bool = False,
    shard_rows: int | None = None,
    shard: str | None = None,
    cache: PathLike | None = None,
    cache_mib: int | None = None,
    adapt_priors: bool = False,
    warn_on_drift: bool = False,
    fail_on_drift: bool = False,
    drift_history: PathLike | None = None,
    novelty: bool = False,
    max_novelty: float = 0.0,
    explain: int = 0,
    label_sets: float | None = None,
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    precision: PrecisionName = "f32",
    early_exit: bool = False,
    on_long: OnLong = "auto",
    threads: int | None = None,
    input_format: InputFormat = "auto",
    encoding: str | None = None,
    delimiter: str | None = None,
    quoting: Quoting = "auto",
    null_text: Sequence[str] = (),
    join_lists: str | None = None,
    jobs: int = 1,
    backend: BackendName = "local",
    address: str | None = None,
    gpus_per_worker: float = 0.0,
    report: PathLike | None = None,
    progress: Progress | None = None,
) -> RunReport | TableT:
    """Score a file into a file, files into a folder, or a table in memory.

    An output that ends with `/` is a folder. Each call with a table loads the model.

    Args:
        inputs: Parquet, CSV or JSONL files, also .gz, .zst; folders; quoted globs; - for stdin. Or
            a DataFrame of pandas or polars, or an Arrow table or record batch.
        output: File to write: .parquet, .csv, .jsonl; - for stdout; folder/ for a part per input.
            None for a table.
        model: Model directory; several as NAME=DIR, their columns begin with NAME_.
        text_column: Column that holds the text. None means the model's.
        output_format: Format of what goes to stdout; auto is CSV for CSV, else JSON Lines.
        columns: Input columns to keep. None means all.
        strict_types: Refuse columns whose types would not be kept.
        min_rows: Fail if the run reads fewer rows than this.
        max_bad_rows: Fail if there are more bad rows than this.
        bad_files: Of several files: skip sets malformed ones aside, listed in report and _SUCCESS.
        max_bad_files: Fail if more files are set aside than this. None means all but one.
        quarantine: Move bad rows out of the output; list them in this JSONL file.
        quarantine_text: Put the bad texts into that file too.
        chunk_rows: Rows that are in memory at a time.
        batch_tokens: Padded tokens in a mini-batch. None means what suits the engine.
        if_exists: What to do if the output exists; skip needs one of the same job.
        dry_run: Check everything, write no output.
        incremental: Score only files that are not in the output folder yet.
        rescore: With --incremental: score anew what another model or other options have made.
        work_dir: Where outputs for an object store are made. None means ~/.cache.
        partition_columns: Write key=value folders as columns too.
        prefix: Prefix for the names of the added columns.
        probabilities: Add the probability of every label.
        top_k: Add the K best labels.
        min_confidence: Withhold labels with a smaller confidence.
        min_precision: Withhold labels that are not shown to be right this often, as 0.95.
        strict_precision: Refuse labels with too few held-out answers for --min-precision.
        shard_rows: Cut a folder's Parquet files into parts of so many rows. None means by file.
        shard: Score share I of N of a folder's shards, from 0; then `finish`. None means all.
        cache: Keep answers in this directory, and do not compute them again for the same text. None
            means none are kept.
        cache_mib: Size of the kept answers at most, in MiB. None means 1,024.
        adapt_priors: Where the file surely has another mix of labels than training, allow for it.
        warn_on_drift: Say on stderr if the rows are unlike those that the model was measured on.
        fail_on_drift: Fail with 69, and publish nothing, if they are.
        drift_history: Add each run to this JSONL file, and look for drift in the series of runs.
            None means only this run is looked at.
        novelty: Add how unlike all labels the text is: the share of ordinary texts that are as
            unlike.
        max_novelty: Withhold labels of texts whose novelty is below this, as 0.01.
        explain: Add the K words that carried the decision, with weights; it takes long.
        label_sets: Add all labels that may be right: the true one is among them this often, as
            0.95. None means none.
        engine: What runs the network.
        device: Where it runs.
        precision: int8 is faster, if the model allows it; fast is int8 with --early-exit.
        early_exit: The linear model answers alone where the network would not change the label.
        on_long: Of texts longer than the model reads: the part to use, or windows over all of it.
        threads: CPU threads to use. None means what this process may use.
        input_format: Format of the input; auto takes it from the file name.
        encoding: Encoding of CSV and JSONL files. None means UTF-8.
        delimiter: Character between the cells of CSV files. None means a tab in .tsv, else a comma.
        quoting: Quotes in CSV files; none reads " as any other character.
        null_text: A text that means a missing one.
        join_lists: Join texts that are lists of strings, with this between. None means refuse them.
        jobs: Workers that share the files of a folder, or the rows of a file.
        backend: Whose workers: processes of this machine, or of a cluster.
        address: Address of the cluster, such as tcp://host:8786. None means what its library finds,
            else this machine.
        gpus_per_worker: GPUs that Ray gives to each worker.
        report: Write the run's report to this JSON file, on failure too.
        progress: Called after every chunk.

    Returns:
        The run's report; for a table a table of the same kind, with the columns added.

    Raises:
        TextbatchError: Its subclass tells the kind of error. What stood at `output` is unchanged.
        ConflictError: An output, or an option that is for files only, is given with a table.
        TypeError: The input is neither a table nor a path, or a path has no output.
    """
    given = locals()
    if is_table(inputs):
        scored: TableT = score_in_memory(inputs, given, signature(score))
        return scored
    check_is_file(inputs)
    if output is None:
        raise TypeError("score needs an output for files: a path, or - for standard output")
    return score_file(ScoreConfig.given(given), progress=progress)
