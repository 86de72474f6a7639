"""`report.html` of a bundle and the page of `evaluate --html`."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import LABELS, run_cli

import textbatch
from textbatch.errors import BundleError, ConflictError, OutputError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.fitting.settings import FitSettings
from textbatch.model.network.architecture import RecurrentLayer
from textbatch.model.vectors.types import VectorSettings
from textbatch.scoring.evaluate_api import evaluate
from textbatch.training.package import page as picturing
from textbatch.training.recipes.presets import RECIPES, Recipe

QUICK = Recipe(
    layers=(RecurrentLayer(cell="gru", units=4), RecurrentLayer(cell="lstm", units=4)),
    dense_units=4,
    vectors=VectorSettings(dim=4, epochs=1),
    fit=FitSettings(max_epochs=2),
)
# A word that stands in texts alone, in rows that a model cannot get right.
CANARY = "kanarienvogel"


@pytest.fixture(scope="module")
def labelled_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("labelled") / "labelled.parquet"
    texts = [f"{CANARY} refund the card {'of ' * (i % 7)} row{i}" for i in range(120)]
    pq.write_table(pa.table({"text": texts, "label": list(LABELS) * 30}), path)
    return path


@pytest.fixture(scope="module")
def bundles(labelled_file, tmp_path_factory) -> dict[str, Path]:
    """One training twice, the second time with texts in the report."""
    folder = tmp_path_factory.mktemp("bundles")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "default", QUICK)
        for name, quoted in (("plain", False), ("quoted", True)):
            textbatch.train(labelled_file, model=folder / name, report_texts=quoted, quick=True)
    return {name: folder / name for name in ("plain", "quoted")}


def page_in(bundle: Path) -> str:
    return (bundle / "report.html").read_text(encoding="utf-8")


def sections_of(page: str) -> list[str]:
    return re.findall(r'<section[^>]* id="([\w-]+)"', page)


def test_training_writes_a_page_with_what_it_measured(bundles):
    page = page_in(bundles["plain"])
    assert sections_of(page) == [
        "baselines", "curves", "reliability", "confidences", "limits", "confusion-matrix", "labels",
        "thresholds", "errors", "lengths", "facts",
    ]  # fmt: skip
    test = load_bundle(bundles["plain"]).metrics["test"]
    assert f"{test['metrics']['accuracy']:.1%}" in page
    assert f"{test['metrics']['macro_f1']:.3f}" in page
    assert all(label in page for label in LABELS)


def test_the_page_is_verified_like_every_file_and_decides_no_answer(bundles):
    manifests = {
        name: json.loads((path / "manifest.json").read_text()) for name, path in bundles.items()
    }
    for name, path in bundles.items():
        data = (path / "report.html").read_bytes()
        told = manifests[name]["files"]["report.html"]
        assert told == {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert page_in(bundles["plain"]) != page_in(bundles["quoted"])
    assert manifests["plain"]["fingerprint"] == manifests["quoted"]["fingerprint"]


def test_a_changed_page_is_noticed(bundles, tmp_path):
    (tmp_path / "model").mkdir()
    for path in bundles["plain"].iterdir():
        (tmp_path / "model" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model" / "report.html").write_text("<script>alert(1)</script>")
    with pytest.raises(BundleError, match=r"report\.html' is damaged"):
        load_bundle(tmp_path / "model")


def test_texts_stand_in_the_page_only_when_asked_for(bundles):
    assert CANARY not in page_in(bundles["plain"])
    assert CANARY in page_in(bundles["quoted"])


def test_mistakes_are_told_by_their_row_in_the_input(bundles, labelled_file):
    texts = pq.read_table(labelled_file)["text"].to_pylist()
    page = page_in(bundles["quoted"])
    mistakes = page[page.index('id="errors"') :]
    told = re.findall(r'<th scope="row">(\d+)</th>.*?<bdi>([^<]*row\d+)</bdi>', mistakes, re.S)
    assert len(told) >= 5
    for row, text in told:
        assert " ".join(texts[int(row) - 1].split()) == text


def test_every_page_names_input_model_fingerprint_and_date(bundles, labelled_file, tmp_path):
    model, html = bundles["plain"], tmp_path / "page.html"
    run_cli("evaluate", labelled_file, "--model", model, "--html", html)
    fingerprint = load_bundle(model).fingerprint
    for page in page_in(model), html.read_text(encoding="utf-8"):
        (about,) = re.findall(r'<p class="about">(.*?)</p>', page)
        assert str(labelled_file) in about
        assert f" · {model}/ · fingerprint {fingerprint[:12]}…" in about
        assert re.search(r" · 20\d\d-\d\d-\d\d \d\d:\d\d UTC$", about)
        assert f"<dd>{fingerprint}</dd>" in page


def test_where_no_threshold_is_found_a_sentence_says_why(bundles):
    thresholds = page_in(bundles["plain"]).split('id="thresholds"')[1].split("</section>")[0]
    assert "Nothing to withhold by" in thresholds
    assert "<table" not in thresholds


def test_two_pages_of_one_seed_differ_in_name_date_and_seconds_alone(
    bundles, labelled_file, tmp_path
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "default", QUICK)
        textbatch.train(labelled_file, model=tmp_path / "model", quick=True)
    pages = [
        re.sub(
            r"(Training took</dt><dd>)[\d,]+ s|\d{4}-\d\d-\d\d \d\d:\d\d UTC", r"\1", page_in(path)
        ).replace(str(path), "model")
        for path in (bundles["plain"], tmp_path / "model")
    ]
    assert pages[0] == pages[1]
    assert "Training took" in pages[0]


def test_evaluate_writes_the_same_kind_of_page(bundles, labelled_file, tmp_path):
    html = tmp_path / "page.html"
    done = run_cli("evaluate", labelled_file, "--model", bundles["plain"], "--html", html)
    assert done.returncode == 0, done.stderr
    page = html.read_text(encoding="utf-8")
    assert sections_of(page) == [
        "reliability", "confidences", "limits", "confusion-matrix", "labels", "errors", "facts",
    ]  # fmt: skip
    assert "of 120 rows" in page
    assert CANARY not in page


def test_evaluate_quotes_texts_when_asked(bundles, labelled_file, tmp_path):
    html = tmp_path / "page.html"
    evaluate((labelled_file,), model=bundles["plain"], html=html, report_texts=True)
    assert CANARY in html.read_text(encoding="utf-8")


def test_a_page_spares_inputs_bundle_and_report(bundles, labelled_file, tmp_path):
    before = labelled_file.read_bytes()
    with pytest.raises(ConflictError, match=r"--html .* is the input"):
        evaluate((labelled_file,), model=bundles["plain"], html=labelled_file)
    assert labelled_file.read_bytes() == before
    with pytest.raises(ConflictError, match=r"--html .* lies in --model"):
        evaluate((labelled_file,), model=bundles["plain"], html=bundles["plain"] / "page.html")
    with pytest.raises(OutputError, match="there is no directory"):
        evaluate((labelled_file,), model=bundles["plain"], html=tmp_path / "none" / "page.html")
    same = tmp_path / "same"
    flags = ("--model", bundles["plain"], "--html", same, "--report", same)
    done = run_cli("evaluate", labelled_file, *flags)
    assert done.returncode == 64
    assert f"--report {same} is --html {same}; give each a place of its own" in done.stderr
    assert not same.exists()


def test_a_threshold_is_shown_where_the_rows_support_it():
    sure = [0.99 - 0.001 * place for place in range(80)]
    # All right but the last twenty; then too few rows; then a label that is never right.
    found = [
        picturing._threshold("good", sure, [True] * 60 + [False] * 20),
        picturing._threshold("few", sure[:20], [True] * 20),
        picturing._threshold("bad", sure, [False] * 80),
    ]
    assert found[0].threshold == pytest.approx(sure[59])
    assert (found[0].precision, found[0].kept) == (1.0, 0.75)
    assert [one.threshold for one in found[1:]] == [None, None]
