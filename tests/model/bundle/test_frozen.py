"""Bundles of each format that was ever written answer as they did. See support/frozen_bundles.py.

The bits are compared where processor and library are those that made the answers. Elsewhere the
probabilities may differ by what golden rows may.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.frozen_bundles import answers_of, machine

from textbatch.errors import BundleError, OutputError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.bundle.directory import FORMAT_VERSION
from textbatch.model.replay import GOLDEN_TOLERANCE
from textbatch.scoring.migrate import migrate

FROZEN = Path(__file__).parent / "frozen"
RECORDS = {path.parent.name: json.loads(path.read_text()) for path in FROZEN.glob("*/answers.json")}
CASES = [(kept, name) for kept, record in sorted(RECORDS.items()) for name in record["answers"]]


def check(folder: Path, kept: str, name: str) -> None:
    record = RECORDS[kept]
    found, wanted = answers_of(folder, record["texts"]), record["answers"][name]
    assert found["status"] == wanted["status"]
    if machine() == record["machine"]:
        assert found == wanted
    probabilities = np.array(found["probabilities"]), np.array(wanted["probabilities"])
    np.testing.assert_allclose(*probabilities, rtol=0, atol=GOLDEN_TOLERANCE["f32"])


def test_each_format_is_kept_and_small():
    kept = {json.loads(path.read_text())["format"] for path in FROZEN.glob("*/*/manifest.json")}
    assert kept == set(range(1, FORMAT_VERSION + 1))
    for folder in FROZEN.glob("*/*/"):
        assert sum(path.stat().st_size for path in folder.iterdir()) < 200_000


@pytest.mark.parametrize(("kept", "name"), CASES)
def test_a_frozen_bundle_answers_as_it_did_and_so_does_its_migrated_copy(kept, name, tmp_path):
    check(FROZEN / kept / name, kept, name)
    migrate(FROZEN / kept / name, tmp_path / "today")
    check(tmp_path / "today", kept, name)
    manifest = json.loads((tmp_path / "today" / "manifest.json").read_text())
    assert manifest["format"] == FORMAT_VERSION
    old, new = load_bundle(FROZEN / kept / name), load_bundle(tmp_path / "today")
    assert (new.labels, new.metrics, new.profile) == (old.labels, old.metrics, old.profile)


def test_migration_replaces_nothing_and_leaves_nothing_half_done(tmp_path, monkeypatch):
    kept, name = CASES[0]
    output = tmp_path / "out"
    output.mkdir()
    with pytest.raises(OutputError, match="exists"):
        migrate(FROZEN / kept / name, output)
    output.rmdir()
    damaged = shutil.copytree(FROZEN / kept / name, tmp_path / "damaged")
    (damaged / "labels.json").write_text("[]")
    with pytest.raises(BundleError, match="damaged"):
        migrate(damaged, output)
    answers = iter([np.zeros(1), np.ones(1)])
    monkeypatch.setattr("textbatch.scoring.migrate._answers", lambda _: next(answers))
    with pytest.raises(BundleError, match="would answer otherwise"):
        migrate(FROZEN / kept / name, output)
    assert not output.exists()


def test_a_newer_format_is_refused_with_what_to_do(tmp_path):
    kept, name = CASES[0]
    copy = shutil.copytree(FROZEN / kept / name, tmp_path / "newer")
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": 2, "new": {}}))
    for use in (load_bundle, lambda path: migrate(path, tmp_path / "out")):
        with pytest.raises(BundleError, match=r"has bundle format 2, .* upgrade textbatch"):
            use(copy)


def test_the_command_migrates_and_shows_the_new_model(tmp_path, in_process):
    kept, name = CASES[0]
    run = in_process("inspect", FROZEN / kept / name, "--migrate", tmp_path / "today", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["path"] == str(tmp_path / "today")
