"""The manifest and `_SUCCESS` of a folder, one field altered."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from support.bundles import random_texts, write_texts

from textbatch import score
from textbatch.data.output.folder import OutputFolder
from textbatch.data.output.records import PartRecord, Success
from textbatch.errors import DataError, OutputError
from textbatch.scoring.inspect import inspect_path
from textbatch.scoring.verify import verify_output

MANIFEST, SUCCESS = "_manifest.jsonl", "_SUCCESS"


@pytest.fixture(scope="module")
def scored(tmp_path_factory, model) -> Path:
    folder = tmp_path_factory.mktemp("altered")
    (folder / "in").mkdir()
    for name in ("a", "b"):
        write_texts(folder / "in" / f"{name}.parquet", random_texts(20, seed=ord(name)))
    score(folder / "in", folder / "out", model=model)
    return folder


@pytest.fixture
def copy(scored, tmp_path) -> Path:
    # The inputs keep their times: they are the same job's.
    for name in ("in", "out"):
        shutil.copytree(scored / name, tmp_path / name)
    return tmp_path


def altered(value: object) -> list[object]:
    """Values that stand where one stood, of the same type and of others."""
    match value:
        case int():
            return [value + 1, -1, str(value), None]
        case str():
            return [f"{value[:-1]}~", f"{value[1:]}~", "", "../x", "\x1b[2J\u202e", 7]
        case dict():
            first = next(iter(value))
            return [value | {first: 10**6}, {}, {"\x1b[2J": 1}, [*value], None]
        case []:
            return [["0" * 64], [None], [7], {}, "0"]
        case list():
            return [value[1:], [*value[:-1], value[-1] + 1], [None], {}]
    return [1.5, -1.0, "0.5", []]


def cases(path: Path) -> list[tuple[str, object]]:
    content = path.read_bytes()
    record = json.loads(content.splitlines()[0] if path.name == MANIFEST else content)
    return [(name, value) for name in record for value in altered(record[name])]


def alter(folder: Path, file: str, case: tuple[str, object], *, sealed: bool) -> None:
    """Change one field of the manifest's first line or of `_SUCCESS`; make the seals anew."""
    name, value = case
    path = folder / "out" / file
    if file == SUCCESS:
        record = json.loads(path.read_bytes()) | {name: value}
        content = json.dumps(record, indent=2).encode() + b"\n"
        if sealed and isinstance(record["seal"], str):
            content = sealed_again(content, record["seal"])
        path.write_bytes(content)
        return
    first, *others = path.read_bytes().splitlines(keepends=True)
    line = json.dumps(json.loads(first) | {name: value}).encode() + b"\n"
    path.write_bytes(b"".join([line, *others]))
    if sealed:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        alter(folder, SUCCESS, ("manifest", digest), sealed=True)


def sealed_again(content: bytes, seal: str) -> bytes:
    before, _, behind = content.rpartition(f'"{seal}"'.encode())
    digest = hashlib.sha256(before + b'"%s"' % (b"0" * 64) + behind).hexdigest()
    return before + f'"{digest}"'.encode() + behind


def restore(scored: Path, folder: Path) -> None:
    for name in (MANIFEST, SUCCESS):
        shutil.copy2(scored / "out" / name, folder / "out" / name)


def refused_by_verify(folder: Path) -> bool:
    try:
        verify_output(folder / "out")
    except DataError as error:
        return str(error).isprintable()
    return False


def test_a_folder_as_it_was_written_is_verified(copy):
    verify_output(copy / "out")


@pytest.mark.parametrize("file", [MANIFEST, SUCCESS])
def test_verify_finds_any_field_altered(file, scored, copy):
    found = cases(scored / "out" / file)
    assert len(found) > 50
    for case in found:
        alter(copy, file, case, sealed=False)
        assert refused_by_verify(copy), case
        restore(scored, copy)


#: What the parts say too, or what `_SUCCESS` and the manifest say both.
RECOMPUTED = {
    "part", "job", "rows_in", "rows_out", "rows_quarantined", "statuses", "labels",
    "mean_confidence", "confidence_histogram", "fingerprint", "becoming", "parts",
}  # fmt: skip


@pytest.mark.parametrize("file", [MANIFEST, SUCCESS])
def test_verify_finds_it_with_seals_made_anew_where_it_can_be_recomputed(file, scored, copy):
    for case in cases(scored / "out" / file):
        if case[0] in RECOMPUTED:
            alter(copy, file, case, sealed=True)
            assert refused_by_verify(copy), case
            restore(scored, copy)


@pytest.mark.parametrize("file", [MANIFEST, SUCCESS])
def test_no_altered_field_is_a_bug_for_other_commands(file, scored, copy, model):
    job = copy / "in", copy / "out"
    for case in cases(scored / "out" / file):
        alter(copy, file, case, sealed=True)
        for act in (
            lambda: inspect_path(copy / "out"),
            lambda: score(*job, model=model, if_exists="skip"),
            lambda: score(*job, model=model, incremental=True, dry_run=True),
        ):
            with suppress(*MAY_SAY):
                act()
        restore(scored, copy)
        assert sorted(entry.name for entry in copy.iterdir()) == ["in", "out"]


#: The output is damaged, or another job's; anything else is a bug.
MAY_SAY = (DataError, OutputError)


def test_a_success_without_a_seal_is_refused_by_verify(copy):
    path = copy / "out" / SUCCESS
    record = json.loads(path.read_bytes())
    del record["seal"]
    path.write_text(json.dumps(record))
    assert Success.of_bytes(path.read_bytes(), path).seal is None
    with pytest.raises(DataError, match=r"_SUCCESS of .* has no seal"):
        verify_output(copy / "out")


def test_the_records_are_those_of_the_parts(copy):
    lines = (copy / "out" / MANIFEST).read_bytes().splitlines(keepends=True)
    records = [PartRecord.of_line(line) for line in lines]
    success = Success.of_bytes((copy / "out" / SUCCESS).read_bytes(), SUCCESS)
    assert success.parts == len(records) == 2
    assert success.rows_out == sum(record.rows_out for record in records)


@pytest.mark.parametrize("name", ["_SUCCESS", "_manifest.jsonl"])
def test_a_pipe_under_the_name_of_a_record_is_not_read(name, tmp_path):
    os.mkfifo(tmp_path / name)
    folder = OutputFolder(tmp_path)
    read = folder.success if name == "_SUCCESS" else lambda: list(folder.records())
    with pytest.raises(DataError, match="no regular file"):
        read()
    if name != "_SUCCESS":
        with pytest.raises(DataError, match="no regular file"):
            folder.seals()


def test_a_folder_without_its_manifest_is_a_damaged_output_and_no_model(copy):
    manifest = copy / "out" / MANIFEST
    manifest.unlink()
    manifest.mkdir()
    for look in (inspect_path, verify_output):
        with pytest.raises(DataError):
            look(copy / "out")


def test_a_record_beside_an_output_that_is_too_large_is_damage(copy, model):
    score(copy / "in" / "a.parquet", copy / "a.csv", model=model)
    with (copy / "_a.csv.seal.json").open("ab") as file:
        file.truncate(1 << 30)
    for look in (inspect_path, verify_output):
        with pytest.raises(DataError, match=r"1,073,741,824 bytes, where textbatch writes"):
            look(copy / "a.csv")
