"""Cases 72 to 84: flags, environment and output. Storage by network (78, 79) is not there yet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import run_cli

CANARY = "kanarienvogel"


@pytest.fixture
def source(cli) -> Path:
    pq.write_table(pa.table({"text": [f"refund {CANARY}"] * 9}), cli.folder / "in.parquet")
    return cli.folder / "in.parquet"


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        *((("--batch-tokens", value), 2) for value in ("0", "-1", "1000000001", "abc")),
        *((("--chunk-rows", value), 2) for value in ("0", "-1", "1000000001", "abc")),
        *((("--max-bad-rows", value), 2) for value in ("1.5", "-1", "x", "101%", "-1%", "%")),
        *((("--max-memory", value), 2) for value in ("1", "x", "-2G", "1.5G", "200M")),
        (("--encoding", "klingon"), 2),
        (("--if-exists", "perhaps"), 2),
        (("--encoding", "latin-1"), 64),
        (("--quarantine-text",), 64),
        (("--overwrite", "--if-exists", "skip"), 64),
        (("--device", "gpu", "--engine", "onnx"), 64),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_72_74_83_flags_out_of_range_or_against_each_other(flags, code, cli, source):
    cli.refuses(source, code, r"error\[(Usage|Conflict)\]", *flags)


def test_72_the_quarantine_may_not_take_the_place_of_another_file(cli, source):
    for place, told in ((source, "input"), (cli.output, "output")):
        cli.refuses(source, 64, f"--quarantine .* is the {told}", "--quarantine", place)
    cli.refuses(source, 73, "no directory", "--quarantine", cli.folder / "no" / "q.jsonl")


def test_73_an_input_that_is_not_there(cli):
    cli.refuses(cli.folder / "nowhere-*.parquet", 68, "nowhere")


def test_75_an_output_that_exists_is_told_before_the_model_is_looked_at(cli, source):
    cli.output.write_bytes(b"precious")
    cli.model = cli.folder / "no-model"
    assert cli.score(source) == 73
    assert cli.output.read_bytes() == b"precious"


def test_75_skip_goes_by_the_job_and_not_by_the_name(cli, source):
    assert cli.accepts(source, "--if-exists", "skip").num_rows == 9
    first = cli.output.read_bytes()
    assert cli.score(source, "--if-exists", "skip", "--chunk-rows", 3) == 0
    assert "skipped" in cli.told
    assert "nothing was done" in cli.error
    assert cli.output.read_bytes() == first
    for flags in (("--top-k", 1), ("--prefix", "p_"), ("--null-text", "x")):
        assert cli.score(source, "--if-exists", "skip", *flags) == 73
        assert f"it was made with another {flags[0]}; add" in cli.error
    pq.write_table(pa.table({"text": ["refund"] * 8}), source)
    assert cli.score(source, "--if-exists", "skip") == 73
    assert cli.output.read_bytes() == first
    cli.output.write_bytes(b"PAR1 of someone else")
    assert cli.score(source, "--if-exists", "skip") == 73
    assert cli.accepts(source, "--if-exists", "replace").num_rows == 8


def test_75_skip_does_the_job_again_where_its_quarantine_is_gone(cli, source):
    aside = cli.folder / "aside.jsonl"
    flags = ("--if-exists", "skip", "--quarantine", aside)
    cli.accepts(source, *flags)
    assert cli.score(source, *flags) == 0
    aside.unlink()
    assert cli.score(source, *flags) == 73


@pytest.mark.parametrize("several", [False, True])
def test_75_skip_takes_no_output_with_more_bad_rows_than_are_allowed(several, cli):
    source = cli.folder / "in"
    source.mkdir()
    texts = pa.array([b"refund", b"caf\xff", b"login"], pa.binary())
    pq.write_table(pa.table({"text": texts}), source / "a.parquet")
    source = source if several else source / "a.parquet"
    skip = ("--if-exists", "skip")
    assert cli.score(source, "--max-bad-rows", 1) == 0
    assert cli.score(source, *skip, "--max-bad-rows", "50%") == 0
    assert "skipped" in cli.told
    assert cli.score(source, *skip) == 67
    assert "1 of 3 rows are bad; --max-bad-rows allows 0" in cli.error


def test_76_an_output_without_its_directory(cli, source):
    cli.output = cli.folder / "no" / "out.parquet"
    cli.refuses(source, 73, "there is no directory .*; create it")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_76_a_directory_that_may_not_be_written(cli, source, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    cli.output = tmp_path / "closed" / "out.parquet"
    cli.refuses(source, 77, "check the permissions")


def test_80_a_bare_environment_is_enough(cli, source):
    environment = {"PATH": "/usr/bin", "LANG": "C", "TMPDIR": "/nowhere"}
    if path := os.environ.get("PYTHONPATH"):
        environment["PYTHONPATH"] = str(Path(path).resolve())
    for place in ("stdout", "stderr"):
        run = subprocess.run(
            ["/bin/sh", "-c", f'exec "$@" {1 if place == "stdout" else 2}>&-', "sh",
             sys.executable, "-m", "textbatch", "score", source, cli.output,
             "--model", cli.model, "--overwrite"],
            env=environment, cwd="/", check=False, capture_output=True,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
    assert pq.read_table(cli.output).num_rows == 9


def test_80_no_network_is_asked_for(cli, source):
    command = ["unshare", "--net"]
    if not shutil.which("unshare") or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("this machine lets nobody make a network namespace")
    line = [sys.executable, "-m", "textbatch", "score", source, cli.output, "--model", cli.model]
    run = subprocess.run([*command, *line], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_81_a_clock_that_jumps_back_changes_nothing(cli, source, monkeypatch):
    import time

    hours = iter(range(100_000, 0, -1))
    monkeypatch.setattr(time, "time", lambda: next(hours) * 3600.0)
    assert cli.accepts(source).num_rows == 9


def test_84_a_model_that_answers_with_nan_is_refused(cli, source, monkeypatch):
    import numpy as np

    from textbatch.model.engines import onnx

    answer = onnx.OnnxEngine.predict_logits
    calls = []

    def confused(self, batch):
        calls.append(batch)
        # The golden rows come first, and come out right.
        return answer(self, batch) * (np.nan if len(batch.rows) == 1 else 1)

    monkeypatch.setattr(onnx.OnnxEngine, "predict_logits", confused)
    cli.refuses(source, 66, "answers with NaN|golden rows")
    assert calls


@pytest.mark.parametrize("where", ["input", "output", "model"])
def test_credentials_in_a_path_are_not_told(where, cli, source):
    secret = f"s3://user:{CANARY}@bucket/in.parquet?X-Amz-Signature={CANARY}"
    paths = {"input": str(source), "output": str(cli.output), "model": str(cli.model)}
    paths[where] = secret
    run = run_cli("score", paths["input"], paths["output"], "--model", paths["model"])
    assert run.returncode != 0
    assert CANARY not in run.stdout + run.stderr
    assert "s3://*** with a user, a password or a query" in run.stderr


def test_a_megabyte_of_anything_is_tokenized_in_linear_time(model):
    import time

    import pyarrow as pa

    from textbatch.model.bundle.bundle import load_bundle

    tokenizer = load_bundle(model).classifier.tokenizer
    pieces = [
        "a",
        " ",
        "!",
        "文",
        "a ",
        "a!",
        "́",
        "ﬀ",
        "İ",
        "\u202e",
        "😀",
        "a'",
        "\0",
        "\n\t",
        "ß文 ",
    ]
    for piece in pieces:
        took = []
        for size in (1 << 18, 1 << 20):
            text = pa.array([piece * (size // len(piece.encode()))], pa.large_string())
            began = time.process_time()
            tokenizer.encode(text)
            took.append(time.process_time() - began)
        # Four times the text: quadratic time would be sixteen times as long.
        assert took[1] < 8 * max(took[0], 0.05), piece
