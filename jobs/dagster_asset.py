"""A Dagster asset: a file scored with the `textbatch` command.

Dagster's environment needs the exit codes (`pip install --no-deps textbatch`); the command may have
an environment of its own. Try it: `dagster dev -f jobs/dagster_asset.py`.
"""

import json
import os
import subprocess

import dagster

from textbatch.errors import final_exit_codes

COMMAND = os.environ.get("TEXTBATCH_COMMAND", "/opt/textbatch/.venv/bin/textbatch")
INPUT = os.environ.get("TEXTBATCH_INPUT", "/srv/textbatch/incoming.parquet")
OUTPUT = os.environ.get("TEXTBATCH_OUTPUT", "/srv/textbatch/scored.parquet")
TOLD = ("rows_out", "rows_quarantined", "mean_confidence", "fingerprint", "run_id")


@dagster.asset(retry_policy=dagster.RetryPolicy(max_retries=3, delay=600))
def scored(context: dagster.AssetExecutionContext) -> dagster.MaterializeResult:
    """Every row with its label. The model is named by `TEXTBATCH_MODEL`."""
    # An asset that is made again finds its own output, and replaces it.
    words = [COMMAND, "score", "--json", "--if-exists", "replace", "--", INPUT, OUTPUT]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    for line in lines:
        context.log.info(line)
    if done.returncode:
        told = f"exit code {done.returncode}: {lines[-1] if lines else 'no message'}"
        raise dagster.Failure(told, allow_retries=done.returncode not in final_exit_codes())
    report = json.loads(done.stdout)
    return dagster.MaterializeResult(metadata={name: report[name] for name in TOLD})


nightly = dagster.ScheduleDefinition(
    name="textbatch_nightly",
    target=dagster.AssetSelection.assets(scored),
    cron_schedule="15 2 * * *",
)
definitions = dagster.Definitions(assets=[scored], schedules=[nightly])
