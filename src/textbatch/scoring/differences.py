"""How an output that is there differs from what a job would make: for the message that refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256

from textbatch import __version__
from textbatch.data.output.any_folder import Folder
from textbatch.data.output.footer import OutputFooter, find_footer
from textbatch.options import options_of
from textbatch.scoring.config import ScoreConfig

#: A longer value is remembered by its hash.
_LONGEST_VALUE = 100
#: What decides beside the options.
_OF_PART = ("types", "partitions", "quarantine")
_UNKNOWN = "by another model or with other options"
_BESIDE = {"types": "types of columns", "partitions": "partitions", "textbatch": "textbatch"}


def remembered(decisive: Mapping[str, object]) -> dict[str, str]:
    """What an output remembers of the options that decided it. A path is not told to its readers.

    Args:
        decisive: The options, from `FileTask.decisive`.
    """
    return {name: _short(name, str(value)) for name, value in sorted(decisive.items())}


def other_options(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Name the options that differ; empty where none is known to.

    Args:
        then: What the output remembers.
        now: What it would remember if this job made it.
    """
    differ = {name for name in then.keys() | now.keys() if then.get(name) != now.get(name)}
    flags = {one.name: f"--{one.key}" for one in options_of(ScoreConfig)} | _BESIDE
    return _and(sorted(flags.get(name, name) for name in differ))


def reasons(there: OutputFooter, *, fingerprint: str, options: Mapping[str, str]) -> list[str]:
    """Say what of model, options and version differs from those that made an output.

    Args:
        there: What the output says of itself.
        fingerprint: The job's model.
        options: The job's options, as the output would remember them.
    """
    found = []
    if there.fingerprint != fingerprint:
        found.append(f"by another model ({there.fingerprint[:12]}…, not {fingerprint[:12]}…)")
    if differ := other_options(there.options, options):
        found.append(f"with another {differ}")
    if there.version != __version__:
        found.append(f"by textbatch {there.version}")
    return found


def other_parts(
    folder: Folder, parts: Iterable[str], *, fingerprint: str, options: Mapping[str, str]
) -> list[str]:
    """Say in what the first of some parts differs from those of a folder job.

    Args:
        folder: The folder.
        parts: Parts of another job.
        fingerprint: The job's model.
        options: The job's options, as an output would remember them.
    """
    part = next((one for one in parts if folder.has(one)), None)
    there = find_footer(folder.path / part) if part is not None else None
    if there is None:
        return [_UNKNOWN]
    # These differ from part to part.
    of_job = {name: told for name, told in there.options.items() if name not in _OF_PART}
    there = replace(there, options=of_job)
    return reasons(there, fingerprint=fingerprint, options=options) or [_UNKNOWN]


def _short(name: str, value: str) -> str:
    if name != "quarantine" and len(value) <= _LONGEST_VALUE:
        return value
    return f"sha256 {sha256(value.encode(errors='surrogateescape')).hexdigest()[:16]}"


def _and(names: Iterable[str]) -> str:
    *first, last = [*names] or [""]
    return f"{', '.join(first)} and {last}" if first else last
