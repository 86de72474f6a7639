"""Imports Keras late, and without its messages."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def import_keras(*, threads: int | None = None) -> None:
    """Import Keras and its backend, without the messages that they print on import.

    Args:
        threads: CPU threads for one TensorFlow operation; None for TensorFlow's own choice. It has
            an effect only before TensorFlow has run anything.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _native_stderr_dropped():
        import keras
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow

    # It warns of each small set of rows, whose mini-batches differ in shape.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # TensorFlow refuses both when it is already running. Then its settings stay as they are.
    with suppress(RuntimeError):
        if threads:
            tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        for gpu in tensorflow.config.list_physical_devices("GPU"):
            tensorflow.config.experimental.set_memory_growth(gpu, enable=True)


def limit_threads(threads: int) -> None:
    """Limit TensorFlow to a number of CPU threads. It must not be imported yet."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(threads)


def forget_networks() -> None:
    """Free the memory that Keras keeps of networks that are not used any more."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()


@contextmanager
def _native_stderr_dropped() -> Iterator[None]:
    """Drop what native code writes to stderr. No setting stops TensorFlow's first messages."""
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
