"""The work directory beside an output: who writes the output now, and what a dead run left.

`.<output>.textbatch/` holds `lock`, `journal` (see `journal`), and for a folder `parts` (see
`ledger`) and `told`, where workers tell how far they are. The lock is held with flock, so the
system drops it when its process dies. Whoever holds the lock owns the temporary files of the
output.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

from textbatch.data.json_text import json_text
from textbatch.data.storage.atomic_file import temporary_of
from textbatch.data.storage.names import hidden_beside, is_temporary_of
from textbatch.data.storage.private import open_private
from textbatch.errors import AccessError, OutputError, StorageError, TryAgainError, storage_errors
from textbatch.failpoints import failpoint

_LOCK, _JOURNAL, _PARTS, _SPOOL, _TOLD = "lock", "journal", "parts", "stdin", "told"
_QUARANTINE = "quarantine"
_ATTEMPTS = 100


def work_directory_of(output: Path) -> Path:
    """The path of the work directory of an output."""
    return hidden_beside(output, ".textbatch")


def quarantine_of(output: Path) -> Path:
    """The path where a quarantine file for an object store is made first."""
    return work_directory_of(output) / _QUARANTINE


def owner_of(output: Path) -> str:
    """16 characters for the temporary names of the run that holds the lock of an output.

    A later run that holds the lock recognises by them what a dead run has left.
    """
    return hashlib.sha256(os.fsencode(os.path.realpath(output))).hexdigest()[:16]


def lock_of(work: Path) -> Path:
    """The path of the lock in a work directory. It names the run that holds it, or held it last."""
    return work / _LOCK


def told_in(work: Path) -> Path:
    """The folder in a work directory where workers tell how far they are."""
    return work / _TOLD


def holder_of(output: Path) -> str | None:
    """The id of the run that holds the lock of an output, or held it last; None without any."""
    with contextlib.suppress(OSError, ValueError, LookupError):
        return str(json.loads(lock_of(work_directory_of(output)).read_bytes())["run_id"])
    return None


def parts_of(output: Path) -> Path | None:
    """The ledger that an interrupted run of a folder job has left; None if there is none."""
    path = work_directory_of(output) / _PARTS
    return path if path.is_file() else None


class WorkDirectory:
    """The right to write an output, which only one run has, from construction to `release`.

    Attributes:
        inherited: Whether a run that died, or kept its journal, was here before.
    """

    def __init__(self, output: Path, run_id: str) -> None:
        """Take the lock.

        Args:
            output: The output.
            run_id: Id of this run.

        Raises:
            TryAgainError: Another run holds it.
            OutputError: Something that is not a directory has the path of the work directory.
            AccessError: The directory of the output is not writable, or the work directory is
                another user's.
            StorageError: The file system cannot lock.
        """
        self.path = work_directory_of(output)
        self._output, self._run_id = output, run_id
        self._made = False
        with storage_errors(self.path, "cannot lock", missing=OutputError):
            failpoint("begun")
            try:
                self._lock = self._take()
            except BaseException:
                if self._made:  # it goes if nothing is in it
                    with contextlib.suppress(OSError):
                        self.path.rmdir()
                raise
            # A run that ends well leaves neither its name in the file nor the directory.
            self.inherited = not self._made or os.fstat(self._lock).st_size > 0
            try:
                owner = {"pid": os.getpid(), "host": os.uname().nodename, "run_id": run_id}
                os.ftruncate(self._lock, 0)
                os.pwrite(self._lock, json_text(owner, ascii_only=True).encode(), 0)
                failpoint("lock-taken")
            except BaseException:
                self.release(keep=self.inherited)
                raise

    @property
    def journal(self) -> Path:
        """The path of the journal."""
        return self.path / _JOURNAL

    @property
    def parts(self) -> Path:
        """The path of the ledger of a job over several files."""
        return self.path / _PARTS

    @property
    def spool(self) -> Path:
        """The path of the copy of standard input."""
        return self.path / _SPOOL

    def remove_leftovers(self, *, owner: str | None = None) -> None:
        """Remove the temporary files that dead runs left beside the output.

        Args:
            owner: Only those of this owner, whose name is known. None looks for those of all, which
                takes as long as the folder is large.
        """
        is_ours = partial(is_temporary_of, path=self._output)
        with contextlib.suppress(OSError):
            names = [os.fspath(temporary_of(self._output, owner))] if owner else []
            if not owner:
                with os.scandir(self._output.parent) as entries:
                    names = [entry.path for entry in entries if is_ours(entry.name)]
            for name in names:
                os.unlink(name)  # noqa: PTH108
        with storage_errors(self.path, "cannot use", missing=OutputError):
            failpoint("leftovers-removed")

    def release(self, *, keep: bool) -> None:
        """Give the lock back, and remove the temporary files of this run.

        Args:
            keep: Whether journal and directory stay for the next run.
        """
        # A signal may have come just after the file was made.
        temporary = temporary_of(self._output, self._run_id)
        for left in (temporary, self.spool, quarantine_of(self._output)):
            _remove_if_possible(os.unlink, left)
        if (told := told_in(self.path)).exists():
            shutil.rmtree(told, ignore_errors=True)
        try:
            if not keep:
                self._remove()
            else:
                # Whoever still works for this run sees that it has ended. It is not empty: see
                # `inherited`.
                with contextlib.suppress(OSError):
                    os.ftruncate(self._lock, 0)
                    os.pwrite(self._lock, b"{}", 0)
        finally:
            with contextlib.suppress(OSError):
                os.close(self._lock)

    def _take(self) -> int:
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(FileExistsError):
                os.mkdir(self.path, 0o700)  # noqa: PTH102
                self._made = True
            found = self.path.lstat()
            if not stat.S_ISDIR(found.st_mode):
                raise OutputError(f"{self.path} is not a directory", "move it away")
            if found.st_uid != os.geteuid():
                raise AccessError(
                    f"{self.path} belongs to another user", "remove it, or write elsewhere"
                )
            try:
                descriptor = open_private(self.path / _LOCK, os.O_RDWR | os.O_CREAT)
            except FileNotFoundError:
                continue  # the previous holder has just removed the directory
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # It may have been removed by its holder between open and flock.
                if os.fstat(descriptor).st_ino == (self.path / _LOCK).stat().st_ino:
                    return descriptor
            except BlockingIOError:
                raise self._taken(descriptor) from None
            except FileNotFoundError:
                pass
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        raise StorageError(f"cannot lock {self.path}", "run again")

    def _taken(self, descriptor: int) -> TryAgainError:
        with contextlib.suppress(OSError, ValueError, LookupError):
            owner = json.loads(os.pread(descriptor, 1000, 0))
            os.close(descriptor)
            return TryAgainError(
                f"{self._output} is being written by process {int(owner['pid'])} "
                f"on {owner['host']} (run {owner['run_id']})",
                "wait for it, then run again",
            )
        return TryAgainError(f"{self._output} is being written by another run", "wait for it")

    def _remove(self) -> None:
        for name, place in ((_JOURNAL, "journal-removed"), (_LOCK, "lock-removed")):
            if _remove_if_possible(os.unlink, self.path / name):
                with contextlib.suppress(OSError):
                    failpoint(place)
        # Not empty if another run has just begun to wait for the lock: it is theirs now.
        _remove_if_possible(os.rmdir, self.path)


def _remove_if_possible(remove: Callable[[Path], None], path: Path) -> bool:
    """Remove a file or a directory, at the second try if need be: a network drive may fail once."""
    for _ in range(2):
        with contextlib.suppress(OSError):
            remove(path)
            return True
    return False
