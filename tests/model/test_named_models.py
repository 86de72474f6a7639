"""`--model NAME=PLACE`: what is a name, what is a place, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from textbatch.data.storage.location import RemotePath
from textbatch.errors import ConflictError
from textbatch.model.named_models import ModelPlace, NamedModels, models_of


def told(found) -> object:
    if isinstance(found, NamedModels):
        return {one.name: str(one.place) for one in found.each}
    return str(found)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("m1", "m1"),
        (Path("m1"), "m1"),
        (["m1"], "m1"),
        ("topic=m1", {"topic": "m1"}),
        (["topic=m1", "tone=m2"], {"topic": "m1", "tone": "m2"}),
        (("B=s3://bucket/m", "a=m2"), {"B": "s3://bucket/m", "a": "m2"}),
        ({"topic": "m1", "tone": Path("m2")}, {"topic": "m1", "tone": "m2"}),
        ("topic=day=3/m", {"topic": "day=3/m"}),
        # The `=` is of a place.
        ("./run=3", "run=3"),
        ("/data/run=3/m", "/data/run=3/m"),
        ("data/run=3", "data/run=3"),
        ("../run=3", "../run=3"),
        ("s3://bucket/run=3/m", "s3://bucket/run=3/m"),
        (Path("run=3"), "run=3"),
        ({"topic": "run=3"}, {"topic": "run=3"}),
        (RemotePath("s3", "bucket", "run=3"), "s3://bucket/run=3"),
    ],
)
def test_what_is_before_the_first_equals_sign_is_a_name_if_it_can_be_one(given, meant):
    found = models_of(given)
    assert told(found) == meant
    assert models_of(found) == found


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["m1", "m2"], "m1 is one of several models and has no name"),
        (["topic=m1", "m2"], "m2 is one of several models and has no name"),
        (["topic=m1", "topic=m2"], "two models have the name 'topic'"),
        (["topic=m1", "TOPIC=m2"], "two models have the name 'topic'"),
        ({"topic": "m1", "Topic": "m2"}, "two models have the name 'topic'"),
        ("my model=m1", "'my model' is no name for a model"),
        ("my-model=m1", "'my-model' is no name for a model"),
        ("1st=m1", "'1st' is no name for a model"),
        ("=m1", "'' is no name for a model"),
        ("_=m1", "'_' is no name for a model"),
        ("größe=m1", "is no name for a model"),
        ("topic\n=m1", "is no name for a model"),
        ("t" * 41 + "=m1", "is no name for a model"),
        ({"": "m1"}, "'' is no name for a model"),
        ("topic=", "--model topic= names no place"),
        ([f"m{number}=m" for number in range(9)], "there are 9 models; a run takes 8 at most"),
        ({}, "no model is given"),
        ((), "no model is given"),
    ],
)
def test_what_is_not_clear_is_refused(given, message):
    with pytest.raises(ConflictError, match=message):
        models_of(given)


def test_a_place_that_is_there_is_no_name_with_a_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("run=3").mkdir()
    with pytest.raises(ConflictError, match=r"write ./run=3 for it"):
        models_of("run=3")
    assert told(models_of("./run=3")) == "run=3"


@pytest.mark.parametrize("given", [3, None, b"m1", ["m1", 3], {"topic": 3}])
def test_only_paths_are_places(given):
    with pytest.raises((TypeError, ConflictError)):
        models_of([given, given] if given is None else given)


def test_the_places_are_told_as_they_are_given():
    models = NamedModels((ModelPlace("topic", Path("m1")), ModelPlace("tone", Path("m2"))))
    assert str(models) == "topic=m1 tone=m2"
    assert models.places == (Path("m1"), Path("m2"))
