"""`textbatch export --format mlflow`: a directory that appears whole, and what is in it."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pandas as pd
import pytest
from support.bundles import blended_bundle, imported_bundle, random_texts, write_bundle

import textbatch
from textbatch.integrations.mlflow import _load_pyfunc

FRAME = pd.DataFrame({"text": random_texts(200)}, dtype=object)


def export(in_process, model, place, *words):
    return in_process("export", model, place, "--format", "mlflow", *words)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("make", [blended_bundle, imported_bundle])
def test_what_mlflow_loads_answers_as_score_does(make, in_process, tmp_path):
    model = write_bundle(tmp_path / "model", make())
    run = export(in_process, model, tmp_path / "out", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["golden_rows"]["largest"] < 1e-6
    described = json.loads((tmp_path / "out" / "MLmodel").read_text())
    flavor = described["flavors"]["python_function"]
    assert flavor["loader_module"] == "textbatch.integrations.mlflow"
    answers = _load_pyfunc(str(tmp_path / "out" / flavor["data"])).predict(FRAME)
    signature = json.loads(described["signature"]["outputs"])
    assert list(answers.columns) == [one["name"] for one in signature]
    scored = textbatch.score(FRAME, model=model, probabilities=True)
    for name in ("predicted_label", "status"):
        theirs = [None if pd.isna(one) else one for one in scored[name]]
        assert answers[name].tolist() == theirs
    for ours, theirs in zip(answers["probabilities"], scored["probabilities"], strict=True):
        assert (ours is None) == (theirs is None)
        assert ours is None or ours == pytest.approx(theirs, abs=0)
    example = json.loads((tmp_path / "out" / "serving_input_example.json").read_text())
    assert example["dataframe_split"]["columns"] == ["text"]
    assert f"textbatch=={textbatch.__version__}" in (tmp_path / "out/requirements.txt").read_text()


def test_only_an_exported_directory_is_replaced(in_process, model, tmp_path):
    place = tmp_path / "out"
    assert export(in_process, model, place).returncode == 0
    before = files(place)
    run = export(in_process, model, place)
    assert (run.returncode, "add --overwrite" in run.stderr) == (73, True)
    assert export(in_process, model, place, "--overwrite").returncode == 0
    assert files(place) == before
    (place / "model" / "notes.txt").write_text("precious")
    run = export(in_process, model, place, "--overwrite")
    assert (run.returncode, "holds other files" in run.stderr) == (73, True)
    (tmp_path / "other").mkdir()
    run = export(in_process, model, tmp_path / "other", "--overwrite")
    assert (run.returncode, "no exported model" in run.stderr) == (73, True)
    (tmp_path / "file").touch()
    assert export(in_process, model, tmp_path / "file", "--overwrite").returncode == 73


def test_a_full_disk_leaves_what_was_there(in_process, model, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    assert export(in_process, model, here / "out").returncode == 0
    before = files(here)
    write = os.write

    def full(descriptor, data):
        if len(data) > 5000:
            raise OSError(errno.ENOSPC, "full")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    assert export(in_process, model, here / "new").returncode == 74
    assert export(in_process, model, here / "out", "--overwrite").returncode == 74
    assert files(here) == before
