"""`textbatch export`: what it writes, and what it does not."""

from __future__ import annotations

import errno
import json
import os
import sys

import pytest
from support.bundles import blended_bundle, write_bundle


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_name_tells_the_form_and_the_report_what_came_of_it(in_process, model, tmp_path):
    run = in_process(
        "export", model, tmp_path / "a.onnx", "--report", tmp_path / "r.json", "--json"
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told == json.loads((tmp_path / "r.json").read_text())
    assert told["format"] == "onnx"
    assert told["bytes"] == (tmp_path / "a.onnx").stat().st_size
    assert told["golden_rows"]["rows"] > 0
    assert told["golden_rows"]["largest"] < 1e-5
    assert told["unknown_words"] is None
    assert not run.stderr


def test_what_is_left_out_is_told(in_process, tmp_path):
    model = write_bundle(tmp_path / "model", blended_bundle())
    run = in_process("export", model, tmp_path / "a.onnx")
    assert run.returncode == 0, run.stderr
    assert "left out: what the characters of unknown words add" in run.stderr.replace("\n", " ")


def test_it_needs_no_tensorflow(in_process, model, tmp_path, monkeypatch):
    for library in ("tensorflow", "keras", "gensim", "sklearn"):
        monkeypatch.setitem(sys.modules, library, None)
    assert in_process("export", model, tmp_path / "a.onnx").returncode == 0


def test_what_lacks_a_library_says_what_to_install(in_process, model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    run = in_process("export", model, tmp_path / "a.keras")
    assert run.returncode == 2
    assert "--format keras needs keras" in run.stderr
    assert "pip install 'textbatch[train]'" in run.stderr.replace("\n", " ")
    assert files(tmp_path) == []


def test_an_output_stays_without_overwrite(in_process, model, tmp_path):
    place = tmp_path / "a.onnx"
    place.write_text("precious")
    run = in_process("export", model, place)
    assert (run.returncode, place.read_text()) == (73, "precious")
    assert "add --overwrite" in run.stderr
    assert in_process("export", model, place, "--overwrite").returncode == 0
    assert place.stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("{model}", "{here}/out"), 2, "give --format"),
        (("{here}/none", "{here}/a.onnx"), 66, "there is no model"),
        (("{model}", "{here}/b/a.onnx"), 73, "there is no directory"),
        (("{file}", "{here}/a.onnx"), 66, "is no model directory"),
        (("{model}", "{model}/a.onnx"), 64, "a place of its own"),
    ],
)
def test_what_cannot_be_done_is_told_and_leaves_nothing(
    in_process, model, tmp_path, words, code, told
):
    here = tmp_path / "here"
    here.mkdir()
    file = tmp_path / "model.pickle"
    file.write_bytes(b"\x80\x04.")
    run = in_process(
        "export", *(word.format(model=model, here=here, file=file) for word in words),
        "--report", tmp_path / "r.json",
    )  # fmt: skip
    assert run.returncode == code, run.stderr
    assert told in run.stderr
    assert files(here) == []


def test_a_full_disk_leaves_nothing(in_process, model, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    (here / "a.onnx").write_text("precious")
    write = os.write

    def full(descriptor, data):
        if len(data) > 5000:
            raise OSError(errno.ENOSPC, "full")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    run = in_process("export", model, here / "a.onnx", "--overwrite")
    assert run.returncode == 74, run.stderr
    assert files(here) == ["a.onnx"]
    assert (here / "a.onnx").read_text() == "precious"
