"""`--rescore stale`: a new model over an old folder, part by part."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, random_texts, run_cli, write_bundle, write_texts

from textbatch import score
from textbatch.data.output.footer import find_footer
from textbatch.data.output.records import PartRecord
from textbatch.errors import ConflictError, InputNotFoundError, OutputError
from textbatch.scoring.verify import verify_output

RESCORE = {"incremental": True, "rescore": "stale"}


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        name: write_bundle(folder / name, random_bundle(seed=seed))
        for seed, name in enumerate(("old", "new", "third"), 1)
    }


@pytest.fixture
def folder(models, tmp_path) -> Path:
    """Three files that the old model has scored, and a new file."""
    (tmp_path / "in").mkdir()
    for number, name in enumerate("abc"):
        write_texts(tmp_path / "in" / f"{name}.parquet", random_texts(30, seed=number))
    score(tmp_path / "in", tmp_path / "out", model=models["old"], incremental=True)
    write_texts(tmp_path / "in" / "d.parquet", random_texts(30, seed=9))
    return tmp_path


def answers(folder: Path) -> dict[str, list]:
    return {path.name: pq.read_table(path).to_pylist() for path in folder.glob("*.parquet")}


def manifest(folder: Path) -> dict[str, PartRecord]:
    lines = (folder / "_manifest.jsonl").read_bytes().splitlines(keepends=True)
    return {record.part: record for record in map(PartRecord.of_line, lines) if record}


def check_told(folder: Path) -> set[str]:
    """What a reader relies on: no part is of a model that the manifest does not name for it.

    Returns:
        The models of the parts.
    """
    told, found = manifest(folder), set()
    for part in folder.glob("*.parquet"):
        footer = find_footer(part)
        if footer and (record := told.get(part.name)):
            assert footer.fingerprint in (record.fingerprint, *record.becoming), part
            found.add(footer.fingerprint)
    return found


def line_of(folder: Path, model: Path, *more: str) -> tuple[object, ...]:
    flags = ("--incremental", "--threads", "1", *more)
    return ("score", folder / "in", folder / "out", "--model", model, *flags)


def test_naming_the_text_column_of_the_model_makes_no_other_job(folder, models):
    paths = folder / "in", folder / "out"
    for name in (None, "text"):
        done = score(*paths, model=models["old"], incremental=True, text_column=name)
    assert done.state == "skipped"


@pytest.mark.parametrize("options", [{}, {"top_k": 2}])
def test_what_another_model_or_option_made_is_scored_anew_and_the_rest_is_added(
    options, folder, models
):
    model = models["old"] if options else models["new"]
    done = score(folder / "in", folder / "out", model=model, **options, **RESCORE)
    counts = {name: done.files[name] for name in ("scored", "stale", "rescored", "known")}
    assert counts == {"scored": 4, "stale": 3, "rescored": 3, "known": 0}
    assert any("3 parts are of another model" in note for note in done.notes)
    score(folder / "in", folder / "fresh", model=model, **options)
    assert answers(folder / "out") == answers(folder / "fresh")
    for record in manifest(folder / "out").values():
        assert (record.fingerprint, record.becoming) == (done.fingerprint, ())
    assert verify_output(folder / "out", model=model).parts == 4
    again = score(folder / "in", folder / "out", model=model, **options, **RESCORE)
    assert (again.state, again.files["stale"]) == ("skipped", 0)


def test_without_it_the_run_is_refused_and_the_message_names_it(folder, models):
    before = answers(folder / "out")
    with pytest.raises(OutputError, match="add --rescore stale"):
        score(folder / "in", folder / "out", model=models["new"], incremental=True)
    with pytest.raises(ConflictError, match="add --incremental"):
        score(folder / "in", folder / "out", model=models["new"], rescore="stale")
    assert answers(folder / "out") == before
    assert verify_output(folder / "out").parts == 3


def test_a_dry_run_says_how_many_parts_are_stale_and_changes_nothing(folder, models):
    before = {path: path.read_bytes() for path in (folder / "out").iterdir()}
    job = {"model": models["new"], "dry_run": True, **RESCORE}
    done = score(folder / "in", folder / "out", **job)
    assert (done.state, done.files["stale"], done.files["scored"]) == ("planned", 3, 4)
    assert any("3 parts" in note for note in done.notes)
    assert {path: path.read_bytes() for path in (folder / "out").iterdir()} == before


def test_a_part_without_its_input_is_named_before_anything_is_replaced(folder, models):
    (folder / "in" / "b.parquet").unlink()
    before = {path: path.read_bytes() for path in (folder / "out").iterdir()}
    with pytest.raises(InputNotFoundError, match=r"1 parts of another.* first is b\.parquet"):
        score(folder / "in", folder / "out", model=models["new"], **RESCORE)
    assert {path: path.read_bytes() for path in (folder / "out").iterdir()} == before


PLACES = ("success-removed", "manifest-written", "part-published", "part-noted")


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_run_leaves_no_mix_that_the_manifest_does_not_tell_and_is_gone_on_with(
    place, folder, models
):
    line = line_of(folder, models["new"], "--rescore", "stale")
    killed = run_cli(*line, TEXTBATCH_FAILPOINTS=f"{place}:1:0")
    assert killed.returncode == -9, killed.stderr
    assert not (folder / "out" / "_SUCCESS").exists()
    assert len(check_told(folder / "out")) == (2 if place.startswith("part") else 1)
    done = score(folder / "in", folder / "out", model=models["new"], **RESCORE)
    assert done.files["stale"] == (2 if place == "part-noted" else 3)
    score(folder / "in", folder / "fresh", model=models["new"])
    assert answers(folder / "out") == answers(folder / "fresh")
    assert len(check_told(folder / "out")) == 1
    assert verify_output(folder / "out", model=models["new"]).parts == 4


@pytest.mark.parametrize(
    ("model", "rescore", "place"),
    [
        ("old", "none", "part-published"),
        ("old", "none", "part-noted"),
        ("third", "stale", "part-published"),
    ],
)
def test_another_model_may_take_over_after_a_kill(model, rescore, place, folder, models):
    line = line_of(folder, models["new"], "--rescore", "stale")
    assert run_cli(*line, TEXTBATCH_FAILPOINTS=f"{place}:1:0").returncode == -9
    job = {"model": models[model], "incremental": True, "rescore": rescore}
    score(folder / "in", folder / "out", **job)
    score(folder / "in", folder / "fresh", model=models[model])
    assert answers(folder / "out") == answers(folder / "fresh")
    assert verify_output(folder / "out", model=models[model]).parts == 4
    assert len(check_told(folder / "out")) == 1


def test_a_part_that_an_interrupted_overwrite_replaced_is_not_taken_for_the_old_models(
    folder, models
):
    place = {"TEXTBATCH_FAILPOINTS": "part-noted:1:0"}
    line = ("score", folder / "in", folder / "out", "--model", models["new"], "--overwrite")
    assert run_cli(*line, **place).returncode == -9
    score(folder / "in", folder / "out", model=models["old"], incremental=True)
    assert verify_output(folder / "out", model=models["old"]).parts == 4
