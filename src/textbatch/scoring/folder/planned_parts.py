"""The plan of a job as a file, and the parts that are there already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

from textbatch import __version__
from textbatch.data.output.any_folder import Folder
from textbatch.data.output.any_output import check_any_seal
from textbatch.data.output.footer import find_footer
from textbatch.data.output.records import InputRecord, PartRecord
from textbatch.data.output.shard_plan import (
    PlanHead,
    PlannedFile,
    PlannedPart,
    hash_of,
    lines_of,
)
from textbatch.data.readers.listing import ListedFile
from textbatch.data.readers.shard_file import ShardFile
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.location import location_of
from textbatch.data.strict_json import to_json
from textbatch.errors import DataError, InputNotFoundError
from textbatch.model.quality.reference import Reference
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.folder.job import FolderJob


def plan_of(
    job: FolderJob, config: ScoreConfig, compared_with: Sequence[Reference | None]
) -> tuple[PlanHead, bytes]:
    """The plan of a job: its first line, and the lines of its parts.

    Args:
        job: The job, with all shards in its listing.
        config: The options as they were given.
        compared_with: For each model what its rows are compared with.
    """
    on_drift: Literal["report", "warn", "fail"] = "warn" if config.warn_on_drift else "report"
    lines = lines_of(planned_part(file, job.part_id) for file in job.listing.files)
    head = PlanHead(
        textbatch=__version__,
        job=job.key,
        fingerprint=job.fingerprint,
        inputs=job.inputs,
        parts=len(job.listing.files),
        lines=hash_of(lines),
        input=" ".join(map(os.fspath, config.inputs)),
        model=str(config.model),
        max_bad_rows=str(config.max_bad_rows),
        min_rows=config.min_rows,
        compared_with=tuple(None if one is None else dict(to_json(one)) for one in compared_with),
        on_drift="fail" if config.fail_on_drift else on_drift,
    )
    return head, lines


def planned_part(file: ListedFile, job_id: str) -> PlannedPart:
    """What the output has to have of an input.

    Args:
        file: A file or a shard.
        job_id: The id in footers of parts that have none of their own.
    """
    shard = file.file if isinstance(file.file, ShardFile) else None
    pieces = shard.pieces if shard else ()
    files = [(piece.location, piece.found) for piece in pieces] or [(file.path, file.found)]
    return PlannedPart(
        part=file.part,
        id=file.part_id or job_id,
        state=file.state,
        name=file.name,
        size=file.size,
        version=file.version,
        rows=shard.rows if shard else None,
        whole=shard is None,
        files=tuple(
            PlannedFile(place=os.fspath(place), size=found.size, version=found.version)
            for place, found in files
        ),
    )


def finished_part(
    folder: Folder, planned: PlannedPart, *, job: str, fingerprint: str
) -> PartRecord | None:
    """Read what a part says of itself, where it is there as planned.

    Args:
        folder: The output.
        planned: What has to be there.
        job: Key of the job.
        fingerprint: Fingerprint of the bundle.

    Returns:
        Its record; None if it is not there, is not sealed, or is of another job, model or input.

    Raises:
        StorageError: It cannot be read.
    """
    if not folder.has(planned.part):
        return None
    place = folder.path / planned.part
    try:
        # The seal comes first, so that a damaged file is never parsed.
        seal = check_any_seal(place)
        footer = find_footer(place)
    except (DataError, InputNotFoundError):
        return None
    if footer is None or (footer.seal, footer.run_id) != (seal, planned.id):
        return None
    if (footer.fingerprint, footer.version) != (fingerprint, __version__):
        return None
    if planned.rows not in (None, footer.rows_in):
        return None
    if planned.whole:
        file = new_input(location_of(planned.files[0].place))
        try:
            if not footer.input.fits(file, file.look()):
                return None
        except InputNotFoundError:
            return None
    counts = footer.counts()
    return PartRecord(
        part=planned.part,
        state=planned.state,
        input=InputRecord(
            name=planned.name, size=planned.size, version=planned.version, mark=footer.input
        ),
        job=job,
        fingerprint=fingerprint,
        run_id=planned.id,
        rows_in=counts.rows_in,
        rows_out=counts.rows_out,
        rows_quarantined=counts.rows_quarantined,
        rows_resumed=counts.rows_in,
        statuses=counts.statuses,
        labels=counts.labels,
        mean_confidence=counts.mean_confidence,
        confidence_histogram=counts.confidence_histogram,
        models=counts.models,
        signs=counts.signs,
        multi_label=counts.multi_label,
        seal=seal,
    )
