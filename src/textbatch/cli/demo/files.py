"""Files of made-up tickets to try every page of the documentation with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from textbatch.cli.demo.tickets import labelled_tickets, unlabelled_texts
from textbatch.data.storage.file_io import new_output
from textbatch.errors import OutputError, storage_errors
from textbatch.report.files import write_whole

#: The names that the pages of the documentation use.
LABELLED, NEW, NEW_CSV, TEXTS = "tickets.csv", "input.parquet", "new.csv", "texts.txt"
LABELLED_ROWS, NEW_ROWS = 1_500, 2_000


def write_files(
    folder: Path,
    *,
    seed: int = 0,
    overwrite: bool = False,
    labelled_rows: int = LABELLED_ROWS,
    new_rows: int = NEW_ROWS,
) -> list[str]:
    """Write labelled tickets, new ones, and texts alone; train nothing.

    Args:
        folder: The folder. It is made if it does not exist, and may hold other files.
        seed: Seed of the tickets.
        overwrite: Whether to replace files of these names.
        labelled_rows: Number of labelled tickets.
        new_rows: Number of new ones.

    Returns:
        A line about each file.

    Raises:
        OutputError: A file is there already, or the folder is a file.
    """
    with storage_errors(folder, "cannot use"):
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder} is a file", "name another place with --folder")
        folder.mkdir(parents=True, exist_ok=True)
    # Check all now: if one is in the way, the others must stay as they are.
    for name in (LABELLED, NEW, NEW_CSV, TEXTS):
        new_output(folder / name).check(overwrite=overwrite)
    return [
        f"{folder / name}: {told}" for name, told in _written(folder, seed, labelled_rows, new_rows)
    ]


def _written(folder: Path, seed: int, labelled: int, new: int) -> Iterator[tuple[str, str]]:
    import pyarrow as pa

    from textbatch.data.output.small_table import write_table

    tickets = labelled_tickets(labelled, seed=seed)
    table = pa.table(
        {
            "id": [f"L{row:06d}" for row in range(labelled)],
            "body": [ticket.text for ticket in tickets],
            "queue": [ticket.queue for ticket in tickets],
        }
    )
    write_table(table, folder / LABELLED, overwrite=True)
    yield LABELLED, f"{labelled:,} tickets with their queue, in the columns body and queue"
    texts = unlabelled_texts(new, seed=seed)
    ids = [f"U{row:06d}" for row in range(new)]
    table = pa.table({"id": ids, "body": pa.array(texts, pa.string())})
    for name in (NEW, NEW_CSV):
        write_table(table, folder / name, overwrite=True)
    yield NEW, f"{new:,} new tickets, some without a text, in the column body"
    yield NEW_CSV, "the same as CSV"
    lines = [" ".join(text.split()) for text in texts if text and text.strip()]
    write_whole(folder / TEXTS, "\n".join(lines) + "\n")
    yield TEXTS, f"{len(lines):,} texts, one on each line"
