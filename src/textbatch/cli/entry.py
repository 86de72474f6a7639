"""The entry point of the process."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading

from textbatch.cli.machine import is_shortage
from textbatch.cli.own_process import own_process
from textbatch.cli.signals import catch_signals, stopped
from textbatch.cli.streams import mend_streams
from textbatch.errors import StarvedError, TerminatedError, exit_code_of

#: Objects that are made before Python looks for cycles of dead ones. With its own number, 700, it
#: goes through all modules again and again while a thousand of them are imported; those of a small
#: job make a hundred thousand objects.
_NEW_OBJECTS = 300_000
_STARVED = (
    b"textbatch: error[Starved]: this machine lacks memory, file handles or threads to start; "
    b"raise `ulimit -v`, `-d`, `-n` and `-u`, or the container's limits\n"
)


def _end_beside_calls(code: object) -> None:
    """End the process at once where a call to a store, which was given up, still runs.

    Python would end its thread inside a library, some of which take that for a crash: the process
    would end with SIGABRT.
    """
    if any(thread.name == "textbatch-request" for thread in threading.enumerate()):
        atexit._run_exitfuncs()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0)


def main() -> None:
    """Run the command line. Signals are handled from here on, before anything large is imported."""
    gc.set_threshold(_NEW_OBJECTS)
    mend_streams()
    try:
        catch_signals()
        own_process()
        from textbatch.cli.app import main as run

        run()
    except SystemExit as ended:
        _end_beside_calls(ended.code)
        gc.freeze()  # Python would look for dead cycles once more, among all that ends anyway
        raise
    except (TerminatedError, KeyboardInterrupt) as error:
        stopped()
        sys.exit(exit_code_of(error))
    except Exception as error:
        # What prints errors could not be loaded, or cannot print one.
        if not (is_shortage(error) or isinstance(error, SystemError)):
            raise
        os.write(2, _STARVED)
        sys.exit(StarvedError.exit_code)
