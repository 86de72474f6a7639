"""Fixtures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings
from making import random_bundle, random_texts, write_bundle, write_texts

from textbatch.model.bundle import Bundle

# No deadline: a busy machine is no bug. The same examples every run: CI must not be a lottery.
settings.register_profile("textbatch", deadline=None, derandomize=True)
settings.load_profile("textbatch")

# A folder of real data sets, where the machine has one.
DATA = Path(os.environ.get("TEXTBATCH_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """A bundle with random weights."""
    return random_bundle()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, bundle: Bundle) -> Path:
    """That bundle on disk; tests must not change it."""
    return write_bundle(tmp_path_factory.mktemp("bundle") / "model", bundle)


@pytest.fixture(scope="session")
def texts() -> list[str | None]:
    """500 texts of all kinds."""
    return random_texts(500)


@pytest.fixture
def input_file(tmp_path: Path, texts: list[str | None]) -> Path:
    """Those texts as Parquet."""
    return write_texts(tmp_path / "input.parquet", texts)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data sets."""
    if not DATA.is_dir():
        pytest.skip(f"no folder of real data sets (set TEXTBATCH_DATA): {DATA.name}")
    return DATA
