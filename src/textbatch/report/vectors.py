"""The report of `vectors`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from textbatch.report.files import SCHEMA_VERSION
from textbatch.report.inline import inline


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorsReport:
    """What a run of `vectors` did.

    Attributes:
        output: The file that was written.
        texts: Texts with at least one word.
        tokens: Words in these texts, each occurrence counted.
        words: Words that got a vector.
        dim: Numbers in a vector.
        undecodable: Texts left out because they are not valid UTF-8.
        tokens_per_second: Words per second in training, counted anew in each epoch.
        seconds: Wall time of the whole run.
        unreadable: Rows left out because they have a wrong number of cells.
    """

    output: str
    texts: int
    tokens: int
    words: int
    dim: int
    undecodable: int
    tokens_per_second: float
    seconds: float
    unreadable: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "state": "done"}

    def _repr_html_(self) -> str:
        """The report for a notebook."""
        facts = {
            "output": self.output,
            "texts": f"{self.texts:,}",
            "words": f"{self.words:,} with a vector, of {self.tokens:,} in the texts",
            "dimensions": f"{self.dim:,}",
            "seconds": f"{self.seconds:,.1f}",
        }
        if self.undecodable:
            facts["left out, not UTF-8"] = f"{self.undecodable:,}"
        if self.unreadable:
            facts["left out, wrong number of cells"] = f"{self.unreadable:,}"
        return inline("Word vectors", facts)
