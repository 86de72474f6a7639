"""`python -m benchmarks.recipes`: recipes beside each other, on rows kept aside of training files.

What the default preset is was chosen by this table; no test file is read. A tenth of the training
rows stops the training, another tenth is what the accuracies are of.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import table
from benchmarks.commands import textbatch
from benchmarks.data import needed_folder
from benchmarks.measure import log

#: Files of settings, each on top of the default preset.
RECIPES = {
    "default": "",
    "last state": 'pooling = "last"',
    "last state and maximum": 'pooling = "last+max"',
    "mean and maximum": 'pooling = "mean+max"',
    "rate 0.001": "[fit]\nlearning_rate = 0.001",
    "last state, rate 0.001": 'pooling = "last"\n[fit]\nlearning_rate = 0.001',
    "batches of 32": "[fit]\nbatch_size = 32",
    "20 passes of the vectors": "[vectors]\nepochs = 20",
    "frozen vectors": "train_embedding = false",
    "no averaging": "[fit]\naveraging = 0.0\npatience = 4",
}
DATASETS = ("agnews-4600", "tweeteval-emotion", "r8", "banking77")


def main() -> None:
    """Train each recipe on each data set; a line for each."""
    options = _options()
    folder = needed_folder()
    rows = [
        [dataset, recipe, *measured(folder / f"{dataset}-train.parquet", recipe, options.seed)]
        for dataset in options.datasets
        for recipe in options.recipes
    ]
    headings = [
        "data", "recipe", "passes", "validation loss", "network alone", "accuracy", "macro F1",
        "seconds",
    ]  # fmt: skip
    print(table.markdown(headings, rows))
    print(
        f"\nSeed {options.seed}. Validation loss is the network's; accuracy and macro F1 are of "
        f"network and linear model together. {table.caption()}"
    )


def measured(training: Path, recipe: str, seed: int) -> list[str]:
    """Train in a process of its own; the cells of the line."""
    log(f"{training.stem}, {recipe}")
    with TemporaryDirectory() as temporary:
        settings, report = Path(temporary, "settings.toml"), Path(temporary, "report.json")
        settings.write_text(RECIPES[recipe], "utf-8")
        seconds, _ = textbatch(
            *("train", training, "--seed", seed, "--settings", settings, "--report", report),
            *("--model", Path(temporary, "model")),
        )
        found = json.loads(report.read_text("utf-8"))
    losses = [epoch["validation_loss"] for epoch in found["epochs"]]
    alone = {one["name"]: one["accuracy"] for one in found["contenders"]}["network alone"]
    metrics = found["test"]["metrics"]
    figures = (min(losses), alone, metrics["accuracy"], metrics["macro_f1"])
    cells = [str(len(losses)), *(f"{figure:.4f}" for figure in figures), f"{seconds:,.0f}"]
    log(", ".join(cells))
    return cells


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.recipes", description=__doc__)
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
