"""The path of `verify`: check every byte, page and count of an output."""

from __future__ import annotations

import os

from textbatch.data.output.any_folder import Folder, folder_at
from textbatch.data.output.any_output import check_any_seal
from textbatch.data.output.footer import OutputFooter, find_footer
from textbatch.data.output.records import PartRecord, RowTotals, Success
from textbatch.data.output.same_records import same_counts, same_totals
from textbatch.data.storage.file_io import exists, is_folder, new_input
from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.location import Location
from textbatch.errors import DataError, InputNotFoundError
from textbatch.model.bundle.fetch import load_model
from textbatch.model.layout import LAYOUT
from textbatch.model.named_models import NamedModels
from textbatch.report.terminal.pace import BYTES
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.report.verification import Verification
from textbatch.scoring.folder.totals import Totals
from textbatch.scoring.inspect import Counted, count_answers

_REMEDY = "score the input again"
_STEP = "verifying"


def verify_output(
    path: Location, *, model: Location | NamedModels | None = None, progress: Progress | None = None
) -> Verification:
    """Check that an output is still what `score` wrote.

    Args:
        path: A file that `score` wrote, or a folder of them, on this machine or in an
            object store, where each object is read twice.
        model: The bundle that must have made it, or those with names; None does not check that.
        progress: Called as bytes are read.

    Returns:
        What was checked; a difference raises an error.

    Raises:
        InputNotFoundError: There is no such file.
        DataError: A byte, a page's checksum, a count or the fingerprint is not as written.
        BundleError: The bundle is damaged.
        TryAgainError: The store does not answer.
    """
    if is_folder(path):
        return _verify_folder(path, model, progress)
    with step_of(progress, _state(path).size, step=_STEP, unit=BYTES) as step:
        found = _verify_file(path, step)
    _check_model(path, model, found.fingerprint, found)
    return Verification(
        path=os.fspath(path),
        seal=found.seal,
        rows=found.rows_out,
        rows_quarantined=found.rows_quarantined,
        fingerprint=found.fingerprint,
        run_id=found.run_id,
        statuses=found.statuses,
        labels=found.labels,
        models=found.models,
    )


def _verify_file(path: Location, step: Progress) -> OutputFooter:
    # The file is read twice; each time half of its bytes count.
    halves = _Halves(step)
    before = _state(path)
    # The seal comes first, so that a damaged file is never parsed.
    seal = check_any_seal(path, on_bytes=halves.add)
    footer = find_footer(path)
    if footer is None or footer.seal != seal:
        raise DataError(f"{path} lacks entries in its footer, or in the record beside it", _REMEDY)
    said = {name: (one.statuses, one.labels) for name, (_, one) in footer.answers.items()}
    if _count(path, footer, before.size, halves) != said:
        raise DataError(f"{path} holds other rows or statuses than it says of itself", _REMEDY)
    if not _state(path).is_same(before):
        raise DataError(f"{path} was replaced while it was read", "run again")
    return footer


def _state(path: Location) -> FileState:
    """The file's state: it changes when the file is replaced."""
    try:
        return new_input(path).look()
    except InputNotFoundError as error:
        raise InputNotFoundError(f"there is no file {path}", "check the path") from error


def _verify_folder(
    path: Location, model: Location | NamedModels | None, progress: Progress | None
) -> Verification:
    """Check that a folder holds exactly the parts of its manifest, each as it was written."""
    folder = folder_at(path)
    success = folder.success()
    if success is None and exists(path / LAYOUT.manifest):
        raise DataError(
            f"{path} is a model, not an output", "name what score wrote; inspect checks models"
        )
    if success is None:
        raise DataError(f"{path} has no _SUCCESS: its job has not finished", "run the job again")
    if success.seal is None:
        raise DataError(f"the _SUCCESS of {path} has no seal", _REMEDY)
    folder.check_manifest(success)
    totals, parts = Totals(), set[str]()
    there = [new_input(path / one.part) for one in folder.records() if folder.has(one.part)]
    # Asking for the sizes of objects costs requests, which a progress bar is not worth.
    local = not any(part.costs_requests for part in there)
    size = sum(part.look().size for part in there) if local else None
    with step_of(progress, size, step=_STEP, unit=BYTES) as step:
        for record in folder.records():
            _verify_part(folder, record, success, step)
            parts.add(record.part)
            totals.add(record)
    if other := next(folder.others(parts), None):
        raise DataError(f"{path} holds {other}, which is none of its parts", "move it away")
    if len(parts) != success.parts or not same_totals(totals.totals(), success):
        raise DataError(f"{path} holds other parts or rows than its _SUCCESS says", _REMEDY)
    _check_model(path, model, success.fingerprint, success)
    return Verification(
        path=os.fspath(path),
        parts=len(parts),
        rows=success.rows_out,
        rows_quarantined=success.rows_quarantined,
        bad_files=len(success.bad_files),
        fingerprint=success.fingerprint,
        run_id=success.run_id,
        statuses=success.statuses,
        labels=success.labels,
        models=success.models,
    )


def _verify_part(folder: Folder, record: PartRecord, success: Success, step: Progress) -> None:
    place = folder.path / record.part
    if not folder.has(record.part):
        raise DataError(f"{folder.path} has lost its part {record.part}", _REMEDY)
    footer = _verify_file(place, step)
    if footer.seal != record.seal or footer.fingerprint != success.fingerprint:
        raise DataError(f"{place} is another file than was written", _REMEDY)
    if record.fingerprint not in (None, success.fingerprint) or record.becoming:
        raise DataError(f"{place} was made by another model than the other parts", _REMEDY)
    if record.job != success.job or not same_counts(footer, record):
        raise DataError(f"{place} holds other rows than the manifest says", _REMEDY)


def _check_model(
    path: Location, model: Location | NamedModels | None, fingerprint: str, rows: RowTotals
) -> None:
    """Check that these models made an output. Of several, one without a name is any of them."""
    made = {name: one.fingerprint for name, one in rows.models.items()}
    if isinstance(model, NamedModels):
        for one in model.each:
            wanted, found = load_model(one.place, several=True).fingerprint, made.get(one.name)
            if not made and len(model.each) == 1:
                found = fingerprint
            if wanted != found:
                told = f"by model {found}, not {wanted}" if found else "without such a model"
                raise DataError(f"{path} was made {told} as {one.name}", _REMEDY)
    elif model is not None:
        wanted = load_model(model, several=True).fingerprint
        if wanted not in (fingerprint, *made.values()):
            told = ", ".join(made.values()) or fingerprint
            raise DataError(f"{path} was made by model {told}, not {wanted}", _REMEDY)


class _Halves:
    """Reports every second byte, so that a file that is read twice counts once."""

    def __init__(self, step: Progress) -> None:
        self._step, self._added, self._told = step, 0, 0

    def add(self, read: int) -> None:
        """Count bytes that were read."""
        self._added += read
        self._step.advance(self._added // 2 - self._told)
        self._told = self._added // 2


def _count(path: Location, footer: OutputFooter, size: int, halves: _Halves) -> dict[str, Counted]:
    """Read every page of every column, or every line, and count statuses and labels."""
    per_row = size / max(1, footer.rows_out)
    return count_answers(
        path, footer, whole=True, on_rows=lambda rows: halves.add(round(rows * per_row))
    )
