from __future__ import annotations

import os
import stat

import pytest

from textbatch.data.storage import private
from textbatch.data.storage.model_cache import cache_directory
from textbatch.data.storage.private import private_directory
from textbatch.errors import AccessError, OutputError


def test_only_this_user_may_enter(tmp_path):
    for place in (tmp_path / "a" / "b", tmp_path / "a" / "b"):
        assert private_directory(place) == place
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    (tmp_path / "open").mkdir(mode=0o777)
    assert stat.S_IMODE(private_directory(tmp_path / "open").stat().st_mode) == 0o700


def test_what_another_user_has_planted_is_refused(tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(AccessError, match="is a link or belongs to another user; set XDG_CACHE"):
        private_directory(tmp_path / "link")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is not a directory"):
        private_directory(tmp_path / "file")
    uid = os.getuid()
    monkeypatch.setattr(private.os, "getuid", lambda: uid + 1)
    with pytest.raises(AccessError, match="belongs to another user"):
        private_directory(tmp_path)


def test_without_a_home_the_cache_is_private_too(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"textbatch-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AccessError):
        cache_directory()
