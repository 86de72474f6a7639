"""What a tool wrote, and `score` passed through, every tool reads as it read it before.

Each column is compared, in its type and its values, with what the same tool reads of the input.
`make test-roundtrip` adds Spark, and files of older releases of Arrow.
"""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from system.roundtrip.other_releases import ARROWS, SPARK, arrow_file, spark_files
from system.roundtrip.readers import READERS, Column, spark_columns
from system.roundtrip.writers import WRITERS

from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score
from textbatch.scoring.verify import verify_output

pytestmark = pytest.mark.slow

#: Columns that a tool reads otherwise than before, as patterns: writer, reader, column. And why.
EXPLAINED = [
    (
        "arrow int96*",
        "pandas",
        "*",
        "microseconds, where INT96 was read as nanoseconds and wrapped",
    ),
    ("arrow int96*", "fastparquet", "*", "the same"),
    ("arrow int96*", "polars", "*", "microseconds; a time zone that Arrow does not give to INT96"),
    ("fastparquet int96", "*", "at", "microseconds"),
    (
        "spark int96*",
        "pandas",
        "*",
        "microseconds, where INT96 was read as nanoseconds and wrapped",
    ),
    ("spark int96*", "polars", "*", "microseconds"),
    ("spark int96*", "fastparquet", "*", "microseconds"),
    ("arrow*", "polars", "date64", "a day, as Arrow reads it; polars goes by Arrow's own note"),
    ("arrow without schema", "polars", "null", "Arrow notes that it is of no type"),
    ("duckdb*", "polars", "doc", "JSON as text, where it was bytes"),
    ("duckdb*", "fastparquet", "clock", "reads times of day by an old note that Arrow leaves out"),
    ("*", "fastparquet", "days", "reads nested columns by their encoding"),
    ("*", "fastparquet", "list*", "the same"),
    ("*", "fastparquet", "entries", "the same"),
    ("*", "fastparquet", "spans", "the same"),
    ("*", "fastparquet", "words", "the same: an empty list as null, or not, from run to run"),
    ("*", "fastparquet", "*map*", "the same"),
    ("spark*", "fastparquet", "*", "the same; it reads nested columns of Spark as empty ones"),
]
#: Tools that break, and take the process with them.
CRASHES = {("duckdb v2", "fastparquet"), ("duckdb spans", "polars"), ("spark v2", "fastparquet")}


def scored(source: Path, model: Path) -> Path:
    output = source.with_name("out.parquet")
    report = score(ScoreConfig(inputs=(source,), output=output, model=model, max_bad_rows="100%"))
    assert [note for note in report.notes if "lost" in note or "loses" in note] == []
    verify_output(output)
    return output


def differences(
    writer: str, reader: str, before: dict[str, Column], after: dict[str, Column]
) -> dict[tuple[str, str, str], object]:
    """The columns that a tool does not read as before, without an explanation."""
    return {
        (writer, reader, name): (column, after.get(name, "gone"))
        for name, column in before.items()
        if column not in (after.get(name), "not read") and not is_explained(writer, reader, name)
    }


def read_by_all(writer: str, source: Path, output: Path) -> dict[tuple[str, str, str], object]:
    """What any tool of this environment reads otherwise than before."""
    found = {}
    names = pq.read_schema(source).names
    for reader, read in READERS.items():
        if (writer, reader) not in CRASHES:
            found |= differences(writer, reader, read(source, names), read(output, names))
    return found


def is_explained(writer: str, reader: str, name: str) -> bool:
    found = (writer, reader, name)
    return any(all(map(fnmatch, found, patterns[:3])) for patterns in EXPLAINED)


@pytest.fixture(scope="session", params=WRITERS)
def pair(request, model, tmp_path_factory) -> tuple[str, Path, Path]:
    """The writer's name, its file, and the file scored."""
    source = tmp_path_factory.mktemp("roundtrip") / "in.parquet"
    WRITERS[request.param](source)
    return request.param, source, scored(source, model)


@pytest.mark.filterwarnings("ignore")  # of the tools
@pytest.mark.parametrize("reader", READERS)
def test_each_column_is_read_as_before(pair, reader):
    writer, source, output = pair
    if (writer, reader) in CRASHES:
        pytest.skip(f"{reader} crashes on the input")
    read, names = READERS[reader], pq.read_schema(source).names
    assert differences(writer, reader, read(source, names), read(output, names)) == {}
    added = read(output, ["predicted_label", "confidence", "status"])
    assert "not read" not in added.values()
    assert "ok" in str(added["status"])


@pytest.mark.parametrize("release", ARROWS, ids=lambda python: python.parents[1].name)
@pytest.mark.filterwarnings("ignore")
def test_files_of_older_releases_of_arrow_are_read_as_before(release, model, tmp_path):
    source = arrow_file(release, tmp_path / "in.parquet")
    assert read_by_all("arrow", source, scored(source, model)) == {}


@pytest.mark.skipif(SPARK is None, reason="no Spark (make test-roundtrip installs it)")
@pytest.mark.filterwarnings("ignore")
def test_spark_and_the_others_read_each_others_files_as_before(model, tmp_path):
    files = spark_files(tmp_path / "spark")
    for name, write in WRITERS.items():
        files[name] = tmp_path / name / "in.parquet"
        files[name].parent.mkdir()
        write(files[name])
    pairs = {name: (source, scored(source, model)) for name, source in files.items()}
    found = spark_columns([path for pair in pairs.values() for path in pair], tmp_path)
    other = {}
    for writer, (source, output) in pairs.items():
        other |= differences(writer, "spark", found[source], found[output])
        if "not read" not in found[source].values():
            assert {"predicted_label", "confidence", "status"} <= set(found[output]), writer
        if writer.startswith("spark"):
            other |= read_by_all(writer, source, output)
    assert other == {}
    # Spark reads no column of a file that has one which it does not know.
    unread = {name for name, (source, _) in pairs.items() if "not read" in found[source].values()}
    assert unread == {
        *("arrow", "arrow without schema", "arrow int96", "arrow delta", "arrow lz4"),
        *("arrow extensions", "polars", "duckdb v1", "duckdb v2", "duckdb spans", "fastparquet"),
    }
