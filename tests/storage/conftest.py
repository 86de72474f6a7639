from __future__ import annotations

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # moto, flask and boto3 warn of things of their own.
    for item in items:
        if "storage" in item.path.parts:
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session")
def server() -> Iterator[object]:
    """An S3 server for all tests."""
    pytest.importorskip("moto")
    from stores import Store

    started = Store()
    with patch.dict(os.environ, started.environment):
        started.open()
        yield started
        started.close()


@pytest.fixture
def store(server, tmp_path, monkeypatch):
    """The server with an empty bucket and without faults, and a cache of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    server.clear()
    yield server
    server.clear()
