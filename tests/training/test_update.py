"""Going on from a model with new rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from support.training import config_of, labelled_table

from textbatch.errors import BundleError, ConflictError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.report.training import UpdatedLabel, UpdateRecord
from textbatch.training import update
from textbatch.training.split.dataset import read_splits
from textbatch.training.train import train
from textbatch.training.update import forgotten, parent_of


@pytest.fixture(scope="module")
def new_rows(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("new") / "new.parquet"
    pq.write_table(labelled_table(120, seed=7), path)
    return path


def without(path: Path, label: str, to: Path) -> Path:
    table = pq.read_table(path)
    pq.write_table(table.filter(pc.not_equal(table["queue"], label)), to)
    return to


@pytest.mark.usefixtures("quick_recipe")
def test_an_update_goes_on_from_words_and_network(trained, labelled_file, new_rows, tmp_path):
    report, _ = trained
    old = Path(report.model)
    # The new rows lack a label, which old ones have.
    rows = without(new_rows, "billing", tmp_path / "new.parquet")
    asked = {"update": old, "old_rows": labelled_file}
    config = config_of(rows, tmp_path / "model", quick=False, **asked)
    found = train(config)
    before, after = load_bundle(old), load_bundle(tmp_path / "model")
    assert after.classifier.vocabulary.words() == before.classifier.vocabulary.words()
    assert after.labels == before.labels
    # A network that begins anew has a loss of ln 3 at first.
    assert found.epochs[0].loss < min(0.5, report.epochs[0].loss)
    assert found.rows["training"] > 300
    assert found.updated.fingerprint == report.fingerprint
    assert found.updated.after == found.test.metrics.accuracy
    billing = found.updated.labels[0]
    assert (billing.label, billing.rows, billing.before) == ("billing", 0, None)
    kept = json.loads((tmp_path / "model" / "metrics.json").read_text())
    assert kept["updated"]["fingerprint"] == report.fingerprint
    assert report.fingerprint in (tmp_path / "model" / "README.md").read_text()
    assert "updated" not in json.loads((old / "metrics.json").read_text())


def test_other_labels_are_refused(trained, new_rows, tmp_path):
    old = Path(trained[0].model)
    fewer = read_splits(
        config_of(without(new_rows, "billing", tmp_path / "f.parquet"), tmp_path / "m")
    )
    with pytest.raises(ConflictError, match="would forget them: 'billing'"):
        parent_of(old, fewer)
    table = pq.read_table(new_rows)
    names = pa.array([one.replace("billing", "fraud") for one in table["queue"].to_pylist()])
    pq.write_table(table.set_column(1, "queue", names), tmp_path / "n.parquet")
    more = read_splits(config_of(tmp_path / "n.parquet", tmp_path / "m"))
    with pytest.raises(
        ConflictError, match=r"1 of . labels of the rows are not known .*: 'fraud' "
    ):
        parent_of(old, more)


def test_models_with_other_words_are_refused(trained, new_rows, tmp_path, monkeypatch):
    bundle, splits = load_bundle(Path(trained[0].model)), read_splits(config_of(new_rows, tmp_path))
    for change, told in (({"text_rules": 1}, "text rules"), ({"text": object()}, "Keras")):
        other = replace(bundle, classifier=replace(bundle.classifier, **change))
        monkeypatch.setattr(update, "load_model", lambda _, other=other: other)
        with pytest.raises(BundleError, match=told):
            parent_of(tmp_path, splits)


def test_forgotten_labels_are_warned_of():
    shares = [("kept", 100, 0.9, 0.86), ("few", 4, 1.0, 0.75), ("none", 0, None, None)]
    labels = [
        UpdatedLabel(label=label, rows=rows, before=before, after=after)
        for label, rows, before, after in shares
    ]
    record = UpdateRecord(fingerprint="f", before=0.9, after=0.8, labels=labels)
    assert forgotten(record, old_rows=False) == []
    lost = UpdatedLabel(label="lost", rows=50, before=0.9, after=0.8)
    for old_rows in (False, True):
        (told,) = forgotten(replace(record, labels=[*labels, lost]), old_rows=old_rows)
        assert "'lost' from 90.0% to 80.0%" in told
        assert ("--old-rows" in told) != old_rows


@pytest.mark.parametrize(
    "options",
    [
        {"old_rows": Path("o")},
        {"update": Path("m"), "folds": 3},
        {"update": Path("m"), "vectors": (Path("v"),)},
        {"update": Path("m"), "bidirectional": False},
        {"update": Path("m"), "unlabelled": (Path("u"),)},
    ],
)
def test_what_the_old_model_has_decided_is_refused(options, labelled_file, tmp_path):
    with pytest.raises(ConflictError):
        config_of(labelled_file, tmp_path / "model", **options)
