from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.training import KEYWORDS, labelled_table

from textbatch.errors import OutputError, UsageError
from textbatch.report.terminal.audit import audit_tables
from textbatch.training import audit as auditing
from textbatch.training.audit import audit
from textbatch.training.config.audit import AuditConfig

pytestmark = pytest.mark.usefixtures("quick_recipe")

SWAPPED = (3, 40, 77, 150, 222)


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> tuple[dict[str, Any], dict[int, str]]:
    """Rows of which five have a wrong label, and what these should be."""
    path = tmp_path_factory.mktemp("audit") / "rows.parquet"
    table = labelled_table(240, seed=0)
    labels = table["queue"].to_pylist()
    right = {row + 1: labels[row] for row in SWAPPED}
    names = list(KEYWORDS)
    for row in SWAPPED:
        labels[row] = names[(names.index(labels[row]) + 1) % 3]
    pq.write_table(pa.table({"body": table["body"], "queue": labels}), path)
    config = {
        "inputs": (path,),
        "text_column": "body",
        "label_column": "queue",
        "folds": 4,
        "jobs": 1,
        "seed": 0,
    }
    return config, right


def test_labels_that_were_swapped_are_found_with_the_right_suggestion(rows, tmp_path):
    config, right = rows
    output = tmp_path / "errors.parquet"
    report = audit(AuditConfig(**config, output=output))
    found = pq.read_table(output)
    assert found.column_names == ["row", "given_label", "suggested_label", "score"]
    suggested = dict(
        zip(found["row"].to_pylist(), found["suggested_label"].to_pylist(), strict=True)
    )
    assert right.items() <= suggested.items()
    assert report.found == len(suggested) <= 12
    assert sum(pair.rows for pair in report.pairs) == report.found
    assert found["score"].to_pylist() == sorted(found["score"].to_pylist())
    assert all(
        given != other
        for given, other in zip(
            found["given_label"].to_pylist(), found["suggested_label"].to_pylist(), strict=True
        )
    )
    assert report.agreement > 0.9
    assert not report.warnings
    assert len(list(audit_tables(report))) == 3


def test_a_model_can_be_asked_instead_and_texts_come_only_when_wanted(
    rows, trained, tmp_path, monkeypatch
):
    # A network that knows little says so.
    monkeypatch.setattr(auditing, "_LOW_AGREEMENT", 1.1)
    config, right = rows
    output = tmp_path / "errors.csv"
    model = Path(trained[0].model)
    report = audit(AuditConfig(**config, output=output, model=model, texts=True))
    known, few = report.warnings
    assert f"{report.agreement:.0%} of the rows" in few
    # It was trained on most of them.
    assert re.search(r"about \d\d% of the rows have texts that the model was trained on", known)
    with output.open(newline="") as file:
        found = list(csv.DictReader(file))
    texts = pq.read_table(*config["inputs"])["body"].to_pylist()
    assert {int(row["row"]): row["suggested_label"] for row in found}.items() >= right.items()
    assert all(row["text"] == texts[int(row["row"]) - 1] for row in found)


def test_an_output_that_exists_is_refused_before_any_work(rows, tmp_path):
    output = tmp_path / "errors.csv"
    output.write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        audit(AuditConfig(**rows[0], output=output))
    assert output.read_text() == "mine"


def test_other_kinds_of_files_are_refused(rows, tmp_path):
    with pytest.raises(UsageError, match=r"neither \.parquet nor \.csv"):
        AuditConfig(**rows[0], output=tmp_path / "errors.xlsx")


def test_without_cleanlab_the_extra_is_named(rows, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "cleanlab"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    report = tmp_path / "report.json"
    with pytest.raises(UsageError, match=r"pip install 'textbatch\[audit\]'"):
        audit(AuditConfig(**rows[0], output=tmp_path / "e.csv", report=report))
    assert json.loads(report.read_text())["state"] == "failed"


def test_a_label_without_a_row_is_no_class_to_the_audit():
    from textbatch.training.audit import _likely_errors

    random = np.random.default_rng(0)
    label_ids = np.repeat([0, 2], 50)
    probabilities = np.full((100, 3), 0.02, np.float32)
    probabilities[np.arange(100), label_ids] = 0.96
    probabilities += random.uniform(0, 0.01, probabilities.shape).astype(np.float32)
    probabilities[7] = (0.02, 0.02, 0.96)
    issues, scores = _likely_errors(label_ids, probabilities)
    assert issues.tolist() == [7]
    assert scores[0] < 0.1
