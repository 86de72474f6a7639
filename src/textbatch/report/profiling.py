"""The report of `profile`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from textbatch.errors import QualityGateError
from textbatch.model.quality.drift import Drift
from textbatch.report.drift import measures_told
from textbatch.report.files import SCHEMA_VERSION
from textbatch.report.inline import Row, inline

#: Which quantiles of the lengths are told.
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSide:
    """What the texts of a file or a folder are like.

    Attributes:
        path: Where it is.
        rows: Its rows.
        texts: Rows with a text.
        blank: Rows whose text is empty or has only blanks.
        null: Rows without a text.
        bad_utf8: Rows whose text is not UTF-8.
        distinct: Distinct texts.
        distinct_exact: Whether these were counted; else they are estimated from hashes, and off
            by 0.4 % (one standard deviation).
        mean_length: Characters of a text, on average; None without texts.
        lengths: Quantiles of the characters of a text, by their share; exact up to 65,536.
        longest: Characters of the longest text.
        characters: Share of the characters of all texts by kind.
        scripts: Texts by the script of most of their letters.
        length_histogram: Texts by their length, in two bins for each doubling.
        unknown_share: Share of the tokens that the model does not know; None without a model.
        labels: Answered rows by label; None if it is no output.
        confidence_histogram: Answered rows by confidence, in equal bins; None if it is no output.
    """

    path: str
    rows: int
    texts: int
    blank: int
    null: int
    bad_utf8: int
    distinct: int
    distinct_exact: bool
    mean_length: float | None
    lengths: Mapping[str, int | None]
    longest: int
    characters: Mapping[str, float]
    scripts: Mapping[str, int]
    length_histogram: tuple[int, ...]
    unknown_share: float | None = None
    labels: Mapping[str, int] | None = None
    confidence_histogram: tuple[int, ...] | None = None

    def facts(self) -> dict[str, str]:
        """The main numbers by name, as text."""
        told = {
            "rows": f"{self.rows:,}",
            "with a text": _part(self.texts, self.rows),
            "blank": _part(self.blank, self.rows),
            "null": _part(self.null, self.rows),
            "not UTF-8": _part(self.bad_utf8, self.rows),
            "distinct texts": f"{'' if self.distinct_exact else 'about '}{self.distinct:,}",
        }
        if self.mean_length is not None:
            told["characters of a text"] = f"{self.mean_length:,.1f} on average"
            told |= {
                f"  {share} have at most": f"{length:,}"
                for share, length in self.lengths.items()
                if length is not None
            }
            told["  the longest has"] = f"{self.longest:,}"
        texts = sum(self.scripts.values())
        told |= {
            f"texts in {name}" if name[0].isupper() else f"texts: {name}": _part(count, texts)
            for name, count in sorted(self.scripts.items(), key=lambda one: -one[1])
        }
        told |= {
            f"characters: {name}": f"{share:.1%}"
            for name, share in sorted(self.characters.items(), key=lambda one: -one[1])
        }
        if self.unknown_share is not None:
            told["unknown tokens"] = f"{self.unknown_share:.1%}"
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileReport:
    """What the texts of a file are like, or of two files, and how the second differs.

    Attributes:
        inputs: Where the files are.
        sides: What each holds.
        drift: How the rows of the second differ from those of the first; None of one alone.
        failed: Whether `--fail-on-drift` makes an error of that.
        warnings: What the user should look at.
    """

    inputs: tuple[str, ...]
    sides: tuple[ProfileSide, ...]
    drift: Drift | None = None
    failed: bool = False
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values, with its state."""
        told = {"schema_version": SCHEMA_VERSION, **asdict(self), "state": "done"}
        if self.failed:
            error = self.refusal()
            told |= {"state": "failed", "error": str(error), "exit_code": error.exit_code}
        return told

    def refusal(self) -> QualityGateError:
        """The error where the second file has drifted."""
        assert self.drift, "two files were compared"
        return QualityGateError(
            f"the rows of {self.inputs[1]} are unlike those of {self.inputs[0]}: "
            f"{measures_told(self.drift)}",
            "look at them, or leave out --fail-on-drift",
        )

    def facts(self) -> tuple[Row, list[Row]]:
        """The heads and the rows of a table of the main numbers."""
        each = [one.facts() for one in self.sides]
        names = dict.fromkeys(name for one in each for name in one)
        rows: list[Row] = [(name, *(one.get(name, "–") for one in each)) for name in names]
        short = [place.rstrip("/").rpartition("/")[2] for place in self.inputs]
        return ("", *(short if len(set(short)) == len(short) else self.inputs)), rows

    def _repr_html_(self) -> str:
        """The numbers for a notebook."""
        heads, rows = self.facts()
        return inline("Texts", {}, (heads, rows), notes=self.warnings)


def _part(count: int, of: int) -> str:
    return f"{count:,} ({count / of:.1%})" if of and count < of else f"{count:,}"
