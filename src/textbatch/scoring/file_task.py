"""One file to score, and what came of it: values that can be sent to another process.

This is the seam between what a job decides (which files, in what order, on which machine) and the
path of one file: `score_file(task)` needs nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from textbatch.data.choices import IfExists
from textbatch.data.output.records import RowCounts
from textbatch.data.storage.location import Location, local, resolved
from textbatch.model.quality.profile import TrainingProfile
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.limits import BadRowLimit

#: Scored; there before, of the same job; only looked at; or given up on the way.
State = Literal["done", "skipped", "planned", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTask:
    """One file to score into one file of this machine.

    Attributes:
        config: What was asked for: model, columns, engine and so on; not its inputs and outputs.
        run_id: Of the run that the task belongs to.
        input: The file; `-` is standard input.
        output: The Parquet file to write.
        quarantine: File for bad rows; None for none.
        partitions: The `key=value` folders above the input.
        if_exists: What to do where the output exists.
        bad_rows: How many bad rows this file may have.
    """

    config: ScoreConfig
    run_id: str
    input: Location
    output: Path
    quarantine: Location | None = None
    partitions: tuple[tuple[str, str | None], ...] = ()
    if_exists: IfExists = "fail"
    bad_rows: BadRowLimit = field(default_factory=BadRowLimit)

    @classmethod
    def of(cls, config: ScoreConfig, run_id: str, *, output: Location | None = None) -> FileTask:
        """The only task of a job over one file.

        Args:
            config: The job.
            run_id: Of the run.
            output: Where to write instead; None for where the job says.
        """
        return cls(
            config=config,
            run_id=run_id,
            input=config.input,
            output=local(config.output if output is None else output),
            quarantine=config.quarantine,
            if_exists=config.if_exists,
            bad_rows=BadRowLimit.parse(config.max_bad_rows),
        )

    @property
    def from_standard_input(self) -> bool:
        """Whether the input is standard input."""
        return self.input == Path("-")

    def decisive(self) -> dict[str, object]:
        """The options that the output depends on, for the file's key."""
        options = self.config.decisive()
        if self.partitions:
            options["partitions"] = self.partitions
        if self.quarantine is not None:
            options["quarantine"] = resolved(self.quarantine)
        return options


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUsed:
    """What answered, as far as it was loaded.

    Attributes:
        fingerprint: The bundle's.
        profile: What its training texts and answers looked like.
        engine: What ran the network.
        device: Where it ran.
        precision: Of the network's products.
    """

    fingerprint: str | None = None
    profile: TrainingProfile | None = None
    engine: str | None = None
    device: str | None = None
    precision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """What came of a file, or of a run over files; of a failed one, what is known.

    Attributes:
        state: How it ended.
        counts: What became of the rows.
        rows_planned: Of a plan, the rows that there are; None where only reading tells.
        model: What answered.
        rows_resumed: Rows whose predictions an earlier run had noted.
        rows_per_second: Rows read over the seconds from the first to the last row; None for none.
        tokens: Tokens of the rows that were scored now.
        unknown_tokens: Those among them that the model does not know.
        seal: The output's own sha256; None where there is no output, or a folder of them.
        notes: What else the user should know.
    """

    state: State
    counts: RowCounts = field(default_factory=RowCounts)
    rows_planned: int | None = None
    model: ModelUsed = field(default_factory=ModelUsed)
    rows_resumed: int = 0
    rows_per_second: float | None = None
    tokens: int = 0
    unknown_tokens: int = 0
    seal: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCounts:
    """The files of a job over several.

    Attributes:
        found: How many there are.
        scored: Those that this run scored.
        known: Those that were scored before.
        stray: Those left out for their names.
    """

    found: int
    scored: int
    known: int
    stray: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderResult(FileResult):
    """What came of a job over several files.

    Attributes:
        files: How many there were; None where they were not listed.
    """

    files: FileCounts | None = None
