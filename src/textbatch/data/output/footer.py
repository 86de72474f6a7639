"""What the footer of an output, or the record beside it, says about the run that wrote it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from textbatch.data.json_text import json_text
from textbatch.data.output.answer_counts import AnswerCounts, ModelName, prefix_of
from textbatch.data.output.any_output import entries_of
from textbatch.data.output.records import RowCounts, RowTotals, check_sums
from textbatch.data.readers.identity import InputMark
from textbatch.data.storage.location import Location
from textbatch.data.strict_json import Count, RunId, Sha256, Version, as_record, parse_json, to_json
from textbatch.errors import DataError

_PREFIX = "textbatch."
_KEY = "textbatch.key"
_MODELS = "textbatch.models"
_PREFIXED = "textbatch.prefix"
_SIGNS = "textbatch.signs"
_PRIORS = "textbatch.priors"
_SEVERAL = "textbatch.multi_label"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFooter(RowCounts):
    """The entries of textbatch in a footer.

    Attributes:
        version: Version of textbatch.
        run_id: Id of the run that wrote the file.
        key: Key of the job.
        fingerprint: Fingerprint of the bundle; of several models a hash of all of theirs.
        label_names: Labels of the bundle, in order; of several models none.
        precision: Precision of the network: `f32` or `int8`.
        prefix: Prefix of the names of the added columns; of several models what comes before the
            name of each.
        input_tag: See `InputMark.tag`.
        input_content: See `InputMark.content`.
        options: The options that decided the output and are not the default, by name.
        seal: The sha256 of the file itself; None before it is written.
    """

    version: Version
    run_id: RunId
    key: Sha256
    fingerprint: Sha256
    label_names: tuple[str, ...]
    precision: str
    prefix: str
    input_tag: str
    input_content: str
    options: dict[str, str] = field(default_factory=dict)
    seal: Sha256 | None = None

    def __post_init__(self) -> None:
        check_sums(self)
        if list(self.labels) != list(self.label_names):
            raise ValueError("the labels are others than those that are counted")

    @property
    def answers(self) -> dict[str, tuple[str, RowTotals | AnswerCounts]]:
        """The prefix of each model's columns, and its counts, by its name; empty for one alone."""
        if not self.models:
            return {"": (self.prefix, self)}
        return {name: (f"{self.prefix}{prefix_of(name)}", one) for name, one in self.models.items()}

    @property
    def input(self) -> InputMark:
        """The mark of the input."""
        return InputMark(tag=self.input_tag, content=self.input_content)

    def to_entries(self) -> dict[str, str]:
        """The entries for Parquet. The seal is added later."""
        mean = self.mean_confidence
        told = {name: _told(one) for name, one in self.models.items()}
        of_models = {_MODELS: json_text(told)} if told else {}
        if self.signs is not None:
            of_models[_SIGNS] = json_text(to_json(self.signs))
        if self.priors is not None:
            of_models[_PRIORS] = json_text(to_json(self.priors))
        if self.multi_label:
            of_models[_SEVERAL] = "true"
        return {
            "textbatch.version": self.version,
            "textbatch.run_id": self.run_id,
            _KEY: self.key,
            "textbatch.fingerprint": self.fingerprint,
            "textbatch.labels": json_text(self.label_names),
            "textbatch.precision": self.precision,
            "textbatch.rows_in": str(self.rows_in),
            "textbatch.rows": str(self.rows_out),
            "textbatch.statuses": json_text(self.statuses),
            "textbatch.label_counts": json_text(self.labels),
            "textbatch.mean_confidence": "" if mean is None else repr(mean),
            "textbatch.confidence_histogram": json_text(self.confidence_histogram),
            _PREFIXED: self.prefix,
            "textbatch.input_tag": self.input_tag,
            "textbatch.input_content": self.input_content,
            "textbatch.options": json_text(self.options, ascii_only=True),
            **of_models,
        }

    @classmethod
    def of_entries(cls, entries: Mapping[str, str]) -> OutputFooter:
        """Read the entries.

        Raises:
            ValueError: An entry is missing or malformed, or the counts do not add up.
        """
        own: dict[str, object] = {
            name.removeprefix(_PREFIX): text
            for name, text in entries.items()
            if name.startswith(_PREFIX)
        }

        def json_of(name: str) -> object:
            return parse_json(str(own.get(name, "")))

        rows = json_of("rows_in"), json_of("rows")
        rows_in, rows_out = as_record(tuple[Count, Count], rows)
        values = {
            "rows_in": rows_in,
            "rows_out": rows_out,
            "rows_quarantined": rows_in - rows_out,
            "statuses": json_of("statuses"),
            "labels": json_of("label_counts"),
            "label_names": json_of("labels"),
            # An older textbatch did not write them.
            "options": json_of("options") if "options" in own else {},
            "mean_confidence": json_of("mean_confidence")
            if own.get("mean_confidence") != ""
            else None,
            "confidence_histogram": json_of("confidence_histogram"),
            "models": json_of("models") if _MODELS in entries else {},
            "signs": json_of("signs") if _SIGNS in entries else None,
            "priors": json_of("priors") if _PRIORS in entries else None,
            "multi_label": json_of("multi_label") if _SEVERAL in entries else False,
        }
        return as_record(cls, own | values)


def key_of(path: Location) -> str | None:
    """The key of the job that wrote an output; None if textbatch did not write it.

    Raises:
        StorageError: The file cannot be read.
    """
    return entries_of(path).get(_KEY)


def find_footer(path: Location) -> OutputFooter | None:
    """Read the footer or the record of an output; None if textbatch did not write it.

    Raises:
        DataError: The footer was altered.
        StorageError: The file cannot be read.
    """
    entries = entries_of(path)
    if _KEY not in entries:
        return None
    try:
        return OutputFooter.of_entries(entries)
    except ValueError as error:
        raise _changed(path) from error


def prefixes_in(path: Location) -> dict[str, str]:
    """What the names of the added columns of an output begin with, for each model by its name.

    A model alone has no name here. It is empty if textbatch did not write the output.

    Raises:
        DataError: The footer was altered.
        StorageError: The file cannot be read.
    """
    entries = entries_of(path)
    if _PREFIXED not in entries:
        return {}
    prefix = entries[_PREFIXED]
    if _MODELS not in entries:
        return {"": prefix}
    try:
        models = as_record(dict[ModelName, AnswerCounts], parse_json(entries[_MODELS]))
    except ValueError as error:
        raise _changed(path) from error
    return {name: f"{prefix}{prefix_of(name)}" for name in models}


def _told(one: AnswerCounts) -> dict[str, Any]:
    told = to_json(one).items()
    return {name: value for name, value in told if name != "priors" or value is not None}


def _changed(path: Location) -> DataError:
    return DataError(
        f"the footer of {os.fspath(path)} has changed since it was written", "score it again"
    )
