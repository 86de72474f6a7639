"""`textbatch doctor`: what it finds, what it does not tell, and how it ends."""

from __future__ import annotations

import getpass
import json
import os
import platform
import shutil
import subprocess
import sys

import pytest
from typer.main import get_command

from textbatch.cli.app import app
from textbatch.cli.doctor import libraries, machine
from textbatch.cli.doctor.libraries import NEEDED, tried_imports

TRIED = "textbatch.cli.doctor.libraries.tried_imports"
FAKES = {
    "raises": "raise OSError('/home/somebody/secret')",
    "exits": "import os; os._exit(3)",
    "leaves": "raise SystemExit(0)",
    "aborts": "import os; os.abort()",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "prints": "print('done'); print('begin numpy')",
    "hangs": "import time; time.sleep(60)",
    "good": "",
}


@pytest.fixture
def fakes(tmp_path, monkeypatch):
    """Libraries that do what a library should not do when it is imported."""
    folder = tmp_path / "fakes"
    folder.mkdir()
    for name, code in FAKES.items():
        (folder / f"{name}.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


@pytest.fixture
def all_good(monkeypatch):
    """All libraries can be imported: finding that out takes seconds."""
    monkeypatch.setattr(TRIED, lambda names: dict.fromkeys(names, ""))


def test_a_library_may_do_anything_when_it_is_imported(fakes):
    found = tried_imports([name for name in FAKES if name != "hangs"])
    assert found == {
        "raises": "OSError",
        "exits": "it ended the process with 3",
        "leaves": "SystemExit",
        "aborts": "it ended the process by SIGABRT",
        "killed": "it ended the process by SIGKILL",
        "prints": "",
        "good": "",
    }


def test_a_library_that_never_ends_takes_the_rest_of_the_time(fakes):
    found = tried_imports(["good", "hangs", "raises"], seconds=1)
    assert (found["good"], found["raises"]) == ("", "no time was left")
    assert found["hangs"].startswith("no answer in")


def test_a_file_in_the_current_folder_is_no_library(tmp_path, monkeypatch):
    (tmp_path / "msgspec.py").write_text("raise OSError")
    monkeypatch.chdir(tmp_path)
    assert tried_imports(["msgspec"]) == {"msgspec": ""}


@pytest.mark.usefixtures("all_good")
def test_a_healthy_machine_ends_with_0_and_tells_no_names(in_process, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEXTBATCH_TRAIN_PRESET", "geheim")
    copy = shutil.copytree(model, tmp_path / "private-name")
    for flags in ((), ("--json",)):
        done = in_process("doctor", "--model", copy, *flags)
        assert (done.returncode, done.stderr) == (0, "")
        for word in (tmp_path.name, "private-name", "geheim", os.sep + "tmp", sys.prefix):
            assert word not in done.stdout
        for word in (platform.node(), getpass.getuser()):
            assert f" {word} " not in done.stdout.replace('"', " ")
    record = json.loads(done.stdout)
    assert record["state"] == "healthy"
    assert record["model"]["difference"] <= record["model"]["tolerance"]
    assert {one["name"]: one["state"] for one in record["libraries"]}["tensorflow"] == "not tried"
    assert {one["name"] for one in record["commands"]} >= {"train", "score", "doctor"}
    assert record["machine"]["cores_allowed"] == len(os.sched_getaffinity(0))


@pytest.mark.usefixtures("all_good")
def test_a_model_that_cannot_be_used_is_told_without_its_place(in_process, model, tmp_path):
    copy = shutil.copytree(model, tmp_path / "private-name")
    (copy / "labels.json").write_text("[]")
    for place, code in ((copy, 66), (tmp_path / "private-name-2", 66)):
        done = in_process("doctor", "--model", place, "--json")
        assert done.returncode == code
        assert done.stderr.startswith("textbatch: error[Doctor]:")
        assert done.stderr.count("\n") == 1
        assert "private-name" in done.stderr
        assert "private-name" not in done.stdout
        record = json.loads(done.stdout)
        assert (record["state"], record["exit_code"]) == ("failed", code)
        assert record["problems"][0]["told"] == "the model cannot be used (Bundle)"


@pytest.mark.parametrize("name", ["pyarrow", "gensim"])
def test_a_broken_library_is_named_with_what_needs_it(name, in_process, model, monkeypatch):
    ended = "it ended the process by SIGILL"
    monkeypatch.setattr(TRIED, lambda names: {one: ended * (one == name) for one in names})
    done = in_process("doctor", "--json", "--model", model)
    assert done.returncode == 2
    record = json.loads(done.stdout)
    broken = {one["name"] for one in record["commands"] if one["state"] == "broken"}
    assert broken == ({one["name"] for one in record["commands"]} if name in NEEDED else broken)
    assert "train" in broken
    assert ("score" in broken) == (record["model"] is None) == (name in NEEDED)
    assert f"{name} " in done.stderr
    assert ended in done.stderr


@pytest.mark.usefixtures("all_good")
def test_a_missing_extra_is_no_problem_but_told(in_process, monkeypatch):
    there = libraries._is_installed
    monkeypatch.setattr(libraries, "_is_installed", lambda name: name != "boto3" and there(name))
    done = in_process("doctor")
    assert done.returncode == 0
    assert "s3:// lacks boto3: pip install 'textbatch[s3]'" in done.stdout
    assert "not installed     boto3" in done.stdout


@pytest.mark.usefixtures("all_good")
def test_a_full_disk_is_told(in_process, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    done = in_process("doctor", "--json")
    assert (done.returncode, "0 MiB are free" in done.stderr) == (74, True)


@pytest.mark.parametrize(
    ("files", "cores", "memory"),
    [
        ({}, None, None),
        ({"proc": "0::/a/b", "a/b/cpu.max": "150000 100000", "a/memory.max": "1000"}, 1.5, 1000),
        ({"proc": "0::/", "cpu.max": "max 100000", "memory.max": "max"}, None, None),
        ({"proc": "0::/a", "cpu.max": "50000 100000", "a/cpu.max": "max 100000"}, 0.5, None),
        (
            {
                "proc": "4:memory:/a\n3:cpu:/a",
                "cpu/a/cpu.cfs_quota_us": "200000",
                "cpu/a/cpu.cfs_period_us": "100000",
                "memory/a/memory.limit_in_bytes": "9223372036854771712",
            },
            2.0,
            None,
        ),
        ({"proc": "0::/../../x", "cpu.max": "junk"}, None, None),
    ],
)
def test_limits_of_containers_are_read(files, cores, memory, tmp_path, monkeypatch):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    read = machine._read
    monkeypatch.setattr(machine, "_CGROUPS", tmp_path)
    monkeypatch.setattr(
        machine, "_read", lambda path: read(tmp_path / "proc" if path.name == "cgroup" else path)
    )
    assert (machine._cores_limit(), machine._memory_limit()) == (cores, memory)


def test_it_begins_where_a_library_cannot_be_imported_and_stdout_is_closed(fakes, tmp_path):
    """Its own process imports none of them: this numpy would end it."""
    for name in (*NEEDED[:-1], "sklearn", "scipy", "gensim", "matplotlib", "boto3", "adlfs"):
        (fakes / f"{name}.py").write_text("import os; os._exit(9)")
    environment = {key: value for key, value in os.environ.items() if key != "HOME"}
    import textbatch

    source = os.path.dirname(os.path.dirname(textbatch.__file__))  # noqa: PTH120
    run = subprocess.run(
        f'exec "{sys.executable}" -P -m textbatch doctor >&-',
        shell=True,
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": f"{fakes}:{source}"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert run.returncode == 2, run.stderr
    assert run.stderr.startswith("textbatch: error[Doctor]: numpy")
    assert "it ended the process with 9" in run.stderr


def test_every_command_is_told(in_process, monkeypatch):
    monkeypatch.setattr(TRIED, lambda names: dict.fromkeys(names, ""))
    record = json.loads(in_process("doctor", "--json").stdout)
    told = {one["name"] for one in record["commands"]}
    assert told == set(get_command(app).commands) - {"config"}
