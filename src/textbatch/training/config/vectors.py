"""The options of `vectors`."""

from __future__ import annotations

from pathlib import Path

from textbatch.data.options import BadRowOptions, ReplaceOptions
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError, UsageError
from textbatch.model.choices import Algorithm
from textbatch.options import option, options
from textbatch.training.config.groups import SeedOptions, TextOptions


@options
class VectorsConfig(TextOptions, SeedOptions, ReadOptions, BadRowOptions, ReplaceOptions):
    """The options of `vectors`.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Settings exclude each other.
    """

    inputs: tuple[Location, ...] = option(
        "Parquet, CSV or JSONL files, .txt with a text a line; folders; globs; - for stdin.",
        argument=True,
        of=location_of,
        use="read",
    )
    output: Path = option(".vec or .vec.gz file to write.", argument=True, use="written")
    algorithm: Algorithm = option(
        "fasttext also learns parts of words, in twice the time.", default="word2vec"
    )
    dim: int = option("Dimensions of a vector.", default=100, low=1, high=4096)
    window: int = option("Words on each side that count as context.", default=8, low=1, high=100)
    epochs: int = option(
        "Epochs: how often training goes through the texts.", default=5, low=1, high=1000
    )
    min_count: int = option("Rarer words get no vector.", default=5, low=1, high=1_000_000)
    words: Path | None = option(
        "A .txt file of more words, which fasttext makes vectors for.", default=None, use="read"
    )

    def __post_init__(self) -> None:
        if not self.inputs:
            raise UsageError("no input file", "name at least one file of texts")
        if not self.output.name.lower().endswith((".vec", ".vec.gz")):
            raise UsageError(f"{self.output} is no .vec or .vec.gz file", "name the output last")
        super().__post_init__()
        self.check_standard_input(self.inputs)
        if self.words and self.algorithm != "fasttext":
            raise ConflictError(
                "--words needs parts of words, which word2vec does not learn",
                "add --algorithm fasttext",
            )
