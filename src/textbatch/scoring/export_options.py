"""The options of `export`."""

from __future__ import annotations

from pathlib import Path

from textbatch.data.options import ReplaceOptions
from textbatch.data.storage.location import Location, location_of
from textbatch.errors import UsageError
from textbatch.model.choices import ExportFormat
from textbatch.options import option, options
from textbatch.report.options import ReportOptions

#: Formats of one file, by the end of its name.
_SUFFIXES: dict[str, ExportFormat] = {".onnx": "onnx", ".keras": "keras"}


@options
class ExportConfig(ReplaceOptions, ReportOptions):
    """The options of `export`.

    Raises:
        UsageError: The form of the output is neither given nor told by its name.
    """

    model: Location = option("Model directory.", argument=True, of=location_of, use="read")
    output: Path = option("File or directory to write.", argument=True, use="written")
    format: ExportFormat | None = option(
        "Form of the output.", first=True, default=None, unset="what the name of the output tells"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.format is None and self.output.suffix.lower() not in _SUFFIXES:
            raise UsageError(
                f"{self.output} does not tell the form of the output by its name",
                "give --format",
            )

    @property
    def form(self) -> ExportFormat:
        """The form of the output."""
        return self.format or _SUFFIXES[self.output.suffix.lower()]
