"""Options about a model that several commands have."""

from __future__ import annotations

from pathlib import Path

from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError
from textbatch.model.choices import DeviceName, EngineName, Precision
from textbatch.options import Options, option, options


@options
class EngineOptions(Options):
    """What runs the network.

    Raises:
        ConflictError: Engine, device and precision exclude each other.
    """

    engine: EngineName = option("What runs the network.", default="auto")
    device: DeviceName = option("Where it runs.", default="auto")
    precision: Precision = option("int8 is faster, if the model allows it.", default="f32")
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
        if self.precision == "int8" and (self.engine == "tensorflow" or self.device == "gpu"):
            raise ConflictError(
                "--precision int8 runs on ONNX Runtime on the CPU only", "leave the others out"
            )
        if self.engine == "onnx" and self.device == "gpu":
            raise ConflictError(
                "--engine onnx runs on the CPU only", "use --engine tensorflow --device gpu"
            )


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
class _TextColumn(Options):
    text_column: str | None = option(
        "Column that holds the text.", first=True, default=None, unset="the model's"
    )


@options
class ModelOptions(NamedModel, _TextColumn):
    """A model, what runs it, and the column that it reads."""
