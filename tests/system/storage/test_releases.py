"""Releases of a model in an object store."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, write_bundle

from textbatch import score
from textbatch.data.storage.location import location_of
from textbatch.errors import OutputError, TryAgainError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.bundle.fetch import load_model, load_placed
from textbatch.scoring.inspect import inspect_path
from textbatch.scoring.releases.folder import ReleaseFolder, promoted
from textbatch.scoring.releases.options import PromoteConfig, RollbackConfig
from textbatch.scoring.releases.promote import promote
from textbatch.scoring.releases.rollback import rollback

TO = location_of("s3://bucket/releases")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return [write_bundle(folder / f"m{seed}", random_bundle(seed=seed)) for seed in range(3)]


def put(model, **options):
    return promote(PromoteConfig(model=model, to=TO, threads=1, **options))


def test_models_are_promoted_read_and_rolled_back(store, models, input_file, tmp_path):
    done = [put(model, keep=2) for model in models]
    assert load_model(TO).fingerprint == done[2].fingerprint
    names = {key.split("/")[2] for key in store.keys("releases/versions/")}
    assert names == {done[1].version, done[2].version}
    back = rollback(RollbackConfig(releases=TO, threads=1))
    assert back.version == done[1].version
    assert [one.current for one in inspect_path(TO).versions] == [True, False]
    score(input_file, tmp_path / "out.parquet", model="s3://bucket/releases")
    score(input_file, tmp_path / "plain.parquet", model=models[1])
    assert pq.read_table(tmp_path / "out.parquet").equals(pq.read_table(tmp_path / "plain.parquet"))


def test_of_two_promotions_at_a_time_the_later_one_gets_75(store, models):
    for before in ((), (models[2],)):
        for model in before:
            put(model)
        folder = ReleaseFolder(TO)
        version = folder.add(models[0])
        put(models[1])
        with pytest.raises(TryAgainError, match="another run has written"):
            folder.record(promoted(folder.releases, version, keep=5))
        assert load_model(TO).fingerprint == load_bundle(models[1]).fingerprint


@pytest.mark.parametrize("taken", [False, True])
def test_the_store_itself_refuses_a_record_that_has_changed_since_it_was_read(
    store, models, monkeypatch, taken
):
    if taken:
        put(models[0])
    folder = ReleaseFolder(TO)
    version = folder.add(models[1])
    put(models[2])
    # As if the other run had come between the look and the upload.
    monkeypatch.setattr("textbatch.data.storage.remote.check_unreplaced", lambda *_: None)
    with pytest.raises(TryAgainError, match="another run has written"):
        folder.record(promoted(folder.releases, version, keep=5))
    assert load_model(TO).fingerprint == load_bundle(models[2]).fingerprint


def test_an_upload_whose_answer_was_lost_counts(store, models):
    put(models[0])
    folder = ReleaseFolder(TO)
    version = folder.add(models[1])
    store.faults.begin("lost", first=2, count=1)  # the upload, after the look
    folder.record(promoted(folder.releases, version, keep=5))
    assert store.faults.hits == 1
    assert load_model(TO).fingerprint == version.fingerprint


def test_a_plain_model_in_a_store_costs_no_further_request(store, models):
    store.put_folder(models[0], "plain")
    store.faults.begin()
    _, place = load_placed(location_of("s3://bucket/plain"))
    assert str(place) == "s3://bucket/plain"
    assert not [call for call in store.faults.calls if "current.json" in call]


def test_other_objects_are_left_alone(store, models):
    store.put("releases/mine.txt", b"mine")
    with pytest.raises(OutputError, match=r"mine\.txt"):
        put(models[0])
    assert store.keys() == ["releases/mine.txt"]


def test_a_version_of_a_run_that_may_still_upload_stays(store, models):
    other = "releases/versions/29990101T000000Z-00000000/labels.json"
    store.put(other, b"{}")
    done = put(models[0])
    assert other in store.keys("releases")
    assert json.loads(store.get("releases/current.json"))["current"] == done.version
