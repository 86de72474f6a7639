"""Loading any bundle has bounds: memory, time, and what comes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.bundles import blended_bundle, imported_bundle, write_bundle
from support.hostile_bundles import reseal

MOST_BYTES, MOST_SECONDS = 512 << 20, 5.0

#: Loads each bundle in a process of its own, forked when all is imported: growth and CPU seconds.
LOAD = """
import json, os, resource, sys, warnings
import textbatch.model.predictor as predictor
from textbatch.errors import BundleError
from textbatch.model.bundle.bundle import load_bundle
from pathlib import Path

warnings.simplefilter("error")

def told(path):
    try:
        predictor.open_bundle(load_bundle(Path(path)), threads=1).close()
        return "loaded"
    except BundleError as error:
        return str(error)

for path in sys.argv[1:]:
    if os.fork() == 0:
        lines = Path("/proc/self/status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines)
        before, began = int(status["VmRSS"].split()[0]), os.times().user + os.times().system
        message = told(path)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        seconds = os.times().user + os.times().system - began
        print(json.dumps([path, message, grown * 1024, seconds]), flush=True)
        os._exit(0)
    os.wait()
"""


def sparse(name: str, size: int):
    def change(bundle: Path) -> None:
        manifest = json.loads((bundle / "manifest.json").read_text())
        with (bundle / name).open("ab") as file:
            file.truncate(size)
        if name in manifest["files"]:
            manifest["files"][name]["size"] = size
            (bundle / "manifest.json").write_text(json.dumps(manifest))

    return change


def put(name: str, data: bytes):
    def change(bundle: Path) -> None:
        (bundle / name).write_bytes(data)
        reseal(bundle)

    return change


def edit(name: str, **changes: object):
    def change(bundle: Path) -> None:
        content = json.loads((bundle / name).read_text())
        inner = content.get("architecture", content)
        inner.update(changes)
        (bundle / name).write_text(json.dumps(content))
        reseal(bundle)

    return change


def config(change: Callable[[dict[str, Any]], object]):
    """Change the config of an imported model."""

    def changed(bundle: Path) -> None:
        content = json.loads((bundle / "config.json").read_text())
        change(content)
        (bundle / "config.json").write_text(json.dumps(content, ensure_ascii=False))
        reseal(bundle)

    return changed


def many(count: int):
    def change(bundle: Path) -> None:
        for number in range(count):
            (bundle / f"{number}.json").touch()
        reseal(bundle)

    return change


def linked(bundle: Path) -> None:
    (bundle / "weights.safetensors").unlink()
    (bundle / "weights.safetensors").symlink_to("/dev/zero")


def piped(bundle: Path) -> None:
    (bundle / "golden.json").unlink()
    os.mkfifo(bundle / "golden.json")


def header(length: int, text: bytes) -> bytes:
    return length.to_bytes(8, "little") + text


CASES = {
    "good": lambda bundle: None,
    "sparse weights": sparse("weights.safetensors", 3 << 30),
    "sparse linear model": sparse("linear.safetensors", 3 << 30),
    "sparse golden rows": sparse("golden.json", 3 << 30),
    "sparse page": sparse("report.html", 3 << 30),
    "sparse manifest": sparse("manifest.json", 3 << 30),
    "nested JSON": put("metrics.json", b"[" * (12 << 20) + b"]" * (12 << 20)),
    "deep JSON": put("metrics.json", b'{"a":' * 400 + b"1" + b"}" * 400),
    "wide JSON": put("metrics.json", b"[" + b"[]," * (8 << 20) + b"[]]"),
    "objects": put("profile.json", b"[" + b"{}," * (4 << 20) + b"{}]"),
    "numbers": put("metrics.json", b'{"a": [' + b"0.5," * (12 << 20) + b"1]}"),
    "some numbers": put("metrics.json", b'{"a": [' + b"0.5," * 5_900_000 + b"1]}"),
    "held-out answers": put(
        "held_out.json",
        b'{"confidences": [[' + b"0.5," * 2_900_000 + b"0.5],[],[],[]],"
        b'"correct": [[' + b"true," * 2_900_000 + b"true],[],[],[]]}",
    ),
    "long text": put("profile.json", b'"' + b"x" * (15 << 20) + b'"'),
    "escapes": put("labels.json", b'["' + b"\\u0041" * (2 << 20) + b'"]'),
    "long number": put("calibration.json", b"1" * (60 << 10)),
    "lines": put("vocabulary.txt", b"\n" * (63 << 20)),
    "huge network": edit("config.json", vocabulary_size=1_000_000, embedding_dim=4096),
    "huge vocabulary": edit("config.json", vocabulary_size=1_000_001),
    "wide layers": edit("config.json", layers=[{"cell": "gru", "units": 4096}] * 2),
    "many labels": edit("config.json", num_labels=10_000),
    "features": edit("blend.json", pairs=5_000_000, subwords=5_000_000),
    "header": put("weights.safetensors", header(1 << 62, b"{}")),
    "header of lists": put("weights.safetensors", header(1 << 20, b"[" * (1 << 20))),
    "header of objects": put(
        "weights.safetensors", header(1 << 20, b"[" + b"{}," * ((1 << 20) // 3 - 1) + b"{}] ")
    ),
    "many files": many(20_000),
    "listed files": many(90),
    "link": linked,
    "pipe": piped,
    "graph": put("model.onnx", b"\x00" * (15 << 20)),
}
WORDS = "abcdefghijklmnopqrstuvwxyz"
CHARACTERS = "".join(map(chr, range(0x4E00, 0x4E00 + 10_001)))
#: The same for an imported model. Nothing of these is loaded.
IMPORTED = {
    "long split": config(lambda one: one["text"].update(split="x" * 30_000)),
    "no split": config(lambda one: one["text"].update(split="")),
    "other split": config(lambda one: one["text"].update(split="\\")),
    "many filters": config(lambda one: one["text"].update(filters=CHARACTERS)),
    "other filters": config(lambda one: one["text"].update(filters=CHARACTERS[1:] + "\x00")),
    "all filters": config(lambda one: one["text"].update(filters="\x00]\\^-" + WORDS)),
    "all is filtered": config(lambda one: one["text"].update(filters=WORDS)),
    "huge filters": config(lambda one: one["text"].update(filters="\x00" * (8 << 20))),
    "no rules": config(lambda one: one.update(text=None)),
    "rules are missing": config(lambda one: one.pop("text")),
    "no network": config(lambda one: one.update(chain=None)),
    "network is missing": config(lambda one: one.pop("chain")),
    "two networks": config(
        lambda one: one.update(
            architecture={
                "vocabulary_size": 20,
                "embedding_dim": 8,
                "bidirectional": False,
                "layers": [{"cell": "gru", "units": 4}],
                "pooling": "last",
                "dense_units": 8,
                "num_labels": 4,
                "max_sequence_length": 12,
                "reset_after": True,
            }
        )
    ),
    "chain as architecture": config(lambda one: one.update(architecture=one.pop("chain"))),
    "no layers": config(lambda one: one["chain"].update(layers=[])),
    "many layers": config(lambda one: one["chain"].update(layers=[{"kind": "max"}] * 3_000)),
    "long texts": config(lambda one: one["chain"].update(max_sequence_length=10_000)),
    "huge table": config(
        lambda one: one["chain"].update(vocabulary_size=1_000_000, embedding_dim=4096)
    ),
    "wide layer": config(lambda one: one["chain"]["layers"][0].update(units=4096)),
    "huge kernel": config(
        lambda one: one["chain"]["layers"][1].update(kernel=1024, dilation=1024, border="causal")
    ),
    "wide steps": config(
        lambda one: (
            one["chain"].update(max_sequence_length=10_000, embedding_dim=1),
            one["chain"]["layers"].insert(0, {**one["chain"]["layers"][3], "units": 10_000}),
        )
    ),
    "flat": config(lambda one: one["chain"]["layers"][2].update(kind="flatten")),
    "sparse": sparse("weights.safetensors", 3 << 30),
}
#: What is allowed, and as large as it may be.
LOADED = ["some numbers", "held-out answers"]


def test_no_bundle_takes_more_memory_or_time_than_it_may(tmp_path):
    good = write_bundle(tmp_path / "good-model", blended_bundle())
    (good / "report.html").write_text("<p>")
    reseal(good)
    places = {}
    for name, change in CASES.items():
        places[str(tmp_path / name)] = name
        change(Path(shutil.copytree(good, tmp_path / name)))
    imported = write_bundle(tmp_path / "imported", imported_bundle())
    for name, change in {"good, imported": lambda bundle: None, **IMPORTED}.items():
        places[str(tmp_path / name)] = name
        change(Path(shutil.copytree(imported, tmp_path / name)))
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *places],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert not done.stderr
    found = {places[one[0]]: one[1:] for one in map(json.loads, done.stdout.splitlines())}
    assert found.keys() == {*CASES, "good, imported", *IMPORTED}
    loaded = [name for name, (told, _, _) in found.items() if told == "loaded"]
    assert loaded == ["good", *LOADED, "good, imported"]
    for name, (told, grown, seconds) in found.items():
        assert len(told) < 400, name
        assert grown <= MOST_BYTES, (name, grown, told)
        assert seconds <= MOST_SECONDS, (name, seconds, told)


@pytest.mark.parametrize("name", ["link", "pipe", "sparse weights"])
def test_the_command_says_which_file_it_is(name, in_process, tmp_path, input_file):
    bundle = write_bundle(tmp_path / "m", blended_bundle())
    CASES[name](bundle)
    done = in_process("score", input_file, tmp_path / "o.parquet", "--model", bundle)
    assert done.returncode == 66, done
    assert done.stderr.count("\n") == 1
    assert ("weights" if name != "pipe" else "golden") in done.stderr
