"""Several processes without a driver: each scores its share, and `finish` completes the output."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts

import textbatch
from textbatch.data.output.shared_lock import SharedLock
from textbatch.data.output.work_directory import WorkDirectory
from textbatch.errors import (
    ConflictError,
    DataError,
    InputNotFoundError,
    OutputError,
    TooManyBadRowsError,
    TryAgainError,
    UsageError,
)
from textbatch.report.listener import Listener
from textbatch.scoring.folder.finish import finish_output
from textbatch.scoring.folder.share_run import shared_out
from textbatch.scoring.shard_options import Share, share_in
from textbatch.scoring.verify import verify_output


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shares") / "in"
    folder.mkdir()
    table = pa.table({"id": list(range(90)), "text": random_texts(90, seed=1)})
    pq.write_table(table, folder / "a.parquet", row_group_size=10)
    for number in range(4):
        write_texts(folder / f"b{number}.parquet", random_texts(12, seed=number))
    (folder / "c.csv").write_text("id,text\n1,refund\n2,login\n")
    (folder / "d.jsonl").write_text('{"id": 1, "text": "card"}\n')
    (folder / "e.jsonl").write_text('{"id": 1.5, "text": "card", "more": true}\n')
    return folder


def parts(output: Path) -> list[Path]:
    return sorted(path for path in output.rglob("*.parquet"))


def sha256_of(output: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in parts(output))).hexdigest()


def finish(output: Path) -> textbatch.RunReport:
    return finish_output(output, run_id="f" * 16)


def beside(output: Path) -> list[str]:
    return sorted(path.name for path in output.parent.iterdir())


@pytest.mark.parametrize("shard_rows", [None, 30])
def test_shares_give_the_bytes_of_a_plain_run_however_many_there_are(
    shard_rows, source, model, tmp_path
):
    settings = {"model": model, "shard_rows": shard_rows}
    (tmp_path / "plain").mkdir()
    textbatch.score(source, tmp_path / "plain" / "out", **settings)
    expected = sha256_of(tmp_path / "plain" / "out")
    for of in (1, 3):
        output = tmp_path / str(of) / "out"
        output.parent.mkdir()
        rows = 0
        for index in reversed(range(of)):
            with pytest.raises((TryAgainError, InputNotFoundError)):
                finish(output)
            done = textbatch.score(source, output, shard=f"{index}/{of}", **settings)
            rows += done.rows_out
            assert not (output / "_SUCCESS").exists()
        told = finish(output)
        assert told.rows_out == rows == 142
        assert sha256_of(output) == expected
        assert verify_output(output, model=model).rows == 142
        assert beside(output) == ["out"]
        assert not (output / "_plan.jsonl").exists()
        names = [path.name for path in parts(tmp_path / "plain" / "out")]
        assert [path.name for path in parts(output)] == names
        # Whoever comes later finds that all is done.
        assert finish(output).state == "skipped"
        assert textbatch.score(source, output, shard=f"0/{of}", **settings).state == "skipped"
        assert textbatch.score(source, output, if_exists="skip", **settings).state == "skipped"


def test_a_share_of_another_number_does_what_is_missing_and_nothing_twice(source, model, tmp_path):
    output, settings = tmp_path / "out", {"model": model, "shard_rows": 10}
    textbatch.score(source, output, shard="1/3", **settings)
    before = {path.name: path.stat().st_mtime_ns for path in parts(output)}
    done = [textbatch.score(source, output, shard=f"{n}/2", **settings) for n in range(2)]
    after = {path.name: path.stat().st_mtime_ns for path in parts(output)}
    assert before.items() <= after.items()
    assert sum(one.files["scored"] for one in done) == len(after) - len(before)
    assert sum(one.rows_out for one in done) == finish(output).rows_out


def test_what_is_missing_is_named_and_what_is_damaged_is_missing(source, model, tmp_path):
    output, settings = tmp_path / "out", {"model": model, "shard_rows": 10, "shard": "0/1"}
    textbatch.score(source, output, **settings)
    lost, hurt, *_ = parts(output)
    lost.unlink()
    content = bytearray(hurt.read_bytes())
    content[len(content) // 2] ^= 1
    hurt.write_bytes(content)
    with pytest.raises(TryAgainError, match=rf"lacks 2 of \d+ parts.*{lost.name}.*a\.parquet"):
        finish(output)
    assert not (output / "_SUCCESS").exists()
    hurt.unlink()
    assert textbatch.score(source, output, **settings).files["scored"] == 2
    assert finish(output).state == "done"


def test_bad_rows_count_over_all_shares_at_the_end(model, tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(4):
        texts = pa.array([b"caf\xe9" if row < 2 else b"refund" for row in range(20)], pa.binary())
        pq.write_table(pa.table({"text": texts}), tmp_path / "in" / f"{number}.parquet")
    for limit, enough in ((4, False), ("9%", False), ("10%", True)):
        output = tmp_path / f"out{limit}"
        settings = {"model": model, "max_bad_rows": limit, "min_rows": 80}
        for index in range(2):
            textbatch.score(tmp_path / "in", output, shard=f"{index}/2", **settings)
        if enough:
            assert finish(output).statuses["bad_text"] == 8
        else:
            with pytest.raises(TooManyBadRowsError):
                finish(output)
            assert not (output / "_SUCCESS").exists()
    with pytest.raises(TooManyBadRowsError):
        textbatch.score(tmp_path / "in", tmp_path / "o", model=model, shard="0/2", max_bad_rows=3)


def test_shares_of_other_inputs_or_models_do_not_mix(source, model, tmp_path):
    shutil.copytree(source, tmp_path / "in")
    output, settings = tmp_path / "out", {"model": model, "shard_rows": 30}
    textbatch.score(tmp_path / "in", output, shard="0/2", **settings)
    with pytest.raises(OutputError, match="begun with other"):
        textbatch.score(tmp_path / "in", output, shard="1/2", top_k=1, **settings)
    write_texts(tmp_path / "in" / "b1.parquet", random_texts(30, seed=4))
    with pytest.raises(OutputError, match="begun with other"):
        textbatch.score(tmp_path / "in", output, shard="1/2", **settings)
    with pytest.raises(DataError, match=r"b1\.parquet changed"):
        finish(output)
    for index in range(2):
        textbatch.score(
            tmp_path / "in", output, shard=f"{index}/2", if_exists="replace", **settings
        )
    assert finish(output).rows_out == 160
    verify_output(output)


def test_a_folder_of_somebody_else_is_not_taken(source, model, tmp_path):
    (tmp_path / "out").mkdir()
    pq.write_table(pa.table({"precious": [1]}), tmp_path / "out" / "mine.parquet")
    with pytest.raises(OutputError, match="not empty"):
        textbatch.score(source, tmp_path / "out", model=model, shard="0/1")
    with pytest.raises(InputNotFoundError, match="no plan of shards"):
        finish(tmp_path / "out")
    textbatch.score(source, tmp_path / "new", model=model, shard="0/1")
    pq.write_table(pa.table({"precious": [1]}), tmp_path / "new" / "mine.parquet")
    with pytest.raises(OutputError, match=r"holds mine\.parquet"):
        finish(tmp_path / "new")
    assert beside(tmp_path / "new") == ["new", "out"]


class Meanwhile(Listener):
    """Tries something while a share is being scored."""

    def __init__(self, *tries) -> None:
        self.tries, self.raised = list(tries), []

    def advance(self, rows: int, share: float | None = None) -> None:
        while self.tries:
            try:
                self.tries.pop()()
                self.raised.append(None)
            except Exception as error:
                self.raised.append(error)


def test_the_same_share_twice_and_a_run_for_all_meanwhile_are_told_to_wait(source, model, tmp_path):
    output, settings = tmp_path / "out", {"model": model, "shard_rows": 30}
    meanwhile = Meanwhile(
        lambda: textbatch.score(source, output, shard="0/2", **settings),
        lambda: textbatch.score(source, output, if_exists="replace", **settings),
        lambda: finish(output),
    )
    textbatch.score(source, output, shard="0/2", progress=meanwhile, **settings)
    assert [getattr(error, "exit_code", error) for error in meanwhile.raised] == [75, 75, 75]
    alone = WorkDirectory(output, "a" * 16)
    with pytest.raises(TryAgainError):
        textbatch.score(source, output, shard="1/2", **settings)
    alone.release(keep=False)


def test_any_number_of_processes_share_a_hold_and_the_last_one_clears_away(tmp_path):
    output, held = tmp_path / "out", []
    threads = [threading.Thread(target=lambda: held.append(SharedLock(output))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(TryAgainError):
        WorkDirectory(output, "a" * 16)
    for one in held:
        one.release()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_processes_killed_at_any_moment_leave_what_the_rerun_goes_on_with(source, model, tmp_path):
    output = tmp_path / "out"
    job = ["score", str(source), f"{output}/", "--model", str(model), "--shard-rows", "10"]
    textbatch.score(source, tmp_path / "plain", model=model, shard_rows=10)
    random = Random(5)
    places = ["part-published", "part-noted", "success-removed", "journal-created", "lock-taken"]
    died = 0
    for round_ in range(2):
        # The last round dies nowhere.
        before = {path: path.stat().st_mtime_ns for path in parts(output)}
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "textbatch", *job, "--shard", f"{index}/2"],
                stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                env=os.environ | {
                    "TEXTBATCH_FAILPOINTS": f"{random.choice(places)}:{random.randint(1, 3)}:0"
                    if round_ < 1 else ""
                },
            )
            for index in range(2)
        ]  # fmt: skip
        codes = [process.wait() for process in running]
        died += codes.count(-signal.SIGKILL)
        assert set(codes) <= ({0, -signal.SIGKILL} if round_ < 1 else {0})
        assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert died
    assert finish(output).rows_out == 142
    assert sha256_of(output) == sha256_of(tmp_path / "plain")
    assert [name for name in beside(output) if name.startswith(".")] == []
    verify_output(output)


def test_a_scheduler_tells_the_share(source, model, tmp_path, in_process):
    job = ("score", source, f"{tmp_path}/out/", "--model", model, "--shard-rows", "30", "--json")
    told = [
        in_process(*job, TEXTBATCH_SHARDS="2", JOB_COMPLETION_INDEX=index).stdout for index in "01"
    ]
    rows = [json.loads(one)["rows_in"] for one in told]
    done = in_process("finish", tmp_path / "out", "--json")
    assert json.loads(done.stdout)["rows_in"] == sum(rows) == 142
    assert all(rows)


def test_finish_tells_of_each_model_and_writes_the_metrics_of_all_shares(
    source, model, tmp_path, in_process
):
    odd = shutil.copytree(model, tmp_path / "an odd=place")
    output, metrics = f"{tmp_path}/out/", tmp_path / "nightly.prom"
    job = ("score", source, output, "--model", f"topic={odd}", "--model", f"tone={model}")
    finish_it = ("finish", output, "--json", "--metrics-file", metrics)
    assert in_process(*finish_it).returncode == 68
    assert 'textbatch_last_exit_code{task="nightly"} 68.0' in metrics.read_text()
    for index in "01":
        assert in_process(*job, "--shard", f"{index}/2").returncode == 0
    told = json.loads(in_process(*finish_it).stdout)
    assert [(one["name"], one["model"]) for one in told["models"]] == [
        ("topic", str(odd)),
        ("tone", str(model)),
    ]
    lines = metrics.read_text().splitlines()
    for line in (
        'textbatch_last_exit_code{task="nightly"} 0.0',
        'textbatch_rows_in{task="nightly"} 142.0',
        f'textbatch_files_new{{task="nightly"}} {told["files"]["scored"]}.0',
    ):
        assert line in lines
    for one in told["models"]:
        labels = f'{{fingerprint="{one["fingerprint"]}",model="{one["name"]}",task="nightly"}}'
        assert f"textbatch_model_fingerprint_info{labels} 1.0" in lines


def test_a_share_is_told_by_two_numbers():
    assert Share.parse("3/10") == Share(3, 10)
    for wrong in ("", "1", "2/2", "-1/2", "1/0", "a/b", "1/2/3", "01/2", " 0/2", "0/200000", "²/3"):
        with pytest.raises(UsageError, match="I/N"):
            Share.parse(wrong)
    assert share_in({"JOB_COMPLETION_INDEX": "1"}) is None
    assert share_in({"JOB_COMPLETION_INDEX": "1", "TEXTBATCH_SHARDS": "4"}) == "1/4"
    with pytest.raises(UsageError, match="JOB_COMPLETION_INDEX is not"):
        share_in({"TEXTBATCH_SHARDS": "4"})


def test_a_share_into_a_file_or_with_options_about_whole_files_is_refused(source, model, tmp_path):
    with pytest.raises(ConflictError, match="--shard makes several parts"):
        textbatch.score(source / "a.parquet", tmp_path / "o.parquet", model=model, shard="0/1")
    for other in ({"incremental": True}, {"bad_files": "skip"}):
        with pytest.raises(ConflictError, match="and --shard"):
            textbatch.score(source, tmp_path / "o", model=model, shard="0/1", **other)


def test_shares_have_each_shard_once_and_about_as_many_bytes(source):
    class File:
        def __init__(self, size: int) -> None:
            self.size = size

    random = Random(1)
    files = [File(random.randint(0, 1000)) for _ in range(200)]
    shares = shared_out(files, 7)
    assert sorted(map(id, (file for share in shares for file in share))) == sorted(map(id, files))
    sizes = [sum(file.size for file in share) for share in shares]
    assert max(sizes) - min(sizes) <= 1000
    assert shared_out(files[:2], 5).count([]) == 3
