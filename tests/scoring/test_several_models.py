"""Several models in one run: for each model what a run of its own gives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, random_texts, write_bundle, write_texts

import textbatch
from textbatch.data.output.footer import find_footer
from textbatch.errors import ConflictError, DataError, OutputError, QualityGateError
from textbatch.scoring.folder.finish import finish_output
from textbatch.scoring.inspect import inspect_path
from textbatch.scoring.show import show_rows
from textbatch.scoring.show_options import ShowOptions
from textbatch.scoring.verify import verify_output

ROWS = 120


@pytest.fixture(scope="module")
def models(tmp_path_factory, model) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    tone = random_bundle(
        words=("refund", "card", "the"), labels=("good", "bad"), seed=4, max_sequence_length=5
    )
    return {"topic": model, "tone": write_bundle(folder / "tone", tone)}


@pytest.fixture
def source(tmp_path) -> Path:
    return write_texts(tmp_path / "in.parquet", random_texts(ROWS, seed=2))


def alone(source: Path, models: dict[str, Path], name: str, **options) -> pa.Table:
    """The answers of a run with one of the models."""
    output = source.parent.parent / f"alone-{name}.parquet"
    textbatch.score(source, output, model=models[name], if_exists="replace", **options)
    return pq.read_table(output).drop_columns(["id", "text"])


def check_answers(table: pa.Table, source: Path, models: dict[str, Path], **options) -> None:
    given = pq.read_table(source)
    assert table.select(given.schema.names).equals(given)
    names = given.schema.names
    for name in models:
        expected = alone(source, models, name, **options)
        for column in expected.schema.names:
            names = [*names, f"{name}_{column}"]
            assert table[f"{name}_{column}"].equals(expected[column]), column
    assert table.schema.names == names


OPTIONS = [
    {},
    {"probabilities": True, "top_k": 2},
    {"min_confidence": 0.6, "chunk_rows": 17, "threads": 1},
    {"precision": "int8"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_each_model_gives_what_it_gives_alone(options, source, models, tmp_path):
    done = textbatch.score(source, tmp_path / "out.parquet", model=models, **options)
    assert done.rows_out == ROWS
    check_answers(pq.read_table(tmp_path / "out.parquet"), source, models, **options)


def test_the_report_has_a_section_for_each_model(source, models, tmp_path):
    report = tmp_path / "report.json"
    done = textbatch.score(source, tmp_path / "out.parquet", model=models, report=report)
    assert (done.statuses, done.labels, done.mean_confidence) == ({}, {}, None)
    assert [one.name for one in done.models] == ["topic", "tone"]
    assert done.model == " ".join(f"{name}={place}" for name, place in models.items())
    for one in done.models:
        own = textbatch.score(source, tmp_path / f"{one.name}.parquet", model=one.model)
        for name in ("fingerprint", "engine", "device", "precision", "statuses", "labels"):
            assert getattr(one, name) == getattr(own, name)
        for name in ("mean_confidence", "confidence_histogram", "tokens", "unknown_tokens"):
            assert getattr(one, name) == getattr(own, name)
        assert done.fingerprint != own.fingerprint
    assert done.tokens == sum(one.tokens for one in done.models)
    assert json.loads(report.read_text())["models"][1]["labels"] == done.models[1].labels
    assert "tone label" in done._repr_html_()


def test_one_name_is_a_prefix(source, models, tmp_path):
    named, prefixed = tmp_path / "named.parquet", tmp_path / "prefixed.parquet"
    done = textbatch.score(source, named, model={"topic": models["topic"]})
    textbatch.score(source, prefixed, model=models["topic"], prefix="topic_")
    assert pq.read_table(named).equals(pq.read_table(prefixed))
    assert [one.name for one in done.models] == ["topic"]
    assert done.models[0].labels == done.labels
    # It is the same job.
    again = {"model": models["topic"], "prefix": "topic_", "if_exists": "skip"}
    assert textbatch.score(source, named, **again).state == "skipped"
    assert find_footer(named).models == {}


def test_a_prefix_comes_before_the_names(source, models, tmp_path):
    textbatch.score(source, tmp_path / "out.parquet", model=models, prefix="v2_")
    names = pq.read_schema(tmp_path / "out.parquet").names
    assert names[2:5] == ["v2_topic_predicted_label", "v2_topic_confidence", "v2_topic_status"]
    assert verify_output(tmp_path / "out.parquet").rows == ROWS


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl.gz"])
def test_the_output_tells_of_each_model_and_is_sealed(suffix, source, models, tmp_path):
    output = tmp_path / f"out.{suffix}"
    done = textbatch.score(source, output, model=models, top_k=1, probabilities=True)
    footer = find_footer(output)
    assert footer.fingerprint == done.fingerprint
    assert list(footer.models) == ["topic", "tone"]
    checked, found = verify_output(output), inspect_path(output)
    for one in done.models:
        for told in (footer.models, checked.models, found.models):
            assert told[one.name].fingerprint == one.fingerprint
            assert told[one.name].labels == one.labels
            assert told[one.name].statuses == one.statuses
    assert found.rows == checked.rows == ROWS
    assert found.to_dict()["models"]["tone"]["labels"] == done.models[1].labels
    verify_output(output, model=models["tone"])
    with pytest.raises(DataError, match="was made"):
        verify_output(output, model=write_bundle(tmp_path / "other", random_bundle(seed=8)))


def test_verify_takes_the_models_with_their_names(source, models, tmp_path, in_process):
    output = tmp_path / "out.parquet"
    textbatch.score(source, output, model=models)
    named = [word for name, place in models.items() for word in ("--model", f"{name}={place}")]
    assert in_process("verify", output, *named).returncode == 0
    swapped = ("--model", f"tone={models['topic']}")
    done = in_process("verify", output, *swapped)
    assert done.returncode == 65
    assert "as tone" in done.stderr
    assert in_process("verify", output, "--model", f"mood={models['tone']}").returncode == 65


def test_show_asks_whose_answers_filters_mean(source, models, tmp_path):
    output = tmp_path / "out.parquet"
    textbatch.score(source, output, model=models)
    shown = show_rows(ShowOptions(output=output, rows=3))
    assert shown.answers[2:4] == ["topic_status", "tone_predicted_label"]
    with pytest.raises(ConflictError, match="several models") as refused:
        show_rows(ShowOptions(output=output, label="good"))
    assert "--of with one of topic, tone" in str(refused.value)
    found = show_rows(ShowOptions(output=output, rows=ROWS, label="bad", of="tone"))
    whole = pq.read_table(output)["tone_predicted_label"].to_pylist()
    assert len(found.rows) == whole.count("bad") > 0
    with pytest.raises(ConflictError, match="no answers of a model 'mood'"):
        show_rows(ShowOptions(output=output, of="mood"))
    textbatch.score(source, tmp_path / "one.csv", model=models["tone"])
    with pytest.raises(ConflictError, match="leave out --of"):
        show_rows(ShowOptions(output=tmp_path / "one.csv", of="tone"))


class StoppedError(Exception):
    """Ends a run."""


class StopAfter:
    """A progress that ends the run after some chunks."""

    def __init__(self, chunks: int) -> None:
        self._left = chunks

    def begin(self, total_rows, *, step="", unit=""):
        pass

    def advance(self, rows, share=None):
        self._left -= 1
        if self._left == 0:
            raise StoppedError

    def end(self):
        pass


@pytest.mark.parametrize("options", [{}, {"probabilities": True}], ids=str)
def test_a_rerun_goes_on_with_the_answers_of_all_models(options, source, models, tmp_path):
    output, whole = tmp_path / "out.parquet", tmp_path / "whole.parquet"
    job = {"model": models, "chunk_rows": 20, **options}
    with pytest.raises(StoppedError):
        textbatch.score(source, output, progress=StopAfter(3), **job)
    assert not output.exists()
    done = textbatch.score(source, output, **{**job, "chunk_rows": 32})
    assert done.rows_resumed >= 60
    textbatch.score(source, whole, **job)
    assert pq.read_table(output).equals(pq.read_table(whole))
    check_answers(pq.read_table(output), source, models, **options)


def test_answers_of_other_models_are_not_taken_over(source, models, tmp_path):
    output = tmp_path / "out.parquet"
    turned = dict(reversed(models.items()))
    renamed = {"topic": models["topic"], "mood": models["tone"]}
    with pytest.raises(StoppedError):
        textbatch.score(source, output, model=models, chunk_rows=20, progress=StopAfter(3))
    done = textbatch.score(source, output, model=turned)
    assert done.rows_resumed == 0
    assert any("started over" in note for note in done.notes)
    skip = {"if_exists": "skip"}
    assert textbatch.score(source, output, model=turned, **skip).state == "skipped"
    again = textbatch.score(source, output, model=turned, **skip)
    assert again.models[0].labels == done.models[0].labels
    for other in (models, renamed, models["topic"], {"tone": models["tone"]}):
        with pytest.raises(OutputError, match=r"made (by|with) another"):
            textbatch.score(source, output, model=other, **skip)


def test_bad_rows_leave_the_answers_of_all_models(models, tmp_path):
    source = tmp_path / "in.parquet"
    texts = pa.array([b"refund", b"\xff", b"the card"], pa.binary())
    pq.write_table(pa.table({"id": ["1", "2", "3"], "text": texts}), source)
    out, aside = tmp_path / "out.parquet", tmp_path / "aside.jsonl"
    done = textbatch.score(source, out, model=models, quarantine=aside, max_bad_rows=1)
    assert (done.rows_in, done.rows_out, done.rows_quarantined) == (3, 2, 1)
    assert pq.read_table(out)["id"].to_pylist() == ["1", "3"]
    assert len(aside.read_text().splitlines()) == 1
    assert verify_output(out).rows_quarantined == 1
    kept = textbatch.score(source, tmp_path / "kept.parquet", model=models, max_bad_rows=1)
    assert [one.statuses["bad_text"] for one in kept.models] == [1, 1]
    # What is there already is checked against the limit as well.
    with pytest.raises(textbatch.TextbatchError, match="max-bad-rows"):
        textbatch.score(source, tmp_path / "kept.parquet", model=models, if_exists="skip")


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "in").mkdir()
    for number, name in enumerate("abc"):
        write_texts(tmp_path / "in" / f"{name}.parquet", random_texts(30, seed=number))
    return tmp_path / "in"


def test_a_folder_adds_up_for_each_model(folder, models, tmp_path):
    out = tmp_path / "out"
    done = textbatch.score(folder, out, model=models)
    for one in done.models:
        own = textbatch.score(folder, tmp_path / one.name, model=one.model)
        for name in ("statuses", "labels", "confidence_histogram", "tokens", "unknown_tokens"):
            assert getattr(one, name) == getattr(own, name), name
        assert one.mean_confidence == own.mean_confidence
    checked, found = verify_output(out), inspect_path(out)
    assert checked.models["tone"].labels == found.models["tone"].labels == done.models[1].labels
    for part in sorted(out.glob("*.parquet")):
        check_answers(pq.read_table(part), folder / part.name, models)
    again = textbatch.score(folder, out, model=models, if_exists="skip")
    assert again.state == "skipped"
    assert again.models[1].labels == done.models[1].labels


def test_new_files_and_new_models_are_scored_into_a_folder(folder, models, tmp_path):
    out = tmp_path / "out"
    textbatch.score(folder, out, model=models, incremental=True)
    write_texts(folder / "d.parquet", random_texts(30, seed=9))
    done = textbatch.score(folder, out, model=models, incremental=True)
    assert (done.files["scored"], done.files["known"]) == (1, 3)
    newer = {**models, "tone": write_bundle(tmp_path / "newer", random_bundle(seed=6))}
    with pytest.raises(OutputError, match="another model"):
        textbatch.score(folder, out, model=newer, incremental=True)
    done = textbatch.score(folder, out, model=newer, incremental=True, rescore="stale")
    assert done.files["rescored"] == 4
    assert verify_output(out).models["tone"].fingerprint == done.models[1].fingerprint
    check_answers(pq.read_table(out / "a.parquet"), folder / "a.parquet", newer)


def test_a_table_gets_the_columns_of_each_model(source, models):
    table = pq.read_table(source)
    check_answers(textbatch.score(table, model=models), source, models)
    frame = textbatch.score(table.to_pandas(), model=models, min_confidence=0.6)
    expected = alone(source, models, "tone", min_confidence=0.6)
    found = pa.array(frame["tone_predicted_label"].astype(object).where(pd.notna, None))
    assert found.to_pylist() == expected["predicted_label"].to_pylist()
    with pytest.raises(ConflictError, match="topic_status"):
        textbatch.score(table.append_column("topic_status", table["id"]), model=models)


def test_a_dry_run_looks_at_all_models(source, models, tmp_path):
    done = textbatch.score(source, tmp_path / "out.parquet", model=models, dry_run=True)
    assert (done.state, done.rows_in) == ("planned", ROWS)
    assert all(one.fingerprint for one in done.models)
    broken = {**models, "tone": tmp_path / "none"}
    with pytest.raises(textbatch.TextbatchError, match=r"^model tone: .*none"):
        textbatch.score(source, tmp_path / "out.parquet", model=broken, dry_run=True)


def test_a_column_of_the_input_is_not_overwritten(models, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("text,Tone_Status\nrefund,x\n")
    with pytest.raises(ConflictError, match=r"tone_status.*add --prefix"):
        textbatch.score(source, tmp_path / "out.parquet", model=models)
    (tmp_path / "in").mkdir()
    source.rename(tmp_path / "in" / "a.csv")
    with pytest.raises(ConflictError, match="tone_status"):
        textbatch.score(tmp_path / "in", tmp_path / "out", model=models)


def test_models_that_read_different_columns_are_not_combined(source, models, tmp_path):
    other = random_bundle(seed=3)
    other = replace(other, settings=replace(other.settings, text_column="body"))
    different = {**models, "tone": write_bundle(tmp_path / "body", other)}
    with pytest.raises(ConflictError, match=r"topic 'text', tone 'body'.*--text-column"):
        textbatch.score(source, tmp_path / "out.parquet", model=different)
    done = textbatch.score(source, tmp_path / "out.parquet", model=different, text_column="text")
    assert done.rows_out == ROWS


def test_a_precision_is_asked_of_each_model(source, models, tmp_path):
    with pytest.raises(QualityGateError, match=r"^model topic: "):
        textbatch.score(source, tmp_path / "out.parquet", model=models, min_precision=0.9)


def test_shares_of_a_folder_are_finished_with_all_models(folder, models, tmp_path):
    out, whole = tmp_path / "out", tmp_path / "whole"
    for shard in ("0/2", "1/2"):
        textbatch.score(folder, out, model=models, shard=shard)
    done = finish_output(out, run_id="0123456789abcdef")
    expected = textbatch.score(folder, whole, model=models)
    for one, other in zip(done.models, expected.models, strict=True):
        assert (one.name, one.fingerprint) == (other.name, other.fingerprint)
        assert (one.statuses, one.labels) == (other.statuses, other.labels)
    assert verify_output(out).models == verify_output(whole).models
