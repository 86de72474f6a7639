"""The alerts and the dashboard know the metrics that there are; promtool says when alerts fire."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from textbatch.integrations.prometheus import METRICS

JOBS = Path(__file__).parents[3] / "jobs" / "prometheus"
ALERTS = JOBS / "alerts.yml"
PROMTOOL = shutil.which("promtool")
NAMES = re.compile(r"\btextbatch_\w+")


def expressions():
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    board = json.loads((JOBS / "grafana.json").read_text("utf-8"))
    yield from (rule["expr"] for group in groups for rule in group["rules"])
    yield from (target["expr"] for panel in board["panels"] for target in panel["targets"])
    yield board["templating"]["list"][1]["query"]["query"]


def test_every_metric_that_is_asked_for_is_written_and_the_reverse():
    asked = {name for expression in expressions() for name in NAMES.findall(expression)}
    written = set(METRICS)
    assert asked <= written
    # These are for a person who looks for a cause.
    assert written - asked == {
        "textbatch_drift_p_value",
        "textbatch_drift_series_log10_e",
        "textbatch_drift_series_runs",
        "textbatch_files_rescored",
        "textbatch_files_stale",
        "textbatch_last_failure_timestamp_seconds",
        "textbatch_model_fingerprint_info",
    }


def test_panels_have_numbers_and_places_of_their_own():
    panels = json.loads((JOBS / "grafana.json").read_text("utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)


#: Metrics of a good night of 1,000 rows.
GOOD = {
    "textbatch_last_success_timestamp_seconds": 0,
    "textbatch_last_exit_code": 0,
    "textbatch_rows_in": 1000,
    'textbatch_rows{status="ok"}': 1000,
    'textbatch_rows{status="bad_text"}': 0,
    "textbatch_rows_quarantined": 0,
    "textbatch_files_bad": 0,
    "textbatch_oov_share": 0.05,
    'textbatch_drift{of="labels"}': 0.02,
    'textbatch_drifted{of="labels"}': 0,
    'textbatch_drift_series_drifted{of="labels"}': 0,
}
NIGHTS = [
    ({}, "1h", set()),
    ({}, "27h", {"TextbatchStale"}),
    ({"textbatch_last_exit_code": 75}, "30m", set()),
    ({"textbatch_last_exit_code": 75}, "2h", {"TextbatchFailed"}),
    ({"textbatch_rows_in": 0}, "5m", {"TextbatchNoInput"}),
    ({'textbatch_rows{status="bad_text"}': 11}, "5m", {"TextbatchBadRows"}),
    ({"textbatch_rows_quarantined": 11}, "5m", {"TextbatchBadRows"}),
    (
        {"textbatch_rows_quarantined": 11, 'textbatch_rows{status="bad_text"}': None},
        "5m",
        {"TextbatchBadRows"},
    ),
    ({"textbatch_rows_quarantined": 10}, "5m", set()),
    ({"textbatch_files_bad": 1}, "5m", {"TextbatchBadFiles"}),
    ({"textbatch_oov_share": 0.4}, "5m", {"TextbatchUnknownWords"}),
    ({'textbatch_drifted{of="labels"}': 1}, "5m", {"TextbatchDrift"}),
    ({'textbatch_drift{of="labels"}': 0.5}, "5m", set()),
    ({'textbatch_drift_series_drifted{of="labels"}': 1}, "5m", {"TextbatchDriftSeries"}),
    ({'textbatch_drift_series{of="labels"}': 0.5}, "5m", set()),
]
#: A good night with two models, whose answers have a label more.
SEVERAL = {
    f'{name}{{model="{model}",{labels}' if labels else f'{name}{{model="{model}"}}': value
    for key, value in GOOD.items()
    if key.startswith(("textbatch_rows{", "textbatch_oov_share", "textbatch_drift"))
    for name, _, labels in [key.partition("{")]
    for model in ("topic", "tone")
}
SEVERAL = {
    key: value for key, value in GOOD.items() if "{" not in key and "oov" not in key
} | SEVERAL
TONE = 'model="tone"'
NIGHTS_OF_SEVERAL = [
    ({}, "1h", set()),
    ({f'textbatch_rows{{{TONE},status="bad_text"}}': 11}, "5m", {"TextbatchBadRows"}),
    ({"textbatch_rows_quarantined": 11}, "5m", {"TextbatchBadRows"}),
    ({f"textbatch_oov_share{{{TONE}}}": 0.4}, "5m", {"TextbatchUnknownWords"}),
    ({f'textbatch_drifted{{{TONE},of="labels"}}': 1}, "5m", {"TextbatchDrift"}),
    (
        {f'textbatch_drift_series_drifted{{{TONE},of="labels"}}': 1},
        "5m",
        {"TextbatchDriftSeries"},
    ),
]
ALL_NIGHTS = [
    *((GOOD | changes, at, fired) for changes, at, fired in NIGHTS),
    *((SEVERAL | changes, at, fired) for changes, at, fired in NIGHTS_OF_SEVERAL),
]


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool (Debian's package prometheus)")
def test_each_alert_fires_when_it_should_and_only_then(tmp_path):
    names = {rule["alert"] for rule in yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]}
    assert names == {name for _, _, fired in ALL_NIGHTS for name in fired}
    tests = []
    for night, at, fired in ALL_NIGHTS:
        values = {key: value for key, value in night.items() if value is not None}
        series = [{"series": _named(key), "values": f"{v}x2000"} for key, v in values.items()]
        alerts = [
            # Only whether it fires is compared.
            {"expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)'}
            | {"eval_time": at, "exp_samples": [{"labels": "{}", "value": int(name in fired)}]}
            for name in sorted(names)
        ]
        tests.append({"interval": "1m", "input_series": series, "promql_expr_test": alerts})
    given = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": tests}
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump(given))
    for command in (["check", "rules", ALERTS], ["test", "rules", path]):
        run = subprocess.run([PROMTOOL, *command], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr


def _named(metric: str) -> str:
    name, _, labels = metric.partition("{")
    return f'{name}{{task="nightly",instance="a",job="node",{labels or "}"}'
