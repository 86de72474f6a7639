"""Options about a model that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError
from textbatch.model.choices import DeviceName, EngineName, Precision, PrecisionName
from textbatch.model.named_models import (
    ModelPlace,
    NamedModels,
    models_of,
    places_of_models,
)
from textbatch.options import Options, option, options
from textbatch.text.choices import OnLong


@options
class EngineOptions(Options):
    """What runs the network.

    Raises:
        ConflictError: Engine, device and precision exclude each other.
    """

    engine: EngineName = option("What runs the network.", default="auto")
    device: DeviceName = option("Where it runs.", default="auto")
    precision: PrecisionName = option(
        "int8 is faster, if the model allows it; fast is int8 with --early-exit.", default="f32"
    )
    early_exit: bool = option(
        "The linear model answers alone where the network would not change the label.",
        default=False,
    )
    on_long: OnLong = option(
        "Of texts longer than the model reads: the part to use, or windows over all of it.",
        default="auto",
    )
    threads: int | None = option(
        "CPU threads to use.",
        default=None,
        low=1,
        high=1024,
        unset="what this process may use",
        decides=False,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.precision != "f32" and (self.engine == "tensorflow" or self.device == "gpu"):
            raise ConflictError(
                f"--precision {self.precision} runs on ONNX Runtime on the CPU only",
                "leave the others out",
            )
        if self.engine == "onnx" and self.device == "gpu":
            raise ConflictError(
                "--engine onnx runs on the CPU only", "use --engine tensorflow --device gpu"
            )

    def opening(self) -> OpeningOptions:
        """How `open_bundle` opens a model with these options."""
        return {
            "name": self.engine,
            "device": self.device,
            "threads": self.threads,
            "precision": "f32" if self.precision == "f32" else "int8",
            "early_exit": self.early_exit or self.precision == "fast",
            "on_long": self.on_long,
        }


class OpeningOptions(TypedDict):
    """Parameters of `open_bundle`."""

    name: EngineName
    device: DeviceName
    threads: int | None
    precision: Precision
    early_exit: bool
    on_long: OnLong


@options
class NamedModel(EngineOptions):
    """A model, and what runs it."""

    # Its fingerprint tells it from another one.
    model: Location = option(
        "Model directory.",
        first=True,
        default=Path("model"),
        flags=("--model", "-m"),
        variable="TEXTBATCH_MODEL",
        of=location_of,
        decides=False,
        use="read",
    )


@options
class TextColumnOption(Options):
    """The column that a model reads."""

    text_column: str | None = option(
        "Column that holds the text.", first=True, default=None, unset="the model's"
    )


@options
class ModelOptions(NamedModel, TextColumnOption):
    """A model, what runs it, and the column that it reads."""


@options
class ModelsOptions(EngineOptions, TextColumnOption):
    """A model or several, what runs them, and the column that they read."""

    # Their fingerprints, and the names of several, tell them from others.
    model: Location | NamedModels = option(
        "Model directory; several as NAME=DIR, their columns begin with NAME_.",
        first=True,
        default=Path("model"),
        flags=("--model", "-m"),
        variable="TEXTBATCH_MODEL",
        of=models_of,
        repeats=True,
        reads=places_of_models,
        decides=False,
        use="read",
    )

    @property
    def models(self) -> tuple[ModelPlace, ...]:
        """All models; the only one may have no name."""
        if isinstance(self.model, NamedModels):
            return self.model.each
        return (ModelPlace("", self.model),)
