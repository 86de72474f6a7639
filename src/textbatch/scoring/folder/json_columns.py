"""One schema for all JSON Lines files of a job: a format whose types are only in its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from textbatch.data.output.records import PartRecord
from textbatch.data.readers.json_types import JsonTypes, plain, types_of_job
from textbatch.data.readers.jsonlines import JsonLinesSource
from textbatch.data.readers.parquet import ParquetSource
from textbatch.data.readers.partitions import partitions_of
from textbatch.data.readers.source import format_of, is_known_name, require_column
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.location import location_of
from textbatch.errors import DataError
from textbatch.scoring.bundles import columns_of
from textbatch.scoring.folder.job import FolderJob


def json_types(job: FolderJob, sources: Mapping[str, JsonLinesSource]) -> dict[str, JsonTypes]:
    """What each file is to be read as, so that all parts can be read together.

    A file that does not go with those before it is noted as bad.

    Args:
        job: The job.
        sources: The files to score, each by its part.

    Returns:
        The types by part.

    Raises:
        DataError: A column that is to be kept is in no file.
    """
    if not sources:
        return {}
    # Columns that are left out need not go together.
    wanted = job.config.columns
    files = [
        (source.file, _only(source.found.schema, wanted, job.text_column))
        for source in sources.values()
    ]
    listed = {str(sources[file.part].file): file for file in job.looked_at if file.part in sources}

    def refuse(name: object, error: DataError) -> None:
        file = listed[str(name)]
        job.bad.add(file, error, kept=job.keeps(file))

    whole = types_of_job(files, _types_there(job), refuse)
    for name in wanted or ():
        if name not in whole.names:
            require_column(next(iter(sources.values())), name, "--columns")
    return {
        part: replace(source.found, schema=whole)
        for part, source in sources.items()
        if part not in job.bad
    }


def _only(schema: pa.Schema, wanted: Sequence[str] | None, text_column: str) -> pa.Schema:
    if wanted is None:
        return schema
    return pa.schema([field for field in schema if field.name in (*wanted, text_column)])


def _types_there(job: FolderJob) -> pa.Schema | None:
    """The types of the columns in one part that is there, as in all of them; None without any."""
    todo = {file.part for file in job.todo}
    for record in job.records():
        if record.part not in todo and _is_json(job, record) and job.folder.has(record.part):
            return _passed_through(job, record.part)
    return None


def _is_json(job: FolderJob, record: PartRecord) -> bool:
    file = new_input(location_of(record.input.name))
    kind = job.config.input_format
    return kind == "jsonl" or (is_known_name(file) and format_of(file, kind) == "jsonl")


def _passed_through(job: FolderJob, part: str) -> pa.Schema:
    config = job.config
    added = columns_of([one.name for one in config.models], config)
    names = {field.name for field in added.fields()}
    if config.partition_columns:
        names |= dict(partitions_of(part)).keys()
    schema = ParquetSource(new_input(job.folder.path / part)).schema
    return plain(pa.schema([field for field in schema if field.name not in names]))
