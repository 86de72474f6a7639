from __future__ import annotations

import io
import json
import shutil
from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from support.bundles import LABELS

from textbatch.errors import BundleError, DataError, InputNotFoundError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.report.terminal.tables import inspection_tables
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.inspect import inspect_path
from textbatch.scoring.score import score


@pytest.fixture
def output(input_file, model, tmp_path):
    path = tmp_path / "out.parquet"
    score(
        ScoreConfig(inputs=(input_file,), output=path, model=model, prefix="p_", min_confidence=0.5)
    )
    return path


def test_a_bundle_is_described_from_its_files(model):
    found = inspect_path(model).to_dict()
    bundle = load_bundle(model)
    assert (found["kind"], found["fingerprint"]) == ("bundle", bundle.fingerprint)
    assert found["labels"] == list(LABELS)
    assert found["architecture"]["layers"][0] == {"cell": "gru", "units": 10}
    assert "GRU 10 → LSTM 9 → last" in found["network"]
    assert found["calibration"]["temperature"] == 1.5
    assert found["files"]["labels.json"]["size"] == (model / "labels.json").stat().st_size
    assert found["versions"].keys() >= {"onnxruntime", "numpy"}
    assert json.loads(json.dumps(found)) == found


def test_a_damaged_bundle_is_not_described(model, tmp_path):
    copy = shutil.copytree(model, tmp_path / "model")
    (copy / "labels.json").write_text("[]")
    with pytest.raises(BundleError, match=r"'labels\.json' is damaged"):
        inspect_path(copy)


def test_an_output_is_counted_from_its_columns(output, model):
    found = inspect_path(output).to_dict()
    table = pq.read_table(output)
    assert (found["kind"], found["rows"]) == ("output", 500)
    assert found["fingerprint"] == load_bundle(model).fingerprint
    assert found["statuses"] == Counter(table["p_status"].to_pylist())
    counted = Counter(table["p_predicted_label"].to_pylist())
    assert found["labels"] == {label: counted[label] for label in LABELS}
    assert list(found["columns"]) == table.column_names
    assert json.loads(json.dumps(found)) == found


def test_nothing_is_told_about_foreign_files(input_file, output, tmp_path):
    metadata = pq.read_schema(output).metadata
    stripped = tmp_path / "stripped.parquet"
    # Other tools keep the footer's metadata when they drop columns.
    pq.write_table(pa.table({"id": [1]}).replace_schema_metadata(metadata), stripped)
    for path in (input_file, stripped):
        with pytest.raises(DataError, match="was not written by textbatch"):
            inspect_path(path)
    text = tmp_path / "notes.csv"
    text.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="neither a model nor an output; name a"):
        inspect_path(text)
    cut_off = tmp_path / "cut.parquet"
    cut_off.write_bytes(output.read_bytes()[:-7])
    with pytest.raises(DataError, match="truncated"):
        inspect_path(cut_off)
    with pytest.raises(InputNotFoundError, match="there is nothing at"):
        inspect_path(tmp_path / "missing")
    with pytest.raises(BundleError, match=r"has no manifest\.json"):
        inspect_path(tmp_path)


def shown(found):
    console = Console(file=io.StringIO(), width=80)
    for part in inspection_tables(found):
        console.print(part)
    return console.file.getvalue()


def test_the_screen_fits_eighty_columns_and_names_types_shortly(output):
    told = shown(inspect_path(output))
    assert "p_predicted_label dictionary<string>" in " ".join(told.split())
    assert "indices" not in told
    assert max(map(len, told.splitlines())) <= 80


def test_a_model_that_was_never_calibrated_does_not_say_that_it_was(model):
    found = inspect_path(model)
    bare = replace(
        found,
        path="model",
        calibration=replace(found.calibration, temperature=1.0, rows=0),
        profile=replace(found.profile, rows=0, oov_share=0.0, truncated_share=0.0),
    )
    told = shown(bare)
    assert "none: not calibrated" in told
    assert " 0 rows" not in told
    assert "0.0%" not in told
    assert told.split()[:2] == ["model", "model/"]
