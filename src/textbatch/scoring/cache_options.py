"""Options about answers that are kept for the next run."""

from __future__ import annotations

from pathlib import Path

from textbatch.errors import ConflictError
from textbatch.options import Options, option, options


@options
class CacheOptions(Options):
    """Where answers are kept, and how many.

    Raises:
        ConflictError: A size is given, but no place.
    """

    cache: Path | None = option(
        "Keep answers in this directory, and do not compute them again for the same text.",
        default=None,
        unset="none are kept",
        decides=False,
        use="written",
        writes=lambda folder: (folder / CACHE_FILE,),
    )
    cache_mib: int | None = option(
        "Size of the kept answers at most, in MiB.",
        default=None,
        low=1,
        high=1 << 20,
        unset="1,024",
        decides=False,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cache_mib is not None and self.cache is None:
            raise ConflictError("--cache-mib needs --cache", "name a directory")


#: Of the layout of the file, too: another layout has another name.
CACHE_FILE = "answers-1.sqlite"
