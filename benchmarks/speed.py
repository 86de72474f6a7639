"""`python -m benchmarks.speed`: textbatch beside its peers, one table in one run."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import data, models, table
from benchmarks.engine import Engine, Job
from benchmarks.engines_ceiling import Ceiling
from benchmarks.engines_keras import KerasPredict, TfFunction
from benchmarks.engines_peers import (
    FastText,
    OnnxPadded,
    OnnxPaddedLarge,
    OpenVino,
    OpenVinoEqualLengths,
    TorchPacked,
)
from benchmarks.engines_textbatch import Bare, Fused, Score, ScoreInt8
from benchmarks.measure import Row, measure
from textbatch.model.bundle.bundle import load_bundle

#: The first one's answers are what the others are compared with.
ENGINES: tuple[Engine, ...] = (
    Score(),
    ScoreInt8(),
    Bare(),
    Fused(),
    Ceiling(),
    KerasPredict(32),
    KerasPredict(1024),
    TfFunction(jit_compile=False),
    TfFunction(jit_compile=True),
    OnnxPadded(),
    OnnxPaddedLarge(),
    TorchPacked(),
    OpenVino(),
    OpenVinoEqualLengths(),
    FastText(),
)


def main() -> None:
    """Measure and print."""
    options = _options()
    engines = [engine for engine in ENGINES if engine.key in ("score", *options.engines)]
    rows: list[Row] = []
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = options.model
        if not model and not options.seed_size:
            model = models.trained(folder)
        for dataset in options.datasets:
            work = folder / dataset
            work.mkdir()
            job = prepare(dataset, options.rows, model, work)
            rows += measure(dataset, job, options.rows, engines, options.rounds)
    print(table.speed_table(rows))
    print(f"\n{options.rows:,} rows, medians of {options.rounds} rounds. {table.caption()}")
    if options.json:
        options.json.write_text(json.dumps(table.record(rows), indent=2), "utf-8")


def prepare(dataset: str, rows: int, model: Path | None, folder: Path) -> Job:
    """Write the data set's files, and a bundle of the seed's size where no model is given."""
    words = load_bundle(model).classifier.vocabulary.words() if model else data.MADE_UP_WORDS
    source = folder / "texts.parquet"
    data.write_texts(dataset, source, rows, words)
    return Job(
        model=model or models.seed_sized(folder, source),
        source=source,
        training=data.training_file(dataset, folder, words),
        folder=folder,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.speed", description=__doc__)
    keys = [engine.key for engine in ENGINES]
    there = data.available()
    standard = [name for name in there if name != data.SYNTHETIC] or [data.SYNTHETIC]
    parser.add_argument("--rows", type=int, default=20_000, help="rows per run [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5, help="runs per engine [%(default)s]")
    parser.add_argument("--datasets", nargs="+", choices=there, default=standard)
    parser.add_argument("--engines", nargs="+", choices=keys, default=keys)
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", type=Path, help="bundle to measure with [trains one]")
    which.add_argument(
        "--seed-size", action="store_true", help="random weights of the seed network's size"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
