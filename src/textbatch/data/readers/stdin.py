"""Standard input as a file. Formats read its beginning twice, and a rerun must recognise it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from textbatch.data.storage.atomic_file import NewFile
from textbatch.errors import OutputError, storage_errors

_BLOCK_BYTES = 1 << 20


def spool_standard_input(path: Path, *, on_bytes: Callable[[int], None] = lambda _: None) -> None:
    """Copy standard input to a file.

    Args:
        path: The file.
        on_bytes: Called with the number of bytes that were copied since the last call.

    Raises:
        StorageError: Reading or writing failed.
    """
    with storage_errors(path, "cannot write", missing=OutputError):
        path.unlink(missing_ok=True)
        file = NewFile(path, 0o600)
        try:
            while block := sys.stdin.buffer.read(_BLOCK_BYTES):
                file.buffered.write(block)
                on_bytes(len(block))
            file.buffered.flush()
            file.close()
        except BaseException:
            file.discard()
            raise
        # The time of change is part of the key of a job. It is made from the content, so that the
        # same content has the same key.
        moment = int.from_bytes(file.sha256.digest()[:7], "big")
        os.utime(path, ns=(moment, moment))
