"""What is the same on all engines: addresses, tasks that travel, options that go together."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import textbatch
from textbatch.data.readers.shard_file import Piece
from textbatch.data.storage.file_state import FileState
from textbatch.errors import (
    ConflictError,
    MissingExtraError,
    TerminatedError,
    TryAgainError,
    UsageError,
)
from textbatch.scoring.backends import cluster
from textbatch.scoring.backends.choose import needs_workers
from textbatch.scoring.backends.cluster import (
    check_answers,
    sendable_task,
    signals_seen,
    with_threads,
)
from textbatch.scoring.backends.worker import sendable
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileTask


def config(**given) -> ScoreConfig:
    return ScoreConfig.given({"inputs": "in", "output": "out/", "model": "model", **given})


@pytest.mark.parametrize("address", ["host", "host:", ":1", "host:x", "host:99999", "a b:c:1", ""])
def test_a_malformed_address_is_a_usage_error(address):
    with pytest.raises(UsageError, match=r"no host:port"):
        check_answers(address)


def test_an_address_where_nothing_listens_is_worth_another_try():
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with pytest.raises(TryAgainError, match="no cluster answers"):
        check_answers(f"tcp://127.0.0.1:{port}")


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_another_server_is_no_ray(answer, monkeypatch):
    """Its library would try for minutes, and then end the process."""
    monkeypatch.setattr(cluster, "ANSWER_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"

        def serve():
            connection, _ = server.accept()
            connection.sendall(answer)
            connection.close()

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(TryAgainError):
            check_answers(address, grpc=True)


def test_a_task_travels_with_whole_paths_and_may_be_begun_twice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = FileTask(
        config=config(),
        run_id="r",
        input=Path("in/a.csv"),
        output=Path("out/a.parquet"),
        quarantine=Path("aside/a.jsonl"),
    )
    sent = sendable_task(task, task.config)
    places = (sent.input, sent.output, sent.quarantine, sent.config.model)
    expected = ("in/a.csv", "out/a.parquet", "aside/a.jsonl", "model")
    assert places == tuple(tmp_path / name for name in expected)
    kept = replace(task, config=config(cache=Path("answers")))
    assert sendable_task(kept, kept.config).config.cache == tmp_path / "answers"
    # The quarantine file calls it as it would without an engine.
    assert sent.named == task.input
    assert sent.if_exists == "skip"
    assert sendable_task(replace(task, if_exists="replace"), task.config).if_exists == "replace"
    assert sent.decisive("text") == replace(task, quarantine=sent.quarantine).decisive("text")


def test_a_worker_uses_no_more_threads_than_it_has():
    task = FileTask(config=config(), run_id="r", input=Path("a"), output=Path("b"))
    assert with_threads(task, 4).config.threads == 4
    asked = replace(task, config=config(threads=2))
    assert [with_threads(asked, most).config.threads for most in (4, 1, 0)] == [2, 1, 1]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"address": "tcp://h:1"}, "--address names a cluster"),
        ({"backend": "dask", "gpus_per_worker": 1}, "--gpus-per-worker is for --backend ray"),
        ({"gpus_per_worker": 0.5}, "--gpus-per-worker is for --backend ray"),
        ({"backend": "ray", "device": "gpu"}, "--gpus-per-worker 1"),
        ({"backend": "dask", "address": "tcp://me:secret@h:1"}, "with a user"),
    ],
)
def test_options_that_contradict_each_other(given, says):
    with pytest.raises(ConflictError, match=says) as refused:
        config(**given)
    assert "secret" not in str(refused.value)


def test_a_single_file_is_not_for_an_engine(tmp_path, model):
    (tmp_path / "in.csv").write_text("text\nrefund\n")
    with pytest.raises(ConflictError, match="this is one file"):
        textbatch.score(tmp_path / "in.csv", tmp_path / "o.parquet", model=model, backend="dask")


@pytest.mark.parametrize("backend", ["ray", "dask", "spark"])
def test_a_missing_library_is_told_with_its_extra_before_anything_is_done(
    backend, tmp_path, model, monkeypatch
):
    monkeypatch.setattr("textbatch.scoring.backends.choose.find_spec", lambda _: None)
    (tmp_path / "in").mkdir()
    with pytest.raises(MissingExtraError, match=rf"textbatch\[{backend}\]") as missing:
        textbatch.score(tmp_path / "in", tmp_path / "out", model=model, backend=backend)
    assert missing.value.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_which_jobs_need_workers():
    assert not needs_workers(config(), 9)
    assert not needs_workers(config(jobs=2), 1)
    assert needs_workers(config(jobs=2), 2)
    assert needs_workers(config(backend="ray"), 1)
    assert not needs_workers(config(backend="ray"), 0)


def test_a_task_that_is_a_shard_is_named_with_its_row_groups():
    found = FileState(size=9, modified=0, tag="")
    piece = Piece(
        location=Path("in/a.parquet"),
        name="a.parquet",
        found=found,
        first=17,
        stop=18,
        rows=4,
        first_row=68,
        start=4,
        end=9,
        whole=False,
    )
    task = FileTask(config=config(), run_id="r", input=Path("in/a.parquet"), output=Path("b"))
    shard = replace(task, pieces=(piece, replace(piece, location=Path("in/b.parquet"))))
    for one, name in ((task, "in/a.parquet"), (shard, "in/a.parquet[17:18] and 1 more")):
        for error in (
            cluster.death(one),
            cluster.broken(one, ValueError()),
            sendable(MemoryError(), one),
        ):
            assert name in str(error)
            assert "[" in str(error) or one is task


def fails_natively(error: BaseException | None) -> None:
    """As Python says it where native code has not looked for the exception of a handler."""
    raise SystemError("returned a result with an exception set") from error


def test_a_signal_in_native_code_ends_the_job_as_any_other():
    with pytest.raises(TerminatedError), signals_seen():
        fails_natively(TerminatedError())
    for cause in (None, ValueError()):
        with pytest.raises(SystemError), signals_seen():
            fails_natively(cause)
