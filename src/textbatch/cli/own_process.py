"""Whether a command has its process for itself. Callers may also run one within their own."""

from __future__ import annotations

_own = False


def own_process() -> None:
    """Note that this process runs one command and then ends."""
    global _own
    _own = True


def start_without_pandas() -> None:
    """Spare the command the import of pandas, where no caller needs it after the command."""
    if _own:
        from textbatch.data.without_pandas import keep_pandas_out

        keep_pandas_out()
