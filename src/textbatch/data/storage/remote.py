"""Files in any object store. Each call is tried again when it fails.

The classes raise the errors of this package. Arrow passes them on as they are.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path

import pyarrow as pa

from textbatch.data.storage.checksums import Checksum, InOrder
from textbatch.data.storage.file_state import FileState, check_unreplaced, replaced_meanwhile
from textbatch.data.storage.files import MAGIC, FileIO, Found, InputFile, OutputFile, is_hidden
from textbatch.data.storage.location import RemotePath
from textbatch.data.storage.names import is_file_name
from textbatch.data.storage.object_store import ObjectStore
from textbatch.data.storage.passing import passing_folder
from textbatch.data.storage.patterns import expression_of
from textbatch.data.storage.remote_reader import AtOnce, RemoteReader
from textbatch.data.storage.retry import retried
from textbatch.errors import (
    DataError,
    InputNotFoundError,
    OutputError,
    StorageError,
    TextbatchError,
    storage_errors,
)

_BLOCK_BYTES = 8 << 20


class RemoteInput(InputFile):
    """An object.

    Args:
        store: The store that holds it.
        path: The object.
        state: Its state when it was listed; None looks when it is opened.
    """

    costs_requests = True

    def __init__(
        self, store: ObjectStore, path: RemotePath, *, state: FileState | None = None
    ) -> None:
        self.location: RemotePath = path
        self._store, self._state = store, state

    @property
    def canonical(self) -> str:
        """Its URI."""
        return str(self.location)

    def exists(self) -> bool:
        """Whether there is such an object."""
        return self.found() is not None

    def look(self) -> FileState:
        """Look at the object; see `InputFile`."""
        found = self.found()
        if found is None:
            self._check_bucket()
            raise InputNotFoundError(
                f"cannot read {self}: there is no such object", "check the path"
            )
        self._state = self._state or found
        return found

    def fingerprint(self) -> str:
        """The tag that the store has for this content."""
        return (self._state or self.look()).tag

    def content_hash(self) -> str:
        """The same tag, because reading the object again would cost too much."""
        return self.fingerprint()

    def open(self) -> io.BufferedReader:
        """Open it to read at any place, as it was when it was first looked at."""
        return io.BufferedReader(self._reader(), _BLOCK_BYTES)

    def open_random(self) -> pa.NativeFile:
        """Open it for Arrow."""
        return pa.PythonFile(self._reader(), "r")

    def open_stream(self) -> pa.NativeFile:
        """Open it for Arrow."""
        return pa.PythonFile(self.open(), "r")

    def _check_bucket(self) -> None:
        """Tell a bucket that is not there from an object that is not: only a listing knows."""
        below = self._store.below
        try:
            retried(lambda: next(iter(below(self.location)), None), self.location, "cannot read")
        except InputNotFoundError:
            raise
        except TextbatchError:
            return  # Who may not list learns what `look` has found.

    def found(self) -> FileState | None:
        """Its state now; None if there is no such object."""
        return retried(lambda: self._store.look(self.location), self.location, "cannot look at")

    def _reader(self) -> RemoteReader:
        state, path = self._state or self.look(), self.location
        read = retried(lambda: self._store.reader(path, state), path, "cannot read")
        whole = AtOnce(read, state.size) if state.size <= _BLOCK_BYTES else None
        read = whole or read

        def read_of_state(start: int, size: int) -> bytes:
            data = read(start, size)
            # Nothing is there: a shorter object may have taken its place.
            if not data and (now := self._store.look(path)) and not now.is_same(state):
                raise DataError(
                    f"{path} was replaced while it was read",
                    "write inputs under another name, then run again",
                )
            return data

        def checksum() -> Checksum | None:
            if whole and whole.held:
                return None  # The store has compared it.
            return retried(lambda: self._store.checksum(path, state), path, "cannot look at")

        in_order = InOrder(path, state.size, checksum)
        return RemoteReader(path, state.size, read_of_state, in_order)


class RemoteOutput(OutputFile):
    """A place in a store."""

    staged = True

    def __init__(self, store: ObjectStore, path: RemotePath) -> None:
        self.location: RemotePath = path
        self._store = store

    def exists(self) -> bool:
        """Whether there is an object."""
        return self.to_input_file().exists()

    def check(self, *, overwrite: bool = True, stream: bool = False) -> None:
        """Check that there is a library to write with; see `OutputFile`."""
        retried(self._store.check_writable, self.location, "cannot write")

    def probe(self) -> bool:
        """Try whether an object could be written; see `OutputFile`."""
        return retried(lambda: self._store.probe(self.location), self.location, "cannot write")

    def publish(self, finished: Path, *, overwrite: bool = True) -> None:
        """Upload a finished file; see `OutputFile`."""
        with storage_errors(finished, "cannot read"):
            size = finished.stat().st_size
        self._store.put(finished, self.location, overwrite=overwrite)
        if self.to_input_file().look().size != size:
            raise StorageError(f"{self.location} does not hold what was written", "run again")

    def write(self, data: bytes) -> None:
        """Upload a small file."""
        with _written(data) as local:
            self.publish(local)

    def swap(self, data: bytes, seen: FileState | None) -> None:
        """Replace the object that was looked at; see `OutputFile`."""
        # Some stores know no condition: for them this look is all there is.
        check_unreplaced(self.location, seen, self.to_input_file().found())
        with _written(data) as local:
            try:
                self._store.put(local, self.location, overwrite=seen is not None, instead_of=seen)
            except OutputError as error:
                if seen is None and self.exists():
                    raise replaced_meanwhile(self.location) from error
                raise

    def remove(self) -> None:
        """Remove the object, if it is there."""
        retried(lambda: self._store.remove(self.location), self.location, "cannot remove")

    def remove_leftovers(self) -> None:
        """Nothing: `write` makes its file in a directory of its own."""

    def to_input_file(self) -> RemoteInput:
        """The same place, to be read."""
        return RemoteInput(self._store, self.location)


@contextmanager
def _written(data: bytes) -> Iterator[Path]:
    """A file on this machine that holds some bytes, until it is uploaded."""
    with passing_folder() as folder:
        local = folder / "file"
        with storage_errors(local, "cannot write"):
            local.write_bytes(data)
        yield local


class RemoteFileIO(FileIO[RemotePath]):
    """Objects of one store."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def new_input(self, location: RemotePath) -> RemoteInput:
        """A file to be read."""
        return RemoteInput(self._store, location)

    def new_output(self, location: RemotePath) -> RemoteOutput:
        """A place for a file."""
        return RemoteOutput(self._store, location)

    def is_folder(self, location: RemotePath) -> bool:
        """Whether there are objects below a name."""
        return retried(lambda: self._store.has_below(location), location, "cannot look at")

    def exists(self, location: RemotePath) -> bool:
        """Whether there is an object with exactly this key."""
        return self.new_input(location).exists()

    def is_pattern(self, location: RemotePath) -> bool:
        """Whether a name is a glob, and not the key of an object."""
        return bool(MAGIC.search(location.key)) and not self.exists(location)

    def make_folder(self, location: RemotePath) -> None:
        """Nothing: objects need no folder."""

    def remove_folder(self, location: RemotePath) -> None:
        """Remove all objects below a name."""
        for key, _ in retried(lambda: self._listed(location), location, "cannot list"):
            self.new_output(RemotePath(location.scheme, location.bucket, key)).remove()

    def files_below(self, folder: RemotePath) -> Iterator[Found]:
        """Yield all objects below a name. Few requests list them."""
        for key, state in retried(lambda: self._listed(folder), folder, "cannot list"):
            name = key.removeprefix(folder.prefix)
            path = RemotePath(folder.scheme, folder.bucket, key)
            yield Found(
                name=name,
                file=RemoteInput(self._store, path, state=state),
                state=state,
                usable=is_file_name(name),
                hidden=any(map(is_hidden, name.split("/"))),
            )

    def matching(self, pattern: RemotePath) -> Iterator[Found]:
        """Yield what a glob matches; see `FileIO`."""
        parts = pattern.key.split("/")
        first = next(index for index, part in enumerate(parts) if MAGIC.search(part))
        wanted = expression_of("/".join(parts[first:]))
        root = RemotePath(pattern.scheme, pattern.bucket, "/".join(parts[:first]))
        for found in self.files_below(root):
            if wanted.match(found.name):
                yield found

    def _listed(self, folder: RemotePath) -> list[tuple[str, FileState]]:
        # A key that ends with a slash only marks a folder.
        found = (entry for entry in self._store.below(folder) if not entry[0].endswith("/"))
        return sorted(found, key=itemgetter(0))
