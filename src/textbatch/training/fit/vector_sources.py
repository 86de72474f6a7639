"""The sources of word vectors that `--vectors` names: files, a package, published sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from textbatch.data.readers.labelled_rows import label_ids_of
from textbatch.data.storage.published_file import PublishedFile, fetch_published
from textbatch.errors import ConflictError, DataError, MissingExtraError
from textbatch.model.vectors.named import HOSTS, NamedSource, named_source
from textbatch.model.vectors.types import MAX_DIM, WordVectors
from textbatch.report.terminal.pace import BYTES
from textbatch.text.normalization import split_tokens
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import Splits
from textbatch.types import BoolArray

if TYPE_CHECKING:
    from textbatch.model.linear.vector_trial import VectorTrial

#: Parts of the rows, each of which is held out once from a trial.
_FOLDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorSource:
    """Word vectors, and where they are from.

    Attributes:
        name: Name of the source, for reports.
        vectors: The words with their vectors.
        origin: Origin and licence, in a sentence; empty for a file of one's own.
    """

    name: str
    vectors: WordVectors
    origin: str = ""


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """A source that is there and can be read.

    Attributes:
        name: As in `VectorSource`.
        size: How many bytes are read.
        read: Reads the vectors of wanted words and of so many others, and tells how many bytes.
        origin: As in `VectorSource`.
    """

    name: str
    size: int
    read: Callable[[set[str], int, Callable[[int], None]], WordVectors]
    origin: str = ""


def open_sources(run: TrainingRun) -> list[OpenedSource]:
    """Look at what `--vectors` names, so that a mistake is found before any work. Sets are fetched.

    Args:
        run: Its options name the sources.

    Raises:
        InputNotFoundError: A file does not exist, or cannot be fetched.
        DataError: A file is malformed, or another one than the published one.
        MissingExtraError: A package is not installed.
        TryAgainError: A server does not answer.
    """
    return [_opened(run, path) for path in run.config.vectors]


def read_sources(
    run: TrainingRun, opened: list[OpenedSource], wanted: set[str]
) -> list[VectorSource]:
    """Read the vectors of words from each source.

    Args:
        run: Its listener hears of it.
        opened: From `open_sources`.
        wanted: Words that are needed. Frequent ones that are not are read too, as many as
            `--keep-vectors` says.

    Raises:
        DataError: A source is malformed.
        ConflictError: The sources have too many dimensions together.
    """
    keep = run.config.keep_vectors
    size = sum(one.size for one in opened)
    with run.listener.step("reading vectors", size, unit=BYTES) as step:
        found = [
            VectorSource(
                name=one.name, vectors=one.read(wanted, keep, step.advance), origin=one.origin
            )
            for one in opened
        ]
    dim = run.recipe.vectors.dim + sum(one.vectors.table.shape[1] for one in found)
    if dim > MAX_DIM:
        raise ConflictError(
            f"the vectors of all sources have {dim:,} dimensions together, more than {MAX_DIM:,}",
            "leave a file out of --vectors",
        )
    for one in found:
        if skipped := one.vectors.skipped():
            run.listener.log(f"{one.name}: left out {skipped}")
    return found


def helpful_sources(
    run: TrainingRun, splits: Splits, sources: list[VectorSource]
) -> tuple[list[VectorSource], list[str]]:
    """Leave out the named sources that held-out rows do not gain by, such as English ones on Thai.

    Files are always used.

    Args:
        run: Told what was compared.
        splits: Its training and validation rows decide; the validation rows alone are too few.
        sources: All sources.

    Returns:
        The sources to use, and a warning for each one that is left out.
    """
    kept, warnings = [], []
    for one in sources:
        if not one.origin:
            kept.append(one)
            continue
        trial = _tried(splits, one.vectors)
        told = (
            f"a linear model loses {trial.with_vectors:.3f} nats on held-out rows with them, "
            f"{trial.without:.3f} without"
        )
        if trial.gains:
            kept.append(one)
            run.listener.log(f"{one.name}: used; {told}")
        else:
            warnings.append(f"the vectors of {one.name} are left out: {told}")
    return kept, warnings


def installed_vectors(
    run: TrainingRun, words: Sequence[str]
) -> tuple[WordVectors | None, list[str]]:
    """Read the vectors of words from an installed package that nobody named.

    Args:
        run: Tells whether that is allowed, and hears of it.
        words: The words that are needed.

    Returns:
        The vectors of these words, in their order; None without the package. And a warning where
        it is there, but not as it should be.
    """
    from textbatch.model.vectors.piece_table import read_pieces

    # Without a linear model nobody would learn from them.
    if not run.config.installed_vectors or run.config.blend == "off" or not words:
        return None, []
    try:
        found = read_pieces(wanted=words, most_frequent=0)
    except MissingExtraError:
        return None, []
    except DataError as error:
        return None, [f"the linear model does without word vectors: {error.what}"]
    return WordVectors(words=tuple(words), table=found.of_tokens(words)), []


def _tried(splits: Splits, vectors: WordVectors) -> VectorTrial:
    """Try vectors on all rows, each of which is held out once."""
    from textbatch.model.linear.vector_trial import TokenRows, mean_of, try_vectors

    labelled = splits.training.followed_by(splits.validation)
    folds = np.random.default_rng(0).permutation(len(labelled)) % _FOLDS

    def rows(chosen: BoolArray) -> TokenRows:
        found = labelled.take(np.flatnonzero(chosen))
        tokens, offsets = split_tokens(found.texts)
        label_ids, _ = label_ids_of(found.labels, splits.labels)
        return TokenRows(tokens=tokens, offsets=offsets, label_ids=label_ids)

    return mean_of(
        [
            try_vectors(rows(folds != fold), rows(folds == fold), vectors.words, vectors.table)
            for fold in range(_FOLDS)
        ]
    )


def _opened(run: TrainingRun, path: Path) -> OpenedSource:
    from textbatch.model.vectors.piece_table import pieces_size, read_pieces
    from textbatch.model.vectors.vectors_file import check_vectors, read_vectors

    source = named_source(path)
    if source and source.kind == "pieces":
        return OpenedSource(
            source.name,
            pieces_size(),
            lambda wanted, most, on_bytes: read_pieces(
                wanted=wanted, most_frequent=most, on_bytes=on_bytes
            ),
            source.origin,
        )
    file = _fetched(run, source) if source else path
    check_vectors(file)
    return OpenedSource(
        source.name if source else path.name,
        file.stat().st_size,
        lambda wanted, most, on_bytes: read_vectors(
            file, wanted=wanted, most_frequent=most, on_bytes=on_bytes
        ),
        source.origin if source else "",
    )


def _fetched(run: TrainingRun, source: NamedSource) -> Path:
    file = PublishedFile(url=source.url, size=source.size, md5=source.md5, hosts=HOSTS)
    with run.listener.step(f"fetching {source.name}", source.size, unit=BYTES) as step:
        return fetch_published(file, what=f"--vectors {source.name}", on_bytes=step.advance)
