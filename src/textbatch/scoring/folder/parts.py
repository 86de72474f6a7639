"""What the ledger notes of a finished part."""

from __future__ import annotations

from textbatch.data.output.records import LONGEST_NOTE, MOST_NOTES, InputRecord, PartRecord
from textbatch.data.readers.listing import ListedFile
from textbatch.scoring.file_task import FileResult
from textbatch.scoring.folder.job import FolderJob


def record_of(job: FolderJob, file: ListedFile, result: FileResult, run_id: str) -> PartRecord:
    """Make the record of a part.

    Args:
        job: The job.
        file: The input of the part.
        result: What came of it.
        run_id: Id of this run.
    """
    counts = result.counts
    assert result.seal is not None
    assert result.input is not None
    # A part that was published just before the last run died was there already: its rows tell it.
    was_there = result.state == "skipped"
    notes = result.notes[1:] if was_there else result.notes
    return PartRecord(
        part=file.part,
        state=file.state,
        input=InputRecord(name=file.name, size=file.size, version=file.version, mark=result.input),
        job=job.key,
        fingerprint=job.fingerprint,
        run_id=run_id,
        rows_in=counts.rows_in,
        rows_out=counts.rows_out,
        rows_quarantined=counts.rows_quarantined,
        rows_resumed=counts.rows_in if was_there else result.rows_resumed,
        statuses=counts.statuses,
        labels=counts.labels,
        mean_confidence=counts.mean_confidence,
        confidence_histogram=counts.confidence_histogram,
        models=counts.models,
        signs=counts.signs,
        multi_label=counts.multi_label,
        tokens=result.tokens,
        unknown_tokens=result.unknown_tokens,
        rows_early=result.rows_early,
        rows_cached=result.rows_cached,
        spread=result.spread,
        work_of=dict(result.work_of),
        seal=result.seal,
        notes=tuple(note[:LONGEST_NOTE] for note in notes[:MOST_NOTES]),
    )
