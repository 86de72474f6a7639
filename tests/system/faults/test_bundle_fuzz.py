"""Bundles changed at random, with hashes that fit: a run ends well or is refused, without NaN."""

from __future__ import annotations

import json
import random
import resource
import shutil
import time
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from support.bundles import (
    blended_bundle,
    imported_bundle,
    random_texts,
    spelling_bundle,
    write_bundle,
    write_texts,
)
from support.hostile_bundles import reseal
from support.killable_job import FULL

MOST_BYTES, MOST_SECONDS = 512 << 20, 5.0
#: Values that a side record could be given.
VALUES = [
    None, True, False, 0, -1, 1, 5.0, -5.0, 1e-300, 1e300, 10**17, "", "x", "\x1b[2J\u202e", "0.5",
    [], {}, [[]], [1], ["a"], {"a": 1}, {"\x9b": []}, "x" * 100_000,
]  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> tuple[Path, ...]:
    folder = tmp_path_factory.mktemp("good")
    return (
        write_bundle(folder / "m", blended_bundle()),
        write_bundle(folder / "imported", imported_bundle()),
        write_bundle(folder / "spelling", spelling_bundle()),
    )


def places(value: object) -> list[tuple[object, object]]:
    """All containers in a JSON value, each with each of its keys."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    found: list[tuple[object, object]] = []
    for key, one in inner:
        found += [(value, key), *places(one)]
    return found


def mutate(bundle: Path, draws: random.Random) -> None:
    """Change one to three files: a value of JSON, some bytes, or the length."""
    files = sorted(path for path in bundle.iterdir() if path.name != "manifest.json")
    for path in draws.sample(files, draws.randint(1, 3)):
        data = bytearray(path.read_bytes())
        kind = draws.randrange(4)
        if kind < 2 and path.suffix == ".json" and places(json.loads(data)):
            content = json.loads(data)
            holder, key = draws.choice(places(content))
            if draws.randrange(4):
                holder[key] = draws.choice(VALUES)
            else:
                holder.pop(key)
            data[:] = json.dumps(content).encode()
        elif kind == 3:
            del data[draws.randrange(len(data) + 1) :]
        else:
            for _ in range(draws.randint(1, 8)):
                if data:
                    data[draws.randrange(len(data))] = draws.randrange(256)
        path.write_bytes(data)
    reseal(bundle)


@pytest.mark.parametrize("first", range(0, 2000 if FULL else 100, 25))
def test_no_changed_bundle_confuses_a_run(first, good, in_process, tmp_path):
    source = write_texts(tmp_path / "in.parquet", random_texts(40))
    output, bundle = tmp_path / "out.parquet", tmp_path / "m"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(first, first + 25):
        draws = random.Random(seed)
        whole = good[seed % len(good)]
        shutil.copytree(whole, bundle)
        mutate(bundle, draws)
        report = tmp_path / "report.json"
        words = ["score", source, output, "--model", bundle, "--report", report, "--probabilities"]
        words += draws.choice([[], ["--min-confidence", "0.9"], ["--precision", "int8"]])
        began = time.process_time()
        done = in_process(*words)
        # An imported model has no int8, damaged or not.
        allowed = (0, 64, 66, 69) if whole.name == "imported" and "int8" in words else (0, 66, 69)
        # The model may name another column, which the input lacks.
        asked = "--text-column" in done.stderr
        assert done.returncode in ((65,) if asked else allowed), (seed, done)
        shown = in_process("inspect", bundle)
        assert time.process_time() - began <= 2 * MOST_SECONDS, seed
        assert shown.returncode in (0, 66), (seed, shown)
        for run in (done, shown):
            assert run.returncode == 0 or run.stderr.count("\n") == 1, (seed, run)
            told = (run.stdout + run.stderr).replace("\n", "")
            assert told.isprintable(), (seed, told)
        assert output.exists() == (done.returncode == 0), seed
        json.loads(report.read_text(), parse_constant=pytest.fail)
        if output.exists():
            table = pq.read_table(output)
            assert table.num_rows == 40
            for values in (table["confidence"], pc.list_flatten(table["probabilities"])):
                assert pc.all(pc.is_finite(values)).as_py() in (True, None), seed
            output.unlink()
        shutil.rmtree(bundle)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 <= MOST_BYTES
