from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import Steps, random_bundle, run_cli, write_bundle
from support.killable_job import FULL

from textbatch.data.output.seal import SEAL, check_seal
from textbatch.errors import DataError, InputNotFoundError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score
from textbatch.scoring.verify import verify_output


@pytest.fixture
def output(input_file, model, tmp_path) -> Path:
    config = ScoreConfig(inputs=(input_file,), output=tmp_path / "out.parquet", model=model)
    assert score(config).state == "done"
    return config.output


def test_a_good_output_is_verified_with_its_counts(output, model):
    found = verify_output(output, model=model)
    table = pq.read_table(output)
    assert found.rows == table.num_rows == sum(found.statuses.values())
    assert found.seal == pq.read_metadata(output).metadata[SEAL.encode()].decode()
    assert sum(found.labels.values()) == table.num_rows - table["predicted_label"].null_count
    assert found.fingerprint == pq.read_metadata(output).metadata[b"textbatch.fingerprint"].decode()


def test_every_flipped_bit_is_found(output):
    good = output.read_bytes()
    bits = random.Random(5)
    edges = [*range(8), *range(8 * (len(good) - 8), 8 * len(good))]
    some = [bits.randrange(8 * len(good)) for _ in range(1000 if FULL else 300)]
    for bit in [*edges, *some]:
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        output.write_bytes(damaged)
        with pytest.raises(DataError):
            verify_output(output)
    output.write_bytes(good)
    verify_output(output)


def test_a_file_cut_off_or_lengthened_is_found(output):
    good = output.read_bytes()
    for content in (good[:-1], good[: len(good) // 2], good + b"\0", b"", b"PAR1", good + good):
        output.write_bytes(content)
        with pytest.raises(DataError):
            verify_output(output)


@pytest.mark.parametrize("mark", [f"{SEAL}\x18\x40{'0' * 64}", f"\x18\x0e{SEAL}\x18\x40{'0' * 64}"])
def test_texts_and_metadata_that_look_like_a_seal_do_not_confuse_it(mark, model, tmp_path):
    source = tmp_path / "in.parquet"
    table = pa.table({"text": [mark, "refund"] * 5})
    # Arrow writes the entries in an order of its own, ours in between.
    entries = {f"x{number}{mark}": mark for number in range(20)}
    table = table.replace_schema_metadata({**entries, SEAL: "0" * 64})
    pq.write_table(table, source, write_statistics=True)
    config = ScoreConfig(inputs=(source,), output=tmp_path / "out.parquet", model=model)
    score(config)
    verify_output(config.output)
    metadata = pq.read_schema(config.output).metadata
    assert {name: metadata[name.encode()].decode() for name in entries} == entries


def test_parquet_of_others_and_older_outputs_have_no_seal(input_file):
    with pytest.raises(DataError, match="has no seal"):
        check_seal(input_file)


def test_another_model_is_told(output, tmp_path):
    other = write_bundle(tmp_path / "other", replace(random_bundle(seed=3)))
    with pytest.raises(DataError, match="was made by model"):
        verify_output(output, model=other)


def test_nothing_there_is_told(tmp_path):
    with pytest.raises(InputNotFoundError):
        verify_output(tmp_path / "nowhere.parquet")


def test_the_command_says_all_is_well_or_ends_with_65(output, model):
    done = run_cli("verify", output, "--model", model)
    assert (done.returncode, done.stderr) == (0, "")
    assert "500 rows, all as written by run" in done.stdout
    damaged = bytearray(output.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    output.write_bytes(damaged)
    done = run_cli("verify", output, "--json")
    assert (done.returncode, done.stdout) == (65, "")
    assert "its seal is broken" in done.stderr
    assert done.stderr.count("\n") == 1


def test_progress_tells_the_bytes_of_a_file_and_of_a_folder(input_file, output, model, tmp_path):
    steps = Steps()
    verify_output(output, progress=steps)
    (tmp_path / "in").mkdir()
    for name in ("a.parquet", "b.parquet"):
        (tmp_path / "in" / name).write_bytes(input_file.read_bytes())
    folder = tmp_path / "scored"
    score(ScoreConfig(inputs=(tmp_path / "in",), output=folder, model=model, as_folder=True))
    verify_output(folder, progress=steps)
    assert steps.seen == 2 * [("verifying", "bytes")]
    sizes = [output.stat().st_size, sum(part.stat().st_size for part in folder.glob("*.parquet"))]
    assert steps.totals == sizes
    assert steps.done == pytest.approx(sizes, abs=4)
    assert not steps.open


def test_a_model_is_told_from_an_unfinished_folder(model):
    with pytest.raises(DataError, match="is a model, not an output; name what score wrote"):
        verify_output(model)
