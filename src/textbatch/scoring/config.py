"""The options of `score` and `evaluate`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from textbatch.data.bad_row_limit import BadRowLimit, count_or_share
from textbatch.data.choices import CHUNK_ROWS, IfExists, OnBadFile, OutputKind, Rescore
from textbatch.data.multi_options import SeveralOptions
from textbatch.data.readers.read_options import ReadOptions, TextOptions
from textbatch.data.storage.location import STANDARD_INPUT, Location, is_local, location_of
from textbatch.errors import ConflictError, UsageError
from textbatch.model.options import ModelOptions, ModelsOptions
from textbatch.options import beside, option, options
from textbatch.report.options import ReportOptions
from textbatch.scoring.beside_options import BesideOptions, ErrorOptions
from textbatch.scoring.cache_options import CacheOptions
from textbatch.scoring.label_set_options import LabelSetOptions
from textbatch.scoring.prior_options import PriorOptions
from textbatch.scoring.shard_options import ShardOptions
from textbatch.scoring.spread_options import SpreadOptions

#: Stands for standard output where a file is asked for.
STANDARD_OUTPUT = Path("-")
#: The columns that `score` always adds, without the prefix.
ANSWERS = ("predicted_label", "confidence", "status")
#: The folder in `--work-dir` for outputs that go to a store.
STAGES = "outputs"


def written_for(output: Location) -> list[Location]:
    """All places that are written for an output."""
    # Here, not at the top: `--help` must be quick.
    from textbatch.data.output.any_output import places_of_output

    return [Path("/dev/stdout")] if output == STANDARD_OUTPUT else places_of_output(output)


@options
class AnswerOptions(BesideOptions, LabelSetOptions):
    """Which columns are added, and which labels are withheld."""

    prefix: str = option("Prefix for the names of the added columns.", default="")
    probabilities: bool = option("Add the probability of every label.", default=False)
    top_k: int = option("Add the K best labels.", default=0, low=0, high=10_000)
    min_confidence: float = option(
        "Withhold labels with a smaller confidence.", default=0.0, low=0.0, high=1.0
    )
    min_precision: float = option(
        "Withhold labels that are not shown to be right this often, as 0.95.",
        default=0.0,
        low=0.0,
        high=0.999,
    )
    strict_precision: bool = option(
        "Refuse labels with too few held-out answers for --min-precision.", default=False
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strict_precision and not self.min_precision:
            raise ConflictError("--strict-precision needs --min-precision", "name a precision")


@options
class TableOptions(AnswerOptions, TextOptions):
    """The options of `Model.score_table`."""


@options
class ScoreTableOptions(TableOptions, ModelOptions):
    """The options of what scores tables with one model, in other processes too."""


@options
class ScoreConfig(
    AnswerOptions,
    ShardOptions,
    CacheOptions,
    PriorOptions,
    ModelsOptions,
    ReadOptions,
    SpreadOptions,
    ReportOptions,
):
    """The options of `score`.

    Attributes:
        as_folder: Write a directory, even if there is one input file only.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Two settings exclude each other.
    """

    inputs: tuple[Location, ...] = option(
        "Parquet, CSV or JSONL files, also .gz, .zst; folders; quoted globs; - for stdin.",
        argument=True,
        of=location_of,
        use="read",
        decides=False,  # a job knows its input by what is in it
    )
    output: Location = option(
        "File to write: .parquet, .csv, .jsonl; - for stdout; folder/ for a part per input.",
        argument=True,
        of=location_of,
        use="written",
        writes=written_for,
        decides=False,
    )
    output_format: OutputKind = option(
        "Format of what goes to stdout; auto is CSV for CSV, else JSON Lines.",
        default="auto",
        decides=False,
    )
    columns: tuple[str, ...] | None = option(
        "Input columns to keep.", default=None, commas=True, unset="all"
    )
    # Part of the key: what was written without it may have lost types.
    strict_types: bool = option("Refuse columns whose types would not be kept.", default=False)
    min_rows: int = option(
        "Fail if the run reads fewer rows than this.",
        default=0,
        low=0,
        high=2**63 - 1,
        decides=False,
    )
    # Not part of the key: an output that is there is checked against the limit each time.
    max_bad_rows: int | str = option(
        "Fail if there are more bad rows than this.",
        default=0,
        metavar="N|P%",
        of=count_or_share,
        decides=False,
    )
    bad_files: OnBadFile = option(
        "Of several files: skip sets malformed ones aside, listed in report and _SUCCESS.",
        default="fail",
        decides=False,
    )
    max_bad_files: int | str | None = option(
        "Fail if more files are set aside than this.",
        default=None,
        metavar="N|P%",
        of=count_or_share,
        unset="all but one",
        decides=False,
    )
    quarantine: Location | None = option(
        "Move bad rows out of the output; list them in this JSONL file.",
        default=None,
        of=location_of,
        use="written",
    )
    quarantine_text: bool = option("Put the bad texts into that file too.", default=False)
    # From here to `work_dir`: the same rows get the same bits, whatever these say.
    chunk_rows: int = option(
        "Rows that are in memory at a time.",
        default=CHUNK_ROWS,
        low=1,
        high=10_000_000,
        decides=False,
    )
    batch_tokens: int | None = option(
        "Padded tokens in a mini-batch.",
        default=None,
        low=1,
        high=100_000_000,
        unset="what suits the engine",
        decides=False,
    )
    if_exists: IfExists = option(
        "What to do if the output exists; skip needs one of the same job.",
        default="fail",
        short=("--overwrite", "replace", "Replace what is there."),
        decides=False,
    )
    dry_run: bool = option(
        "Check everything, write no output.",
        default=False,
        flags=("--dry-run", "-n"),
        decides=False,
    )
    incremental: bool = option(
        "Score only files that are not in the output folder yet.", default=False, decides=False
    )
    rescore: Rescore = option(
        "With --incremental: score anew what another model or other options have made.",
        default="none",
        decides=False,
    )
    work_dir: Path | None = option(
        "Where outputs for an object store are made.",
        default=None,
        unset="~/.cache",
        decides=False,
        use="written",
        writes=lambda folder: (folder / STAGES,),
    )
    partition_columns: bool = option("Write key=value folders as columns too.", default=False)
    as_folder: bool = beside(default=False)

    def __post_init__(self) -> None:
        if not self.inputs:
            raise UsageError("no input file", "name at least one")
        super().__post_init__()
        BadRowLimit.parse(self.max_bad_rows)
        if self.max_bad_files is not None:
            BadRowLimit.parse(self.max_bad_files, flag="--max-bad-files")
            if self.bad_files == "fail":
                raise ConflictError("--max-bad-files needs --bad-files skip", "add it")
        self.check_shards(incremental=self.incremental, skips_files=self.bad_files == "skip")
        self.check_device(self.device)
        self._check_standard_input()
        self._check_standard_output()
        if self.incremental and self.if_exists != "fail":
            raise ConflictError(
                "--incremental adds to the output, and --overwrite or --if-exists says otherwise",
                "leave one out",
            )
        if self.rescore != "none" and not self.incremental:
            raise ConflictError(
                "--rescore is about parts that are there, which only --incremental looks at",
                "add --incremental, or leave it out",
            )
        if self.quarantine_text and not self.quarantine:
            raise ConflictError("--quarantine-text needs --quarantine", "name its file")
        if self.quarantine and self.quarantine_text and not is_local(self.quarantine):
            raise ConflictError(
                "--quarantine-text is for its owner's eyes, which an object store does not promise",
                "give --quarantine a path on this machine",
            )

    @classmethod
    def given(cls, values: Mapping[str, Any]) -> Self:
        """Make the options from a caller's values; an output that ends with `/` is a folder."""
        output = values["output"]
        # Other types are refused by the option itself.
        as_folder = isinstance(output, str | os.PathLike) and os.fspath(output).endswith("/")
        return super().given({**values, "as_folder": as_folder})

    @property
    def input(self) -> Location:
        """The input, if there is only one."""
        (only,) = self.inputs
        return only

    @property
    def from_standard_input(self) -> bool:
        """Whether the input is `-`."""
        return self.inputs == (STANDARD_INPUT,)

    def _check_standard_input(self) -> None:
        self.check_standard_input(self.inputs)
        alone = self.from_standard_input and not (self.as_folder or self.dry_run)
        if STANDARD_INPUT in self.inputs and not alone:
            raise ConflictError(
                "standard input goes alone into one file, and is not read twice",
                "leave out the other inputs, the / behind the output, or --dry-run",
            )

    @property
    def to_standard_output(self) -> bool:
        """Whether the output is `-`."""
        return self.output == STANDARD_OUTPUT

    def _check_standard_output(self) -> None:
        if self.to_standard_output and (len(self.inputs) > 1 or self.incremental):
            raise ConflictError(
                "standard output takes the rows of one file", "name a folder/ for several"
            )
        if self.output_format != "auto" and not self.to_standard_output:
            raise ConflictError(
                f"--output-format is for standard output, and the name {self.output.name} says "
                "its own format",
                "leave it out, or write to -",
            )


@options
class EvaluateConfig(LabelSetOptions, SeveralOptions, ErrorOptions, ModelOptions, ReportOptions):
    """The options of `evaluate`.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Two settings exclude each other.
    """

    html: Path | None = option(
        "Write a page with pictures to this HTML file.",
        default=None,
        decides=False,
        use="written",
    )
    report_texts: bool = option(
        "Quote the texts of the surest mistakes in the HTML report.", default=False, decides=False
    )
