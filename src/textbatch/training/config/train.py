"""The options of `train`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from textbatch.data.options import ReplaceOptions
from textbatch.data.storage.location import Location, local, location_of, resolved
from textbatch.errors import ConflictError, UsageError, require
from textbatch.model.choices import MAX_LAYERS, MAX_UNITS, Cell, Pooling
from textbatch.model.vectors.named import SOURCES, file_or_name, files_of
from textbatch.options import option, options
from textbatch.report.options import ReportOptions
from textbatch.text.choices import OnLong
from textbatch.training.config.groups import (
    HeldOutOptions,
    JobOptions,
    RecipeOptions,
)
from textbatch.training.config.multi import MultiOptions
from textbatch.training.config.update import UpdateOptions

BlendMode = Literal["auto", "off"]
#: Methods to augment training texts, in the order in which reports list them.
AUGMENT_METHODS = ("templates", "synonyms", "neighbours", "swap", "delete", "typos")


def checkpoint_of(model: Path) -> Path:
    """The folder of an unfinished training of a model."""
    # Here, not at the top: `--help` must be quick.
    from textbatch.data.storage.names import hidden_beside

    return hidden_beside(local(resolved(model)), ".training")


def out_of_fold_of(model: Path) -> Path:
    """The file for the answers of the folds, if no other is named."""
    place = local(resolved(model))
    return place.parent / f"{place.name}.out-of-fold.parquet"


@options
class TrainConfig(
    MultiOptions,
    UpdateOptions,
    HeldOutOptions,
    RecipeOptions,
    JobOptions,
    ReplaceOptions,
    ReportOptions,
):
    """The options of `train`.

    An option decides if the weights depend on it. `--resume` continues only a checkpoint with the
    same deciding options.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Two settings exclude each other, or one needs another.
    """

    model: Path = option(
        "Directory to write.",
        first=True,
        default=Path("model"),
        flags=("--model", "-m"),
        decides=False,
        use="written",
        writes=lambda model: (model, checkpoint_of(model), out_of_fold_of(model)),
    )
    vectors: tuple[Path, ...] = option(
        "Pretrained word vectors: a word2vec, GloVe or fastText file, or one of "
        + ", ".join(SOURCES)
        + ".",
        default=(),
        of=file_or_name,
        use="read",
        reads=files_of,
    )
    installed_vectors: bool = option(
        "Let the linear model learn from the word vectors of the package wordllama, if it is "
        "installed and held-out rows gain. Not beside --vectors.",
        default=True,
        decides=False,
    )
    unlabelled: tuple[Location, ...] = option(
        "Texts to train word vectors on too; .txt files have one on each line.",
        default=(),
        of=location_of,
        use="read",
    )
    keep_vectors: int = option(
        "Words to keep that have a vector, but are not in the training texts.",
        default=20_000,
        low=0,
        high=1_000_000,
    )
    cell: Cell | None = option("Cell of the recurrent layers.", default=None, unset="the preset's")
    layers: int | None = option(
        "Number of recurrent layers.", default=None, low=1, high=MAX_LAYERS, unset="the preset's"
    )
    units: tuple[int, ...] | None = option(
        "Widths of the layers, or one width for all; in each direction.",
        default=None,
        commas=True,
        low=1,
        high=MAX_UNITS,
        unset="the preset's",
    )
    bidirectional: bool | None = option(
        "Read texts in both directions, or in one.", default=None, unset="the preset's"
    )
    pooling: Pooling | None = option(
        "What is taken of the last layer's states.", default=None, unset="the preset's"
    )
    on_long: OnLong = option(
        "Of texts longer than the model reads, the part that it uses, or windows over all of it; "
        "auto: the one that held-out rows gain by, else head.",
        default="auto",
        decides=False,
    )
    blend: BlendMode = option(
        "Add a linear model if held-out rows gain by it.", default="auto", decides=False
    )
    require_baseline: bool = option(
        "Fail if a simple model is better.", default=False, decides=False
    )
    report_texts: bool = option(
        "Quote the texts of the surest mistakes in the HTML report.", default=False, decides=False
    )
    refit: bool = option(
        "With --quick or --validation, fit again at the end, to training and validation rows.",
        default=False,
        decides=False,
    )
    self_train: bool = option(
        "Learn from the surest answers to --unlabelled, if this helps.",
        default=False,
        decides=False,
    )
    folds: int = option(
        "Folds of the cross-fitting, or of the cross-validation before a single split.",
        default=0,
        decides=False,
        unset="up to 5, as the time budget allows",
    )
    quick: bool = option(
        "Train once, on one split, instead of once for each fold and once on all rows.",
        default=False,
        decides=False,
    )
    time_budget: float = option(
        "Seconds that training may take on two cores: fewer folds where more would not fit.",
        default=600,
        low=1,
        high=10_000_000,
        decides=False,
    )
    out_of_fold: Path | None = option(
        "Parquet file for the answers of the folds.",
        default=None,
        unset="beside the model",
        decides=False,
        use="written",
    )
    resume: bool = option(
        "Say so if there is no interrupted run to go on from; without it, train goes on too.",
        default=False,
        decides=False,
    )
    augment: str = option(
        "none, auto (kept if validation improves), all, or, with commas between, some of "
        "templates, synonyms, neighbours, swap, delete, typos.",
        default="none",
    )
    template_file: Path | None = option(
        "TOML file with patterns that texts of the labels are made from.",
        default=None,
        use="read",
    )
    synonyms: Path | None = option(
        "File of synonyms: one group on each line, with commas between.",
        default=None,
        use="read",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_update()
        if self.folds:
            require("--folds", self.folds, 2, 100)
        elif (self.out_of_fold or self.jobs) and not self.cross_fits:
            flag = "--out-of-fold" if self.out_of_fold else "--jobs"
            raise ConflictError(f"{flag} needs folds", "add --folds 5")
        self._check_network()
        self.check_standard_input((*self.inputs, *self.beside_inputs()))
        if self.self_train and not self.unlabelled:
            raise ConflictError("--self-train without --unlabelled", "give both or neither")
        self._check_augmentation()

    def _check_update(self) -> None:
        """Refuse what the model of --update has decided already."""
        if self.update is None:
            return
        decided = {
            "--vectors": self.vectors,
            "--unlabelled": self.unlabelled and not self.self_train,
            "--folds": self.folds,
            "--cell": self.cell,
            "--layers": self.layers,
            "--units": self.units,
            "--bidirectional": self.bidirectional is not None,
            "--pooling": self.pooling,
        }
        for flag, given in decided.items():
            if given:
                raise ConflictError(
                    f"{flag} with --update: it goes on with the words and the network of its "
                    "model, on one split",
                    "leave one out",
                )

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

    def beside_inputs(self) -> tuple[Location | None, ...]:
        """What is read besides the labelled files, where it is given."""
        return (*super().beside_inputs(), self.old_rows, *self.unlabelled)

    @property
    def cross_fits(self) -> bool:
        """Whether every row is in a fold, if there is time for folds.

        Not where other rows validate, not where a network has to be chosen first: with which
        augmentation, or with which unlabelled texts; and not where one is there already.
        """
        chosen_first = self.self_train or self.augment == "auto"
        once = chosen_first or self.multi_label
        return not (self.quick or self.validation or once or self.update)

    @property
    def augment_methods(self) -> tuple[str, ...]:
        """The methods to use or to try: `all` and `auto` mean those whose files are given."""
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
        if self.units is not None:
            require("the number of --units", len(self.units), 1, MAX_LAYERS)
            if self.layers not in (None, len(self.units)) and len(self.units) > 1:
                raise ConflictError(
                    f"--layers {self.layers} with {len(self.units)} --units",
                    "give one width for all layers or one for each",
                )
        asked = (self.cell, self.layers, self.units, self.bidirectional, self.pooling)
        if self.preset == "seed" and any(option is not None for option in asked):
            raise ConflictError(
                "--preset seed is one exact network",
                "leave --cell, --layers, --units, --bidirectional and --pooling out, or take "
                "another preset",
            )
