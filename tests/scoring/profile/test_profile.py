"""`profile`: what texts are like, and how those of another file differ."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator
from support.bundles import random_bundle, with_reference, write_bundle, write_texts

import textbatch
from textbatch.errors import ConflictError, DataError, QualityGateError, UsageError
from textbatch.model.quality import distinct
from textbatch.model.quality.distinct import DistinctCount
from textbatch.model.quality.scripts import KINDS, kinds_in
from textbatch.scoring.profile import side
from textbatch.scoring.profile.options import ProfileConfig
from textbatch.scoring.profile.profile import profile

ROOT = Path(__file__).parents[3]
ROWS = [
    "refund my card",
    None,
    "",
    " \t\u3000",
    "привет, мир",
    "refund my card",
    "12 345 !",
    "文本",
]


def profiled(*inputs, **options):
    return profile(ProfileConfig.given({"inputs": inputs, **options}))


def texts(random, rows, *, words=8):
    known = np.array(["refund", "the", "card", "login", "reset", "parcel", "late", "zzz"])
    sizes = random.poisson(words, rows) + 1
    return [
        " ".join(known[random.integers(0, len(known), size)]) + "." * (size % 2) for size in sizes
    ]


def written(folder: Path, rows: list[str | None]) -> dict[str, Path]:
    """The same rows in each format, and in a folder of two files."""
    places = {kind: folder / f"rows.{kind}" for kind in ("parquet", "csv", "jsonl")}
    write_texts(places["parquet"], rows)
    with places["csv"].open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["id", "text"], *([number, one] for number, one in enumerate(rows))])
    lines = (json.dumps({"text": one}) for one in rows)
    places["jsonl"].write_text("\n".join(lines) + "\n")
    places["folder"] = folder / "folder"
    places["folder"].mkdir()
    write_texts(places["folder"] / "a.parquet", rows[:3])
    write_texts(places["folder"] / "b.parquet", rows[3:])
    return places


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "folder", "csv"])
def test_every_row_is_counted_once(tmp_path, kind):
    (found,) = profiled(written(tmp_path, ROWS)[kind]).sides
    empty = (found.blank, found.null)
    # CSV does not tell an empty text from none.
    assert empty in ([(3, 0), (2, 1), (1, 2)] if kind == "csv" else [(2, 1)])
    assert (found.rows, found.texts, found.bad_utf8) == (8, 5, 0)
    assert (found.distinct, found.distinct_exact) == (4, True)
    assert found.longest == 14
    assert found.lengths["50%"] == 11
    assert found.mean_length == pytest.approx((14 + 11 + 14 + 8 + 2) / 5)
    assert found.scripts == {"Latin": 2, "Cyrillic": 1, "Han": 1, "no letters": 1}
    assert sum(found.characters.values()) == pytest.approx(1)
    assert found.unknown_share is None


def test_characters_are_known_by_their_bytes():
    rows = {"Latin": "aZéßž", "Greek": "αΩ", "Cyrillic": "яЖ", "Hebrew": "א", "Arabic": "م"}
    rows |= {"Indic": "कत", "Thai": "ก", "Kana": "かカ", "Han": "文𠀀", "Hangul": "한힣"}
    rows |= {"digit": "09", "mark": "~!—“。", "blank": " \n\u00a0", "emoji": "🙂☀"}
    for kind, text in rows.items():
        (found,) = kinds_in(pa.array([text], pa.large_string()))
        assert dict(zip(KINDS, found[0].tolist(), strict=True))[kind] == len(text), kind
    both = pa.array(["drop", *rows.values()], pa.large_string())[1:]
    (found,) = kinds_in(both)
    assert found.sum(axis=1).tolist() == [len(text) for text in rows.values()]


def test_many_distinct_texts_are_estimated_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(distinct, "_KEPT", 1 << 10)
    counted = DistinctCount()
    for start in range(0, 60_000, 6_000):
        for _ in range(2):
            counted.add(pa.array([f"text {one}" for one in range(start, start + 6_000)]))
    assert not counted.exact
    assert counted.count == pytest.approx(60_000, rel=0.1)
    assert len(counted._hashes) == 1 << 10


def test_files_of_the_same_kind_of_texts_have_not_drifted_and_others_have(tmp_path):
    random = np.random.default_rng(0)
    one, same, other = (tmp_path / f"{name}.parquet" for name in ("one", "same", "other"))
    write_texts(one, texts(random, 2_000))
    write_texts(same, texts(random, 300))
    write_texts(other, [f"заказ {text}"[:40] for text in texts(random, 300)] + [None] * 200)
    found = profiled(one, same, fail_on_drift=True)
    assert not found.drift.drifted
    assert (found.drift.rows, found.drift.reference_rows) == (300, 2_000)
    assert {one.of for one in found.drift.measures} == {"contents", "scripts", "lengths", "marks"}
    drift = profiled(one, other).drift
    moved = {measure.of: measure for measure in drift.measures if measure.drifted}
    assert {"contents", "lengths"} <= moved.keys()
    assert moved["contents"].before == 1
    assert moved["contents"].now == pytest.approx(0.6)
    with pytest.raises(QualityGateError, match="rows with and without a text") as failed:
        profiled(one, other, fail_on_drift=True)
    assert failed.value.exit_code == 69


def test_a_report_says_why_and_follows_its_schema(tmp_path):
    one, other, report = (tmp_path / name for name in ("a.parquet", "b.parquet", "r.json"))
    write_texts(one, ["refund the card"] * 400)
    write_texts(other, ["где мой заказ"] * 400)
    with pytest.raises(QualityGateError, match="scripts of the texts"):
        profiled(one, other, fail_on_drift=True, report=report)
    schema = json.loads((ROOT / "docs/reference/profile-report.schema.json").read_text())
    told = json.loads(report.read_text())
    Draft202012Validator(schema).validate(told)
    assert (told["state"], told["exit_code"]) == ("failed", 69)
    assert told["drift"]["drifted"]
    assert "refund" not in report.read_text()


def test_outputs_tell_of_labels_and_a_model_of_unknown_tokens(tmp_path):
    random = np.random.default_rng(1)
    model = write_bundle(tmp_path / "model", with_reference(random_bundle(), texts(random, 200)))
    places = []
    for name, words in (("one", 8), ("two", 1)):
        source = write_texts(tmp_path / f"{name}.parquet", texts(random, 500, words=words))
        output = tmp_path / f"{name}-out.parquet"
        textbatch.score(source, output, model=model, min_confidence=0.5)
        places.append(output)
    found = profiled(*places, model=model)
    assert found.warnings == ()
    assert sum(found.sides[0].labels.values()) == 500
    assert sum(found.sides[0].confidence_histogram) == 500
    assert {"labels", "confidences", "unknown"} <= {one.of for one in found.drift.measures}
    assert found.sides[0].unknown_share == pytest.approx(1 / 8, abs=0.02)
    # An input has no answers to compare with.
    (warning,) = profiled(tmp_path / "one.parquet", places[1]).warnings
    assert "not compared" in warning


def test_of_several_models_one_is_named(tmp_path):
    model = write_bundle(tmp_path / "model", random_bundle())
    source = write_texts(tmp_path / "in.parquet", ["refund the card", "reset login"] * 30)
    output = tmp_path / "out.parquet"
    textbatch.score(source, output, model={"a": model, "b": model})
    assert "several models" in profiled(output).warnings[0]
    assert sum(profiled(output, of="b").sides[0].labels.values()) == 60
    with pytest.raises(ConflictError, match="give --of one of a, b"):
        profiled(output, of="c")
    with pytest.raises(ConflictError, match="leave out --of"):
        profiled(source, of="a")


def test_a_folder_that_score_wrote_is_read_as_one(tmp_path):
    model = write_bundle(tmp_path / "model", random_bundle())
    (tmp_path / "in").mkdir()
    for name in "ab":
        write_texts(tmp_path / "in" / f"{name}.parquet", ["refund the card", None] * 20)
    textbatch.score(tmp_path / "in", tmp_path / "out/", model=model)
    textbatch.score(tmp_path / "in" / "a.parquet", tmp_path / "out.csv", model=model)
    (found,) = profiled(tmp_path / "out").sides
    assert (found.rows, found.null, sum(found.labels.values())) == (80, 40, 40)
    (found,) = profiled(tmp_path / "out.csv").sides
    assert sum(found.labels.values()) == 20


def test_whatever_the_chunks_the_numbers_are_the_same(tmp_path, monkeypatch):
    place = write_texts(tmp_path / "in.parquet", texts(np.random.default_rng(2), 700))
    whole = profiled(place)
    monkeypatch.setattr(side, "CHUNK_ROWS", 13)
    assert profiled(place) == whole


@pytest.mark.parametrize("rows", [[], [None], [""], ["one text"]])
def test_hardly_any_rows_are_no_trouble(tmp_path, rows):
    place = write_texts(tmp_path / "in.parquet", rows)
    found = profiled(place, place)
    assert found.sides[0].rows == len(rows)
    assert not (found.drift and found.drift.drifted)
    assert found.to_dict()["state"] == "done"
    assert found._repr_html_()


def test_wrong_files_and_options_are_told(tmp_path):
    place = write_texts(tmp_path / "in.parquet", ["one text"])
    pq.write_table(pa.table({"text": [1, 2]}), tmp_path / "numbers.parquet")
    with pytest.raises(UsageError, match="no file"):
        profiled()
    with pytest.raises(UsageError, match="at most two"):
        profiled(place, place, place)
    with pytest.raises(ConflictError, match="two files"):
        profiled(place, fail_on_drift=True)
    with pytest.raises(DataError, match="no column 'body'"):
        profiled(place, text_column="body")
    with pytest.raises(DataError, match=r"numbers\.parquet column 'text'"):
        profiled(tmp_path / "numbers.parquet")


def test_the_command_prints_tables_and_no_text(tmp_path, in_process):
    random = np.random.default_rng(3)
    one = write_texts(tmp_path / "one.parquet", texts(random, 400))
    other = write_texts(tmp_path / "other.parquet", ["parcel"] * 400)
    ran = in_process("profile", one, other)
    assert ran.returncode == 0
    assert "distinct texts" in ran.stdout
    assert "lengths of the texts" in ran.stdout
    assert "parcel" not in ran.stdout
    ran = in_process("profile", one, other, "--json", "--fail-on-drift")
    assert ran.returncode == 69
    assert json.loads(ran.stdout)["state"] == "failed"
