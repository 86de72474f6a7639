"""The live files of a Delta table, which its log lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from textbatch.data.readers.partitions import partitions_of
from textbatch.data.storage.file_io import file_io_of
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import Location, is_local, local
from textbatch.data.storage.passing import passing_folder
from textbatch.errors import DataError, storage_errors

#: Features that a table may use, because its files can still be read as plain Parquet.
_HARMLESS = frozenset(
    {
        "columnMapping",  # checked separately
        "deletionVectors",  # checked separately
        "timestampNtz",
        "typeWidening",
        "typeWidening-preview",
        "v2Checkpoint",
        "vacuumProtocolCheck",
        "variantShredding-preview",
        "variantType",
        "variantType-preview",
    }
)
#: The files of a log. Numbered files before the last checkpoint are not needed.
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.[^/]*")
_LOG = re.compile(
    rf"{_CHECKPOINT.pattern}|\d{{20}}\.json|_last_checkpoint|_sidecars/[^/]*\.parquet"
)
_NUMBERED = re.compile(r"(\d{20})\.")
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class DeltaTableFiles:
    """The live files of a table.

    Attributes:
        version: The table's version.
        paths: The files' paths, relative to the table's folder.
    """

    version: int
    paths: frozenset[str]

    @classmethod
    def read(cls, root: Location) -> DeltaTableFiles:
        """Read the log.

        Args:
            root: The table's folder.

        Returns:
            The files that are live in the table's newest version.

        Raises:
            DataError: The library deltalake is not installed, or the table has a feature for which
                its files cannot be read as plain Parquet.
            TryAgainError: The store does not answer.
        """
        try:
            import deltalake
        except ImportError as error:
            raise DataError(
                f"{root} is a Delta table, whose folder holds deleted and old rows too",
                "run pip install 'textbatch[delta]', which reads its log",
            ) from error
        with _on_this_machine(root) as folder:
            try:
                table = deltalake.DeltaTable(folder)
                _check_features(table, root)
                actions = pa.table(table.get_add_actions()).to_pylist()
                if _deletes_rows(table):
                    raise _unreadable(root, "deletion vectors", _PURGE)
            except deltalake.exceptions.DeltaError as error:
                # The library's message is not shown, because it may quote the log.
                raise _unreadable(root, "what deltalake cannot read", _PLAIN) from error
            version = int(table.version())
        names = tuple(table.metadata().partition_columns)
        return cls(version, frozenset(_path(root, action, names) for action in actions))


_PURGE = "run REORG TABLE … APPLY (PURGE) on it first"
_PLAIN = "write its rows to plain Parquet with Spark, and score that"


def _check_features(table: Any, root: Location) -> None:  # noqa: ANN401 - of a foreign library
    mapping = table.metadata().configuration.get("delta.columnMapping.mode", "none")
    if mapping != "none":
        raise _unreadable(root, "column mapping: its files have other column names", _PLAIN)
    unknown = set(table.protocol().reader_features or ()) - _HARMLESS
    if unknown:
        raise _unreadable(root, "features that change how its files are read", _PLAIN)


def _deletes_rows(table: Any) -> bool:  # noqa: ANN401 - of a foreign library
    """Return whether some rows of live files are deleted."""
    if "deletionVectors" not in (table.protocol().reader_features or ()):
        return False
    # Older releases lack the method. Then it is not known, and the table is refused.
    vectors = getattr(table, "deletion_vectors", None)
    return vectors is None or next(iter(vectors()), None) is not None


def _unreadable(root: Location, what: str, remedy: str) -> DataError:
    return DataError(f"the Delta table {root} uses {what}", remedy)


def _path(root: Location, action: Mapping[str, Any], partitions: tuple[str, ...]) -> str:
    """Return a live file's path below the table's folder."""
    path = unquote(action["path"])
    if path.startswith("/") or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", path):
        raise _unreadable(root, "files that stand elsewhere, as a shallow clone does", _PLAIN)
    told = dict(partitions_of(path))
    values = action.get("partition") or action.get("partition_values") or {}
    if any(name not in told or told[name] != _text(values.get(name)) for name in partitions):
        raise _unreadable(root, "partitions that the names of its folders do not tell", _PLAIN)
    return path


def _text(value: object) -> str | None:
    """Return a partition's value as it is in the folder's name."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextmanager
def _on_this_machine(root: Location) -> Iterator[str]:
    """Yield a folder on this machine with the table's log, fetched from the store if need be."""
    io = file_io_of(root)
    # deltalake decodes names twice, and so would not find a folder with a % in its name.
    if is_local(root) and "%" not in str(root):
        yield local(root).absolute().as_uri()
        return
    with passing_folder() as folder:
        log = folder / "_delta_log"
        log.mkdir()
        (log / "_sidecars").mkdir()
        listed = io.files_below(root / "_delta_log")
        names = {one.name: one.file for one in listed if one.usable and _LOG.fullmatch(one.name)}
        checkpoints = [int(found[1]) for name in names if (found := _CHECKPOINT.fullmatch(name))]
        last = max(checkpoints, default=-1)
        for name, file in names.items():
            number = _NUMBERED.match(name)
            if number is None or int(number[1]) >= last:
                _fetch(file, log / name)
        yield str(folder)


def _fetch(file: InputFile, place: Path) -> None:
    with file.open() as source, storage_errors(place, "cannot write"), place.open("wb") as copy:
        while block := source.read(_BLOCK_BYTES):
            copy.write(block)
