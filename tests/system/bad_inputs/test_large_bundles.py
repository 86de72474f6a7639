"""Large bundles that are consistent: a run takes less than 512 MiB and 5 seconds, or is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, write_bundle
from support.killable_job import FULL
from support.large_bundles import large_bundle

from textbatch.errors import BundleError, ConflictError, UsageError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.bundle.memory import classifier_memory, network_memory
from textbatch.model.bundle.memory_limit import MODEL_MEMORY, check_made, told_too_large

MOST_MIB, MOST_SECONDS = 512, 5.0
#: Runs a command in a child of its own, and tells its exit code, peak and CPU seconds. The peak of
#: its own workers counts too.
RUN = """
import json, resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "textbatch", *sys.argv[1:]], capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
told = [done.returncode, used.ru_maxrss >> 10, used.ru_utime + used.ru_stime, done.stderr.decode()]
print(json.dumps(told))
"""
LONG = " ".join(f"w{number}" for number in range(2, 1500))
#: Just under the limit, each in another way.
ALLOWED = {
    "vectors": {"words": 240_000, "dim": 300},
    "narrow vectors": {"words": 560_000, "dim": 100},
    "words": {"words": 1_000_000, "dim": 8},
    "long words": {"words": 200_000, "word_length": 300, "texts": [f"w{2:0299}"]},
    "layers": {"layers": (("lstm", 1250), ("gru", 850))},
    "one layer": {"layers": (("gru", 1900),)},
    "both ways": {"words": 215_000, "dim": 300, "bidirectional": True},
    "layers both ways": {"layers": (("lstm", 800), ("gru", 500)), "bidirectional": True},
    "pairs": {"words": 3000, "pairs": 1_900_000},
    "n-grams": {"words": 3000, "subwords": 1_900_000, "texts": ["zz qqqq w2"]},
    "characters": {"words": 3000, "characters": 1_900_000, "texts": ["zz qqqq w2"]},
    "spelt words": {"words": 900_000, "characters": 9},
    "spelt long words": {
        "words": 190_000,
        "word_length": 120,
        "characters": 9,
        "texts": [f"w{2:0119}"],
    },
    "long text": {"words": 12_000, "steps": 10_000, "layers": (("lstm", 600),), "texts": [LONG]},
    "long texts": {"words": 12_000, "steps": 10_000, "texts": [LONG] * 64},
}
#: Over it.
REFUSED = {
    "vectors": {"words": 270_000, "dim": 300},
    "layers": {"layers": (("lstm", 1500), ("gru", 1000))},
    "pairs": {"words": 3000, "pairs": 2_500_000},
    "n-grams": {"words": 3000, "subwords": 2_500_000},
    "characters": {"words": 3000, "characters": 2_500_000},
}


def run(*words: object) -> tuple[int, int, float, str]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, words)], capture_output=True, check=True, timeout=120
    )
    return tuple(json.loads(done.stdout))


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "in.parquet"
    pq.write_table(pa.table({"text": ["w2 w3", "w4", None] * 20}), path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", ALLOWED if FULL else ["vectors"])
def test_a_model_near_the_limit_takes_less_than_it_may(name, texts, tmp_path):
    bundle = large_bundle(tmp_path / "m", **ALLOWED[name])
    code, peak, seconds, told = run("score", texts, tmp_path / "o.parquet", "--model", bundle)
    assert code == 0, told
    assert peak <= MOST_MIB
    # CPU seconds of the whole run, imports included: a bound, not a measure.
    assert seconds <= 2 * MOST_SECONDS


@pytest.mark.slow
@pytest.mark.skipif(not FULL, reason="takes long")
def test_workers_take_no_more_than_the_run_itself(tmp_path):
    bundle = large_bundle(tmp_path / "m", **ALLOWED["vectors"])
    pq.write_table(pa.table({"text": ["w2 w3"] * 8000}), tmp_path / "in.parquet")
    words = ["--model", bundle, "--jobs", 2, "--chunk-rows", 1000]
    code, peak, _, told = run("score", tmp_path / "in.parquet", tmp_path / "o.parquet", *words)
    assert (code, peak <= MOST_MIB) == (0, True), (peak, told)


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_over_the_limit_is_refused_before_its_tensors_are_read(
    name, in_process, texts, tmp_path, monkeypatch
):
    bundle = large_bundle(tmp_path / "m", hashed=False, **REFUSED[name])
    done = in_process("score", texts, tmp_path / "o.parquet", "--model", bundle)
    assert done.returncode == 66
    assert "MiB of memory, more than the 320 MiB" in done.stderr
    assert "if you trust it, set TEXTBATCH_MODEL_MEMORY=" in done.stderr
    # What the message names is enough. Here, only the sizes are looked at.
    monkeypatch.setenv("TEXTBATCH_MODEL_MEMORY", done.stderr.rsplit("=", 1)[1].strip())
    (bundle / "weights.safetensors").unlink()
    assert "missing" in in_process("inspect", bundle).stderr


def test_the_models_of_a_run_count_together(in_process, texts, tmp_path, monkeypatch):
    one = write_bundle(tmp_path / "one", random_bundle())
    two = shutil.copytree(one, tmp_path / "two")
    taken = load_bundle(one).memory
    monkeypatch.setenv("TEXTBATCH_MODEL_MEMORY", str(2 * taken))
    names = ["--model", f"a={one}", "--model", f"b={two}"]
    assert in_process("score", texts, tmp_path / "o.parquet", *names).returncode == 0
    monkeypatch.setenv("TEXTBATCH_MODEL_MEMORY", str(2 * taken - 1))
    done = in_process("score", texts, tmp_path / "p.parquet", *names)
    assert done.returncode == 66
    assert "model b: " in done.stderr
    assert "of the models before it" in done.stderr
    assert not (tmp_path / "p.parquet").exists()


def test_sizes_in_the_manifest_are_enough_to_refuse(tmp_path, monkeypatch):
    bundle = write_bundle(tmp_path / "m", random_bundle())
    monkeypatch.setenv("TEXTBATCH_MODEL_MEMORY", "1K")
    (bundle / "config.json").write_text("damaged" * 1000)
    with pytest.raises(BundleError, match="more than the 1 MiB"):
        load_bundle(bundle)


@pytest.mark.parametrize("text", ["0", "much", "-1M", "1T"])
def test_a_limit_that_is_no_size_is_told(text, tmp_path, monkeypatch):
    bundle = write_bundle(tmp_path / "m", random_bundle())
    monkeypatch.setenv("TEXTBATCH_MODEL_MEMORY", text)
    with pytest.raises(UsageError, match="TEXTBATCH_MODEL_MEMORY is no size"):
        load_bundle(bundle)


def test_a_model_that_would_be_refused_is_not_made(tmp_path, monkeypatch):
    bundle = random_bundle()
    loaded = load_bundle(write_bundle(tmp_path / "m", bundle))
    assert 0 < network_memory(bundle.classifier.architecture) < loaded.memory
    assert classifier_memory(bundle.classifier) <= loaded.memory
    check_made(MODEL_MEMORY)
    assert told_too_large(MODEL_MEMORY) is None
    with pytest.raises(ConflictError, match=r"`score` allows; take fewer words .*=321M here"):
        check_made(MODEL_MEMORY + 1)
