"""Which files of an output folder are its own: only these may be replaced or removed."""

from __future__ import annotations

from textbatch.data.output.any_folder import Folder
from textbatch.data.output.ledger import Ledger
from textbatch.data.output.seal import SEAL
from textbatch.data.readers.parquet import ParquetSource, footer_entries
from textbatch.data.readers.shard_file import is_shard_of
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.location import Location
from textbatch.errors import DataError, OutputError

_RUN = "textbatch.run_id"


class OwnedParts:
    """The parts that an output has written itself, by what it has noted and by their footers.

    A part is its own if manifest or ledger have its seal, or if a run wrote it that the ledger
    knows: it may have died between the part and its line. A shard's part has in its name what its
    footer says of itself. A file that stands under a part's name,
    of another job or of another program, is not.
    """

    def __init__(self, folder: Folder, ledger: Ledger) -> None:
        """Read the manifest.

        Args:
            folder: The output.
            ledger: What interrupted runs have noted.
        """
        self._folder = folder
        self._seals = folder.seals() | ledger.seals
        self._runs = ledger.runs

    def __contains__(self, part: str) -> bool:
        """Whether a file of the folder is a part that the output has written."""
        noted = self._seals.get(part)
        if noted is not None and self._folder.is_staged:
            return True  # a look at each of many objects would cost a request
        place = self._folder.path / part
        if not self._folder.has(part):
            return False
        entries = footer_entries(place)
        made_by = entries.get(_RUN)
        if made_by in self._runs or (made_by and is_shard_of(part, made_by)):
            return True
        return noted is not None and (entries.get(SEAL) == noted or _is_damaged(place))

    def check(self, part: str) -> None:
        """Check that a file may be replaced or removed.

        Args:
            part: Its name in the folder.

        Raises:
            OutputError: It may not.
        """
        if part not in self:
            raise OutputError(
                f"{self._folder.path} holds {part}, which this output did not write",
                "move it away, or name another directory",
            )


def _is_damaged(place: Location) -> bool:
    """Whether a file was a Parquet file, or nothing is left of it."""
    try:
        ParquetSource(new_input(place))
    except DataError:
        with new_input(place).open() as file:
            return file.read(4) in (b"PAR1", b"")
    return False
