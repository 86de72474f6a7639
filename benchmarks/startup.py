"""`python -m benchmarks.startup`: what the smallest jobs cost, as whole processes."""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import data, models, table
from benchmarks.commands import textbatch
from textbatch.model.bundle.bundle import load_bundle

_ROWS = 1_000


def main() -> None:
    """Run the commands in turns."""
    options = _options()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = options.model or models.trained(folder)
        source = folder / "texts.parquet"
        dataset = data.available()[0]
        data.write_texts(dataset, source, _ROWS, load_bundle(model).classifier.vocabulary.words())
        score = ("score", source, folder / "scored.parquet", "--model", model, "--overwrite")
        commands = {
            "`--help`": ("--help",),
            f"`score`, {_ROWS:,} rows of {dataset}": (*score, "--text-column", "text"),
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, arguments in commands.items():
                seconds[name].append(textbatch(*arguments)[0])
    rows = [
        [name, f"{median(found):.2f}", f"{min(found):.2f} – {max(found):.2f}"]
        for name, found in seconds.items()
    ]
    print(table.markdown(["whole process", "seconds", "lowest – highest"], rows))
    print(f"\nMedians of {options.runs} runs. {table.caption()}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="of each command [%(default)s]")
    parser.add_argument("--model", type=Path, help="bundle to measure with [trains one]")
    return parser.parse_args()


if __name__ == "__main__":
    main()
