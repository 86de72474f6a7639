from __future__ import annotations

import os

import pytest

from textbatch.data.readers.identity import InputIdentity, job_key
from textbatch.data.storage.file_io import new_input

OPTIONS = {"textbatch": "1", "top_k": 1}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("text\nrefund\n")
    os.utime(path, (1, 1))
    return path


def key_of(path, fingerprint="a", **options) -> str:
    return job_key(InputIdentity.of(new_input(path)), fingerprint, {**OPTIONS, **options})


def test_the_same_job_has_the_same_key(path):
    assert key_of(path) == key_of(path)


@pytest.mark.parametrize("change", [{"fingerprint": "b"}, {"textbatch": "2"}, {"top_k": 2}])
def test_another_model_version_or_option_is_another_job(path, change):
    assert key_of(path, **change) != key_of(path)


def test_another_path_size_or_time_is_another_job(path, tmp_path):
    keys = {key_of(path)}
    path.write_text("text\nrefunds\n")
    os.utime(path, (1, 1))
    keys.add(key_of(path))
    os.utime(path, (2, 2))
    keys.add(key_of(path))
    keys.add(key_of(path.rename(tmp_path / "other.csv")))
    assert len(keys) == 4
