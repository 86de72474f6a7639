from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pytest
from support.bundles import (
    LABELS,
    WORDS,
    exiting_bundle,
    random_bundle,
    with_classifier,
    with_novelty,
    with_reference,
    write_bundle,
)

from textbatch.errors import BundleError, OutputError, StorageError
from textbatch.model.bundle import bundle as bundle_module
from textbatch.model.bundle import directory as manifest_module
from textbatch.model.bundle.bundle import Bundle, load_bundle, save_bundle
from textbatch.model.bundle.directory import fingerprint_of
from textbatch.model.bundle.verified_file import ListedFile
from textbatch.model.layout import LAYOUT
from textbatch.model.network.onnx_graph import build_graph
from textbatch.model.network.weights import Weights
from textbatch.model.predictor import open_bundle

MANIFEST = LAYOUT.manifest
FILES = (*LAYOUT.fingerprinted, "metrics.json", "README.md")


@pytest.fixture
def copy(model: Path, tmp_path: Path) -> Path:
    """A bundle that a test may spoil."""
    return Path(shutil.copytree(model, tmp_path / "model"))


def answers(bundle: Bundle, texts: list[str | None]) -> bytes:
    with open_bundle(bundle, threads=1) as predictor:
        return predictor.predict(pa.array(texts, pa.large_string())).probabilities.tobytes()


def replay(path: Path) -> None:
    open_bundle(load_bundle(path), threads=1).close()


def reseal(path: Path) -> None:
    """Make the manifest fit the files, as an attacker would."""
    manifest = json.loads((path / MANIFEST).read_text())
    names = sorted(entry.name for entry in path.iterdir() if entry.name != MANIFEST)
    data = {name: (path / name).read_bytes() for name in names}
    files = {
        name: ListedFile(size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in data.items()
    }
    manifest["files"] = {name: asdict(listed) for name, listed in files.items()}
    manifest["fingerprint"] = fingerprint_of(files)
    (path / MANIFEST).write_text(json.dumps(manifest))


def change_json(path: Path, name: str, *keys: str, to: Any) -> None:
    document = json.loads((path / name).read_text())
    inner = document
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = to
    (path / name).write_text(json.dumps(document))
    reseal(path)


def state(path: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in path.iterdir()}


# --- good bundles


def test_a_bundle_comes_back_with_its_fingerprint_and_its_answers(bundle, texts, tmp_path):
    measured = replace(bundle.calibration, nll_before=1.0)
    bundle = replace(bundle, calibration=measured)
    fingerprint = save_bundle(bundle, tmp_path / "model", card="# card\n", overwrite=False)
    loaded = load_bundle(tmp_path / "model")
    assert loaded.fingerprint == loaded.manifest.fingerprint == fingerprint
    assert answers(loaded, texts) == answers(bundle, texts)
    same = with_classifier(loaded, weights=bundle.classifier.weights)
    assert replace(same, manifest=None) == bundle
    again = save_bundle(loaded, tmp_path / "again", card="# card\n", overwrite=False)
    assert again == fingerprint


def test_the_fingerprint_tells_bundles_with_other_answers_apart_and_no_more(bundle, tmp_path):
    def fingerprint(variant: Bundle, card: str = "") -> str:
        return save_bundle(variant, tmp_path / os.urandom(4).hex(), card=card, overwrite=False)

    plain = fingerprint(bundle)
    assert fingerprint(replace(bundle, metrics={"accuracy": 1.0}), card="other") == plain
    warmer = replace(
        bundle,
        classifier=replace(bundle.classifier, temperature=1.6),
        calibration=replace(bundle.calibration, temperature=1.6),
    )
    relabelled = with_classifier(bundle, labels=LABELS[::-1])
    assert len({plain, fingerprint(warmer), fingerprint(relabelled)}) == 3


def test_a_bundle_and_its_classifier_have_one_temperature(bundle):
    with pytest.raises(ValueError, match="another temperature"):
        with_classifier(bundle, temperature=9.0)


def test_every_file_of_a_bundle_is_named_by_the_layout(tmp_path):
    bundle = with_reference(with_novelty(exiting_bundle()), ["refund the card"])
    save_bundle(
        bundle, tmp_path / "model", card="# card\n", overwrite=False, page=lambda _: "<p>page</p>"
    )
    there = {entry.name for entry in (tmp_path / "model").iterdir()}
    # What is of several labels excludes what is of one.
    assert there == {*astuple(LAYOUT)} - {LAYOUT.multi_label}


def test_a_network_without_int8_has_no_record_of_it(tmp_path):
    bundle = replace(random_bundle(bidirectional=True), int8=None)
    save_bundle(bundle, tmp_path / "model", card="", overwrite=False)
    assert json.loads((tmp_path / "model" / LAYOUT.precision).read_text())["rows"] == 0
    assert load_bundle(tmp_path / "model").int8 is None


def test_the_graph_is_valid_onnx_and_finds_its_weights_beside_it(model):
    onnx.checker.check_model(str(model / "model.onnx"), full_check=True)


def test_the_card_and_every_file_stand_in_the_manifest(model):
    manifest = json.loads((model / MANIFEST).read_text())
    assert manifest["files"].keys() == set(FILES)
    for name, entry in manifest["files"].items():
        assert (model / name).stat().st_size == entry["size"]


# --- damage


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_bit_is_found_before_anything_is_parsed(copy, name, monkeypatch):
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    # How large a file with tensors may be stands in the others, so it is read after them.
    earlier = () if name in LAYOUT.tensors else ("parse_json", "read_fields", "Vocabulary")
    monkeypatch.setattr(Weights, "parse", None)
    for parser in earlier:
        monkeypatch.setattr(bundle_module, parser, None)
    with pytest.raises(BundleError, match=f"'{name}' is damaged"):
        load_bundle(copy)


def test_any_flipped_bit_of_the_file_list_is_found(copy):
    good = (copy / MANIFEST).read_bytes()
    start, stop = good.index(b'"fingerprint"'), good.rindex(b"}")
    for position in range(start, stop):
        if good[position : position + 1].isspace():
            continue  # white space between the entries means nothing
        (copy / MANIFEST).write_bytes(
            good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :]
        )
        with pytest.raises(BundleError):
            load_bundle(copy)


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(BundleError, match=rf"'{name}' is missing|has no {name}"):
        load_bundle(copy)


@pytest.mark.parametrize("name", LAYOUT.fingerprinted)
def test_a_file_that_the_manifest_forgets_as_well_is_missing(copy, name):
    (copy / name).unlink()
    manifest = json.loads((copy / MANIFEST).read_text())
    del manifest["files"][name]
    (copy / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=f"'{name}' is missing"):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["evil.pkl", ".hidden", "weights.npy"])
def test_an_extra_file_is_named(copy, name):
    (copy / name).write_bytes(b"")
    with pytest.raises(BundleError, match=f"'{name}' is missing or extra"):
        load_bundle(copy)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", [0, 1, -1])
def test_a_file_cut_off_or_lengthened_is_refused(copy, name, size):
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[:size] if size < 1 else data + b"\n")
    with pytest.raises(BundleError):
        load_bundle(copy)


# --- what is no regular file


@pytest.mark.parametrize("name", ["labels.json", "weights.safetensors", MANIFEST])
@pytest.mark.parametrize("kind", ["symlink", "directory", "fifo", "dangling symlink"])
def test_only_regular_files_are_opened(copy, name, kind, tmp_path):
    target = (copy / name).rename(tmp_path / "elsewhere")
    match kind:
        case "symlink":
            (copy / name).symlink_to(target)
        case "dangling symlink":
            (copy / name).symlink_to(tmp_path / "nowhere")
        case "directory":
            (copy / name).mkdir()
        case "fifo":
            os.mkfifo(copy / name)
    with pytest.raises(BundleError, match=f"{name} is not a regular file"):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/b", "..", ".", "", "-x", "a\0b"])
def test_names_that_lead_out_of_the_directory_are_refused(copy, name):
    (copy.parent / "outside").write_bytes(b"")
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["files"][name] = {"size": 0, "sha256": hashlib.sha256(b"").hexdigest()}
    (copy / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="malformed"):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.h5", "model.keras", "a.npy"])
def test_model_files_of_other_tools_are_never_loaded(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(pickle.dumps(_Bomb(tmp_path / "ran")))
    with pytest.raises(BundleError, match=r"never loaded"):
        load_bundle(path)
    assert not (tmp_path / "ran").exists()


class _Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_directories_that_are_no_bundles_say_so(tmp_path):
    with pytest.raises(BundleError, match="there is no model at"):
        load_bundle(tmp_path / "missing")
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(BundleError, match=r"has no manifest\.json"):
        load_bundle(tmp_path)


# --- hostile contents under a manifest that fits


@pytest.mark.parametrize(
    "data",
    [
        b'["a", "b", "c"',
        b'{"a": 1, "a": 2}',
        b"[NaN]",
        b"[-Infinity]",
        b"[1e999]",
        b"[" + b"9" * 400 + b"]",
        b'["\\ud800"]',
        b"\xff\xfe",
        b"\xef\xbb\xbf[]",
        b"",
        b"[" * 100_000 + b"]" * 100_000,
    ],
    ids=[
        "cut off",
        "repeated key",
        "NaN",
        "infinity",
        "overflow",
        "huge integer",
        "half surrogate pair",
        "no UTF-8",
        "byte order mark",
        "empty",
        "deep",
    ],
)
@pytest.mark.parametrize("name", ["labels.json", "golden.json", "profile.json", MANIFEST])
def test_json_that_is_not_plain_is_refused(copy, name, data):
    (copy / name).write_bytes(data)
    if name != MANIFEST:
        reseal(copy)
    with pytest.raises(BundleError, match=rf"{name} (is not valid JSON|has 200000 bytes)"):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["golden.json", MANIFEST])
def test_an_oversized_file_is_refused_by_its_size_alone(copy, name):
    # A sparse file: it takes no room on disk, and reading it would take 65 MiB.
    with (copy / name).open("r+b") as file:
        file.truncate(65 << 20)
    with pytest.raises(BundleError, match="has 68157440 bytes, more than the"):
        load_bundle(copy)


def test_an_oversized_file_is_refused_even_when_the_manifest_lists_its_size(copy):
    with (copy / "golden.json").open("r+b") as file:
        file.truncate(65 << 20)
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["files"]["golden.json"]["size"] = 65 << 20
    (copy / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="more than the 16777216 allowed"):
        load_bundle(copy)


def test_a_bundle_of_a_newer_format_asks_for_an_upgrade(copy):
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps({**manifest, "format": 2, "new": []}))
    with pytest.raises(BundleError, match=r"format 2, this textbatch reads 1; upgrade textbatch"):
        load_bundle(copy)


@pytest.mark.parametrize(
    "manifest",
    [
        [],
        None,
        {},
        {"format": 1},
        {"format": "1", "fingerprint": "", "files": {}},
        {"format": 0, "fingerprint": "", "files": {}},
        {"format": 1, "fingerprint": 7, "files": {}},
        {"format": 1, "fingerprint": "", "files": []},
        {"format": 1, "fingerprint": "", "files": {"config.json": {}}},
        {"format": 1, "fingerprint": "", "files": {"config.json": {"size": -1, "sha256": ""}}},
    ],
)
def test_a_manifest_of_another_shape_is_refused(copy, manifest):
    (copy / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="malformed"):
        load_bundle(copy)


def test_a_fingerprint_that_is_not_that_of_the_files_is_refused(copy):
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps({**manifest, "fingerprint": "0" * 64}))
    with pytest.raises(BundleError, match="wrong fingerprint"):
        load_bundle(copy)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (list(LABELS[:3]), "3 entries where config.json says 4"),
        ([*LABELS, "more"], "5 entries where config.json says 4"),
        ([*LABELS[:3], LABELS[0]], "repeats a label"),
        ([*LABELS[:3], 4], "not a list of strings"),
        (dict.fromkeys(LABELS), "not a list of strings"),
        ("four", "not a list of strings"),
    ],
)
def test_labels_that_do_not_fit_are_refused(copy, labels, message):
    (copy / "labels.json").write_text(json.dumps(labels))
    reseal(copy)
    with pytest.raises(BundleError, match=message):
        load_bundle(copy)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["[PAD]", "[OOV]", *WORDS[:-1]], "33 entries where config.json says 34"),
        (["[PAD]", "[OOV]", *WORDS, "more"], "35 entries where config.json says 34"),
        (["[PAD]", "[OOV]", *WORDS[:-1], WORDS[0]], "empty or repeated"),
        (["[PAD]", "[OOV]", *WORDS[:-1], ""], "empty or repeated"),
        (["[OOV]", "[PAD]", *WORDS], r"does not start with"),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_refused(copy, lines, message):
    (copy / "vocabulary.txt").write_text("\n".join(lines) + "\n")
    reseal(copy)
    with pytest.raises(BundleError, match=message):
        load_bundle(copy)


GRU = {"cell": "gru", "units": 10}


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("architecture", "dense_units"), 11),
        (("architecture", "dense_units"), 7.0),
        (("architecture", "dense_units"), "7"),
        (("architecture", "dense_units"), True),
        (("architecture", "dense_units"), 0),
        (("architecture", "layers"), []),
        (("architecture", "layers"), "gru"),
        (("architecture", "layers"), [["gru", 10], ["lstm", 9]]),
        (("architecture", "layers"), [GRU]),
        (("architecture", "layers"), [GRU, {"cell": "lstm", "units": 8}]),
        (("architecture", "layers"), [GRU, {"cell": "lstm", "units": True}]),
        (("architecture", "layers"), [GRU, {"cell": "lstm", "units": 10**9}]),
        (("architecture", "layers"), [GRU, {"cell": "lstm", "units": 9, "activation": "tanh"}]),
        (("architecture", "layers"), [GRU, {"cell": "rnn", "units": 9}]),
        (("architecture", "layers"), [{"cell": "gru", "units": 9}] * 1000),
        (("architecture", "bidirectional"), True),
        (("architecture", "bidirectional"), 0),
        (("architecture", "pooling"), "max"),
        (("architecture", "pooling"), "max+last"),
        (("architecture", "pooling"), ["last"]),
        (("architecture", "embedding_dim"), 10**9),
        (("architecture", "max_sequence_length"), 10**9),
        (("architecture", "reset_after"), 1),
        (("architecture", "reset_after"), False),
        (("architecture", "lambda"), "code"),
        (("settings", "text_rules"), 3),
        (("settings", "text_rules"), 0),
        (("settings", "text_column"), None),
        (("settings",), []),
        (("module",), "os"),
    ],
)
def test_a_config_of_another_network_or_shape_is_refused(copy, keys, value):
    change_json(copy, "config.json", *keys, to=value)
    with pytest.raises(BundleError):
        load_bundle(copy)


def _tested(**changes: object) -> dict[str, object]:
    return {"ece_after": 0.1, "metrics": {"accuracy": 0.9, "macro_f1": 0.9, "rows": 5, **changes}}


@pytest.mark.parametrize("format_", [True, 1.0, "1"])
def test_a_format_that_is_no_number_is_none(copy, format_):
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps({**manifest, "format": format_}))
    with pytest.raises(BundleError, match="malformed"):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["more.json", "extra.npz", "weights.npz", "textbatch.py"])
def test_a_file_of_another_name_is_refused_even_when_the_manifest_lists_it(copy, name):
    (copy / name).write_bytes(b"{}")
    reseal(copy)
    with pytest.raises(BundleError, match=f"'{name}' is missing or extra"):
        load_bundle(copy)


@pytest.mark.parametrize(
    ("name", "keys", "value"),
    [
        ("profile.json", ("rows",), "many"),
        ("profile.json", ("labels",), {"a": 0.5}),
        ("profile.json", ("tokens_by_quantile",), [1]),
        ("profile.json", ("more",), 1),
        ("held_out.json", ("confidences",), [[1.0], [], [], []]),
        ("held_out.json", ("correct",), [[1], [], [], []]),
        ("held_out.json", ("confidences",), [[-5.0], [], [], []]),
        ("precision.json", ("rows",), 1.5),
        ("precision.json", ("agreement",), 5.0),
        ("calibration.json", ("rows",), -1),
        ("calibration.json", ("rows",), True),
        ("profile.json", ("confidence_histogram",), [1, -1]),
        ("profile.json", ("truncated_share",), 1.1),
        ("config.json", ("settings", "text_rules"), True),
        ("metrics.json", ("test",), {"metrics": {}}),
        ("metrics.json", ("test",), [1]),
        ("metrics.json", ("test",), _tested(accuracy=5.0)),
        ("metrics.json", ("test",), _tested(rows=-5)),
        ("metrics.json", ("test",), _tested(macro_f1="1")),
    ],
)
def test_a_record_of_another_shape_is_refused(copy, name, keys, value):
    change_json(copy, name, *keys, to=value)
    with pytest.raises(BundleError, match=name):
        load_bundle(copy)


@pytest.mark.parametrize("confidences", [[0.2, 0.9], [1.5, 0.2], [0.2, -0.1], [0.9]])
def test_held_out_answers_that_no_training_wrote_are_refused(copy, confidences):
    """Thresholds are taken from them: they descend, each with what became of it."""
    record = {"confidences": [confidences, [], [], []], "correct": [[True, True], [], [], []]}
    (copy / "held_out.json").write_text(json.dumps(record))
    reseal(copy)
    with pytest.raises(BundleError, match=r"held_out\.json"):
        load_bundle(copy)


@pytest.mark.parametrize("temperature", [0, 0.001, -1, 101, 1e308, 10**17, True, None, "1", []])
def test_a_temperature_out_of_range_is_refused(copy, temperature):
    change_json(copy, "calibration.json", "temperature", to=temperature)
    with pytest.raises(BundleError, match=r"calibration\.json"):
        load_bundle(copy)


def test_another_graph_is_refused_whatever_the_manifest_says(copy, bundle):
    other = replace(bundle.classifier.architecture, reset_after=False)
    (copy / "model.onnx").write_bytes(build_graph(other, bundle.classifier.weights.offsets))
    reseal(copy)
    with pytest.raises(BundleError, match=r"model\.onnx is not the graph"):
        load_bundle(copy)


def test_other_weights_do_not_reproduce_the_golden_rows(copy, bundle):
    tensors = {name: value.copy() for name, value in bundle.classifier.weights.tensors.items()}
    tensors["lstm.R"][0, 0, 0] += 2
    weights = Weights.pack(tensors, bundle.classifier.architecture)
    (copy / "weights.safetensors").write_bytes(weights.data)
    reseal(copy)
    with pytest.raises(BundleError, match=r"golden rows .* are off by .* on onnx"):
        replay(copy)


def test_other_golden_rows_are_not_reproduced(copy, bundle):
    replay(copy)
    rows = np.array(bundle.golden.probabilities)
    rows[-1] = rows[-1][::-1]
    change_json(copy, "golden.json", "probabilities", to=rows.tolist())
    with pytest.raises(BundleError, match=r"golden rows .* are off by"):
        replay(copy)


@pytest.mark.parametrize(
    ("texts", "probabilities"),
    [
        ([], []),
        (["the"], []),
        (["the"], [[0.25] * 3]),
        (["the"], [["a", "b", "c", "d"]]),
        (["the"], [[0.1, 0.2, 0.3, None]]),
        (["the"], [7]),
        ([None], [[0.25] * 4]),
        (["the"], {"the": [0.25] * 4}),
    ],
)
def test_malformed_golden_rows_are_refused(copy, texts, probabilities):
    golden = {"texts": texts, "probabilities": probabilities}
    (copy / "golden.json").write_text(json.dumps(golden))
    reseal(copy)
    with pytest.raises(BundleError, match=r"golden\.json"):
        load_bundle(copy)


def test_a_golden_row_without_evidence_is_not_reproduced(copy):
    golden = {"texts": ["!!!"], "probabilities": [[0.25] * 4]}
    (copy / "golden.json").write_text(json.dumps(golden))
    reseal(copy)
    with pytest.raises(BundleError, match=r"golden rows .* are off by nan"):
        replay(copy)


# --- replacing


def test_a_bundle_is_replaced_only_when_allowed(copy, bundle):
    before = state(copy)
    other = random_bundle(seed=1)
    with pytest.raises(OutputError, match="exists; add --overwrite"):
        save_bundle(other, copy, card="", overwrite=False)
    assert state(copy) == before
    fingerprint = save_bundle(other, copy, card="", overwrite=True)
    assert load_bundle(copy).fingerprint == fingerprint != bundle.fingerprint
    assert [entry.name for entry in copy.parent.iterdir()] == ["model"]


def test_a_link_to_a_bundle_stays_a_link(copy, tmp_path):
    link = tmp_path / "current"
    link.symlink_to("model")
    fingerprint = save_bundle(random_bundle(seed=1), link, card="", overwrite=True)
    assert link.is_symlink()
    assert load_bundle(copy).fingerprint == fingerprint
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["current", "model"]


def _plain_directory(path: Path) -> None:
    path.mkdir()
    (path / "thesis.tex").write_text("years of work")


def _foreign_manifest(path: Path) -> None:
    _plain_directory(path)
    (path / MANIFEST).write_text('{"name": "a browser extension"}')


def _bundle_with_notes(path: Path) -> None:
    write_bundle(path)
    (path / "notes.txt").write_text("mine")


@pytest.mark.parametrize(
    "make",
    [
        Path.mkdir,
        _plain_directory,
        _foreign_manifest,
        _bundle_with_notes,
        lambda path: path.write_text("a file"),
        lambda path: path.symlink_to("nowhere"),
    ],
    ids=["empty", "directory", "foreign manifest", "bundle with notes", "file", "dangling link"],
)
def test_what_is_no_bundle_is_never_replaced(make, bundle, tmp_path):
    path = tmp_path / "model"
    make(path)
    before = state(path) if path.is_dir() else None
    with pytest.raises(OutputError, match="is not a model"):
        save_bundle(bundle, path, card="", overwrite=True)
    assert path.is_symlink() or not path.is_dir() or state(path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


def test_a_bundle_needs_a_directory_to_stand_in(bundle, tmp_path):
    with pytest.raises(OutputError, match="there is no directory"):
        save_bundle(bundle, tmp_path / "missing" / "model", card="", overwrite=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failing", range(len(FILES) + 2))
def test_a_failing_write_leaves_the_old_bundle(copy, failing, monkeypatch):
    before = state(copy)
    calls = 0

    def fsync(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls > failing:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(manifest_module.os, "fsync", fsync)
    if failing <= len(FILES):  # each file's own, and the manifest's
        with pytest.raises(StorageError, match="No space left on device"):
            save_bundle(random_bundle(seed=1), copy, card="", overwrite=True)
        assert state(copy) == before
    else:  # the directory's: the new bundle is in place by then
        with pytest.raises(StorageError):
            save_bundle(random_bundle(seed=1), copy, card="", overwrite=True)
        load_bundle(copy)


def test_a_failing_rename_puts_the_old_bundle_back(copy, monkeypatch):
    before = state(copy)
    rename = Path.rename

    def refuse_new(self: Path, target: Path) -> Path:
        if self.name.endswith(".tmp"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_new)
    with pytest.raises(StorageError):
        save_bundle(random_bundle(seed=1), copy, card="", overwrite=True)
    assert state(copy) == before
    assert [entry.name for entry in copy.parent.iterdir()] == ["model"]


# --- code


_WATCHED = """
import sys

SEEN = []
FORBIDDEN = ("pickle.", "socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn",
             "os.fork", "os.spawn", "ctypes.dlopen")

def watch(event, arguments):
    if WATCHING and event.startswith(FORBIDDEN):
        SEEN.append(event)

WATCHING = False
sys.addaudithook(watch)
import textbatch.scoring.api
import textbatch.scoring.loading
import textbatch.model.engines.onnx
WATCHING = True
with textbatch.load(sys.argv[1]) as model:
    model.predict(["refund the card", None, "zzz", "login"])
assert len(SEEN) == 0, SEEN
if sys.argv[2] == "trip":
    import pickle
    pickle.loads(pickle.dumps(print))
print("seen", sorted(set(SEEN)))
"""


@pytest.mark.parametrize(("mode", "seen"), [("load", []), ("trip", ["pickle.find_class"])])
def test_loading_and_scoring_run_nothing_and_call_no_one(model, mode, seen):
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, str(model), mode],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stderr, done.stdout) == ("", f"seen {seen}\n")
