from __future__ import annotations

import pytest
from support.killable_job import rounds


@pytest.mark.parametrize("seed", rounds(3, 100))
def test_of_two_runs_on_one_output_exactly_one_wins(seed, job):
    with job.start() as one, job.start() as other:
        told = [process.communicate(timeout=120)[1] for process in (one, other)]
        codes = [one.returncode, other.returncode]
    # 73 is told a loser that came so late that the output was already there.
    assert sorted(codes)[0] == 0, told
    assert sorted(codes)[1] in (75, 73), told
    if 75 in codes:
        # The winner may not have told its process id yet.
        assert "is being written by" in told[codes.index(75)]
    job.assert_complete()


def test_an_input_that_changes_meanwhile_is_noticed(job, tmp_path):
    content = job.source.read_bytes()
    job.source = tmp_path / "in.parquet"
    for change in ("touched", "replaced", "removed"):
        job.source.write_bytes(content)
        with job.start("--chunk-rows", "20") as process:
            job.wait_for_temporary(process)
            if change == "touched":
                job.source.write_bytes(content)
            elif change == "replaced":
                (tmp_path / "new").write_bytes(content)
                (tmp_path / "new").replace(job.source)
            else:
                job.source.unlink()
            _, told = process.communicate(timeout=60)
        assert process.returncode == 65, told
        assert "changed while it was being read" in told
        assert job.names() == []
