"""Tables that look like outputs, without a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

LABELS = ("billing", "account", "technical", "shipping")
STATUSES = ("ok", "truncated", "low_confidence")


def answers(rows: int, seed: int) -> dict[str, pa.Array]:
    """The three columns: a tenth of the labels is withheld."""
    random = np.random.default_rng(seed)
    labels = np.random.default_rng(0).integers(0, len(LABELS), rows)
    other = random.random(rows) < 0.2
    labels = np.where(other, random.integers(0, len(LABELS), rows), labels)
    withheld = random.random(rows) < 0.1
    status = np.where(withheld, 2, random.integers(0, 2, rows))
    confidence = random.random(rows).astype(np.float32)
    codes = pa.array(labels.astype(np.int32), mask=withheld)
    return {
        "predicted_label": pa.DictionaryArray.from_arrays(codes, pa.array(LABELS)),
        "confidence": pa.array(confidence, mask=withheld),
        "status": pa.array([STATUSES[one] for one in status]),
    }


@pytest.fixture
def sides(tmp_path: Path):
    """Makes two files with the same ids, and answers that differ; 2,000 rows unless told."""

    def make(rows: int = 2_000, group: int = 700) -> tuple[Path, Path]:
        random = np.random.default_rng(5)
        ids = pa.array([f"the-id-{one}" for one in range(rows)])
        truth = pa.array(np.array(LABELS)[random.integers(0, len(LABELS), rows)])
        places = (tmp_path / "old.parquet", tmp_path / "new.parquet")
        for seed, place in enumerate(places, 1):
            table = pa.table({"id": ids, "queue": truth, **answers(rows, seed)})
            pq.write_table(table, place, row_group_size=group * seed)
        return places

    return make
