from __future__ import annotations

import os

import joblib
import pytest

from textbatch.model.engines import cores
from textbatch.model.engines.cores import usable_cores


def test_the_cores_are_those_that_joblib_counts(monkeypatch):
    assert usable_cores() == joblib.cpu_count()
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert usable_cores() == joblib.cpu_count() == 1


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": "250000 100000\n"}, 3),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu.max": "1600000 100000\n"}, 8),
        ({"cpu.max": "unknown"}, 8),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2),
    ],
    ids=str,
)
def test_a_containers_share_of_time_counts_as_whole_cores(files, expected, monkeypatch, tmp_path):
    monkeypatch.setattr(cores, "_CGROUPS", tmp_path)
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text, "ascii")
    assert usable_cores() == expected


def test_no_number_of_cores_is_below_one(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "-3")
    assert usable_cores() == 1
