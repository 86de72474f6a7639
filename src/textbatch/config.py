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

#: Ways to augment training texts, in the order in which they are told.
AUGMENT_METHODS = ("templates", "synonyms", "neighbours", "swap", "delete", "typos")

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
        augment: `none`, `all`, `auto`, or some of `AUGMENT_METHODS` with commas between.
        template_file: TOML with patterns for labels' texts, for the method `templates`.
        synonyms: Groups of synonyms, one a line, for the method `synonyms`.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Settings that exclude each other, or one that needs another.
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
    augment: str = "none"
    template_file: Path | None = None
    synonyms: Path | None = None

    def __post_init__(self) -> None:
        if not self.inputs:
            raise UsageError("no input file", "name at least one labelled file")
        _require("--seed", self.seed, 0, 2**31 - 1)
        if self.text_column == self.label_column:
            raise ConflictError(
                f"text and label are both column '{self.text_column}'",
                "name two columns with --text-column and --label-column",
            )
        chosen = self.augment_methods
        if unknown := set(chosen) - set(AUGMENT_METHODS):
            raise UsageError(
                f"--augment knows no '{min(unknown)}'",
                f"give none, auto, all, or some of {','.join(AUGMENT_METHODS)}",
            )
        for name, flag, file in (
            ("templates", "--template-file", self.template_file),
            ("synonyms", "--synonyms", self.synonyms),
        ):
            if file and name not in chosen:
                raise ConflictError(f"{flag} without --augment {name}", "give both or neither")
            if name in chosen and not file:
                raise ConflictError(f"--augment {name} without {flag}", "give both or neither")

    @property
    def augment_methods(self) -> tuple[str, ...]:
        """The methods to use or to try: `all` and `auto` take those that have what they need."""
        if self.augment == "none":
            return ()
        if self.augment not in ("all", "auto"):
            return tuple(dict.fromkeys(self.augment.split(",")))
        missing = {
            name
            for name, file in (("templates", self.template_file), ("synonyms", self.synonyms))
            if not file
        }
        return tuple(name for name in AUGMENT_METHODS if name not in missing)


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
        max_bad_rows: Rows with undecodable text that the job accepts before it fails.
        input_format: Format of the input; `auto` goes by the file's name.
        engine: What runs the network.
        device: Where it runs.
        precision: Of the network's products; `int8` on the CPU, where the bundle allows it.
        threads: Mini-batches in flight; None for the cores this process may use.
        chunk_rows: Rows held in memory at a time.
        batch_tokens: Padded tokens in a mini-batch; None for what suits the engine.
        overwrite: Replace an existing output.
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
    max_bad_rows: int = 0
    input_format: InputFormat = "auto"
    engine: EngineName = "auto"
    device: DeviceName = "auto"
    precision: Precision = "f32"
    threads: int | None = None
    chunk_rows: int = CHUNK_ROWS
    batch_tokens: int | None = None
    overwrite: bool = False
    dry_run: bool = False
    report: Path | None = None

    def __post_init__(self) -> None:
        _require("--top-k", self.top_k, 0, 10_000)
        _require("--min-confidence", self.min_confidence, 0.0, 1.0)
        _require("--max-bad-rows", self.max_bad_rows, 0, 2**63 - 1)
        _require("--chunk-rows", self.chunk_rows, 1, 10_000_000)
        if self.batch_tokens is not None:
            _require("--batch-tokens", self.batch_tokens, 1, 100_000_000)
        if self.threads is not None:
            _require("--threads", self.threads, 1, 1024)
        if self.output.resolve() == self.input.resolve():
            raise ConflictError(f"input and output are the same file {self.input}", "write beside")
        if self.report and self.report.resolve() in (self.input.resolve(), self.output.resolve()):
            raise ConflictError(
                f"--report names the input or the output, {self.report}",
                "give it a file of its own",
            )
        if self.precision == "int8" and (self.engine == "tensorflow" or self.device == "gpu"):
            raise ConflictError(
                "--precision int8 runs on ONNX Runtime on the CPU only", "leave the others out"
            )
        if self.engine == "onnx" and self.device == "gpu":
            raise ConflictError(
                "--engine onnx runs on the CPU only", "use --engine tensorflow --device gpu"
            )


def _require(flag: str, value: float, low: float, high: float) -> None:
    # Written so that NaN fails as well.
    if not low <= value <= high:
        raise UsageError(f"{flag} is {value}, outside {low} to {high}", f"give {flag} in range")
