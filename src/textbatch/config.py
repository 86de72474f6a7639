"""Settings of the two jobs: frozen, checked once, passed by value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from textbatch.errors import ConflictError, UsageError

Preset = Literal["default", "seed"]
EngineName = Literal["auto", "onnx", "tensorflow"]
Precision = Literal["f32", "int8"]
DeviceName = Literal["auto", "cpu", "gpu"]
InputFormat = Literal["auto", "parquet", "csv", "jsonl"]
IfExists = Literal["fail", "replace", "skip"]

#: Rows held in memory at a time: enough that sorting by length leaves little padding.
CHUNK_ROWS = 16_384
#: Bytes of a chunk, which long texts reach before its rows do.
CHUNK_BYTES = 16 << 20
#: Padded tokens in a mini-batch: enough to keep the matrix products busy, and no more.
CPU_BATCH_TOKENS = 8192
GPU_BATCH_TOKENS = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """What `train` is asked to do.

    Attributes:
        inputs: Labelled files; their rows are read one file after the other.
        model: Directory of the bundle to write.
        text_column: Column that holds the text.
        label_column: Column that holds the label.
        validation: Labelled file for early stopping and calibration; None splits it off.
        test: Labelled file for the reported metrics; None splits it off.
        preset: Which network and recipe.
        seed: Seed of the split, the word vectors and the network.
        overwrite: Replace an existing bundle.
        report: JSON file for the run's report, written on failure too.

    Raises:
        UsageError: A setting is out of its range.
    """

    inputs: tuple[Path, ...]
    model: Path = Path("model")
    text_column: str = "text"
    label_column: str = "label"
    validation: Path | None = None
    test: Path | None = None
    preset: Preset = "default"
    seed: int = 0
    overwrite: bool = False
    report: Path | None = None

    def __post_init__(self) -> None:
        if not self.inputs:
            raise UsageError("no input file", "name at least one labelled file")
        _require("--seed", self.seed, 0, 2**31 - 1)
        if self.text_column == self.label_column:
            raise ConflictError(
                f"text and label are both column '{self.text_column}'",
                "name two columns with --text-column and --label-column",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreConfig:
    """What `score` is asked to do.

    Attributes:
        input: File to score.
        output: Parquet file to write.
        model: Directory of the bundle.
        text_column: Column to score; None takes the bundle's own.
        columns: Input columns to pass through, None for all.
        prefix: Put before the name of each added column.
        probabilities: Add the probability of every label.
        top_k: Add the `top_k` best labels with their probabilities; 0 adds none.
        min_confidence: Withhold labels below this calibrated probability.
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
        overwrite: Short for `if_exists` "replace".
        if_exists: What to do where the output exists: fail, replace it, or skip the job if the
            output is of the same input, model and options.
        dry_run: Check everything, write no output.
        report: JSON file for the run's report, written on failure too.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Input and output, or engine and device, exclude each other.
    """

    input: Path
    output: Path
    model: Path = Path("model")
    text_column: str | None = None
    columns: tuple[str, ...] | None = None
    prefix: str = ""
    probabilities: bool = False
    top_k: int = 0
    min_confidence: float = 0.0
    max_bad_rows: int | str = 0
    quarantine: Path | None = None
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
    overwrite: bool = False
    if_exists: IfExists = "fail"
    dry_run: bool = False
    report: Path | None = None

    def __post_init__(self) -> None:
        _require("--top-k", self.top_k, 0, 10_000)
        _require("--min-confidence", self.min_confidence, 0.0, 1.0)
        BadRowLimit.parse(self.max_bad_rows)
        _check_encoding(self.encoding)
        _require("--chunk-rows", self.chunk_rows, 1, 10_000_000)
        if self.batch_tokens is not None:
            _require("--batch-tokens", self.batch_tokens, 1, 100_000_000)
        if self.threads is not None:
            _require("--threads", self.threads, 1, 1024)
        self._check_files()
        if self.overwrite and self.if_exists == "skip":
            raise ConflictError("--overwrite contradicts --if-exists skip", "leave one out")
        if self.quarantine_text and not self.quarantine:
            raise ConflictError("--quarantine-text needs --quarantine", "name its file")
        if self.precision == "int8" and (self.engine == "tensorflow" or self.device == "gpu"):
            raise ConflictError(
                "--precision int8 runs on ONNX Runtime on the CPU only", "leave the others out"
            )
        if self.engine == "onnx" and self.device == "gpu":
            raise ConflictError(
                "--engine onnx runs on the CPU only", "use --engine tensorflow --device gpu"
            )

    @property
    def existing(self) -> IfExists:
        """What to do with an existing output."""
        return "replace" if self.overwrite else self.if_exists

    def decisive(self) -> dict[str, object]:
        """The options that the output depends on, for the job's key."""
        names = (
            "text_column", "columns", "prefix", "probabilities", "top_k", "min_confidence",
            "input_format", "encoding", "null_text", "engine", "device", "precision",
            "quarantine_text",
        )  # fmt: skip
        quarantine = self.quarantine and self.quarantine.resolve()
        return {name: getattr(self, name) for name in names} | {"quarantine": quarantine}

    def _check_files(self) -> None:
        if self.output.resolve() == self.input.resolve():
            raise ConflictError(f"input and output are the same file {self.input}", "write beside")
        others = [self.input.resolve(), self.output.resolve()]
        for flag, path in (("--report", self.report), ("--quarantine", self.quarantine)):
            if path and path.resolve() in others:
                raise ConflictError(
                    f"{flag} names a file that has another use, {path}", "give it one of its own"
                )
            if path:
                others.append(path.resolve())


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRowLimit:
    """How many bad rows a job accepts.

    Attributes:
        count: So many, or
        share: this share of all rows.
        text: As given.
    """

    count: int = 0
    share: float | None = None
    text: str = "0"

    @classmethod
    def parse(cls, value: int | str) -> BadRowLimit:
        """Read a count, or a percentage like "0.5%".

        Raises:
            UsageError: It is neither, or out of range.
        """
        text = str(value).strip()
        try:
            if text.endswith("%"):
                share = float(text[:-1])
                _require("--max-bad-rows", share, 0, 100)
                return cls(share=share / 100, text=text)
            count = int(text)
        except ValueError:
            raise UsageError(
                f"--max-bad-rows is {text}", "give a number of rows, or a percentage like 1%"
            ) from None
        _require("--max-bad-rows", count, 0, 2**63 - 1)
        return cls(count=count, text=text)

    def exceeded(self, bad: int, *, rows: int | None) -> bool:
        """Whether there are too many; of a share that can be told only when `rows` are known."""
        if self.share is None:
            return bad > self.count
        return rows is not None and bad > self.share * rows


def _check_encoding(encoding: str | None) -> None:
    try:
        # Codecs that make no text of bytes (zip, rot13, …) are refused as well.
        text = "".encode(encoding or "utf-8").decode(encoding or "utf-8")
    except (LookupError, UnicodeError, TypeError, ValueError):
        text = "no text"
    if text:
        raise UsageError(
            f"--encoding is {encoding}, which is no text encoding that is known",
            "give for example latin-1",
        )


def _require(flag: str, value: float, low: float, high: float) -> None:
    # Written so that NaN fails as well.
    if not low <= value <= high:
        raise UsageError(f"{flag} is {value}, outside {low} to {high}", f"give {flag} in range")
