"""What `train` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from textbatch.data.choices import FailOrReplace
from textbatch.errors import ConflictError, UsageError, require
from textbatch.model.choices import MAX_LAYERS, MAX_UNITS, Cell, Pooling

BlendMode = Literal["auto", "off"]
Preset = Literal["default", "seed", "large"]
#: Ways to augment training texts, in the order in which they are told.
AUGMENT_METHODS = ("templates", "synonyms", "neighbours", "swap", "delete", "typos")


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
        if_exists: What to do with an existing bundle: fail, or replace it.
        report: JSON file for the run's report, written on failure too.
        cell: Of every recurrent layer; None for the preset's own.
        layers: How many recurrent layers; None for as many as `units`, or the preset's own.
        units: Width of each recurrent layer, or one for all; None for the preset's own.
        bidirectional: Whether they read both ways; None for what the preset does.
        pooling: What the states of the last one become; None for the preset's own.
        blend: `auto` adds a linear model to the network where the held-out rows gain by it.
        require_baseline: Fail where a simple model has a better accuracy on the test rows.
        report_texts: Let the bundle's `report.html` quote the texts of the surest mistakes.
        refit: Fit the network once more, to training and validation rows together.
        self_train: Let the network label some of the unlabelled texts, and learn from those that
            it is surest of, where the validation rows gain by it.
        settings: TOML or JSON file with settings of the recipe, as `tune` writes it.
        folds: Parts of a cross-validation before the model is trained; 0 for none.
        jobs: Folds trained at a time; None for as many as there are cores.
        out_of_fold: Parquet file for the answers of the cross-validation; None puts it beside
            the model.
        resume: Go on from the last checkpoint of an interrupted run; not with `augment` "auto".
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
    if_exists: FailOrReplace = "fail"
    report: Path | None = None
    cell: Cell | None = None
    layers: int | None = None
    units: tuple[int, ...] | None = None
    bidirectional: bool | None = None
    pooling: Pooling | None = None
    blend: BlendMode = "auto"
    require_baseline: bool = False
    report_texts: bool = False
    refit: bool = False
    self_train: bool = False
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
        require("--keep-vectors", self.keep_vectors, 0, 1_000_000)
        if self.folds:
            require("--folds", self.folds, 2, 100)
        elif self.out_of_fold or self.jobs:
            raise ConflictError("--out-of-fold and --jobs need folds", "add --folds 5")
        if self.jobs is not None:
            require("--jobs", self.jobs, 1, 1024)
        require("--seed", self.seed, 0, 2**31 - 1)
        self._check_network()
        if self.text_column == self.label_column:
            raise ConflictError(
                f"text and label are both column '{self.text_column}'",
                "name two columns with --text-column and --label-column",
            )
        if self.self_train and not self.unlabelled:
            raise ConflictError("--self-train without --unlabelled", "give both or neither")
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
            require("--layers", self.layers, 1, MAX_LAYERS)
        if self.units is not None:
            require("the number of --units", len(self.units), 1, MAX_LAYERS)
            for units in self.units:
                require("--units", units, 1, MAX_UNITS)
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
