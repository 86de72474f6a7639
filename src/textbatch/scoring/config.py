"""What `score` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textbatch.data.choices import CHUNK_ROWS, IfExists, InputFormat
from textbatch.data.readers.encodings import check_encoding
from textbatch.data.storage.location import Location, is_local, resolved
from textbatch.errors import ConflictError, UsageError, require
from textbatch.model.choices import DeviceName, EngineName, Precision
from textbatch.scoring.limits import BadRowLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreConfig:
    """What `score` is asked to do.

    Attributes:
        inputs: Files, directories or globs to score; `-` is standard input. With several, the
            output is a directory.
        output: Parquet file to write, or the directory for one part per input file.
        as_folder: Write a directory in any case.
        incremental: Score only the input files that the output's manifest has not seen.
        partition_columns: Write the `key=value` folders above a file as columns too.
        partitions: These folders, of one file.
        model: Directory of the bundle.
        work_dir: Where outputs for an object store are made; None for the user's cache.
        text_column: Column to score; None takes the bundle's own.
        columns: Input columns to pass through, None for all.
        prefix: Put before the name of each added column.
        probabilities: Add the probability of every label.
        top_k: Add the `top_k` best labels with their probabilities; 0 adds none.
        min_confidence: Withhold labels below this calibrated probability.
        min_precision: Withhold labels that the bundle's held-out answers do not show to be right
            this often; 0 withholds none.
        max_bad_rows: Bad rows that the job accepts before it fails: a count, or a share of all
            rows as "1%".
        quarantine: JSON Lines file for bad rows, which then leave the output; None keeps those
            that can be kept.
        quarantine_text: Put the bad texts into that file too.
        input_format: Format of the input; `auto` goes by the file's name.
        encoding: Of CSV and JSON Lines files; None is UTF-8.
        null_text: Texts that stand for a missing one.
        engine: What runs the network.
        device: Where it runs.
        precision: Of the network's products; `int8` on the CPU, where the bundle allows it.
        threads: Mini-batches in flight; None for the cores this process may use.
        chunk_rows: Rows held in memory at a time.
        batch_tokens: Padded tokens in a mini-batch; None for what suits the engine.
        if_exists: What to do where the output exists: fail, replace it, or skip the job if the
            output is of the same input, model and options.
        dry_run: Check everything, write no output.
        report: JSON file for the run's report, written on failure too.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Input and output, or engine and device, exclude each other.
    """

    inputs: tuple[Location, ...]
    output: Location
    as_folder: bool = False
    incremental: bool = False
    partition_columns: bool = False
    partitions: tuple[tuple[str, str | None], ...] = ()
    model: Location = Path("model")
    work_dir: Path | None = None
    text_column: str | None = None
    columns: tuple[str, ...] | None = None
    prefix: str = ""
    probabilities: bool = False
    top_k: int = 0
    min_confidence: float = 0.0
    min_precision: float = 0.0
    max_bad_rows: int | str = 0
    quarantine: Location | None = None
    quarantine_text: bool = False
    input_format: InputFormat = "auto"
    encoding: str | None = None
    null_text: tuple[str, ...] = ()
    engine: EngineName = "auto"
    device: DeviceName = "auto"
    precision: Precision = "f32"
    threads: int | None = None
    chunk_rows: int = CHUNK_ROWS
    batch_tokens: int | None = None
    if_exists: IfExists = "fail"
    dry_run: bool = False
    report: Location | None = None

    def __post_init__(self) -> None:
        if not self.inputs:
            raise UsageError("no input file", "name at least one")
        require("--top-k", self.top_k, 0, 10_000)
        require("--min-confidence", self.min_confidence, 0.0, 1.0)
        require("--min-precision", self.min_precision, 0.0, 0.999)
        BadRowLimit.parse(self.max_bad_rows)
        check_encoding(self.encoding)
        require("--chunk-rows", self.chunk_rows, 1, 10_000_000)
        if self.batch_tokens is not None:
            require("--batch-tokens", self.batch_tokens, 1, 100_000_000)
        if self.threads is not None:
            require("--threads", self.threads, 1, 1024)
        if Path("-") in self.inputs:
            self._check_standard_input()
        self._check_files()
        if self.incremental and self.if_exists != "fail":
            raise ConflictError(
                "--incremental adds to the output, and --overwrite or --if-exists says otherwise",
                "leave one out",
            )
        if self.quarantine_text and not self.quarantine:
            raise ConflictError("--quarantine-text needs --quarantine", "name its file")
        if self.quarantine and self.quarantine_text and not is_local(self.quarantine):
            raise ConflictError(
                "--quarantine-text is for its owner's eyes, which an object store does not promise",
                "give --quarantine a path on this machine",
            )
        if self.precision == "int8" and (self.engine == "tensorflow" or self.device == "gpu"):
            raise ConflictError(
                "--precision int8 runs on ONNX Runtime on the CPU only", "leave the others out"
            )
        if self.engine == "onnx" and self.device == "gpu":
            raise ConflictError(
                "--engine onnx runs on the CPU only", "use --engine tensorflow --device gpu"
            )

    @property
    def input(self) -> Location:
        """The input, where it is a single one."""
        (only,) = self.inputs
        return only

    @property
    def from_standard_input(self) -> bool:
        """Whether the input is `-`."""
        return self.inputs == (Path("-"),)

    def decisive(self) -> dict[str, object]:
        """The options that the output depends on, for the job's key."""
        names = (
            "text_column", "columns", "prefix", "probabilities", "top_k", "min_confidence",
            "min_precision", "input_format", "encoding", "null_text", "engine", "device",
            "precision", "quarantine_text", "partition_columns", "partitions",
        )  # fmt: skip
        quarantine = self.quarantine and resolved(self.quarantine)
        return {name: getattr(self, name) for name in names} | {"quarantine": quarantine}

    def _check_standard_input(self) -> None:
        if self.input_format not in ("csv", "jsonl"):
            raise UsageError("standard input has no name to go by", "give --format csv or jsonl")
        if not self.from_standard_input or self.as_folder or self.dry_run:
            raise ConflictError(
                "standard input goes alone into one file, and is not read twice",
                "leave out the other inputs, the / behind the output, or --dry-run",
            )

    def _check_files(self) -> None:
        output = resolved(self.output)
        others = [*map(resolved, self.inputs), output]
        for given, source in zip(self.inputs, others[:-1], strict=True):
            if source == output:
                raise ConflictError(f"input and output are the same file {given}", "write beside")
        for flag, path in (("--report", self.report), ("--quarantine", self.quarantine)):
            if path is None:
                continue
            if resolved(path) in others:
                raise ConflictError(
                    f"{flag} names a file that has another use, {path}", "give it one of its own"
                )
            others.append(resolved(path))
