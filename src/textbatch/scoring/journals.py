"""The journal of a file that is being scored."""

from __future__ import annotations

from textbatch.data.output.journal import Journal
from textbatch.data.output.work_directory import WorkDirectory
from textbatch.scoring.job import Job


def open_journal(job: Job, work: WorkDirectory | None) -> Journal:
    """Open the journal of a job.

    Args:
        job: The job.
        work: Where it is; None notes nothing.

    Raises:
        StorageError: It cannot be read.
    """
    config = job.task.config
    whole = config.probabilities or config.top_k > 0 or config.label_sets is not None
    whole |= any(one.classifier.multi_label is not None for one in job.bundles.each)
    return Journal(
        work.journal if work else None,
        key=job.key,
        num_labels=[len(one.labels) for one in job.bundles.each],
        whole=whole or config.adapt_priors,
        # A job with two passes finds all rows in it.
        total_rows=None if config.adapt_priors else job.source.num_rows,
        extras=config.beside.width,
    )
