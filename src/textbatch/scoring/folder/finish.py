"""The path of `finish`: all parts are checked, then manifest and `_SUCCESS` are written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import zip_longest
from os import fspath
from pathlib import Path

from textbatch import __version__
from textbatch.data.bad_row_limit import BadRowLimit
from textbatch.data.output.any_folder import Folder
from textbatch.data.output.ledger import Ledger
from textbatch.data.output.records import PartRecord, Success
from textbatch.data.output.shard_plan import PLAN, PlanHead, PlannedFile, PlannedPart, read_plan
from textbatch.data.output.work_directory import WorkDirectory
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.location import Location, location_of
from textbatch.errors import DataError, InputNotFoundError, TryAgainError
from textbatch.model.quality.drift_series import DriftSeries
from textbatch.report.drift import drift_notes
from textbatch.report.files import only_warned
from textbatch.report.listener import SILENT
from textbatch.report.scoring import ModelReport, RunReport
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.drift_gate import refused
from textbatch.scoring.folder.ending import Ending, complete, remove_others
from textbatch.scoring.folder.owned import OwnedParts
from textbatch.scoring.folder.plan import folder_of
from textbatch.scoring.folder.planned_drift import drifts_of, estimates_of
from textbatch.scoring.folder.planned_parts import finished_part
from textbatch.scoring.folder.planned_series import PlannedSeries
from textbatch.scoring.folder.side_by_side import side_by_side
from textbatch.scoring.folder.totals import Totals
from textbatch.scoring.limits import check_enough
from textbatch.scoring.shard_options import SHARE_MARK

_NAMED = 3


def finish_output(
    output: Location,
    *,
    run_id: str,
    work_dir: Path | None = None,
    drift_history: Path | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Complete an output whose shares were scored with `score --shard`.

    Args:
        output: The folder.
        run_id: Id of this run.
        work_dir: Where outputs for an object store are made.
        drift_history: The file of the series that the job belongs to; None if to none.
        progress: Called as parts are checked.

    Returns:
        The report of the whole job.

    Raises:
        InputNotFoundError: The folder has no plan of shards.
        TryAgainError: Parts are missing, or a share is still being scored.
        DataError: An input changed, or the plan is damaged, or the history holds something else.
        TooManyBadRowsError: There are more bad rows than the shares were told.
        OutputError: The folder holds a file that is none of its parts.
        QualityGateError: The rows, or the series, have drifted, and the shares were told to fail
            then.
    """
    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
    series: PlannedSeries | None = None
    if drift_history is not None:
        series = PlannedSeries(history=drift_history, output=output, time=started)
        series.check()
    notes: list[str] = []
    moved: dict[str, DriftSeries] = {}
    folder = folder_of(output, work_dir)
    folder.check_place()
    work = WorkDirectory(folder.lock_place, run_id)
    keep = True
    try:
        found = read_plan(output)
        success = folder.success()
        if found is None and success is None:
            keep = work.inherited
            raise InputNotFoundError(
                f"{output} has no plan of shards", "score its shares first, with --shard I/N"
            )
        if success is None:
            assert found is not None
            success = _completed(folder, *found, series, run_id=run_id, progress=progress or SILENT)
            state = "done"
        else:
            state = "skipped"
        head = found[0] if found else None
        if series is not None:
            # Before the plan is removed: killed in between, the next `finish` adds the line.
            with only_warned(f"the history {drift_history}", notes.append):
                moved = series.add(success, success.fingerprint, head)
        with suppress(FileNotFoundError):
            folder.remove(PLAN)
        _remove_dead(folder.lock_place, run_id)
        keep = False
    finally:
        work.release(keep=keep and work.inherited)
    places = _places(head.model, tuple(success.models)) if head else {}
    drifts = dict(drifts_of(success, head)) if head else {}
    rights = dict(estimates_of(success, head)) if head else {}
    done = RunReport(
        run_id=run_id,
        input=head.input if head else "",
        output=fspath(output),
        model=head.model if head else "",
        textbatch=__version__,
        started=started,
        seconds=round(time.perf_counter() - clock, 3),
        state="done" if state == "done" else "skipped",
        fingerprint=success.fingerprint,
        rows_in=success.rows_in,
        rows_out=success.rows_out,
        rows_quarantined=success.rows_quarantined,
        statuses=success.statuses,
        labels=success.labels,
        drift=drifts.get(""),
        estimated_accuracy=rights.get(""),
        drift_series=moved.get(""),
        # As a share tells of its own.
        files=dict.fromkeys(("found", "scored"), success.parts)
        | dict.fromkeys(("resumed", "known", "stray"), 0)
        if state == "done"
        else None,
        shards={"planned": success.parts, "done": 0, "rows": success.rows_in}
        | {"smallest": None, "largest": None}
        if state == "done"
        else None,
        models=[
            ModelReport(
                name=name,
                model=places.get(name, ""),
                fingerprint=one.fingerprint,
                statuses=one.statuses,
                labels=one.labels,
                drift=drifts.get(name),
                estimated_accuracy=rights.get(name),
                drift_series=moved.get(name),
            )
            for name, one in success.models.items()
        ],
        notes=notes,
    )
    if head and head.on_drift == "warn":
        done.notes.extend(drift_notes(done))
    return done


def _completed(
    folder: Folder,
    head: PlanHead,
    parts: list[PlannedPart],
    series: PlannedSeries | None,
    *,
    run_id: str,
    progress: Progress,
) -> Success:
    """Check every part against the plan, and write manifest and `_SUCCESS`."""
    files = list({file.place: file for part in parts for file in part.files}.values())
    remote = any(new_input(location_of(file.place)).costs_requests for file in files)
    for _ in side_by_side(_check_unchanged, files, remote=remote):
        pass

    def read(part: PlannedPart) -> PartRecord | None:
        return finished_part(folder, part, job=head.job, fingerprint=head.fingerprint)

    records: list[PartRecord] = []
    missing: list[PlannedPart] = []
    found = side_by_side(read, parts, remote=folder.is_staged)
    with step_of(progress, len(parts), step="checking parts", unit="parts") as step:
        for part, record in zip(parts, found, strict=True):
            if record is None:
                missing.append(part)
            else:
                records.append(record)
            step.advance(1)
    if missing:
        raise _lacking(folder, missing, len(parts))
    totals = Totals()
    for record in records:
        totals.add(record)
    rows = totals.totals()
    BadRowLimit.parse(head.max_bad_rows).check(rows.bad_rows, rows=rows.rows_in)
    check_enough(rows.rows_in, head.min_rows)
    drifted = [(name, one) for name, one in drifts_of(rows, head) if one and one.drifted]
    if drifted and head.on_drift == "fail":
        raise refused(
            drifted,
            remedy="look at the input; or run the shares again without --fail-on-drift, which "
            "scores nothing anew, then finish",
        )
    if series is not None:
        series.judge(rows, head)
    # The shares may not look for it: what one finds may be another one's, on another machine.
    folder.remove_leftovers(part.part for part in parts)
    owned = OwnedParts(folder, Ledger(None, head.job))
    remove_others(folder, owned, {part.part for part in parts})
    return complete(
        folder,
        iter(records),
        Ending(run_id=run_id, fingerprint=head.fingerprint, job=head.job, inputs=head.inputs),
    )


def _places(told: str, names: tuple[str, ...]) -> dict[str, str]:
    """The place of each model, from the plan, which has them as `NAME=PLACE NAME=PLACE`.

    Args:
        told: What the plan tells.
        names: The names of the models, in the order of the plan.
    """
    places, rest = {}, f" {told}"
    for name, after in zip_longest(names, names[1:]):
        _, _, rest = rest.partition(f" {name}=")
        place, mark, behind = rest.partition(f" {after}=") if after else (rest, "", "")
        places[name], rest = place, f"{mark}{behind}"
    return places


def _check_unchanged(file: PlannedFile) -> None:
    place = new_input(location_of(file.place))
    try:
        now = place.look()
    except InputNotFoundError:
        now = None
    if now is None or (now.size, now.version) != (file.size, file.version):
        raise DataError(
            f"{file.place} changed since its shards were planned",
            "score all shares again with --overwrite, then finish",
        )


def _lacking(folder: Folder, missing: list[PlannedPart], of: int) -> TryAgainError:
    named = ", ".join(f"{part.part} ({part.name})" for part in missing[:_NAMED])
    more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
    return TryAgainError(
        f"{folder.path} lacks {len(missing):,} of {of:,} parts, or has others in their place: "
        f"{named}{more}",
        "run the shares again, which score what is missing, then finish",
    )


def _remove_dead(place: Path, run_id: str) -> None:
    """Remove what shares that were killed have left beside the output."""
    for path in _left_by_shares(place):
        WorkDirectory(path, run_id).release(keep=False)


def _left_by_shares(place: Path) -> Iterator[Path]:
    begin, end = f".{place.name}.{SHARE_MARK}", ".textbatch"
    for path in sorted(place.parent.iterdir()):
        if path.name.startswith(begin) and path.name.endswith(end):
            yield path.with_name(path.name[1 : -len(end)])
