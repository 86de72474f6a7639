"""Which places count as one, however they are spelled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from textbatch.data.storage import places
from textbatch.data.storage.location import Location, location_of
from textbatch.data.storage.places import check_apart, check_places
from textbatch.errors import (
    AccessError,
    InputNotFoundError,
    OutputError,
    PlaceTakenError,
    StorageError,
    UsageError,
)
from textbatch.options import Options, option, options


@options
class Job(Options):
    inputs: tuple[Location, ...] = option("Read.", argument=True, of=location_of, use="read")
    model: Location | None = option("Read.", default=None, of=location_of, use="read")
    output: Location | None = option("Written.", default=None, of=location_of, use="written")
    report: Location | None = option("Written.", default=None, of=location_of, use="written")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("a.parquet", "in/b.parquet", "in/deep/c.parquet", "elsewhere"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def check(inputs: str | tuple[str, ...], report: str, **others: str) -> None:
    check_apart(Job, {"inputs": inputs, "report": report, **others})


@pytest.mark.parametrize(
    ("inputs", "report", "told"),
    [
        ("a.parquet", "in/../a.parquet", "--report in/../a.parquet is the input a.parquet; give"),
        ("in", "in/new", "--report in/new lies in the input in; give"),
        ("in/", "in/deep/c.parquet", "lies in the input in"),
        ("in/deep/c.parquet", "in/deep", "the input in/deep/c.parquet lies in --report in/deep"),
        ("in/*.parquet", "in/b.parquet", "is the input in/b.parquet"),
        ("in/*.parquet", "in/new.parquet", "matches the input in/*.parquet"),
        ("in/**", "in/deep/deeper/new", "lies in the input in"),
        ("[ab].parquet", "b.parquet", "matches the input"),
        ("i*", "in/new", "lies in the input in"),
        ("in/.hidden", "in/.hidden/x", "lies in the input"),
        (".b.0123456789abcdef.tmp", "b", "is a temporary name of --report b"),
        ("s3://b/in", "s3://b/in/new", "lies in the input s3://b/in"),
        ("s3://b/in/", "s3a://b/in", "is the input"),
        ("gs://b/in/x", "gcs://b", "lies in --report"),
        ("s3://b/*/x.csv", "s3://b/y/x.csv", "matches the input"),
    ],
)
def test_a_place_is_taken_by_any_of_its_names(inputs, report, told, here):
    with pytest.raises(PlaceTakenError) as raised:
        check(inputs, report)
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("inputs", "report"),
    [
        ("a.parquet", "a.parquet.json"),
        ("in", "in.json"),
        ("in", "inner/x"),
        ("in/*.parquet", "in/report.json"),
        ("*.parquet", "in/new.parquet"),
        (".b.tmp", "b"),
        ("s3://b/in", "s3://b/in2"),
        ("s3://b/in", "s3://c/in"),
        ("s3://b/in", "b/in"),
        ("s3://b/in", "gs://b/in"),
        ("A.parquet", "a.json"),
        ("-", "a.parquet"),
    ],
)
def test_places_with_like_names_are_apart(inputs, report, here):
    check(inputs, report)


def test_links_in_a_folder_that_is_read_lead_to_places_that_are_read(here):
    (here / "in" / "link.parquet").symlink_to("../elsewhere")
    with pytest.raises(PlaceTakenError, match=r"--report elsewhere is the input in/link\.parquet"):
        check("in", "elsewhere")
    (here / "more").mkdir()
    (here / "in" / "deep" / "more").symlink_to("../../more")
    with pytest.raises(PlaceTakenError, match="--report more/new lies in the input in/deep/more"):
        check("in", "more/new")
    (here / "in" / "deep" / "ring").symlink_to("..")
    check("in", "report.json")


def test_a_hard_link_is_the_file(here):
    (here / "link").hardlink_to("in/deep/c.parquet")
    for inputs in ("in", "in/deep/*", "in/deep/c.parquet"):
        with pytest.raises(PlaceTakenError, match=r"--report link is the input in/deep/c\.parquet"):
            check(inputs, "link")


def test_standard_input_is_the_file_that_it_comes_from(here):
    descriptor = os.dup(0)
    try:
        opened = os.open("a.parquet", os.O_RDONLY)
        os.dup2(opened, 0)
        os.close(opened)
        with pytest.raises(PlaceTakenError, match=r"--report a\.parquet is the input -"):
            check("-", "a.parquet")
    finally:
        os.dup2(descriptor, 0)
        os.close(descriptor)


def test_only_the_null_device_may_have_several_uses(here):
    check("a.parquet", "/dev/null", output="/dev/null")
    os.mkfifo("pipe")
    (here / "link").symlink_to("pipe")
    for place in ("pipe", "link", "/dev/stdout"):
        with pytest.raises(PlaceTakenError, match=f"--report {place} is --output"):
            check("a.parquet", place, output="/dev/stdout" if place == "/dev/stdout" else "pipe")
    check("a.parquet", "/dev/stdout", output="pipe")


def test_a_descriptor_of_an_input_is_the_input(here):
    descriptor = os.open("a.parquet", os.O_RDONLY)
    with pytest.raises(PlaceTakenError, match="is the input"):
        check("a.parquet", f"/dev/fd/{descriptor}")
    os.close(descriptor)
    with pytest.raises(PlaceTakenError, match="is the input"):
        check("a.parquet", "/proc/self/cwd/a.parquet")


def test_what_the_same_option_names_twice_is_no_conflict(here):
    check(("a.parquet", "a.parquet", "in"), "report.json", model="a.parquet")


LONG = "x" * 300


@pytest.mark.parametrize("name", [LONG, "y" * 5000, f"in/{LONG}/z", "loop", "elsewhere/x"])
def test_a_path_that_no_file_can_have_is_told_by_its_use(name, here):
    (here / "loop").symlink_to("loop")
    with pytest.raises(InputNotFoundError, match="cannot read"):
        check_places(Job(inputs=(Path(name),)))
    with pytest.raises(InputNotFoundError, match="cannot read"):
        check_places(Job(inputs=(Path("a.parquet"),), model=Path(name)))
    for written in ("output", "report"):
        with pytest.raises(OutputError, match="cannot write"):
            check_places(Job(inputs=(Path("a.parquet"),), **{written: Path(name)}))


@pytest.mark.parametrize(("code", "kind"), [("EACCES", AccessError), ("EIO", StorageError)])
def test_a_directory_that_may_not_be_looked_into_is_told(code, kind, here, monkeypatch):
    import errno

    def look(self, **_):
        raise OSError(getattr(errno, code), "no")

    monkeypatch.setattr(Path, "stat", look)
    with pytest.raises(kind, match=r"a\.parquet"):
        check_places(Job(inputs=(Path("a.parquet"),), report=Path("r.json")))


def test_a_current_directory_that_was_removed_is_told(here, monkeypatch):
    gone = here / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(InputNotFoundError, match="cannot find the current directory"):
        check("a.parquet", str(here / "r.json"))
    check(str(here / "a.parquet"), str(here / "r.json"))


@pytest.mark.parametrize(("text", "told"), [("", "an empty text"), ("a\0b", "a text with a NUL")])
def test_an_empty_path_or_a_nul_in_it_is_refused(text, told, here):
    for name in ("report", "output", "model"):
        with pytest.raises(UsageError, match=f"--{name} is {told}; give a path"):
            Job.given({"inputs": "a.parquet", name: text})
    with pytest.raises(UsageError, match=f"the input is {told}"):
        Job.given({"inputs": ["a.parquet", text]})


def test_a_folder_is_looked_through_once(here, monkeypatch):
    looked = []
    entries = places._entries
    monkeypatch.setattr(places, "_entries", lambda folder: looked.append(folder) or entries(folder))
    (here / "in" / "again").symlink_to("deep")
    check("in", "report.json")
    assert len([one for one in looked if one.startswith("in")]) == 2
