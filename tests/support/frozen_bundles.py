"""Makes the frozen bundles of a release, with the code of that release.

    PYTHONPATH=src:tests python -m support.frozen_bundles tests/model/bundle/frozen/NAME

Each is a small bundle, and beside it its answers to some texts. They are made once, from the
checkout of the release, and never again: later code must read them and answer the same.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
from support import bundles

from textbatch.model.bundle.bundle import Bundle, load_bundle
from textbatch.model.predictor import open_bundle

TEXTS = [
    *("Refund my CARD, please!", "the parcel is late", "password reset e-mail", "文 本 error"),
    *(
        "don't charge",
        "",
        "  \n",
        "!!!",
        "zzz qqq",
        "İstanbul update",
        "login " * 40,
        "a\u0301ddress",
    ),
    *(text for text in bundles.random_texts(40, seed=11) if text),
]


def answers_of(folder: Path, texts: list[str]) -> dict[str, object]:
    """What a bundle answers to texts. Its floats are those of float32, digit for digit."""
    bundle = load_bundle(folder)
    # Older releases know no early exit.
    exits = {"early_exit": True} if getattr(bundle, "early_exit", None) else {}
    with open_bundle(bundle, threads=1, **exits) as predictor:
        found = predictor.predict(pa.array(texts, pa.large_string()))
    known = np.where(np.isfinite(found.probabilities), found.probabilities, -1)
    return {"status": found.status.tolist(), "probabilities": known.tolist()}


def machine() -> dict[str, object]:
    """What decides the last bits: the instructions of the processor, and the library."""
    flags = Path("/proc/cpuinfo").read_text().partition("\nflags")[2].partition("\n")[0].split()
    known = [one for one in flags if one.startswith(("avx", "fma", "amx"))]
    return {"instructions": known, "onnxruntime": version("onnxruntime")}


def kinds() -> dict[str, Bundle]:
    """A bundle of each kind that the release has."""
    found = {
        "plain": bundles.random_bundle(),
        "pooled": bundles.random_bundle(bidirectional=True, pooling="mean", seed=3),
        "blended": bundles.blended_bundle(),
        "imported": bundles.imported_bundle(),
    }
    exiting = getattr(bundles, "exiting_bundle", None)
    return found | ({"exiting": exiting()} if exiting else {})


def main() -> None:
    """Write them into the folder that is named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    answers = {}
    for name, bundle in kinds().items():
        bundles.write_bundle(folder / name, bundle)
        answers[name] = answers_of(folder / name, TEXTS)
    record = {"texts": TEXTS, "machine": machine(), "answers": answers}
    (folder / "answers.json").write_text(json.dumps(record, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
