"""The options of `score` that cut a job into shards, and take a share of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from textbatch.errors import ConflictError, UsageError
from textbatch.options import Options, option, options
from textbatch.options.credentials import quoted

#: What an Indexed Job of Kubernetes gives each of its pods, and what it is told beside that.
INDEX_VARIABLE, SHARES_VARIABLE = "JOB_COMPLETION_INDEX", "TEXTBATCH_SHARDS"
_MOST = 100_000
#: Begins the names of what a share leaves beside the output.
SHARE_MARK = "share-"


@dataclass(frozen=True, slots=True)
class Share:
    """The share of a process in a job that several processes do without a driver.

    Attributes:
        index: Its number, from 0.
        of: How many processes there are.
    """

    index: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `I/N`.

        Raises:
            UsageError: It is none.
        """
        try:
            index, of = map(int, text.split("/"))
            if text != f"{index}/{of}" or not 0 <= index < of <= _MOST:
                raise ValueError
        except ValueError:
            raise UsageError(
                f"--shard is {quoted(text)}", f"give I/N with I from 0 to N-1 and N up to {_MOST:,}"
            ) from None
        return cls(index, of)

    @property
    def label(self) -> str:
        """As a part of a file name."""
        return f"{SHARE_MARK}{self.index}-of-{self.of}"

    def __str__(self) -> str:
        """As `--shard` has it."""
        return f"{self.index}/{self.of}"


def share_in(environment: Mapping[str, str]) -> str | None:
    """What a scheduler tells of the share of this process.

    Args:
        environment: The environment variables.

    Returns:
        The value for `--shard`; None if it tells nothing.

    Raises:
        UsageError: It tells the number of shares, and not which one.
    """
    if not (of := environment.get(SHARES_VARIABLE)):
        return None
    if not (index := environment.get(INDEX_VARIABLE)):
        raise UsageError(
            f"{SHARES_VARIABLE} is set, and {INDEX_VARIABLE} is not",
            f"set it to this process's number, from 0, or give --shard I/{quoted(of)[1:-1]}",
        )
    return f"{index}/{of}"


@options
class ShardOptions(Options):
    """How a folder is cut, and which share of it is scored. No bit of a row depends on it."""

    shard_rows: int | None = option(
        "Cut a folder's Parquet files into parts of so many rows.",
        default=None,
        low=1,
        high=2**63 - 1,
        unset="by file",
        decides=False,
    )
    shard: str | None = option(
        "Score share I of N of a folder's shards, from 0; then `finish`.",
        default=None,
        metavar="I/N",
        unset="all",
        decides=False,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shard is not None:
            Share.parse(self.shard)

    @property
    def is_sharded(self) -> bool:
        """Whether the job is cut into shards."""
        return self.shard is not None or self.shard_rows is not None

    def check_shards(self, *, incremental: bool, skips_files: bool) -> None:
        """Refuse what a job of shards cannot do.

        Args:
            incremental: Whether parts of new files are added to an output.
            skips_files: Whether malformed files are set aside.

        Raises:
            ConflictError: An option contradicts another one.
        """
        flag = "--shard-rows" if self.shard_rows is not None else "--shard"
        if not self.is_sharded:
            return
        if incremental:
            raise ConflictError(
                f"--incremental adds the parts of new files, and {flag} plans all files anew",
                "leave one out",
            )
        if skips_files:
            raise ConflictError(
                f"--bad-files skip sets whole files aside, and {flag} has parts of a plan",
                "leave one out",
            )
