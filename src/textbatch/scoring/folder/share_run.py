"""The path of one process of a job that several do without a driver: it scores its share."""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from types import TracebackType

from textbatch.data.bad_row_limit import BadRowLimit
from textbatch.data.output.any_folder import Folder
from textbatch.data.output.remote_folder import RemoteFolder
from textbatch.data.output.shard_plan import PlanHead, read_head, write_plan
from textbatch.data.output.shared_lock import SharedLock
from textbatch.data.output.work_directory import WorkDirectory
from textbatch.data.readers.listing import ListedFile, Listing, list_inputs
from textbatch.data.readers.source import format_of
from textbatch.errors import OutputError
from textbatch.report.next_steps import command_line
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FolderResult
from textbatch.scoring.folder.checks import check_columns
from textbatch.scoring.folder.job import FolderJob
from textbatch.scoring.folder.plan import open_folder, plan
from textbatch.scoring.folder.planned_parts import finished_part, plan_of, planned_part
from textbatch.scoring.folder.run import FolderRun
from textbatch.scoring.folder.spread import Spread
from textbatch.scoring.shard_options import Share


class ShareRun(FolderRun):
    """Scores the shards of one share, each into its part; `finish` completes the output.

    Every process of the job makes the same plan and writes it into the output. Each has a ledger of
    its own, so none waits for another. A part that is there is checked by its seal, and not made
    again, whoever made it.
    """

    _hold: SharedLock | None = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(kind, error, traceback)
        finally:
            if self._hold is not None:
                self._hold.release()

    def run(self) -> FolderResult:
        """Score the shards of the share that are left.

        Raises:
            TextbatchError: Its subclass tells the kind of error. Finished parts stay.
        """
        config = self._config
        assert config.shard is not None
        share = Share.parse(config.shard)
        common = open_folder(config)
        common.check_place()
        place = common.lock_place.with_name(f"{common.lock_place.name}.{share.label}")
        folder: Folder = common
        if common.is_staged:
            folder = RemoteFolder(config.output, place, shared=True)
        listing = list_inputs(config.inputs, config.input_format)
        self._notes.extend(listing.notes())
        if config.dry_run:
            whole = plan(config, listing, folder, self._model.bundles())
            with closing(whole.ledger):
                return self._planned_share(_of_share(whole, share))
        work = self._work = WorkDirectory(place, self._run_id)
        self._keep = work.inherited
        self._hold = SharedLock(common.lock_place)
        whole = plan(config, listing, folder, self._model.bundles(), work)
        whole = replace(whole, lock_place=place)
        with closing(whole.ledger):
            try:
                if success := whole.done_before():
                    self._job = whole
                    result = self._skipped(whole, success)
                else:
                    result = self._scored_share(whole, share)
                whole.ledger.remove()
                if folder.is_staged:  # every part is in the store
                    shutil.rmtree(place, ignore_errors=True)
                self._done = True
            except BaseException:
                self._keep = self._keep or whole.ledger.begun
                raise
        return result

    def _planned_share(self, job: FolderJob) -> FolderResult:
        """What a run would do, found out without writing anything."""
        job.todo[:] = [file for file in job.todo if not job.folder.has(file.part)]
        self._job = job
        found = check_columns(job, self._progress, read_all=True)
        self._model.predictor()
        return FolderResult(
            state="planned",
            plan="score" if len(job.todo) == len(job.listing.files) else "resume",
            rows_planned=found.rows,
            model=self._model.used,
            notes=tuple(self._notes),
            files=job.counts(scored={file.part for file in job.good}),
            shards=job.shards(),
        )

    def _scored_share(self, whole: FolderJob, share: Share) -> FolderResult:
        head, lines = plan_of(whole, self._config, self._model.compared_with())
        job = self._job = _of_share(whole, share)
        found = check_columns(job, self._progress, read_all=job.config.strict_types)
        _begin(job, head, lines)
        job.ledger.begin(job.part_id)
        found_parts = set[str]()
        for file in job.todo:
            expected = planned_part(file, job.part_id)
            record = finished_part(job.folder, expected, job=job.key, fingerprint=job.fingerprint)
            if record is not None:
                job.ledger.add(record, sync=False)
                found_parts.add(file.part)
        job.ledger.sync()
        job.todo[:] = [file for file in job.todo if file.part not in found_parts]
        parts = Spread(job, found.types, self._run_id, self._model, self._progress)
        self._parts = parts
        parts.score()
        done = command_line("finish", self._config.output)
        self._notes.append(f"share {share} is done; when all are: {done}")
        return self.known("done")


def shared_out(files: Sequence[ListedFile], of: int) -> list[list[ListedFile]]:
    """Share out shards so that all shares have about as many bytes, each shard to one share.

    Args:
        files: The shards.
        of: How many shares there are.

    Returns:
        The shards of each share, in order.
    """
    shares: list[list[int]] = [[] for _ in range(of)]
    free = [(0, index) for index in range(of)]
    for number in sorted(range(len(files)), key=lambda number: -files[number].size):
        size, index = heapq.heappop(free)
        shares[index].append(number)
        heapq.heappush(free, (size + max(1, files[number].size), index))
    return [[files[number] for number in sorted(share)] for share in shares]


def _of_share(whole: FolderJob, share: Share) -> FolderJob:
    """The job of one share."""
    config = whole.config
    mine = shared_out(whole.listing.files, share.of)[share.index]
    parts = {file.part for file in mine}
    todo = [file for file in whole.todo if file.part in parts]
    lines = [file for file in whole.listing.files if _is_json(file, config)]
    # All JSON Lines files of a job have one schema, so each share has to know all of them.
    beside = [file for file in lines if file not in todo] if any(f in todo for f in lines) else []
    left = BadRowLimit.parse(config.max_bad_rows).left(0)
    return replace(
        whole,
        # What is said of the whole job only `finish` can check.
        config=replace(config, min_rows=0, max_bad_rows=left.text),
        listing=Listing(files=mine),
        todo=todo,
        beside=tuple(beside),
        inherited=True,
    )


def _is_json(file: ListedFile, config: ScoreConfig) -> bool:
    return format_of(file.file, config.input_format) == "jsonl"


def _begin(job: FolderJob, head: PlanHead, lines: bytes) -> None:
    """Write the plan, before the first part, unless another process has written it.

    Raises:
        OutputError: The output holds something else, or is of another plan.
    """
    folder, replaces = job.folder, job.config.if_exists == "replace"
    holds_something = not folder.is_empty()
    there = read_head(folder.path)
    if there is None and holds_something and not replaces:
        raise OutputError(
            f"{folder.path} is not empty, and has no plan of shards",
            "add --overwrite to replace its parts",
        )
    if there is not None and not there.is_same(head) and not replaces:
        raise OutputError(
            f"{folder.path} was begun with other inputs, another model or other options",
            "give all shares the same ones, or add --overwrite to all to replace its parts",
        )
    if there != head:
        folder.begin()
        write_plan(folder.path, head, lines)
