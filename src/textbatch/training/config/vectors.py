"""What `vectors` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textbatch.data.choices import FailOrReplace
from textbatch.errors import ConflictError, UsageError, require
from textbatch.model.choices import Algorithm


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
        if_exists: What to do with an existing output: fail, or replace it.

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
    if_exists: FailOrReplace = "fail"

    def __post_init__(self) -> None:
        if not self.inputs:
            raise UsageError("no input file", "name at least one file of texts")
        if not self.output.name.lower().endswith((".vec", ".vec.gz")):
            raise UsageError(f"{self.output} is no .vec or .vec.gz file", "name the output last")
        require("--dim", self.dim, 1, 4096)
        require("--window", self.window, 1, 100)
        require("--epochs", self.epochs, 1, 1000)
        require("--min-count", self.min_count, 1, 1_000_000)
        require("--seed", self.seed, 0, 2**31 - 1)
        if self.words and self.algorithm != "fasttext":
            raise ConflictError(
                "--words needs parts of words, which word2vec does not learn",
                "add --algorithm fasttext",
            )
        if self.output.resolve() in {path.resolve() for path in self.inputs}:
            raise ConflictError(f"{self.output} is input and output", "write beside")
