from __future__ import annotations

import os

import pytest

from textbatch.data.storage import foreign_settings
from textbatch.data.storage.file_io import _file_io
from textbatch.errors import UsageError


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    for variable in foreign_settings._VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    _file_io.cache_clear()
    yield
    _file_io.cache_clear()


@pytest.mark.parametrize("variable", foreign_settings._VARIABLES)
def test_a_file_of_credentials_without_an_end_is_refused_before_it_is_read(
    variable, tmp_path, in_process
):
    huge = tmp_path / "huge"
    huge.touch()
    os.truncate(huge, 1 << 40)
    for place in ("/dev/full", "/dev/zero", str(huge)):
        for uri in (
            "s3://b/in.csv",
            "gs://b/in.csv",
            "hf://datasets/a/b/in.csv",
            "abfs://b/in.csv",
        ):
            done = in_process(
                "score", uri, tmp_path / "o.parquet", "--model", "model", **{variable: place}
            )
            assert done.returncode == 2, done.stderr
            assert f"{variable} names a device, or a file larger than any" in done.stderr
    _file_io("file")


def test_the_null_device_a_pipe_and_plain_files_are_left_to_the_library(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("[default]")
    for place in ("", os.devnull, "/nowhere/x", str(tmp_path / "pipe"), str(tmp_path / "file")):
        monkeypatch.setenv("AWS_CONFIG_FILE", place)
        foreign_settings.check_files_of_settings()
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/urandom")
    with pytest.raises(UsageError, match="AWS_CONFIG_FILE names a device"):
        foreign_settings.check_files_of_settings()
