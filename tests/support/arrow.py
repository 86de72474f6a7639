"""What older releases of Arrow lack."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

MAJOR = int(pa.__version__.split(".")[0])


def writable(*kinds: pa.DataType) -> list[pa.DataType]:
    """Those types that this Arrow can write to Parquet: string views from 21 on."""
    return [kind for kind in kinds if _can_write(kind)]


def _can_write(kind: pa.DataType) -> bool:
    try:
        pq.write_table(
            pa.table({"": pa.array([], pa.string()).cast(kind)}), pa.BufferOutputStream()
        )
    except pa.ArrowNotImplementedError:
        return False
    return True
