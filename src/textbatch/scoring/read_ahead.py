"""The chunks of a file, read while earlier ones are computed."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, closing

from textbatch.data.choices import CHUNK_BYTES
from textbatch.data.readers.prefetch import Prefetch
from textbatch.scoring.chunks import read_chunks
from textbatch.scoring.job import Job
from textbatch.types import TextBatch


def is_one_chunk(job: Job) -> bool:
    """Whether a file is read at once, so that nothing would be noted of it before it is done.

    Args:
        job: The file.
    """
    rows = job.source.num_rows
    fits = rows is not None and rows <= job.task.config.chunk_rows
    return fits and job.identity.state.size <= CHUNK_BYTES


def read_ahead(
    job: Job, shares: deque[float | None]
) -> AbstractContextManager[Iterable[TextBatch]]:
    """Begin to read a file. A small one needs no thread, which takes longer to start than it.

    Args:
        job: The file.
        shares: Gets for each chunk the share of the file that was read when it was complete.
    """
    chunks = _read(job, shares)
    return closing(chunks) if is_one_chunk(job) else Prefetch(chunks)


def _read(job: Job, shares: deque[float | None]) -> Generator[TextBatch, None, None]:
    """Read the chunks; of each, the share of the file that was read when it was complete."""
    config, columns = job.task.config, job.passed_through.names
    source, rows = job.source, config.chunk_rows
    for chunk in read_chunks(source, job.text_column, columns, rows, config.reading()):
        shares.append(source.progress())
        yield chunk
