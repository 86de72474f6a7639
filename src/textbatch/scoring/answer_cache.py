"""Answers to texts that were seen before, in a file of SQLite that many runs share."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textbatch.data.storage.private import open_private, private_directory
from textbatch.errors import storage_errors
from textbatch.scoring.cache_options import CACHE_FILE
from textbatch.types import Float32Array

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, answer BLOB NOT NULL, "
    "used INTEGER NOT NULL) WITHOUT ROWID"
)
#: Keys that one query asks for; older releases of SQLite take 999 values.
_AT_ONCE = 900
#: How long to wait for another process that writes. Nothing is lost where it takes longer.
_WAIT_SECONDS = 5.0
#: An answer's last use is noted in hours, and only where it was longer ago than this.
_HOUR_SECONDS, _NOTED_AFTER_HOURS = 3600, 24
#: Share of the answers that make room for new ones, those that were used longest ago.
_LEAVING = 5
_CHECK_BYTES = 16


@dataclass(frozen=True, slots=True)
class Answer:
    """What the models of a run answer to a text.

    Attributes:
        status: The code of each model. Shape `(models,)`.
        probabilities: Those of one model after the other. Shape `(labels of all,)`.
    """

    status: NDArray[np.int8]
    probabilities: Float32Array


class AnswerCache:
    """Probabilities and statuses by text, for the models of a run and one way to run them.

    It is never a reason to fail: what cannot be read, or is damaged, is computed again.
    """

    def __init__(self, folder: Path, *, scope: str, widths: Sequence[int], max_bytes: int) -> None:
        """Open the file, or make it.

        Args:
            folder: Its directory, for this user alone.
            scope: What decides the answers besides the text: model, precision and so on.
            widths: How many probabilities each model gives.
            max_bytes: Size of the file at most.

        Raises:
            AccessError: The directory or the file belongs to another user, or is a link.
            OutputError: The directory cannot be made.
        """
        self._scope = sha256(scope.encode("utf-8", "surrogateescape")).digest()
        self._models, self._width = len(widths), sum(widths)
        self._path = private_directory(folder) / CACHE_FILE
        self._max_bytes = max_bytes
        self._hour = int(time.time()) // _HOUR_SECONDS
        self._file: sqlite3.Connection | None = None
        with _Patience(self), storage_errors(self._path, "cannot open"):
            # SQLite would follow a link, and take the file of another user.
            os.close(open_private(self._path, os.O_RDWR | os.O_CREAT))
            self._file = self._opened()

    def key_of(self, text: str) -> bytes:
        """The key of a text.

        Args:
            text: Valid Unicode.
        """
        return sha256(self._scope + text.encode()).digest()

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Answer]:
        """Look answers up.

        Args:
            keys: Of the texts.

        Returns:
            By key what is there.
        """
        found: dict[bytes, Answer] = {}
        stale: list[bytes] = []
        with _Patience(self):
            for part in _parts(keys):
                for key, answer, used in self._rows_of(part):
                    if (read := self._read(key, answer)) is None:
                        continue
                    found[key] = read
                    if used < self._hour - _NOTED_AFTER_HOURS:
                        stale.append(key)
            if stale and self._file:
                with self._file:
                    self._file.executemany(
                        "UPDATE answers SET used = ? WHERE key = ?",
                        [(self._hour, key) for key in stale],
                    )
        return found

    def add(self, answers: Mapping[bytes, Answer]) -> None:
        """Note answers. Where there is no room, those that were used longest ago make some.

        Args:
            answers: By key.
        """
        rows = [(key, _written(key, answer), self._hour) for key, answer in answers.items()]
        if not rows:
            return
        with _Patience(self):
            try:
                self._insert(rows)
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL:
                    raise
                self._make_room()
                self._insert(rows)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            file, self._file = self._file, None
            with _Patience(self):
                file.close()

    def _opened(self) -> sqlite3.Connection:
        file = sqlite3.connect(
            self._path, timeout=_WAIT_SECONDS, check_same_thread=False, isolation_level="IMMEDIATE"
        )
        try:
            self._prepare(file)
        except BaseException:
            file.close()
            raise
        return file

    def _prepare(self, file: sqlite3.Connection) -> None:
        # What a power cut damages is found and made anew; a killed process damages nothing.
        for setting in ("journal_mode=WAL", "synchronous=NORMAL", "trusted_schema=OFF"):
            file.execute(f"PRAGMA {setting}")
        (page_bytes,) = file.execute("PRAGMA page_size").fetchone()
        file.execute(f"PRAGMA max_page_count={max(64, self._max_bytes // page_bytes)}")
        with file:
            file.execute(_SCHEMA)

    def _rows_of(self, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes, int]]:
        if self._file is None:
            return iter(())
        holes = ",".join("?" * len(keys))
        query = f"SELECT key, answer, used FROM answers WHERE key IN ({holes})"
        return iter(self._file.execute(query, keys))

    def _insert(self, rows: Sequence[tuple[bytes, bytes, int]]) -> None:
        if self._file is not None:
            with self._file:
                self._file.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows)

    def _make_room(self) -> None:
        if self._file is None:
            return
        with self._file:
            (count,) = self._file.execute("SELECT count(*) FROM answers").fetchone()
            self._file.execute(
                "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY used LIMIT ?)",
                (count // _LEAVING + 1,),
            )

    def _read(self, key: bytes, answer: object) -> Answer | None:
        """What is kept of a text; None for what is not whole."""
        size = _CHECK_BYTES + self._models + 4 * self._width
        if not isinstance(answer, bytes) or len(answer) != size:
            return None
        check, body = answer[:_CHECK_BYTES], answer[_CHECK_BYTES:]
        if sha256(key + body).digest()[:_CHECK_BYTES] != check:
            return None
        values = np.frombuffer(body, "<f4", offset=self._models)
        return Answer(np.frombuffer(body, np.int8, count=self._models), values)

    def forget(self) -> None:
        """Remove the file: it is damaged. Another process that has it open keeps what it has."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(CACHE_FILE + suffix).unlink(missing_ok=True)


class _Patience:
    """Turns trouble with the file into an answer that is not there."""

    def __init__(self, cache: AnswerCache) -> None:
        self._cache = cache

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, sqlite3.OperationalError):
            # Busy for long, a full disk, a directory that is gone: it is left as it is.
            return True
        if isinstance(error, sqlite3.DatabaseError):
            self._cache.forget()
            return True
        return False


def _parts(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def _written(key: bytes, answer: Answer) -> bytes:
    values = np.ascontiguousarray(answer.probabilities, "<f4").tobytes()
    body = np.ascontiguousarray(answer.status, np.int8).tobytes() + values
    return sha256(key + body).digest()[:_CHECK_BYTES] + body
