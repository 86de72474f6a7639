"""The way back to an older model: a link that is re-pointed in one step."""

from __future__ import annotations

import pytest
from support.bundles import random_bundle, write_bundle, write_texts

import textbatch
from textbatch.errors import OutputError
from textbatch.model.bundle import bundle as module
from textbatch.model.bundle.fetch import load_model

TEXTS = ["refund the card", "cannot log in", "the app is slow", None]


@pytest.fixture
def models(tmp_path):
    for number in (1, 2):
        write_bundle(tmp_path / f"model-{number}", random_bundle(seed=number))
    point(tmp_path / "current", 1)
    return tmp_path


def point(link, number: int) -> None:
    """What `ln -sfn` and `mv -T` do."""
    fresh = link.with_name("current.new")
    fresh.symlink_to(f"model-{number}")
    fresh.replace(link)


def test_the_link_alone_says_which_model_answers_and_the_way_back_gives_the_same_bits(models):
    source, output = write_texts(models / "in.parquet", TEXTS), models / "out.parquet"
    seen = []
    for number in (1, 2, 1):
        point(models / "current", number)
        done = textbatch.score(source, output, model=models / "current", if_exists="replace")
        seen.append((done.fingerprint, output.read_bytes().split(b"textbatch.run_id")[0]))
    first, second, again = seen
    assert first[0] != second[0]
    assert first == again


def test_a_folder_of_the_newer_model_is_not_mixed_with_the_older_ones(models):
    (models / "in").mkdir()
    write_texts(models / "in" / "a.parquet", TEXTS)
    job = {"model": models / "current", "incremental": True}
    point(models / "current", 2)
    textbatch.score(models / "in", models / "out", **job)
    point(models / "current", 1)
    write_texts(models / "in" / "b.parquet", TEXTS)
    with pytest.raises(OutputError, match="made by another model"):
        textbatch.score(models / "in", models / "out", **job)
    done = textbatch.score(models / "in", models / "out", rescore="stale", **job)
    assert (done.files["rescored"], done.files["scored"]) == (1, 2)


def test_a_link_that_moves_while_a_model_is_read_leads_to_one_of_them(models, monkeypatch):
    wanted = load_model(models / "model-1").fingerprint
    real = module._config

    def moved(files):
        point(models / "current", 2)
        return real(files)

    monkeypatch.setattr(module, "_config", moved)
    assert load_model(models / "current").fingerprint == wanted
