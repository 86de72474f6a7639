"""One file to score, and the result: values that can be sent to another process.

A job decides which files are scored, in what order and on which machine. The path of one file,
`score_file(task)`, needs only the task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal

from textbatch.data.bad_row_limit import BadRowLimit
from textbatch.data.choices import IfExists
from textbatch.data.output.answer_counts import WorkCounts, prefix_of
from textbatch.data.output.holder import Holder
from textbatch.data.output.records import BadFile, RowCounts
from textbatch.data.output.signs import UnknownTokens
from textbatch.data.readers.identity import InputMark
from textbatch.data.readers.json_types import JsonTypes
from textbatch.data.readers.shard_file import Piece, ShardFile
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import Location, local, resolved
from textbatch.model.quality.profile import TrainingProfile
from textbatch.model.quality.reference import Reference
from textbatch.scoring.config import ScoreConfig

#: Scored; skipped, because the same job had scored it before; only checked (`--dry-run`); failed.
State = Literal["done", "skipped", "planned", "failed"]
#: What a run would do: score what is not there; score it and replace what is there; go on with an
#: interrupted run; nothing, because the output is there.
Plan = Literal["score", "replace", "resume", "skip"]


def decisive_options(config: ScoreConfig, text_column: str | None) -> dict[str, object]:
    """The options that an output depends on. The model's own text column is the same named or not.

    Args:
        config: The job's options.
        text_column: The models' own; None if they differ.
    """
    options = config.decisive()
    if text_column is not None and options.get("text_column") == text_column:
        del options["text_column"]
    if len(config.models) == 1 and (name := config.models[0].name):
        # The names of several models are in their common fingerprint.
        options["prefix"] = config.prefix + prefix_of(name)
    return options


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneByJob:
    """What a job over many files does once for all of them, so that no task has to.

    Attributes:
        leftovers: It has removed what dead runs left beside the outputs.
        lock: It alone may write the outputs, and no attempt of an earlier run can be left.
        syncs: It syncs their directories.
    """

    leftovers: bool = False
    lock: bool = False
    syncs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTask:
    """One file to score into one file of this machine.

    Attributes:
        config: The job's options: model, columns, engine and so on. Its inputs and outputs are
            not used.
        run_id: The id of the run that the task belongs to.
        input: The file; `-` is standard input.
        pieces: The row groups to score, of a task that is a shard; empty for the whole input.
        output: The Parquet file to write.
        quarantine: File for bad rows; None for none.
        partitions: The `key=value` folders above the input.
        if_exists: What to do if the output exists.
        bad_rows: How many bad rows this file may have.
        min_rows: How many rows it must have.
        read_as: Types of the columns of JSON Lines, where the file is one of many.
        fingerprint: The model that it is to be scored with; None for whatever is there.
        holder: The run that a worker does it for; None if this process itself is the run.
        told: The file where a worker tells how far it is; None for none.
        named: What the quarantine file calls the input, where it is not called as it was given.
        by_job: What is done once for all files of the job.
        whole_job: Whether the job has no other file, so that drift is decided here.
    """

    config: ScoreConfig
    run_id: str
    input: Location
    output: Path
    pieces: tuple[Piece, ...] = ()
    quarantine: Location | None = None
    partitions: tuple[tuple[str, str | None], ...] = ()
    if_exists: IfExists = "fail"
    bad_rows: BadRowLimit = field(default_factory=BadRowLimit)
    min_rows: int = 0
    read_as: JsonTypes | None = None
    fingerprint: str | None = None
    holder: Holder | None = None
    told: Path | None = None
    named: Location | None = None
    by_job: DoneByJob = DoneByJob()
    whole_job: bool = False

    @classmethod
    def of(cls, config: ScoreConfig, run_id: str, *, output: Location | None = None) -> FileTask:
        """The only task of a job over one file.

        Args:
            config: The job's options.
            run_id: The run's id.
            output: Where to write; None takes the job's output.
        """
        return cls(
            config=config,
            run_id=run_id,
            input=config.input,
            output=local(config.output if output is None else output),
            quarantine=config.quarantine,
            if_exists=config.if_exists,
            bad_rows=BadRowLimit.parse(config.max_bad_rows),
            min_rows=config.min_rows,
            whole_job=True,
        )

    @property
    def from_standard_input(self) -> bool:
        """Whether the input is standard input."""
        return self.input == Path("-")

    @property
    def title(self) -> str:
        """Its name in messages: of a shard also which row groups it has."""
        return str(self.input_file())

    def input_file(self) -> InputFile:
        """What is to be scored."""
        return ShardFile(self.pieces) if self.pieces else new_input(self.input)

    def decisive(self, text_column: str | None) -> dict[str, object]:
        """The options that the output depends on, for the file's key.

        Args:
            text_column: See `decisive_options`.
        """
        options = decisive_options(self.config, text_column)
        if self.partitions:
            options["partitions"] = self.partitions
        if self.quarantine is not None:
            options["quarantine"] = resolved(self.quarantine)
        if self.read_as is not None:
            options["types"] = sha256(self.read_as.schema.serialize()).hexdigest()
        return options


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUsed:
    """The model that predicted. What was not loaded is None.

    Attributes:
        fingerprint: The bundle's fingerprint; of several models see `Bundles`.
        profile: Statistics of the training texts and of the predictions for them.
        reference: Held-out rows, which the run is compared with.
        engine: The library that ran the network.
        device: Where it ran.
        precision: The number type of the network's matrix products.
        withheld: Labels that `--min-precision` always withholds.
        each: Of several models what each of them is. What is above is then what they have in
            common.
    """

    fingerprint: str | None = None
    profile: TrainingProfile | None = None
    reference: Reference | None = None
    engine: str | None = None
    device: str | None = None
    precision: str | None = None
    withheld: tuple[str, ...] = ()
    each: tuple[ModelUsed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """The result of scoring a file, or several; after a failure, what is known of it.

    Attributes:
        state: How it ended.
        counts: How many rows were read, written, moved to quarantine, and so on.
        rows_planned: With `--dry-run`, the rows of the input; None if only reading it would tell.
        plan: Of a dry run, what the run would do.
        model: The model that predicted.
        rows_resumed: Rows whose predictions were taken from an earlier run's journal.
        rows_per_second: Rows read per second, from the first row to the last; None if there was
            no row.
        tokens: Tokens of the rows that this run predicted.
        unknown_tokens: Those of them that are not in the vocabulary.
        rows_early: Rows that the linear model answered alone in this run.
        rows_cached: Rows whose answers came from `--cache`.
        spread: How tokens and unknown ones vary between the rows that this run predicted.
        work_of: Of several models all of these but cached rows of each, by their names; the
            numbers above are their sums.
        seal: The output's own sha256; None if there is no output, or if it is a folder.
        input: What the output remembers of its input; None if it is a folder.
        notes: What else the user should know.
    """

    state: State
    counts: RowCounts = field(default_factory=RowCounts)
    rows_planned: int | None = None
    plan: Plan | None = None
    model: ModelUsed = field(default_factory=ModelUsed)
    rows_resumed: int = 0
    rows_per_second: float | None = None
    tokens: int = 0
    unknown_tokens: int = 0
    rows_early: int = 0
    rows_cached: int = 0
    spread: UnknownTokens = field(default_factory=UnknownTokens)
    work_of: Mapping[str, WorkCounts] = field(default_factory=dict)
    seal: str | None = None
    input: InputMark | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCounts:
    """How many files a job has.

    Attributes:
        found: All input files.
        scored: Files that this run scored.
        resumed: Files that the interrupted run had scored which this run goes on with. The report
            counts their rows too.
        known: Files that runs before had scored.
        stray: Files that were left out because of their names.
        stale: Files whose parts another model or other options had made when this run began.
        rescored: Those of them that this run scored anew.
    """

    found: int
    scored: int
    resumed: int
    known: int
    stray: int
    stale: int = 0
    rescored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardCounts:
    """The plan of a job that is cut into shards.

    Attributes:
        planned: How many shards there are.
        done: How many of them were scored before.
        rows: Rows of all shards; None if only reading would tell, as of CSV.
        smallest: Rows of the smallest shard whose rows are known; None without any.
        largest: Rows of the largest one.
    """

    planned: int
    done: int
    rows: int | None
    smallest: int | None
    largest: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderResult(FileResult):
    """The result of a job over several files.

    Attributes:
        files: How many files there were; None if they were not listed yet.
        shards: The plan, if the job is cut into shards. Then it is also shards that `files` counts.
        bad_files: Files that are malformed.
    """

    files: FileCounts | None = None
    shards: ShardCounts | None = None
    bad_files: tuple[BadFile, ...] = ()
