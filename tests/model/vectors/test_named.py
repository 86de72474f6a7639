from __future__ import annotations

from pathlib import Path

import pytest

from textbatch.errors import TextbatchError
from textbatch.model.vectors.named import SOURCES, file_or_name, files_of, named_source
from textbatch.training.config.train import TrainConfig


def test_a_name_is_a_source_and_a_dot_before_it_makes_it_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for given in ("wordllama", Path("wordllama")):
        assert named_source(file_or_name(given)) is SOURCES["wordllama"]
        assert files_of(file_or_name(given)) == ()
    for given in ("./wordllama", "file://wordllama", tmp_path / "wordllama"):
        assert file_or_name(given) == tmp_path.resolve() / "wordllama"
    for given in ("glove.txt", "wordllama.vec", "folder/wordllama", "Wordllama"):
        assert file_or_name(given) == Path(given)
        assert files_of(file_or_name(given)) == (Path(given),)


def test_names_and_files_go_together_from_the_command_to_the_options(tmp_path):
    given = {"inputs": "rows.csv", "model": tmp_path, "vectors": ["wordllama", tmp_path / "a.vec"]}
    config = TrainConfig.given(given)
    assert config.vectors == (Path("wordllama"), tmp_path / "a.vec")


def test_an_own_file_of_that_name_is_no_place_of_the_run(tmp_path, monkeypatch):
    """The name is not looked up, so an output may have it."""
    monkeypatch.chdir(tmp_path)
    from textbatch.data.storage.places import check_places

    model = Path("wordllama")
    check_places(TrainConfig(inputs=("rows.csv",), model=model, vectors=("wordllama",)))
    with pytest.raises(TextbatchError, match=r"--model wordllama is --vectors"):
        check_places(TrainConfig(inputs=("rows.csv",), model=model, vectors=("./wordllama",)))


def test_each_source_tells_its_licence_and_each_file_its_checksum():
    for source in SOURCES.values():
        assert "licence" in source.origin
        assert (source.kind == "file") == (len(source.md5) == 32) == (source.size > 10**8)
        assert source.url.startswith("https://github.com/")
