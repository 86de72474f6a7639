"""The path of `inspect --migrate`: a model of an earlier format, written in today's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from textbatch.data.storage.atomic_directory import removed_unless
from textbatch.data.storage.location import Location
from textbatch.errors import BundleError
from textbatch.model.bundle.bundle import Bundle, load_bundle, save_bundle
from textbatch.model.bundle.directory import check_replaceable, read_verified
from textbatch.model.bundle.fetch import load_placed, local_copy
from textbatch.model.layout import LAYOUT
from textbatch.model.predictor import open_bundle
from textbatch.types import Float32Array


def migrate(model: Location, output: Path) -> None:
    """Write a model in the format of this textbatch, and check that it answers the same.

    Args:
        model: A model of any format that this textbatch reads; of releases the current one.
        output: The directory to make.

    Raises:
        BundleError: The model is missing or damaged, or the new one would answer otherwise.
        OutputError: There is something at the output.
        StorageError: Writing failed.
    """
    check_replaceable(output, overwrite=False)
    bundle, place = load_placed(model)
    before = _answers(bundle)
    folder = local_copy(place)
    names = read_verified(folder).manifest.files
    page = (folder / LAYOUT.page).read_text("utf-8") if LAYOUT.page in names else None
    card = (folder / LAYOUT.card).read_text("utf-8") if LAYOUT.card in names else ""
    save_bundle(bundle, output, card=card, overwrite=False, page=(lambda _: page) if page else None)
    with removed_unless(output):
        if not np.array_equal(_answers(load_bundle(output)), before):
            raise BundleError(f"{output} would answer otherwise than {model}", "report this bug")


def _answers(bundle: Bundle) -> Float32Array:
    """The probabilities of the golden rows. Shape `(rows, labels)`."""
    with open_bundle(bundle) as predictor:
        return predictor.predict(pa.array(bundle.golden.texts, pa.large_string())).probabilities
