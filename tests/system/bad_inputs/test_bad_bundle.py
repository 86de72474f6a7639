"""Cases 55 to 66 and 71: the bundle, and the labels that training reads.

What each file of a bundle may hold is tested in tests/model/test_bundle.py, and that the bytes
that were verified are those that are used (66); here it is the command's exit code and line.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.killable_job import FULL

from textbatch.errors import BundleError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.bundle.directory import fingerprint_of
from textbatch.model.bundle.verified_file import ListedFile

CANARY = "kanarienvogel"


@pytest.fixture
def source(cli) -> Path:
    pq.write_table(pa.table({"text": [f"refund {CANARY}"]}), cli.folder / "in.parquet")
    return cli.folder / "in.parquet"


@pytest.fixture
def copy(cli, model, tmp_path) -> Path:
    shutil.copytree(model, tmp_path / "copy")
    cli.model = tmp_path / "copy"
    return cli.model


def rehash(bundle: Path) -> None:
    """Make the manifest agree with the files, as an attacker would."""
    manifest = json.loads((bundle / "manifest.json").read_text())
    for name in manifest["files"]:
        data = (bundle / name).read_bytes()
        manifest["files"][name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    files = {name: ListedFile(**entry) for name, entry in manifest["files"].items()}
    manifest["fingerprint"] = fingerprint_of(files)
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def edit(name: str, old: bytes, new: bytes):
    def change(bundle: Path) -> None:
        data = (bundle / name).read_bytes()
        assert old in data
        (bundle / name).write_bytes(data.replace(old, new, 1))
        rehash(bundle)

    return change


def put(name: str, data: bytes):
    def change(bundle: Path) -> None:
        (bundle / name).write_bytes(data)
        rehash(bundle)

    return change


def nan_weight(bundle: Path) -> None:
    data = bytearray((bundle / "weights.safetensors").read_bytes())
    data[-4:] = b"\x00\x00\xc0\x7f"
    (bundle / "weights.safetensors").write_bytes(data)
    rehash(bundle)


def link(bundle: Path) -> None:
    (bundle / "labels.json").rename(bundle.parent / "labels.json")
    (bundle / "labels.json").symlink_to("../labels.json")


def pipe(bundle: Path) -> None:
    (bundle / "labels.json").unlink()
    os.mkfifo(bundle / "labels.json")


def traversal(bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"]["../labels.json"] = manifest["files"].pop("labels.json")
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def oversized(bundle: Path) -> None:
    with (bundle / "golden.json").open("r+b") as file:
        file.truncate(3 << 30)


CASES = {
    "55 missing": (shutil.rmtree, "no model at .*copy"),
    "55 empty": (lambda b: [p.unlink() for p in b.iterdir()], "no manifest.json"),
    "56 changed": (lambda b: (b / "vocabulary.txt").write_text("x"), "'vocabulary.txt' is damaged"),
    "56 extra": (lambda b: (b / "extra.bin").write_text("x"), "'extra.bin' is missing or extra"),
    "56 gone": (lambda b: (b / "labels.json").unlink(), "'labels.json' is missing or extra"),
    "57 newer": (edit("manifest.json", b'"format": 1', b'"format": 9'), "bundle format 9.*upgrade"),
    "58 empty weights": (put("weights.safetensors", b""), "weights.safetensors is cut off"),
    "58 HDF5 weights": (put("weights.safetensors", b"\x89HDF\r\n\x1a\n" * 9), "weights.safet"),
    "59 other shape": (edit("weights.safetensors", b"[7]", b"[8]"), r"shape \(8,\), .* \(7,\)"),
    "59 other type": (edit("weights.safetensors", b'"F32"', b'"F16"'), "is not float32"),
    "59 shape bomb": (
        edit("config.json", b'"embedding_dim": 8', b'"embedding_dim": 99999999'),
        "embedding_dim|shape",
    ),
    "60 NaN weight": (nan_weight, "holds NaN or infinity"),
    "61 too few labels": (put("labels.json", b'["a", "b"]'), "labels.json has 2 entries"),
    "61 repeated label": (put("labels.json", b'["a", "a", "b", "c"]'), "repeats a label"),
    "61 number as label": (put("labels.json", b"[1, 2, 3, 4]"), "not a list of strings"),
    "62 vocabulary too long": (put("vocabulary.txt", b"[PAD]\n[OOV]\na\n"), "vocabulary.txt has 3"),
    "63 deep": (put("golden.json", b"[" * 10_000 + b"]" * 10_000), "golden.json is not valid JSON"),
    "63 repeated key": (put("labels.json", b'{"a": 1, "a": 2}'), "labels.json is not valid JSON"),
    "63 NaN": (put("profile.json", b'{"a": NaN}'), "profile.json is not valid JSON"),
    "63 oversized": (oversized, "more than the .* allowed"),
    "65 link": (link, "is not a regular file"),
    "65 pipe": (pipe, "is not a regular file"),
    "65 path traversal": (traversal, "manifest.json is malformed"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bundles_that_are_refused(name, cli, source, copy):
    change, message = CASES[name]
    change(copy)
    cli.refuses(source, 66, message)


@pytest.mark.parametrize("suffix", ["pkl", "joblib", "h5", "keras", "npy", "pt"])
def test_64_model_files_of_other_tools_are_never_loaded(suffix, cli, source, tmp_path):
    cli.model = tmp_path / f"model.{suffix}"
    # What unpickles to a call of os.system.
    cli.model.write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    cli.refuses(source, 66, "no model directory; pickles, .h5, .keras and archives are never")
    assert not Path("pwned").exists()


def test_56_every_flipped_bit_is_found_before_a_parser_runs(copy, monkeypatch):
    files = sorted(copy.iterdir())
    draws = random.Random(11)
    date = (copy / "manifest.json").read_text().index('"created"')
    for _ in range(500 if FULL else 100):
        path = draws.choice(files)
        good = path.read_bytes()
        bit = draws.randrange(8 * len(good))
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        if path.name == "manifest.json":
            # It holds dates and versions, which nothing repeats: only what matters is covered.
            try:
                found = load_bundle(copy).manifest
            except BundleError:
                found = None
            matters = {"format", "fingerprint", "files"}
            good_manifest = json.loads(good)
            same = found is None or all(asdict(found)[k] == good_manifest[k] for k in matters)
            assert same, (bit, date)
        else:
            with pytest.raises(BundleError, match="damaged"):
                load_bundle(copy)
        path.write_bytes(good)


_WATCHED = """
import sys

FORBIDDEN = ("pickle.", "socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn",
             "os.fork", "os.spawn", "ctypes.dlopen", "shutil.", "ftplib.", "urllib.")
SEEN = []
WATCHING = False

def watch(event, arguments):
    if WATCHING and event.startswith(FORBIDDEN):
        SEEN.append(event)

sys.addaudithook(watch)
from textbatch.cli import app
import textbatch.model.engines.onnx, textbatch.scoring.score
WATCHING = True
sys.argv = ["textbatch", *sys.argv[1:]]
try:
    app.main()
except SystemExit as ended:
    WATCHING = False
    print("code", ended.code, "seen", SEEN)
"""


@pytest.mark.parametrize("name", ["good", *list(CASES)[:: 1 if FULL else 5]])
def test_scoring_with_a_hostile_bundle_runs_nothing_and_calls_no_one(name, cli, source, copy):
    if name != "good":
        CASES[name][0](copy)
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, "score", source, cli.output, "--model", copy],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.endswith(f"code {0 if name == 'good' else 66} seen []\n"), done.stdout


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["refund,a"] * 9, "label"),
        (["refund,a"] * 9 + ["login,b"], "2 labels, 1 of them on fewer than 3 rows"),
        (["refund,a"] * 9 + ["login,"], "1 of 10 rows have no label"),
    ],
)
def test_71_labels_that_teach_nothing(rows, message, cli):
    labelled = cli.folder / "in.csv"
    labelled.write_text("\n".join(["text,label", *rows]))
    assert cli("train", labelled, "--model", cli.folder / "new") == 65
    assert message in cli.error
    assert cli.error.count("\n") == 1
