"""`--min-precision` does what can be done, and names what cannot."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import LABELS, random_bundle, random_texts, write_bundle

import textbatch
from textbatch.errors import ConflictError, QualityGateError
from textbatch.model.quality.thresholds import HeldOut

#: Enough right answers; enough, half of them wrong; too few.
ENOUGH, WRONG, FEW = (0.1, 100, True), (0.1, 100, False), (0.1, 9, True)


def model_of(path, *answers):
    held_out = HeldOut(
        confidences=[[confidence] * rows for confidence, rows, _ in answers],
        correct=[[right or i % 2 == 0 for i in range(rows)] for _, rows, right in answers],
    )
    write_bundle(path, replace(random_bundle(), held_out=held_out))
    return path


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": random_texts(200, seed=3)}), path)
    return path


def test_labels_that_cannot_be_shown_are_withheld_and_named_and_the_others_are_written(
    source, tmp_path
):
    model = model_of(tmp_path / "m", ENOUGH, WRONG, FEW, ENOUGH)
    plain = textbatch.score(source, tmp_path / "plain.parquet", model=model)
    done = textbatch.score(source, tmp_path / "out.parquet", model=model, min_precision=0.9)
    assert done.labels_withheld == [LABELS[1], LABELS[2]]
    (note,) = done.notes
    assert "2 of 4 labels are always withheld" in note
    assert note.split("for them: ")[1].startswith(f"{LABELS[1]}, {LABELS[2]};")
    kept = {name: plain.labels[name] for name in (LABELS[0], LABELS[3])}
    assert done.labels == {**dict.fromkeys(LABELS, 0), **kept}
    with textbatch.load(model) as loaded:
        scored = loaded.score_table(pq.read_table(source), min_precision=0.9)
    answers = pq.read_table(tmp_path / "out.parquet")
    assert scored["status"].to_pylist() == answers["status"].to_pylist()


def test_a_folder_names_them_once(source, tmp_path):
    model = model_of(tmp_path / "m", ENOUGH, WRONG, FEW, ENOUGH)
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.parquet").write_bytes(source.read_bytes())
    done = textbatch.score(folder, f"{tmp_path / 'out'}/", model=model, min_precision=0.9)
    assert done.labels_withheld == [LABELS[1], LABELS[2]]
    assert len([note for note in done.notes if "always withheld" in note]) == 1


def test_strict_refuses_labels_with_too_few_answers_before_anything_is_written(source, tmp_path):
    model, output = model_of(tmp_path / "m", ENOUGH, WRONG, FEW, ENOUGH), tmp_path / "out.parquet"
    with pytest.raises(QualityGateError, match="1 of 4 labels have fewer than 29 held-out"):
        textbatch.score(source, output, model=model, min_precision=0.9, strict_precision=True)
    assert not output.exists()
    enough = model_of(tmp_path / "n", ENOUGH, WRONG, ENOUGH, ENOUGH)
    done = textbatch.score(source, output, model=enough, min_precision=0.9, strict_precision=True)
    assert done.labels_withheld == [LABELS[1]]


@pytest.mark.parametrize("answers", [FEW, WRONG])
def test_where_every_label_would_be_withheld_the_job_is_refused(answers, source, tmp_path):
    model, output = model_of(tmp_path / "m", *[answers] * 4), tmp_path / "out.parquet"
    with pytest.raises(QualityGateError, match="every label would be withheld"):
        textbatch.score(source, output, model=model, min_precision=0.9)
    assert not output.exists()


def test_strict_alone_is_a_contradiction(source, tmp_path):
    with pytest.raises(ConflictError, match="--strict-precision needs --min-precision"):
        textbatch.score(source, tmp_path / "out.parquet", strict_precision=True)
