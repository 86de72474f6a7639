"""`score --backend` on real engines, whose workers and drivers die: the same rows at the end."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from support.bundles import random_texts, write_texts
from support.engines import (
    WHOLE,
    answers,
    engines,
    needs_engines,
    start,
    wait_for_owner,
)
from support.killable_job import rounds

from textbatch import score

pytestmark = needs_engines

#: Spark with speculation, which only the long run tries.
SPECULATING = ("speculation",) if WHOLE else ()


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for number in range(6):
        write_texts(folder / f"f{number}.parquet", random_texts(2_000, seed=number, longest=12))
    return folder


@pytest.fixture(scope="module")
def expected(source, model, tmp_path_factory) -> str:
    output = tmp_path_factory.mktemp("undisturbed") / "out"
    score(source, output, model=model)
    return answers(output)


@pytest.mark.parametrize("seed", rounds(1, 20))
@pytest.mark.parametrize("engine", [*engines("ray"), *SPECULATING])
def test_a_killed_worker_loses_no_row(engine, seed, source, expected, model, tmp_path):
    with start(source, tmp_path / "out", model, engine) as process:
        owner = wait_for_owner(tmp_path / "out", process)
        time.sleep(random.Random(seed).uniform(0, 0.4))
        if owner is not None:
            assert owner != process.pid
            with suppress(ProcessLookupError):
                os.kill(owner, signal.SIGKILL)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert json.loads(out)["rows_out"] == 12_000
    assert answers(tmp_path / "out") == expected
    assert not list((tmp_path / "out").glob(".f*"))


@pytest.mark.parametrize("seed", rounds(1, 20))
@pytest.mark.parametrize("engine", [*engines("dask"), *SPECULATING])
def test_a_killed_driver_goes_on_where_it_was(engine, seed, source, expected, model, tmp_path):
    output = tmp_path / "out"
    with start(source, output, model, engine) as process:
        wait_for_owner(output, process)
        time.sleep(random.Random(seed).uniform(0, 0.4))
        process.send_signal(signal.SIGTERM if seed % 2 else signal.SIGKILL)
        _, err = process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGKILL, 128 + signal.SIGTERM, 0), err
    done = {path.name: path.stat().st_mtime_ns for path in output.glob("f*.parquet")}
    with start(source, output, model, engine, "--if-exists", "skip") as again:
        out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert json.loads(out)["rows_out"] == 12_000
    assert answers(output) == expected
    for name, moment in done.items():
        assert (output / name).stat().st_mtime_ns == moment, f"{name} was scored twice"
    assert not list(output.glob(".f*"))


@pytest.mark.parametrize("engine", [*engines(), *SPECULATING])
def test_a_second_driver_is_told_to_wait_and_sigterm_loses_nothing(
    engine, source, expected, model, tmp_path
):
    output = tmp_path / "out"
    with start(source, output, model, engine) as first:
        wait_for_owner(output, first)
        # It cannot end before the second one has looked.
        first.send_signal(signal.SIGSTOP)
        for other in (engine, "local"):
            with start(source, output, model, other) as second:
                _, err = second.communicate(timeout=100)
            assert second.returncode == 75, err
            assert str(first.pid) in err
        first.send_signal(signal.SIGTERM)
        first.send_signal(signal.SIGCONT)
        _, err = first.communicate(timeout=100)
    assert first.returncode == 128 + signal.SIGTERM, err
    assert not (output / "_SUCCESS").exists()
    done = {path.name: path.stat().st_mtime_ns for path in output.glob("f*.parquet")}
    with start(source, output, model, engine) as again:
        out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert json.loads(out)["rows_out"] == 12_000
    assert answers(output) == expected
    for name, moment in done.items():
        assert (output / name).stat().st_mtime_ns == moment, f"{name} was scored twice"


@pytest.mark.parametrize("engine", engines("dask"))
def test_a_dead_address_is_worth_another_try(engine, source, model, tmp_path):
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    scheme = {"dask": "tcp://", "spark": "spark://"}.get(engine, "")
    address = f"{scheme}127.0.0.1:{port}"
    with start(source, tmp_path / "out", model, engine, "--address", address) as process:
        _, err = process.communicate(timeout=100)
    assert process.returncode == 75, err
    assert address in err
