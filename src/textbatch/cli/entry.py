"""The entry point of the process."""

from __future__ import annotations

import gc
import os
import sys

from textbatch.cli.machine import is_shortage
from textbatch.cli.signals import catch_signals, stopped
from textbatch.cli.streams import mend_streams
from textbatch.errors import StarvedError, TerminatedError, exit_code_of

#: Objects that are made before Python looks for cycles of dead ones. With its own number, 700, it
#: goes through all modules again and again while a thousand of them are imported.
_NEW_OBJECTS = 100_000
_STARVED = (
    b"textbatch: error[Starved]: this machine lacks memory, file handles or threads to start; "
    b"raise `ulimit -v`, `-d`, `-n` and `-u`, or the container's limits\n"
)


def main() -> None:
    """Run the command line. Signals are handled from here on, before anything large is imported."""
    gc.set_threshold(_NEW_OBJECTS)
    mend_streams()
    try:
        catch_signals()
        from textbatch.cli.app import main as run

        run()
    except (TerminatedError, KeyboardInterrupt) as error:
        stopped()
        sys.exit(exit_code_of(error))
    except Exception as error:
        # What prints errors could not be loaded, or cannot print one.
        if not (is_shortage(error) or isinstance(error, SystemError)):
            raise
        os.write(2, _STARVED)
        sys.exit(StarvedError.exit_code)
