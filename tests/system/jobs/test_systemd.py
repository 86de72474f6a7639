from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from textbatch.errors import final_exit_codes

FOLDER = Path(__file__).parents[3] / "jobs" / "systemd"
COMMAND = "/opt/textbatch/.venv/bin/textbatch"


def read(name: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string((FOLDER / name).read_text("utf-8"))
    return unit


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze (systemd)")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    for path in FOLDER.iterdir():
        text = path.read_text("utf-8").replace(COMMAND, shutil.which("true"))
        (tmp_path / path.name).write_text(text)

    def verify() -> subprocess.CompletedProcess[str]:
        # --man=no: pages of other units are not at issue.
        command = ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def complaints() -> list[str]:
        return [line for line in verify().stderr.splitlines() if "textbatch" in line]

    assert complaints() == []
    service = tmp_path / "textbatch.service"
    service.write_text(service.read_text().replace("Restart=on-failure", "Restart=sometimes"))
    assert complaints() != []


def test_service_is_not_restarted_after_final_exit_codes_alone():
    service = read("textbatch.service")["Service"]
    codes = [int(code) for code in service["RestartPreventExitStatus"].split()]
    assert codes == [*final_exit_codes()]
    assert service["Restart"] == "on-failure"


def test_timer_starts_the_service_of_its_name_and_makes_up_for_lost_nights():
    timer = read("textbatch.timer")
    assert timer["Timer"]["Persistent"] == "yes"
    assert timer["Install"]["WantedBy"] == "timers.target"
    assert (FOLDER / "textbatch.service").exists()


def test_service_scores_night_after_night(input_file, model, tmp_path):
    input_file.rename(tmp_path / "incoming.parquet")
    (tmp_path / "model").symlink_to(model)
    line = read("textbatch.service")["Service"]["ExecStart"].replace(
        "/srv/textbatch", str(tmp_path)
    )
    command = [sys.executable, "-m", "textbatch", *shlex.split(line)[1:]]
    for _ in range(2):
        subprocess.run(command, check=True, timeout=60)
    assert pq.read_metadata(tmp_path / "scored.parquet").num_rows == 500
