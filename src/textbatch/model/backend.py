"""TensorFlow, imported late and quietly."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType


def import_tensorflow(*, threads: int | None = None) -> ModuleType:
    """Import TensorFlow without its start-up chatter.

    Args:
        threads: CPU threads for one operation; None for TensorFlow's own choice. Has an effect
            only before TensorFlow has run anything.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _native_stderr_dropped():
        import keras  # noqa: F401 - imported here so that its chatter is dropped too
        import tensorflow

    if threads:
        # Once TensorFlow is running it refuses: its threads then are what they are.
        with suppress(RuntimeError):
            tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    with suppress(RuntimeError):
        for gpu in tensorflow.config.list_physical_devices("GPU"):
            tensorflow.config.experimental.set_memory_growth(gpu, enable=True)
    return tensorflow  # type: ignore[no-any-return]


@contextmanager
def _native_stderr_dropped() -> Iterator[None]:
    """Drop what native code writes to stderr: no setting silences TensorFlow's first lines."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
