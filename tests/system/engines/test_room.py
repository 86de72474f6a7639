"""A cluster that has no worker for the job: a clear end, which is worth another try."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.engines import engines, needs_engines, run_script

pytestmark = needs_engines

#: All CPUs are taken; no worker is there.
FULL = {
    "ray": """
    import ray
    from textbatch.scoring.backends import ray_start as place
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    class Holds:
        def here(self):
            pass
    holds = ray.remote(Holds).options(num_cpus=1).remote()
    ray.get(holds.here.remote())
""",
    "dask": """
    from distributed import LocalCluster
    from textbatch.scoring.backends import dask_workers as place
    cluster = LocalCluster(n_workers=0, dashboard_address=None, host="127.0.0.1")
    given["address"] = cluster.scheduler_address
""",
}
JOB = """
def main():
    given = {{"backend": "{engine}", "inputs": "in", "model": "model", "output": "out", "jobs": 1}}
    {full}
    place.ROOM_SECONDS = 4
    from textbatch.errors import TryAgainError
    from textbatch.scoring.config import ScoreConfig
    from textbatch.scoring.score import score
    try:
        score(ScoreConfig.given(given))
    except TryAgainError as error:
        print("told", error.exit_code, error.what)
if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("engine", [one for one in engines("dask") if one in FULL])
def test_no_room_is_worth_another_try(engine, model, tmp_path):
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"text": ["refund", "card"]}), tmp_path / "in" / "a.parquet")
    shutil.copytree(model, tmp_path / "model")
    [told] = run_script(tmp_path, JOB.format(engine=engine, full=FULL[engine].strip()))
    assert told.startswith("told 75 ")
    assert "has had no" in told
    assert not (tmp_path / "out" / "_SUCCESS").exists()
