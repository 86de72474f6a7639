"""Values with large arrays through a connection, without copies of the arrays on the way.

A plain `send` has a value twice in memory, and what comes out of `recv` three times: a model that
just fits would not fit with `--jobs`.
"""

from __future__ import annotations

import io
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

#: A piece that travels at a time, in bytes.
_PIECE_BYTES = 4 << 20
#: The first that leaves arrays out.
_PROTOCOL = 5


def send_large(connection: Connection, value: object) -> None:
    """Send a value that can be pickled; `recv_large` takes it.

    Args:
        connection: To the other process.
        value: The value.
    """
    plain, buffers = io.BytesIO(), list[Any]()
    # The arrays are left out of it, and go after it as they are.
    ForkingPickler(plain, _PROTOCOL, True, buffers.append).dump(value)  # noqa: FBT003
    arrays = [one.raw() for one in buffers]
    connection.send((plain.getvalue(), [len(one) for one in arrays]))
    for one in arrays:
        for start in range(0, len(one), _PIECE_BYTES):
            connection.send_bytes(one[start : start + _PIECE_BYTES])


def recv_large(connection: Connection) -> Any:  # noqa: ANN401 - whatever was sent
    """Receive what `send_large` has sent.

    Raises:
        EOFError: The other process has ended.
    """
    plain, sizes = connection.recv()
    arrays = [np.empty(size, np.uint8) for size in sizes]
    for one in arrays:
        view, done = one.data, 0
        while done < len(view):
            done += connection.recv_bytes_into(view, done)
    return ForkingPickler.loads(plain, buffers=arrays)
