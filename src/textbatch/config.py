"""Settings of the two jobs: frozen, checked once, passed by value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from textbatch.errors import ConflictError, UsageError
from textbatch.limits import BadRowLimit, check_encoding

BlendMode = Literal["auto", "off"]
Algorithm = Literal["word2vec", "fasttext"]
Preset = Literal["default", "seed", "large"]
Cell = Literal["gru", "lstm"]
#: Pooling over a text's own tokens, never its padding; several stand side by side.
Pooling = Literal["last", "mean", "max", "last+mean", "last+max", "mean+max", "last+mean+max"]
EngineName = Literal["auto", "onnx", "tensorflow"]
Precision = Literal["f32", "int8"]
DeviceName = Literal["auto", "cpu", "gpu"]
InputFormat = Literal["auto", "parquet", "csv", "jsonl"]
IfExists = Literal["fail", "replace", "skip"]

#: Caps on the recurrent layers, in bundles and flags alike.
MAX_LAYERS, MAX_UNITS = 8, 4096

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
        vectors: Files of pretrained word vectors, to join with those of the texts.
        unlabelled: Files of texts to train word vectors on besides the training texts.
        keep_vectors: Most frequent words to keep that have a vector although training never
            saw them.
        seed: Seed of the split, the word vectors and the network.
        overwrite: Replace an existing bundle.
        report: JSON file for the run's report, written on failure too.
        cell: Of every recurrent layer; None for the preset's own.
        layers: How many recurrent layers; None for as many as `units`, or the preset's own.
        units: Width of each recurrent layer, or one for all; None for the preset's own.
        bidirectional: Whether they read both ways; None for what the preset does.
        pooling: What the states of the last one become; None for the preset's own.
        blend: `auto` adds a linear model to the network where the validation rows gain by it.
        require_baseline: Fail where a simple model has a better accuracy on the test rows.
        report_texts: Let the bundle's `report.html` quote the texts of the surest mistakes.
        settings: TOML or JSON file with settings of the recipe, as `tune` writes it.
        folds: Parts of a cross-validation before the model is trained; 0 for none.
        jobs: Folds trained at a time; None for as many as there are cores.
        out_of_fold: Parquet file for the answers of the cross-validation; None puts it beside
            the model.
        resume: Go on from the last checkpoint of an interrupted run; not with `augment` "auto".

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Settings exclude each other.
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
    vectors: tuple[Path, ...] = ()
    unlabelled: tuple[Path, ...] = ()
    keep_vectors: int = 20_000
    seed: int = 0
    overwrite: bool = False
    report: Path | None = None
    cell: Cell | None = None
    layers: int | None = None
    units: tuple[int, ...] | None = None
    bidirectional: bool | None = None
    pooling: Pooling | None = None
    blend: BlendMode = "auto"
    require_baseline: bool = False
    report_texts: bool = False
    settings: Path | None = None
    folds: int = 0
    jobs: int | None = None
    out_of_fold: Path | None = None
    resume: bool = False
    augment: str = "none"
    template_file: Path | None = None
    synonyms: Path | None = None

    def __post_init__(self) -> None:
        if not self.inputs:
            raise UsageError("no input file", "name at least one labelled file")
        _require("--keep-vectors", self.keep_vectors, 0, 1_000_000)
        if self.folds:
            _require("--folds", self.folds, 2, 100)
        elif self.out_of_fold or self.jobs:
            raise ConflictError("--out-of-fold and --jobs need folds", "add --folds 5")
        if self.jobs is not None:
            _require("--jobs", self.jobs, 1, 1024)
        _require("--seed", self.seed, 0, 2**31 - 1)
        self._check_network()
        if self.text_column == self.label_column:
            raise ConflictError(
                f"text and label are both column '{self.text_column}'",
                "name two columns with --text-column and --label-column",
            )
        self._check_augmentation()

    def _check_augmentation(self) -> None:
        if self.resume and self.augment == "auto":
            raise ConflictError(
                "--resume with --augment auto, which trains several networks and saves no state",
                "leave one out",
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

    def _check_network(self) -> None:
        if self.layers is not None:
            _require("--layers", self.layers, 1, MAX_LAYERS)
        if self.units is not None:
            _require("the number of --units", len(self.units), 1, MAX_LAYERS)
            for units in self.units:
                _require("--units", units, 1, MAX_UNITS)
            if self.layers not in (None, len(self.units)) and len(self.units) > 1:
                raise ConflictError(
                    f"--layers {self.layers} with {len(self.units)} --units",
                    "give one width for all layers or one for each",
                )
        for flag, given, known in (
            ("--cell", self.cell, get_args(Cell)),
            ("--pooling", self.pooling, get_args(Pooling)),
        ):
            if given not in (None, *known):
                raise UsageError(f"{flag} is '{given}'", f"take one of {', '.join(known)}")
        asked = (self.cell, self.layers, self.units, self.bidirectional, self.pooling)
        if self.preset == "seed" and any(option is not None for option in asked):
            raise ConflictError(
                "--preset seed is one exact network",
                "leave --cell, --layers, --units, --bidirectional and --pooling out, or take "
                "another preset",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorsConfig:
    """What `vectors` is asked to do.

    Attributes:
        inputs: Files of texts.
        output: `.vec` or `.vec.gz` file to write.
        algorithm: `fasttext` also learns parts of words.
        dim: Numbers in a vector.
        window: Words to each side that count as context.
        epochs: Passes over the texts.
        min_count: Rarer words get no vector.
        words: File of more words, one a line, for fastText to make up vectors for.
        text_column: Column that holds the text.
        seed: Of the starting vectors and the sampling.
        overwrite: Replace an existing output.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Settings exclude each other.
    """

    inputs: tuple[Path, ...]
    output: Path
    algorithm: Algorithm = "word2vec"
    dim: int = 100
    window: int = 8
    epochs: int = 5
    min_count: int = 5
    words: Path | None = None
    text_column: str = "text"
    seed: int = 0
    overwrite: bool = False

    def __post_init__(self) -> None:
        if not self.inputs:
            raise UsageError("no input file", "name at least one file of texts")
        if not self.output.name.lower().endswith((".vec", ".vec.gz")):
            raise UsageError(f"{self.output} is no .vec or .vec.gz file", "name the output last")
        _require("--dim", self.dim, 1, 4096)
        _require("--window", self.window, 1, 100)
        _require("--epochs", self.epochs, 1, 1000)
        _require("--min-count", self.min_count, 1, 1_000_000)
        _require("--seed", self.seed, 0, 2**31 - 1)
        if self.words and self.algorithm != "fasttext":
            raise ConflictError(
                "--words needs parts of words, which word2vec does not learn",
                "add --algorithm fasttext",
            )
        if self.output.resolve() in {path.resolve() for path in self.inputs}:
            raise ConflictError(f"{self.output} is input and output", "write beside")


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneConfig:
    """What `tune` is asked to do.

    Attributes:
        train: The rows, and the recipe that the search starts from.
        study: Directory that keeps the trials, so that a later run goes on.
        trials: Trials in all, those of earlier runs counted.
        time_budget: Seconds after which no trial starts, and the one under way ends with its
            pass over the rows; None for no bound.

    Raises:
        UsageError: A setting is out of its range.
    """

    train: TrainConfig
    study: Path = Path("study")
    trials: int = 30
    time_budget: float | None = None

    def __post_init__(self) -> None:
        _require("--trials", self.trials, 1, 100_000)
        if self.time_budget is not None:
            _require("--time-budget", self.time_budget, 1, 10_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditConfig:
    """What `audit` is asked to do.

    Attributes:
        train: The rows, and how the models of its `folds` are trained.
        output: Parquet or CSV file to write, by its name.
        model: Bundle to ask instead of a cross-validation; it must not know the rows.
        texts: Write the texts too.
        overwrite: Replace an existing output.

    Raises:
        UsageError: A setting is out of its range.
    """

    train: TrainConfig
    output: Path = Path("label-errors.parquet")
    model: Path | None = None
    texts: bool = False
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.output.suffix not in (".parquet", ".csv"):
            raise UsageError(
                f"--output {self.output} is neither .parquet nor .csv", "give it such a name"
            )
        if not (self.model or self.train.folds):
            raise UsageError("--folds is 0", "give at least 2, or a --model")


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
    min_precision: float = 0.0
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
        _require("--min-precision", self.min_precision, 0.0, 0.999)
        BadRowLimit.parse(self.max_bad_rows)
        check_encoding(self.encoding)
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
            "min_precision", "input_format", "encoding", "null_text", "engine", "device",
            "precision", "quarantine_text",
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


def _require(flag: str, value: float, low: float, high: float) -> None:
    # Written so that NaN fails as well.
    if not low <= value <= high:
        raise UsageError(f"{flag} is {value}, outside {low} to {high}", f"give {flag} in range")
