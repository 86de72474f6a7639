"""`python -m benchmarks.drift_years`: alarms of a series of nights, without drift and with it.

Nights without drift are drawn from the answers to a test file, with replacement. In nights with
drift a part of the rows is drawn from the test file of another data set.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import table
from benchmarks.data import needed_folder
from benchmarks.drift import DATASETS, Answered, answered
from benchmarks.measure import log
from textbatch.model.bundle.bundle import Bundle, load_bundle
from textbatch.model.predictor import open_bundle
from textbatch.model.quality.drift_series import Night, drift_series
from textbatch.model.quality.reference import (
    AnswerSigns,
    Reference,
    lengths_counted,
    unknown_tokens,
)
from textbatch.model.statuses import known_tokens
from textbatch.types import Int64Array, has_evidence

_NIGHTS, _SIZES = 365, (100, 5_000)
_SHARES, _BEGINS = (0.05, 0.1, 0.2), (1, 30, 200)
#: So long a change is waited for.
_MOST = 60


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows that nights are drawn from.

    Attributes:
        answers: The answers to them.
        tokens: Tokens of each. Shape `(rows,)`.
        known: Those of them that the model knows. Shape `(rows,)`.
    """

    answers: Answered
    tokens: Int64Array
    known: Int64Array


def main() -> None:
    """A line for each model."""
    options = _options()
    random = np.random.default_rng(options.seed)
    rows = []
    for name in options.datasets:
        bundle = load_bundle(options.models / name)
        reference = bundle.compared_with
        own, other = (rows_of(bundle, one) for one in (name, _other(name)))
        alarms = 0
        for year in range(options.years):
            nights: list[Night] = []
            for size in _sizes(random, options.nights):
                nights.append(night(random, size, own))
                if alarm(reference, nights):
                    alarms += 1
                    break
            log(f"{name}: year {year + 1} of {options.years}, {alarms} alarms")
        waits = []
        for share in _SHARES:
            for begin in _BEGINS:
                waits.append(_wait(random, reference, own, other, begin, share))
                log(f"{name}: {share:.0%} from night {begin} on: {waits[-1]}")
        rows.append([name, f"{alarms} of {options.years}", *waits])
    heads = [f"{share:.0%} from night {begin}" for share in _SHARES for begin in _BEGINS]
    print(table.markdown(["model", "years with an alarm", *heads], rows))
    print(f"\nNights until an alarm. Seed {options.seed}. {table.caption()}")


def night(
    random: np.random.Generator,
    size: int,
    own: Rows,
    other: Rows | None = None,
    share: float = 0.0,
) -> Night:
    """Draw a night.

    Args:
        random: Draws it.
        size: Its rows.
        own: Rows without drift.
        other: Rows with drift.
        share: The share of the rows with drift.
    """
    foreign = int(random.binomial(size, share)) if other else 0
    parts = [(own, size - foreign), *([(other, foreign)] if other else [])]
    signs, lengths, tokens, known = AnswerSigns(own.answers.labels), [], [], []
    for rows, count in parts:
        drawn = random.choice(len(rows.tokens), count)
        found = rows.answers.probabilities[drawn]
        signs.add(found, found.max(axis=1, initial=0))
        lengths.append(rows.answers.lengths[drawn])
        tokens.append(rows.tokens[drawn])
        known.append(rows.known[drawn])
    return Night(
        time="",
        signs=signs.signs(lengths_counted(np.concatenate(lengths))),
        unknown=unknown_tokens(np.concatenate(tokens), np.concatenate(known)),
    )


def alarm(reference: Reference | None, nights: Sequence[Night]) -> bool:
    """Whether a series raises an alarm."""
    found = drift_series(reference, nights, pictured=False)
    return found is not None and found.drifted


def rows_of(bundle: Bundle, name: str) -> Rows:
    """Answer a test file, and count its tokens."""
    path = needed_folder() / f"{DATASETS[name]}.parquet"
    log(f"the test file of {name}")
    texts = pq.read_table(path, columns=["text"]).column("text").combine_chunks()
    texts = texts.cast(pa.large_string())
    with open_bundle(bundle) as predictor:
        evidence = has_evidence(predictor.predict(texts).status)
    tokens = bundle.classifier.tokenizer.encode(texts.filter(pa.array(evidence)))
    return Rows(answers=answered(bundle, path), tokens=tokens.lengths, known=known_tokens(tokens))


def _wait(
    random: np.random.Generator,
    reference: Reference | None,
    own: Rows,
    other: Rows,
    begin: int,
    share: float,
) -> str:
    nights = [night(random, size, own) for size in _sizes(random, begin - 1)]
    for number, size in enumerate(_sizes(random, _MOST), 1):
        nights.append(night(random, size, own, other, share))
        if alarm(reference, nights):
            return str(number)
    return f"none in {_MOST}"


def _sizes(random: np.random.Generator, nights: int) -> list[int]:
    return [int(size) for size in np.exp(random.uniform(*np.log(_SIZES), nights))]


def _other(name: str) -> str:
    return "tweets" if name != "tweets" else "agnews"


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--models", type=Path, required=True, help="folder with a model for each data set"
    )
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=["agnews"])
    parser.add_argument("--years", type=int, default=20, help="years without drift")
    parser.add_argument("--nights", type=int, default=_NIGHTS, help="nights of a year")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
