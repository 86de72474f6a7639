from __future__ import annotations

import io
import json
import sys
from collections import Counter, defaultdict
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from support.bundles import run_cli

from textbatch.cli.console import results
from textbatch.cli.demo.tables import demo_lines, demo_tables
from textbatch.cli.demo.tickets import QUEUES, labelled_tickets, unlabelled_texts
from textbatch.cli.demo.walkthrough import DemoReport, run_demo
from textbatch.errors import OutputError, UsageError
from textbatch.report.listener import MessagesOnly
from textbatch.text.normalization import split_tokens
from textbatch.types import Status

ROWS = {"labelled_rows": 400, "unlabelled_rows": 700}
#: Of 300 labelled and 300 unlabelled tickets with seed 1; changing phrases or shares changes it.
TICKETS_SHA256 = "9f40db8e31dfba366b77c6e210c3d4f375d1bf75ab5b059503c1f9a8e89c15b4"
OWN_FILES = ["model", "scored.parquet", "tickets-labelled.parquet", "tickets-unlabelled.parquet"]


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def done(tmp_path_factory, said, quick_recipe) -> DemoReport:
    """A small run, over a folder that holds a file of somebody else and an old file of ours."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "notes.txt").write_text("mine")
    (folder / "scored.parquet").write_text("old")
    return run_demo(folder, overwrite=True, listener=MessagesOnly(said.append), **ROWS)


def test_tickets_for_a_seed_never_change():
    tickets = [f"{ticket.queue} {ticket.text}" for ticket in labelled_tickets(300, seed=1)]
    texts = [repr(text) for text in unlabelled_texts(300, seed=1)]
    assert sha256("\n".join(tickets + texts).encode()).hexdigest() == TICKETS_SHA256


def test_another_seed_gives_other_tickets():
    ours, others = ({ticket.text for ticket in labelled_tickets(300, seed=seed)} for seed in (0, 1))
    assert len(ours & others) < 10
    assert len(ours & set(unlabelled_texts(300, seed=0))) < 10


def test_queues_differ_in_size_as_planned():
    counts = Counter(ticket.queue for ticket in labelled_tickets(4600, seed=0))
    assert set(counts) == set(QUEUES)
    for queue, percent in QUEUES.items():
        assert counts[queue] / 46 == pytest.approx(percent, abs=3)


def test_single_words_do_not_tell_the_queue():
    tickets = labelled_tickets(2000, seed=0)
    queues_of_word = defaultdict(Counter)
    for ticket in tickets:
        for word in set(words_of(ticket.text)):
            queues_of_word[word][ticket.queue] += 1
    frequent = [queues for queues in queues_of_word.values() if queues.total() >= 20]
    assert sum(len(queues) == len(QUEUES) for queues in frequent) > 0.6 * len(frequent)
    right = 0
    for ticket in tickets:
        votes = Counter()
        for word in words_of(ticket.text):
            votes.update(queues_of_word[word])
        right += votes.most_common(1)[0][0] == ticket.queue
    assert right < 0.8 * len(tickets)


def test_mailboxes_hold_doubles_and_what_is_no_ticket():
    texts = unlabelled_texts(2000, seed=0)
    assert {None, "", "???"} < set(texts)
    assert 0.85 * len(texts) < len(set(texts)) < 0.98 * len(texts)
    assert max(len(text or "") for text in texts) > 500


def test_the_data_files_hold_what_was_asked_for(done):
    labelled = pq.read_table(done.files.labelled)
    unlabelled = pq.read_table(done.files.unlabelled)
    assert labelled.column_names == ["id", "text", "label"]
    assert unlabelled.column_names == ["id", "text", "created"]
    assert (labelled.num_rows, unlabelled.num_rows) == (400, 700)
    assert set(labelled["label"].to_pylist()) == set(QUEUES)
    assert labelled["text"].null_count == 0
    assert len({*labelled["id"].to_pylist(), *unlabelled["id"].to_pylist()}) == 1100


def test_every_unlabelled_ticket_is_scored_by_the_model_trained(done):
    scored, unlabelled = pq.read_table(done.files.scored), pq.read_table(done.files.unlabelled)
    assert scored.select(unlabelled.column_names).equals(unlabelled)
    assert done.scoring.fingerprint == done.training.fingerprint
    not_asked_for = {"low_confidence", "bad_text", "windowed", "novel"}
    expected = {status.name.lower() for status in Status} - not_asked_for
    assert set(scored["status"].to_pylist()) == set(done.scoring.statuses) == expected
    # The largest queue is 36 % of the tickets.
    assert done.training.test.metrics.accuracy > 0.5


def test_the_sample_begins_with_the_first_rows_and_shows_each_status(done):
    columns = ["text", "predicted_label", "confidence", "status"]
    scored = pq.read_table(done.files.scored, columns=columns).to_pylist()
    assert done.sample[:5] == scored[:5]
    assert all(row in scored for row in done.sample)
    assert {row["status"] for row in done.sample} == set(done.scoring.statuses)


def test_overwrite_replaces_our_own_files_only(done):
    folder = done.files.model.parent
    assert sorted(path.name for path in folder.iterdir()) == sorted([*OWN_FILES, "notes.txt"])
    assert (folder / "notes.txt").read_text() == "mine"


def test_steps_are_told(done, said):
    assert said[0] == "writing 400 labelled and 700 unlabelled tickets"
    assert any(line.startswith("epoch 1:") for line in said)
    assert said[-1].startswith("scoring")


def test_the_tables_fit_80_columns(done):
    console = Console(width=80, file=io.StringIO())
    for part in demo_tables(done):
        console.print(part)
    shown = console.file.getvalue()
    assert f"accuracy {done.training.test.metrics.accuracy:.4f}" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_the_command_prints_the_screen_or_one_json_record(done, monkeypatch, in_process):
    monkeypatch.setattr("textbatch.cli.demo.walkthrough.run_demo", lambda folder, **settings: done)
    lines = in_process("demo").stdout.splitlines()
    folder = done.files.model.parent
    assert f"  textbatch inspect {folder}/model" in lines
    command = " ".join(lines).partition("Try next:")[2].replace("\\ ", "")
    assert f"out.parquet     --model {folder}/model --min-confidence 0.9" in command
    record = json.loads(in_process("demo", "--json").stdout)
    assert record["files"]["scored"] == str(done.files.scored)
    assert record["training"]["test"]["metrics"]["rows"] == done.training.rows["test"]
    assert record["scoring"]["rows_out"] == 700


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_full_stdout_is_no_reason_to_fail(flags, done, in_process, monkeypatch):
    monkeypatch.setattr("textbatch.cli.demo.walkthrough.run_demo", lambda folder, **settings: done)
    with Path("/dev/full").open("w") as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        run = in_process("demo", *flags)
        # What rich could not write it keeps, for whoever prints next.
        results._buffer.clear()
    assert run.returncode == 0
    assert run.stderr.startswith("warning: the job is done, but stdout does not take its result")


@pytest.mark.parametrize(
    ("called", "found", "name"),
    [
        (".venv/bin/textbatch", None, ".venv/bin/textbatch"),
        (".venv/bin/textbatch", "/bin/textbatch", "textbatch"),
        ("a b/textbatch", None, "'a b/textbatch'"),
        ("site-packages/textbatch/__main__.py", None, "textbatch"),
    ],
)
def test_what_to_try_next_can_be_typed(done, monkeypatch, called, found, name):
    """`make demo` runs a command that the shell does not find by its name."""
    monkeypatch.setattr("sys.argv", [called, "demo"])
    monkeypatch.setattr("shutil.which", lambda _: found)
    lines = list(demo_lines(done))
    assert f"  {name} inspect {done.files.model}" in lines
    assert any(line.startswith(f"  {name} score ") for line in lines)


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path):
    (tmp_path / "scored.parquet").write_text("precious")
    finished = run_cli("demo", "--folder", tmp_path)
    assert finished.returncode == OutputError.exit_code
    assert "is not empty; add --overwrite" in finished.stderr
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("name", OWN_FILES)
def test_what_is_not_ours_under_our_names_stops_the_demo_before_it_writes(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(OutputError, match=name):
        run_demo(tmp_path, overwrite=True, **ROWS)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_in_the_folders_place_stays(tmp_path):
    place = tmp_path / "demo"
    place.write_text("precious")
    with pytest.raises(OutputError, match="is a file"):
        run_demo(place, overwrite=True, **ROWS)
    assert place.read_text() == "precious"


def test_a_wrong_seed_makes_no_folder(tmp_path):
    with pytest.raises(UsageError, match="--seed"):
        run_demo(tmp_path / "demo", seed=-1, **ROWS)
    assert not (tmp_path / "demo").exists()


def words_of(text: str) -> list[str]:
    tokens, _ = split_tokens(pa.array([text]))
    return tokens.to_pylist()
