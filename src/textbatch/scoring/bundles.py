"""The bundles of a run: one, or several with names."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from textbatch.data.json_text import json_text
from textbatch.data.output.answer_counts import prefix_of
from textbatch.data.output.columns import OutputColumns
from textbatch.data.readers.column_names import shown
from textbatch.errors import ConflictError
from textbatch.model.bundle.bundle import Bundle
from textbatch.scoring.config import AnswerOptions
from textbatch.scoring.label_sets import set_limit
from textbatch.text.choices import OnLong
from textbatch.text.tokenizer import Tokenizer
from textbatch.types import Float32Array


@dataclass(frozen=True, slots=True)
class Bundles:
    """The models of a run.

    Attributes:
        names: The name of each; an empty one where there is one model without a name.
        each: The bundles.
    """

    names: tuple[str, ...]
    each: tuple[Bundle, ...]

    @property
    def fingerprint(self) -> str:
        """The bundle's own; of several a sha256 of their names and fingerprints, in order.

        The name of a single model is left out: it only says what its columns are called.
        """
        if len(self.each) == 1:
            return self.each[0].fingerprint
        told = [[name, one.fingerprint] for name, one in zip(self.names, self.each, strict=True)]
        return hashlib.sha256(json_text(told, ascii_only=True).encode()).hexdigest()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of a single model; of several none."""
        return self.each[0].labels if len(self.each) == 1 else ()

    @property
    def own_text_column(self) -> str | None:
        """The column that the models read if nothing else is asked for; None if they differ."""
        columns = {one.settings.text_column for one in self.each}
        return columns.pop() if len(columns) == 1 else None

    def text_column(self, asked: str | None) -> str:
        """The column that all models read.

        Args:
            asked: What `--text-column` names; None takes the models' own.

        Raises:
            ConflictError: Their own differ.
        """
        found = asked or self.own_text_column
        if found is None:
            own = [
                f"{name} {shown(one.settings.text_column)}"
                for name, one in zip(self.names, self.each, strict=True)
            ]
            raise ConflictError(
                f"the models read different columns: {', '.join(own)}",
                "name one for all with --text-column, or score once for each column",
            )
        return found


def columns_of(
    names: Sequence[str],
    options: AnswerOptions,
    bundles: Bundles | None = None,
    thresholds: Sequence[Float32Array | None] = (),
    on_long: OnLong = "auto",
) -> OutputColumns:
    """The columns that are added for the models of a run.

    Args:
        names: The name of each model.
        options: What is asked for.
        bundles: The models; None where only the names of the columns matter.
        thresholds: For each model those of its labels.
        on_long: What becomes of long texts.
    """
    each = []
    for index, name in enumerate(names):
        tokenizer = bundles.each[index].classifier.tokenizer if bundles else None
        each.append(
            OutputColumns(
                labels=bundles.each[index].labels if bundles else (),
                prefix=options.prefix + prefix_of(name),
                probabilities=options.probabilities,
                top_k=options.top_k,
                min_confidence=options.min_confidence,
                thresholds=thresholds[index] if thresholds else None,
                set_limit=_set_limit(bundles.each[index] if bundles else None, options),
                novelty=options.novelty,
                max_novelty=options.max_novelty,
                explain=options.explain,
                several=_several(bundles.each[index]) if bundles else None,
                tokenizer=_reading(tokenizer, on_long) if tokenizer else None,
            )
        )
    first, *others = each
    return replace(first, others=tuple(others)) if others else first


def _reading(tokenizer: Tokenizer, on_long: OnLong) -> Tokenizer:
    return tokenizer if on_long == "auto" else replace(tokenizer, on_long=on_long)


def _several(bundle: Bundle) -> Float32Array | None:
    found = bundle.classifier.multi_label
    return found.thresholds if found else None


def _set_limit(bundle: Bundle | None, options: AnswerOptions) -> np.float32 | None:
    if bundle is None:
        return None if options.label_sets is None else np.float32(0)
    return set_limit(bundle, options)
