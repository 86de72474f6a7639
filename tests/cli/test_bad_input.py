from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import run_cli, write_texts

from textbatch.errors import BundleError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

# In the arguments, @ stands for the folder that `folder` makes.
CASES = {
    "missing file": ("score @nowhere.parquet @new.parquet", 68, "nowhere.parquet: No such file"),
    "file as folder": ("score @good.parquet/x @new.parquet", 68, "x: Not a directory"),
    "empty directory as input": ("score @out @new.parquet", 68, "no input file in .*out"),
    "pattern without a match": ("score @*.jsonl @new", 68, r"no input file in .*\*.jsonl"),
    "file as output folder": ("score @good.parquet @good.bin @old.parquet", 73, "is a file"),
    "wrong column": (
        "score @good.parquet @new.parquet --text-column body",
        65,
        "no column 'body'; its columns are 'id', 'text'; name one with --text-column",
    ),
    "wrong kept column": (
        "score @good.parquet @new.parquet --columns id,body",
        65,
        "no column 'body'.* --columns",
    ),
    "numbers as text": (
        "score @good.parquet @new.parquet --text-column id",
        65,
        "column 'id' holds int64, not text",
    ),
    "empty file": ("score @empty.parquet @new.parquet", 65, r"is empty \(0 bytes\)"),
    "truncated": ("score @truncated.parquet @new.parquet", 65, "truncated or still being written"),
    "CSV as Parquet": ("score @csv.parquet @new.parquet", 65, "not Parquet; .*--format csv"),
    "Parquet as CSV": ("score @good.parquet @new.parquet --format csv", 65, "is a Parquet file"),
    "unknown suffix": ("score @good.bin @new.parquet", 2, "format of .*good.bin.*--format"),
    "no bundle": ("score @good.parquet @new.parquet --model @no", 66, "no model at .*--model"),
    "file as bundle": (
        "score @good.parquet @new.parquet --model @good.bin",
        66,
        "no model directory",
    ),
    "damaged bundle": (
        "score @good.parquet @new.parquet --model @damaged",
        66,
        "'weights.safetensors' is damaged",
    ),
    "output exists": ("score @good.parquet @old.parquet", 73, "exists; add --overwrite"),
    "input in output": (
        "score @good.parquet @ --overwrite",
        64,
        "the input .*good.parquet lies in the output",
    ),
    "no output directory": ("score @good.parquet @no/new.parquet", 73, "no directory .*create it"),
    "no report directory": (
        "score @good.parquet @new.parquet --report @no/r.json",
        73,
        "no directory .*no; create it",
    ),
    "input is output": (
        "score @good.parquet @good.parquet --overwrite",
        64,
        "the output .* is the input .*good.parquet; give each a place of its own",
    ),
    "input is linked output": (
        "score @good.parquet @link.parquet --overwrite",
        64,
        "the output .* is the input .*good.parquet; give each a place of its own",
    ),
    "ONNX on a GPU": ("score @good.parquet @new.parquet --engine onnx --device gpu", 64, "CPU"),
    "GPU without GPU": ("score @good.parquet @new.parquet --device gpu", 64, "no GPU"),
    "clash": ("score @scored.parquet @new.parquet", 64, "'status'; add --prefix"),
    "unknown flag": ("score @good.parquet @new.parquet --colour", 2, "No such option: --colour"),
    "unknown command": ("guess @good.parquet", 2, "No such command 'guess'"),
    "no command": ("", 2, "no command given"),
    "missing argument": ("score @good.parquet", 2, "an argument is missing; give INPUT... OUTPUT"),
    "a word for a number": (
        "score @good.parquet @out.parquet --top-k many",
        2,
        "--top-k has a value that does not fit; give a whole number",
    ),
    "an unknown choice": (
        "score @good.parquet @out.parquet --engine tf",
        2,
        'fit; give one of "auto", "onnx", "tensorflow"; see `textbatch score --help`',
    ),
    "chunk rows 0": ("score @good.parquet @new.parquet --chunk-rows 0", 2, "--chunk-rows is 0"),
    "chunk rows abc": ("score @good.parquet @new.parquet --chunk-rows abc", 2, "--chunk-rows"),
    "confidence nan": ("score @good.parquet @new.parquet --min-confidence nan", 2, "is nan"),
    "unknown engine": ("score @good.parquet @new.parquet --engine abacus", 2, "--engine"),
    "undecodable rows": ("score @bytes.parquet @new.parquet", 67, "1 rows are not valid UTF-8"),
    "nothing to inspect": ("inspect @nowhere", 68, "there is nothing at"),
    "no output of ours": ("inspect @good.parquet", 65, "not written by textbatch"),
    "inspect empty": ("inspect @empty.parquet", 65, "damaged|empty|not Parquet"),
    "evaluate without labels": ("evaluate @good.parquet", 65, "no column 'label'"),
    "train without labels": ("train @good.parquet --model @new", 65, "no column 'label'"),
    "train on nothing": ("train @nowhere.csv --model @new", 68, "nowhere.csv: No such file"),
    "train over a file": ("train @labelled.csv --model @old.parquet", 73, "exists"),
    "train seed": ("train @labelled.csv --model @new --seed -1", 2, "--seed is -1"),
}
# The command line fails before it knows of a report, or has none.
WITHOUT_REPORT = {
    "unknown flag", "unknown command", "no command", "missing argument", "chunk rows abc",
    "unknown engine", "nothing to inspect", "no output of ours", "inspect empty",
    "no report directory", "a word for a number", "an unknown choice",
    # The report could be such a place, too.
    "input in output", "input is output", "input is linked output",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, model) -> Path:
    table = pa.table({"id": list(range(50)), "text": ["refund the card"] * 50})
    pq.write_table(table, tmp_path / "good.parquet")
    good = (tmp_path / "good.parquet").read_bytes()
    for name, content in {
        "good.bin": good,
        "empty.parquet": b"",
        "truncated.parquet": good[: len(good) // 2],
        "csv.parquet": b"id,text\n1,refund\n",
        "labelled.csv": b"text,label\nrefund,a\n",
        "old.parquet": b"precious",
    }.items():
        (tmp_path / name).write_bytes(content)
    pq.write_table(pa.table({"text": ["a"], "status": ["b"]}), tmp_path / "scored.parquet")
    pq.write_table(pa.table({"text": [b"refund", b"\xff"]}), tmp_path / "bytes.parquet")
    (tmp_path / "link.parquet").symlink_to("good.parquet")
    (tmp_path / "out").mkdir()
    shutil.copytree(model, tmp_path / "damaged")
    flip(tmp_path / "damaged" / "weights.safetensors", 1000)
    return tmp_path


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def state(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def assert_one_line(run: subprocess.CompletedProcess[str], code: int, message: str) -> None:
    assert run.returncode == code, run.stderr
    assert run.stderr.startswith("textbatch: error["), run.stderr
    assert run.stderr.count("\n") == 1, run.stderr
    assert run.stderr.endswith("\n")
    assert re.search(message, run.stderr), run.stderr


@pytest.mark.parametrize("name", CASES)
def test_every_bad_input_ends_in_one_line_and_its_exit_code(
    name, folder, model, tmp_path_factory, in_process
):
    line, code, message = CASES[name]
    report = tmp_path_factory.mktemp("report") / "report.json"
    arguments = line.replace("@", f"{folder}/").split()
    if name not in WITHOUT_REPORT:
        arguments += ["--report", str(report)]
    before = state(folder)
    run = in_process(*arguments, TEXTBATCH_MODEL=str(model))
    assert_one_line(run, code, message)
    assert "Traceback" not in run.stderr
    assert name == "no command" or run.stdout == ""
    assert state(folder) == before
    if name not in WITHOUT_REPORT:
        told = json.loads(report.read_text())
        assert (told["schema_version"], told["state"], told["exit_code"]) == (1, "failed", code)
        assert re.search(message, told["error"])
        assert list(report.parent.iterdir()) == [report]


def test_a_report_over_an_old_one_is_whole(folder, model):
    report = folder / "report.json"
    report.write_text('{"schema_version": 1, ' + "old " * 10_000)
    run_cli("score", folder / "no", folder / "new.parquet", "--report", report)
    assert json.loads(report.read_text())["exit_code"] == 68


def test_one_flipped_byte_in_any_file_of_a_bundle_is_noticed(folder, model):
    config = ScoreConfig(
        inputs=(folder / "good.parquet",), output=folder / "new.parquet", model=folder / "one"
    )
    names = sorted(entry.name for entry in model.iterdir())
    assert "manifest.json" in names
    for name in names:
        shutil.rmtree(folder / "one", ignore_errors=True)
        shutil.copytree(model, folder / "one")
        content = (folder / "one" / name).read_bytes()
        # Of the manifest itself, what is not repeated elsewhere (a date) cannot be checked.
        middle = content.index(b'"fingerprint"') + 25 if name == "manifest.json" else None
        flip(folder / "one" / name, len(content) // 2 if middle is None else middle)
        with pytest.raises(BundleError, match=r"restore the model|not valid JSON"):
            score(config)
    assert not config.output.exists()


def test_debug_adds_a_traceback_and_changes_no_exit_code(folder):
    run = run_cli("--debug", "inspect", folder / "nowhere")
    assert run.returncode == 68
    assert run.stderr.startswith("Traceback")
    assert run.stderr.splitlines()[-1].startswith("textbatch: error[InputNotFound]: ")


@pytest.fixture
def mount(tmp_path):
    """Mount a small file system in memory."""
    place = tmp_path / "mounted"
    place.mkdir()

    def mounted(options: str) -> Path:
        if os.geteuid() != 0:
            pytest.skip("only root may mount a file system")
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this machine lets nobody mount a file system")
        return place

    yield mounted
    if os.path.ismount(place):
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_leaves_the_old_output(mount, tmp_path, model):
    disk = mount("size=1m")
    (disk / "out.parquet").write_bytes(b"precious")
    # Digests do not compress, so that they cannot fit.
    digests = [os.urandom(500).hex() for _ in range(5000)]
    source = write_texts(tmp_path / "in.parquet", digests)
    report = tmp_path / "report.json"
    run = run_cli(
        "score", source, disk / "out.parquet", "--model", model, "--overwrite", "--report", report
    )
    assert_one_line(run, 74, "cannot write .*No space left on device; free space")
    assert (disk / "out.parquet").read_bytes() == b"precious"
    assert list(disk.iterdir()) == [disk / "out.parquet"]
    assert json.loads(report.read_text())["exit_code"] == 74


def test_an_output_directory_that_is_not_writable(mount, folder, model):
    disk = mount("ro")
    for place in ("out.parquet", "report.json"):
        output = disk / place if place == "out.parquet" else folder / "new.parquet"
        report = disk / place if place == "report.json" else folder / "report.json"
        run = run_cli(
            "score", folder / "good.parquet", output, "--model", model, "--report", report
        )
        assert_one_line(run, 77, "cannot write in .*mounted; check the permissions")
        assert not (folder / "new.parquet").exists()
