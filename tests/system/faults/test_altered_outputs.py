"""Outputs with a flipped bit or an altered footer: told as such by all that read them."""

from __future__ import annotations

import random

import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts
from support.killable_job import FULL

from textbatch.data.output.any_output import files_of
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

#: What reads an output: words of the command line. {} is the output, @ the input.
WAYS = {
    "inspect": ("inspect", "{}"),
    "inspect as JSON": ("inspect", "{}", "--json"),
    "verify": ("verify", "{}"),
    "show": ("show", "{}"),
    "show some": ("show", "{}", "--below", "0.9", "--label", "billing", "--json"),
    "skip": ("score", "@", "{}", "--if-exists", "skip"),
    "replace": ("score", "@", "{}", "--overwrite"),
    "score again": ("score", "{}", "{}.2.parquet", "--prefix", "z_", "--overwrite"),
    "evaluate": ("evaluate", "{}", "--label-column", "predicted_label"),
}
NOT_FOR_MODELS = ("inspect", "verify", "show")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_texts(tmp_path_factory.mktemp("in") / "in.parquet", random_texts(60))


@pytest.fixture(scope="module")
def good(source, model, tmp_path_factory) -> bytes:
    output = tmp_path_factory.mktemp("good") / "out.parquet"
    score(ScoreConfig(inputs=(source,), output=output, model=model))
    return output.read_bytes()


@pytest.fixture
def read(in_process, source, model, tmp_path):
    """Reads a damaged output in one of the ways; the exit code, after a look at what was told."""

    def run(way: str, content: bytes) -> int:
        output = tmp_path / "out.parquet"
        output.write_bytes(content)
        words = [word.replace("{}", str(output)).replace("@", str(source)) for word in WAYS[way]]
        words += [] if words[0] in NOT_FOR_MODELS else ["--model", str(model)]
        done = in_process(*words)
        assert done.returncode in (0, 65, 73), (way, done)
        assert not done.returncode or done.stderr.count("\n") == 1, done.stderr
        assert done.stdout.replace("\n", "").isprintable()
        return done.returncode

    return run


def flipped(good: bytes, seed: int) -> bytes:
    """The output with one bit flipped, in the footer for two of three seeds."""
    draws = random.Random(seed)
    footer = int.from_bytes(good[-8:-4], "little") + 8
    place = draws.randrange(len(good) - footer if seed % 3 else 0, len(good))
    changed = bytearray(good)
    changed[place] ^= 1 << draws.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize("first", range(0, 1000 if FULL else 100, 20))
def test_a_flipped_bit_of_an_output_is_never_a_bug(first, good, read):
    for seed in range(first, first + 20):
        content = flipped(good, seed)
        for way in WAYS if FULL else [list(WAYS)[seed % len(WAYS)]]:
            code = read(way, content)
            assert code == 65 or way != "verify", seed


#: What somebody could write into an entry of the footer.
ENTRIES = ["", "-1", "1e999", "[", '{"ok": -1}', "NaN", "true", "\x1b[2J", "x" * 100_000, None]


@pytest.mark.parametrize("value", ENTRIES, ids=lambda value: str(value)[:10])
@pytest.mark.parametrize("way", ["inspect", "skip"])
def test_an_altered_footer_is_never_a_bug(value, way, good, read, tmp_path):
    place = tmp_path / "altered.parquet"
    place.write_bytes(good)
    table = pq.read_table(place)
    told = pq.read_metadata(place).metadata
    names = [name for name in told if name.startswith(b"textbatch.")]
    assert len(names) > 12
    draws = random.Random(str(value))
    for name in names if FULL else draws.sample(names, 4):
        entries = {one: text for one, text in told.items() if one not in (name, b"ARROW:schema")}
        if value is not None:
            entries[name] = value.encode()
        pq.write_table(table.replace_schema_metadata(entries), place)
        read(way, place.read_bytes())


def test_columns_that_hold_no_labels_are_told(good, read, tmp_path):
    place = tmp_path / "altered.parquet"
    place.write_bytes(good)
    table, told = pq.read_table(place), pq.read_metadata(place).metadata
    entries = {name: text for name, text in told.items() if name != b"ARROW:schema"}
    for name in ("predicted_label", "status"):
        number = table.schema.names.index(name)
        for other in (range(60), [b"\xff"] * 60, [["a"]] * 60, [None] * 60):
            changed = table.set_column(number, name, [list(other)])
            pq.write_table(changed.replace_schema_metadata(entries), place)
            assert read("inspect", place.read_bytes()) == 65


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.csv.gz", "out.jsonl.zst"])
def test_a_flipped_bit_of_a_text_output_or_of_its_record_is_never_a_bug(
    name, source, model, tmp_path, in_process
):
    output = tmp_path / name
    score(ScoreConfig(inputs=(source,), output=output, model=model, probabilities=True))
    whole = {file: file.read_bytes() for file in files_of(output)}
    for seed in range(1000 if FULL else 40):
        draws = random.Random(seed)
        file, content = draws.choice(list(whole.items()))
        changed = bytearray(content)
        changed[draws.randrange(len(changed))] ^= 1 << draws.randrange(8)
        file.write_bytes(changed)
        for way in ("verify", *draws.sample(sorted(WAYS.keys() - {"verify", "replace"}), 2)):
            words = [
                word.replace("{}", str(output)).replace("@", str(source)) for word in WAYS[way]
            ]
            words += [] if words[0] in NOT_FOR_MODELS else ["--model", str(model)]
            done = in_process(*words)
            assert done.returncode in (0, 65, 67, 73), (way, seed, done)
            assert not done.returncode or done.stderr.count("\n") == 1, done.stderr
            assert done.stdout.replace("\n", "").isprintable()
            assert done.returncode or way not in ("verify", "skip"), seed
        file.write_bytes(content)
