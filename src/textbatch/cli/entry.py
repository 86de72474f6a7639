"""The entry point of the process."""

from __future__ import annotations

import sys

from textbatch.cli.signals import catch_signals, stopped
from textbatch.errors import TerminatedError, exit_code_of


def main() -> None:
    """Run the command line. Signals are handled from here on, before anything large is imported."""
    try:
        catch_signals()
        from textbatch.cli.app import main as run
    except (TerminatedError, KeyboardInterrupt) as error:
        stopped()
        sys.exit(exit_code_of(error))
    run()
