"""What a bundle or an output holds, without running anything."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.choices import CHUNK_ROWS
from textbatch.data.output.any_folder import Folder, folder_at
from textbatch.data.output.any_output import recorded_format
from textbatch.data.output.footer import OutputFooter, find_footer
from textbatch.data.output.read_back import rows_back
from textbatch.data.output.seal_record import recorded_columns
from textbatch.data.readers.parquet import ParquetSource
from textbatch.data.storage.file_io import exists, is_folder, new_input
from textbatch.data.storage.location import Location
from textbatch.data.strict_json import parse_json
from textbatch.errors import DataError, InputNotFoundError, storage_errors
from textbatch.model.bundle.fetch import load_model
from textbatch.model.bundle.releases import Releases, find_releases, place_of
from textbatch.report.inspection import (
    BundleInspection,
    Inspection,
    OutputInspection,
    ReleasesInspection,
    VersionInspection,
)
from textbatch.types import Status

#: The rows of a model by status, and by label.
Counted: TypeAlias = tuple[dict[str, int], dict[str, int]]
_REMEDY = "name a model or an output"
_CHANGED = "restore it, or score the input again"


def inspect_path(path: Location) -> Inspection:
    """Describe a bundle, a folder of releases, or an output.

    Args:
        path: A bundle's directory, a folder that `promote` wrote, or a file or a folder that
            `score` wrote, on this machine or in an object store.

    Returns:
        The description.

    Raises:
        InputNotFoundError: There is nothing at the path.
        BundleError: The bundle is damaged.
        DataError: The file is damaged or was not written by textbatch.
        TryAgainError: The store does not answer.
    """
    if releases := find_releases(path):
        return _inspect_releases(path, releases)
    if is_folder(path):
        folder = folder_at(path)
        is_output = folder.has_manifest() or folder.success() is not None
        return _inspect_folder(folder) if is_output else _inspect_bundle(path)
    if not exists(path):
        raise InputNotFoundError(f"there is nothing at {path}", "check the path")
    return _inspect_output(path)


def _inspect_bundle(path: Location) -> BundleInspection:
    bundle = load_model(path, several=True)
    manifest = bundle.manifest
    assert manifest is not None, "a loaded bundle has one"
    return BundleInspection(
        path=os.fspath(path),
        fingerprint=bundle.fingerprint,
        created=manifest.created,
        textbatch=manifest.textbatch,
        versions=manifest.versions,
        settings=bundle.settings,
        architecture=bundle.classifier.architecture,
        network=bundle.classifier.architecture.summary(),
        on_long=bundle.classifier.tokenizer.part,
        labels=bundle.labels,
        calibration=bundle.calibration,
        profile=bundle.profile,
        multi_label=bundle.classifier.multi_label,
        int8=bundle.int8,
        early_exit=bundle.early_exit,
        # A thousand hashes tell nobody anything.
        metrics={name: one for name, one in bundle.metrics.items() if name != "training_texts"},
        files=manifest.files,
    )


def _inspect_releases(path: Location, releases: Releases) -> ReleasesInspection:
    versions = tuple(
        VersionInspection(
            name=one.name,
            current=one.name == releases.current,
            fingerprint=one.fingerprint,
            promoted=one.promoted,
            withdrawn=one.withdrawn or None,
        )
        for one in releases.versions
    )
    return ReleasesInspection(
        path=os.fspath(path),
        current=releases.current,
        versions=versions,
        model=_inspect_bundle(place_of(path, releases.current)),
    )


def _inspect_folder(folder: Folder) -> OutputInspection:
    success = folder.success()
    if success is None:
        raise DataError(
            f"{folder.path} has no _SUCCESS: its job has not finished", "run the job again"
        )
    first = next((record.part for record in folder.records()), None)
    if first and not folder.has(first):
        raise DataError(f"{folder.path} has lost its part {first}", "score the input again")
    schema = ParquetSource(new_input(folder.path / first)).schema if first else ()
    return OutputInspection(
        path=os.fspath(folder.path),
        parts=success.parts,
        rows=success.rows_out,
        run_id=success.run_id,
        textbatch=success.textbatch,
        fingerprint=success.fingerprint,
        columns={field.name: str(field.type) for field in schema},
        statuses=success.statuses,
        labels=success.labels,
        models=success.models,
        bad_files=len(success.bad_files),
    )


def _inspect_output(path: Location) -> OutputInspection:
    if recorded_format(path):
        columns = recorded_columns(path)
    else:
        with storage_errors(path, "cannot read"), new_input(path).open() as file:
            if file.read(4) != b"PAR1":
                raise DataError(f"{path} is neither a model nor an output", _REMEDY)
        columns = {one.name: str(one.type) for one in ParquetSource(new_input(path)).schema}
    footer = find_footer(path)
    if footer is None:
        raise DataError(f"{path} was not written by textbatch", _REMEDY)
    counted = count_answers(path, footer)
    statuses, labels = counted.get("", ({}, {}))
    return OutputInspection(
        path=os.fspath(path),
        rows=sum(next(iter(counted.values()))[0].values()),
        run_id=footer.run_id,
        textbatch=footer.version,
        fingerprint=footer.fingerprint,
        columns=columns,
        statuses=statuses,
        labels=labels,
        models={
            name: replace(one, statuses=counted[name][0], labels=counted[name][1])
            for name, one in footer.models.items()
        },
    )


def answer_columns(source: ParquetSource, footer: OutputFooter) -> list[str]:
    """The names of the columns with labels and statuses in an output, two for each model.

    Args:
        source: The output.
        footer: Its footer.

    Raises:
        DataError: They are missing or hold something else.
    """
    names = _names_of(footer)
    kinds = {field.name: field.type for field in source.schema}
    if footer.multi_label and pa.types.is_list(kinds.get(names[0], pa.null())):
        kinds[names[0]] = kinds[names[0]].value_type
    for name in names:
        kind = kinds.get(name, pa.null())
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if kind not in (pa.string(), pa.large_string()):
            raise DataError(f"{source.file} was not written by textbatch, or has changed", _REMEDY)
    return names


def _names_of(footer: OutputFooter) -> list[str]:
    prefixes = [prefix for prefix, _ in footer.answers.values()]
    label = "predicted_labels" if footer.multi_label else "predicted_label"
    return [f"{prefix}{name}" for prefix in prefixes for name in (label, "status")]


def count_answers(
    path: Location,
    footer: OutputFooter,
    *,
    whole: bool = False,
    on_rows: Callable[[int], None] = lambda _: None,
) -> dict[str, Counted]:
    """Count the rows of an output by status and by label.

    Args:
        path: The output.
        footer: What it says about itself.
        whole: Whether to read all columns of Parquet, not only these.
        on_rows: Called with the number of rows that were read since the last call.

    Returns:
        For each model, by its name, the rows by status, without those that no row has, and the
        rows by label.

    Raises:
        DataError: It is damaged.
    """
    counted: dict[str, Counted] = {
        name: (dict.fromkeys(Status.names(), 0), dict.fromkeys(one.labels, 0))
        for name, (_, one) in footer.answers.items()
    }
    # In the order of `answer_columns`.
    tables = [into for statuses, labels in counted.values() for into in (labels, statuses)]
    if form := recorded_format(path):
        names = _names_of(footer)
        for number, row in enumerate(rows_back(new_input(path), form), 1):
            for name, into in zip(names, tables, strict=True):
                for value in _values_in(row.get(name), footer, path):
                    into[value] = into.get(value, 0) + 1
            if number % CHUNK_ROWS == 0:
                on_rows(CHUNK_ROWS)
    else:
        source = ParquetSource(new_input(path))
        answers = answer_columns(source, footer)
        for batch in source.batches(source.schema.names if whole else answers, CHUNK_ROWS):
            for name, into in zip(answers, tables, strict=True):
                column = batch.column(name)
                count_values(column.flatten() if pa.types.is_list(column.type) else column, into)
            on_rows(len(batch))
    return {
        name: ({status: count for status, count in statuses.items() if count}, labels)
        for name, (statuses, labels) in counted.items()
    }


def _values_in(cell: object, footer: OutputFooter, path: Location) -> list[str]:
    """What a cell of an output in text holds: a label, a status, or the list of its labels."""
    found: object = cell or []
    if footer.multi_label and isinstance(found, str) and found.startswith("["):
        with suppress(ValueError):  # CSV holds lists as JSON
            found = parse_json(found)
    values = found if footer.multi_label and isinstance(found, list) else [found] if cell else []
    texts = [one for one in values if isinstance(one, str)]
    if len(texts) < len(values):
        raise DataError(f"{path} has changed since it was written", _CHANGED)
    return texts


def count_values(column: Any, into: dict[str, int]) -> None:  # noqa: ANN401 - any Arrow array
    """Count how often each value occurs in a column, and add the counts to those in `into`.

    Args:
        column: The column. Nulls are not counted.
        into: The counts, which are changed. A new value gets a new entry.
    """
    for entry in pc.value_counts(column.drop_null()).to_pylist():
        into[entry["values"]] = into.get(entry["values"], 0) + entry["counts"]
