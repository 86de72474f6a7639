"""`export`, `promote`, `rollback`, `tune` and `audit` from Python."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.bundles import random_bundle, write_bundle

import textbatch
from textbatch.errors import BundleError, ConflictError, OutputError, UsageError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.bundle.fetch import load_model


def test_a_model_is_exported(tmp_path):
    write_bundle(tmp_path / "model")
    seen = []
    done = textbatch.export(
        str(tmp_path / "model"), tmp_path / "out", format="onnx", log=seen.append
    )
    assert (done.format, (tmp_path / "out").stat().st_size) == ("onnx", done.bytes)
    with pytest.raises(OutputError):
        textbatch.export(tmp_path / "model", tmp_path / "out", format="onnx")
    textbatch.export(tmp_path / "model", tmp_path / "out", format="onnx", if_exists="replace")
    with pytest.raises(UsageError, match="does not tell the form"):
        textbatch.export(tmp_path / "model", tmp_path / "other")
    with pytest.raises(BundleError):
        textbatch.export(tmp_path / "none", tmp_path / "other.onnx")


def test_models_are_promoted_and_rolled_back(tmp_path):
    releases = tmp_path / "releases"
    fingerprints = []
    for seed in range(2):
        model = write_bundle(tmp_path / f"m{seed}", random_bundle(seed=seed))
        fingerprints.append(load_bundle(model).fingerprint)
        assert textbatch.promote(model, to=releases).state == "done"
    planned = textbatch.rollback(releases, dry_run=True)
    assert (planned.state, load_model(releases).fingerprint) == ("planned", fingerprints[1])
    assert textbatch.rollback(str(releases), report=tmp_path / "r.json").state == "done"
    assert load_model(releases).fingerprint == fingerprints[0]
    assert (tmp_path / "r.json").exists()
    with pytest.raises(UsageError, match="--to is missing"):
        textbatch.promote(tmp_path / "m0")
    with pytest.raises(ConflictError, match="needs rows"):
        textbatch.promote(tmp_path / "m0", to=releases, require=["accuracy >= 0.5"])


def test_settings_that_make_no_sense_are_refused_before_anything_is_read(tmp_path):
    with pytest.raises(UsageError):
        textbatch.tune(tmp_path / "none.csv", trials=0)
    with pytest.raises(UsageError):
        textbatch.audit(tmp_path / "none.csv", output=tmp_path / "out.txt")


def test_a_model_with_a_name_is_refused_where_one_model_is_asked_for(tmp_path):
    write_bundle(tmp_path / "model")
    for place in (f"topic={tmp_path / 'model'}", "topic=s3://bucket/model"):
        with pytest.raises(ConflictError, match="leave topic= out"):
            textbatch.export(place, tmp_path / "x.onnx")
    with pytest.raises(BundleError, match="there is no model"):
        textbatch.export(f"topic={tmp_path / 'none'}", tmp_path / "x.onnx")


def test_doctor_says_so_too_and_prints_no_place(tmp_path):
    write_bundle(tmp_path / "model")
    run = subprocess.run(
        [sys.executable, "-m", "textbatch", "doctor", "--json", "--model",
         f"topic={tmp_path / 'model'}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, "leave topic= out" in run.stderr) == (64, True)
    assert str(tmp_path) not in run.stdout
