from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import LABELS, random_bundle, random_texts, write_bundle

from textbatch.scoring.releases.options import PromoteConfig
from textbatch.scoring.releases.promote import promote


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Four models that answer differently."""
    folder = tmp_path_factory.mktemp("models")
    return [write_bundle(folder / f"m{seed}", random_bundle(seed=seed)) for seed in range(4)]


@pytest.fixture
def labelled(tmp_path):
    """300 texts of all kinds with labels at random."""
    path = tmp_path / "labelled.parquet"
    labels = np.random.default_rng(3).choice(LABELS, 300).tolist()
    pq.write_table(pa.table({"text": random_texts(300, seed=3), "label": labels}), path)
    return path


@pytest.fixture
def releases(tmp_path):
    """A place for a folder of releases."""
    return tmp_path / "releases"


@pytest.fixture
def put(releases):
    """Promotes a model into that folder."""

    def run(model, **options):
        given = {"threads": 1, "to": releases, **options}
        return promote(PromoteConfig(model=model, **given))

    return run
