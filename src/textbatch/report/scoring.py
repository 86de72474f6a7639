"""The report of `score`: one JSON record, which is also written after a failure."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal

from textbatch.data.output.adapted import AdaptedPriors
from textbatch.data.strict_json import to_json
from textbatch.model.quality.drift import Drift
from textbatch.model.quality.drift_series import DriftSeries
from textbatch.model.quality.estimated_accuracy import EstimatedAccuracy
from textbatch.report.files import SCHEMA_VERSION
from textbatch.report.inline import counted, inline


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """What one of the models of a `score` run did.

    Attributes:
        name: Its name, which begins the names of its columns; empty for a model without one.
        model: Path of the bundle; empty where only its fingerprint is known, as to `finish`.
        fingerprint: The bundle's fingerprint.
        engine: The library that ran the network.
        device: Where it ran.
        precision: The number type of the network's matrix products.
        statuses: Rows in the output, by status.
        labels: Rows by predicted label.
        labels_withheld: Labels that are always withheld.
        mean_confidence: Mean over the rows with a label.
        confidence_histogram: Rows that the network predicted, by the confidence of the best label.
        tokens: Tokens of the rows that this run predicted, without resumed rows.
        unknown_tokens: Those of them that are not in the vocabulary.
        rows_early: Rows that the linear model answered alone in this run.
        drift: How the rows differ from those that the model was measured on; None where there is
            nothing to compare.
        estimated_accuracy: How many of the answered rows are probably right; None if not known.
        priors: With `--adapt-priors`, the mix of labels; None without it.
        drift_series: With `--drift-history`, how the runs so far have moved; else None.
    """

    name: str
    model: str
    fingerprint: str | None = None
    engine: str | None = None
    device: str | None = None
    precision: str | None = None
    statuses: dict[str, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    labels_withheld: list[str] = field(default_factory=list)
    mean_confidence: float | None = None
    confidence_histogram: list[int] = field(default_factory=list)
    tokens: int = 0
    unknown_tokens: int = 0
    rows_early: int = 0
    drift: Drift | None = None
    estimated_accuracy: EstimatedAccuracy | None = None
    priors: AdaptedPriors | None = None
    drift_series: DriftSeries | None = None

    @property
    def oov_share(self) -> float | None:
        """Share of tokens that are not in the vocabulary; None if there was no token."""
        return self.unknown_tokens / self.tokens if self.tokens else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a `score` run did.

    Attributes:
        run_id: The run's id; it is also in the output's footer, or in the `_SUCCESS` of a folder.
        state: `done`, `failed`, `planned` (a dry run) or `skipped` (the output was there).
        plan: Of a dry run what the run would do: `score`, `replace` what is there, `resume` an
            interrupted run, or `skip` because the output is there; null for any other.
        input: Path of the input.
        output: Path of the output.
        model: Path of the bundle; of models with names each as `NAME=PATH`.
        fingerprint: The bundle's fingerprint; of several models a hash of all of theirs.
        textbatch: Version of textbatch.
        engine: The library that ran the network.
        device: Where it ran.
        precision: The number type of the network's matrix products.
        started: When the run began, UTC, ISO 8601.
        seconds: Wall time of the whole run.
        rows_in: Rows read. In a dry run the rows of the input, null if only reading it would tell.
        rows_out: Rows in the output.
        rows_quarantined: Rows that were moved to the quarantine file.
        rows_resumed: Rows whose predictions were taken from an earlier run's journal.
        rows_per_second: Rows read per second, from the first row to the last.
        statuses: Rows in the output, by status; of several models see `models`, as for all up to
            `confidence_histogram`.
        labels: Rows by predicted label.
        labels_withheld: Labels that are always withheld, because the model's held-out answers do
            not show `--min-precision` for them.
        mean_confidence: Mean over the rows with a label.
        confidence_histogram: Rows that the network predicted, by the confidence of the best label
            (also of withheld ones), in 20 equal bins from 0 to 1.
        tokens: Tokens of the rows that this run predicted, without resumed rows; of several models
            their sum.
        unknown_tokens: Those of them that are not in the vocabulary.
        rows_early: Rows that the linear model answered alone in this run (`--early-exit`); of
            several models their sum.
        rows_cached: Rows whose answers came from `--cache`.
        drift: How the rows differ from those that the model was measured on: `drifted`, `p_value`,
            `rows`, `reference_rows`, and of each of the `measures` the `effect` (share of rows that
            have moved, at least `effect_low`), the `p_value`, and `where` most have moved, with its
            shares `before` and `now`. Null where there is nothing to compare; of several models see
            `models`.
        estimated_accuracy: How many of the answered rows are probably right: `accuracy`, the ends
            `low` and `high` of its 95 % interval, the `rows`, and the `held_out` rows that the
            confidences were checked with. Too good where there is drift. Null if not known.
        priors: With `--adapt-priors`: whether the answers were `adapted` to the file's mix of
            labels, the `p_value`, the `shift` (share of rows that would have to be of another
            label), the `rows` that tell it, and each label's share `before` (held-out rows) and
            `now`. Drift is that of the answers before. Null without the option.
        drift_series: With `--drift-history`: how the `runs` so far have moved, from the first to
            the last of `times`: `drifted`, their answered `rows`, and of each of the `measures` the
            evidence `log10_e`, the run `since` which it has moved, and `effect`, `where`, `before`
            and `now` of the runs since then. Null without it; of several models see `models`.
        models: Of models with names what each of them did.
        seal: The output's own sha256, which `verify` computes again.
        files: Of a job over several files: how many were found, scored now, resumed (scored by the
            interrupted run that this one goes on with, and counted in all sums too), known from
            runs before (and in no sum), and left out because of their names.
        shards: Of a job that is cut into shards: how many are `planned`, how many were `done`
            before, the `rows` of all, and those of the `smallest` and `largest`. Then `files`
            counts shards.
        bad_files: Of a job over several files: those that are malformed, each with `file`, `part`,
            `state`, `error`, and `kept` if the part of its earlier version stays.
        notes: What else the user should know.
        error: The error message of a failed run.
        exit_code: The exit code of the process.
    """

    run_id: str
    input: str
    output: str
    model: str
    textbatch: str
    started: str
    state: Literal["done", "failed", "planned", "skipped"]
    plan: Literal["score", "replace", "resume", "skip"] | None = None
    fingerprint: str | None = None
    engine: str | None = None
    device: str | None = None
    precision: str | None = None
    seconds: float = 0.0
    rows_in: int | None = 0
    rows_out: int = 0
    rows_quarantined: int = 0
    rows_resumed: int = 0
    rows_per_second: float | None = None
    statuses: dict[str, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    labels_withheld: list[str] = field(default_factory=list)
    mean_confidence: float | None = None
    confidence_histogram: list[int] = field(default_factory=list)
    tokens: int = 0
    unknown_tokens: int = 0
    rows_early: int = 0
    rows_cached: int = 0
    drift: Drift | None = None
    estimated_accuracy: EstimatedAccuracy | None = None
    priors: AdaptedPriors | None = None
    drift_series: DriftSeries | None = None
    models: list[ModelReport] = field(default_factory=list)
    seal: str | None = None
    files: dict[str, int] | None = None
    shards: dict[str, int | None] | None = None
    bad_files: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str | None = None
    exit_code: int = 0

    @property
    def oov_share(self) -> float | None:
        """Share of tokens that are not in the vocabulary; None if there was no token."""
        return self.unknown_tokens / self.tokens if self.tokens else None

    @property
    def sections(self) -> list[ModelReport]:
        """What each model did, also the only one without a name."""
        if self.models:
            return self.models
        common = {one.name for one in fields(ModelReport)} - {"name"}
        return [ModelReport(name="", **{name: getattr(self, name) for name in common})]

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **to_json(self)}

    def _repr_html_(self) -> str:
        """The report for a notebook."""
        rows_in = "not known" if self.rows_in is None else f"{self.rows_in:,}"
        facts = {
            "state": self.state,
            "input": self.input,
            "output": self.output,
            "model": self.model,
            "rows in": rows_in,
            "rows out": f"{self.rows_out:,}",
            "seconds": f"{self.seconds:,.1f}",
        }
        if self.rows_quarantined:
            facts["rows in quarantine"] = f"{self.rows_quarantined:,}"
        for one in self.sections:
            if found := one.estimated_accuracy:
                low, high = f"{found.low:.1%}", f"{found.high:.1%}"
                told = f"{found.accuracy:.1%} ({low} to {high})"
                facts[f"{one.name} estimated accuracy".strip()] = told
            if one.drift:
                facts[f"{one.name} drift".strip()] = "yes" if one.drift.drifted else "no"
        for name, count in (self.files or {}).items():
            facts[f"files {name}"] = f"{count:,}"
        tables = [
            table
            for one in self.sections
            for table in (
                counted(f"{one.name} status".strip(), one.statuses),
                counted(f"{one.name} label".strip(), one.labels),
            )
        ]
        return inline("Scoring", facts, *tables, notes=self.notes)
