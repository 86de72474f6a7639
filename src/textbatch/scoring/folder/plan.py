"""Which files of a folder job are to be scored, and whether its output may be written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from textbatch.data.output.any_folder import Folder, folder_at
from textbatch.data.output.folder import OutputFolder
from textbatch.data.output.ledger import Ledger
from textbatch.data.output.remote_folder import RemoteFolder
from textbatch.data.output.work_directory import WorkDirectory, parts_of
from textbatch.data.readers.identity import InputMark
from textbatch.data.readers.listing import Listing
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.location import Location, local
from textbatch.data.storage.model_cache import cache_directory
from textbatch.errors import DataError, InputNotFoundError, OutputError
from textbatch.scoring.bundles import Bundles
from textbatch.scoring.config import STAGES, ScoreConfig
from textbatch.scoring.differences import other_parts, remembered
from textbatch.scoring.file_task import decisive_options
from textbatch.scoring.folder.bad_files import BadFiles
from textbatch.scoring.folder.job import FolderJob
from textbatch.scoring.folder.owned import OwnedParts
from textbatch.scoring.folder.shards import planned


def open_folder(config: ScoreConfig) -> Folder:
    """Return the output folder: a local directory, or one in an object store."""
    return folder_of(config.output, config.work_dir)


def folder_of(output: Location, work_dir: Path | None) -> Folder:
    """Return an output folder, to write it.

    Args:
        output: The folder.
        work_dir: Where outputs for a store are made.
    """
    if new_output(output).staged:
        return RemoteFolder(output, _stage(output, work_dir))
    return OutputFolder(local(output))


def stage_of(config: ScoreConfig) -> Path:
    """Return the local directory of an output in a store: always the same, so a rerun finds it."""
    return _stage(config.output, config.work_dir)


def _stage(output: Location, work_dir: Path | None) -> Path:
    name = hashlib.sha256(os.fsencode(output)).hexdigest()[:16]
    return (work_dir or cache_directory()) / STAGES / name


def check_existing(config: ScoreConfig, folder: Folder, *, inherited: bool) -> None:
    """Check that the output may be made, added to or replaced, as the options say.

    Args:
        config: The job's options.
        folder: The output.
        inherited: Whether an interrupted run has left its work directory.

    Raises:
        OutputError: The output may not be written, or the directory above is missing.
        AccessError: The directory is not writable.
    """
    if config.quarantine:
        folder_at(config.quarantine).check_place()
    folder.check_place()
    if config.if_exists == "replace" or inherited or _is_empty(folder):
        return
    if config.incremental and not folder.has_manifest():
        raise OutputError(
            f"{folder.path} has no manifest that tells what was scored",
            "add --overwrite instead of --incremental",
        )
    if not config.incremental and (config.if_exists == "fail" or folder.success() is None):
        raise OutputError(
            f"{folder.path} is not empty",
            "add --overwrite to replace its parts, or --incremental to add new ones",
        )


def _is_empty(folder: Folder) -> bool:
    """Whether an output is empty. What a store says of a missing bucket is about an input.

    Raises:
        OutputError: There is no such bucket.
    """
    try:
        return folder.is_empty()
    except InputNotFoundError as error:
        raise OutputError(error.what, error.remedy) from error


def plan(
    config: ScoreConfig,
    listing: Listing,
    folder: Folder,
    bundles: Bundles,
    work: WorkDirectory | None = None,
) -> FolderJob:
    """Find out which files are to be scored.

    Args:
        config: The job's options.
        listing: The input files.
        folder: The output.
        bundles: The models.
        work: Where an interrupted run has left its ledger; None only looks at it.

    Returns:
        The job.

    Raises:
        OutputError: The output was made by another model or with other options.
        InputNotFoundError: Such parts are to be scored anew, and have no input.
    """
    key = key_of(config, bundles)
    listing = planned(listing, config, key)
    remembers = remembered(decisive_options(config, bundles.own_text_column))
    if work:
        ledger = Ledger(work.parts, key)
    else:
        ledger = Ledger(parts_of(folder.lock_place), key, looks=True)
    there = _Known()
    if config.incremental:
        there = _Known.of(folder, ledger, key)
        if there.others and config.rescore == "none":
            differ = other_parts(
                folder, there.others, fingerprint=bundles.fingerprint, options=remembers
            )
            raise OutputError(
                f"{folder.path} was made {', and '.join(differ)}",
                "add --rescore stale to score its parts anew one by one, or --overwrite instead of "
                "--incremental to replace them all",
            )
    known = there.states
    _check_rewritten(listing, known)
    stale = frozenset(there.stale - ledger.finished.keys())
    _check_inputs(folder, listing, stale)
    seen, marks = known | ledger.finished, there.marks | ledger.marks
    todo = [
        file
        for file in listing.files
        # A part may have been removed by hand.
        if seen.get(file.part) != file.state
        or not folder.has(file.part)
        or not file.fits(marks.get(file.part))
    ]
    return FolderJob(
        config=config,
        key=key,
        fingerprint=bundles.fingerprint,
        options=remembers,
        text_column=bundles.text_column(config.text_column),
        listing=listing,
        folder=folder,
        lock_place=folder.lock_place,
        ledger=ledger,
        known=known,
        stale=stale,
        owned=OwnedParts(folder, ledger),
        inherited=work.inherited if work else False,
        todo=todo,
        bad=BadFiles(config, len(listing.files)),
    )


def _check_rewritten(listing: Listing, known: Mapping[str, str]) -> None:
    """Check that a table still has the files that were scored before.

    Raises:
        DataError: Some are gone: their rows were deleted, or moved to other files.
    """
    if listing.tables and (gone := known.keys() - {file.part for file in listing.files}):
        raise DataError(
            f"the table has changed {len(gone):,} files that were scored before: beside its new "
            "files --incremental would keep their old rows",
            "score it with --overwrite instead of --incremental",
        )


def _check_inputs(folder: Folder, listing: Listing, stale: Collection[str]) -> None:
    """Check that what is to be scored anew can be.

    Raises:
        InputNotFoundError: The inputs of some parts are gone.
    """
    gone = sorted(set(stale) - {file.part for file in listing.files})
    if gone:
        raise InputNotFoundError(
            f"{folder.path} has {len(gone):,} parts of another model or of other options, and no "
            f"input for them any more; the first is {gone[0]}",
            "bring their inputs back, or add --overwrite instead of --incremental to drop them",
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What the manifest tells of the parts.

    Attributes:
        states: The states of the inputs of this job's own parts.
        marks: The marks of these inputs.
        stale: The parts that are of another job, or that another job was about to replace.
        others: Those of them that are of another job.
    """

    states: dict[str, str] = field(default_factory=dict)
    marks: dict[str, InputMark] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, folder: Folder, ledger: Ledger, key: str) -> _Known:
        """Read the manifest."""
        found = cls()
        for record in folder.records():
            if record.job != key:
                found.others.add(record.part)
                found.stale.add(record.part)
            elif record.becoming or ledger.seals.get(record.part, record.seal) != record.seal:
                # An interrupted run may have replaced it.
                found.stale.add(record.part)
            else:
                found.states[record.part] = record.state
                found.marks[record.part] = record.input.mark
        return found


def key_of(config: ScoreConfig, bundles: Bundles) -> str:
    """The key of a job: two jobs with the same key answer a row alike.

    Args:
        config: The job's options.
        bundles: The models.
    """
    decisive = decisive_options(config, bundles.own_text_column)
    options = {name: str(value) for name, value in decisive.items()}
    job = {"fingerprint": bundles.fingerprint, "options": options}
    return hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()
