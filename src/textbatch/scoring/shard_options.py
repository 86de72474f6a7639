"""The options of `score` that cut a job into shards."""

from __future__ import annotations

from textbatch.errors import ConflictError
from textbatch.options import Options, option, options


@options
class ShardOptions(Options):
    """How a folder is cut. No bit of a row depends on it."""

    shard_rows: int | None = option(
        "Cut a folder's Parquet files into parts of about so many rows, at row groups.",
        default=None,
        low=1,
        high=2**63 - 1,
        unset="a part for each file",
        decides=False,
    )

    def check_shards(self, *, incremental: bool, skips_files: bool) -> None:
        """Refuse what a job of shards cannot do.

        Args:
            incremental: Whether parts of new files are added to an output.
            skips_files: Whether malformed files are set aside.

        Raises:
            ConflictError: An option contradicts another one.
        """
        flag = "--shard-rows" if self.shard_rows is not None else ""
        if flag and incremental:
            raise ConflictError(
                f"--incremental adds the parts of new files, and {flag} cuts all files anew",
                "leave one out",
            )
        if flag and skips_files:
            raise ConflictError(
                f"--bad-files skip sets whole files aside, which {flag} does not have as parts",
                "leave one out",
            )
