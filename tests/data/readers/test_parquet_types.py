"""Types that Parquet has and Arrow has not: they come out as they went in."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.parquet_types import footer_of, tried_types, with_types
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.source import open_source
from textbatch.data.readers.thrift_compact import Items, Kind, read_field, read_struct, write_items
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score
from textbatch.scoring.verify import verify_output

NAME, CONVERTED, LOGICAL = 4, 6, 10
ENUM, BSON, GEOMETRY, VARIANT, UNHEARD_OF = 4, 13, 17, 16, 40
DUCKDB = """
    select 'refund' as text, interval '3 days 2 hours' as span, timetz '10:00:00+02' as clock,
        time '10:00' as plain_clock, uuid() as id, '{"a": 1}'::json as doc,
        [interval '1 day', null] as spans, {'a': interval '1 month', 'b': 1} as pair,
        map {'k': timetz '01:00:00+00'} as clocks, [[{'a': [interval '1 day']}]] as deep,
        {'a': '[]'::json} as docs
    union all select 'login', null, null, null, null, null, null, null, null, null, null
"""


def retyped(path, **types: tuple[int | None, int | None]):
    """Give columns of a file other types: the converted one, and the logical one's number."""
    content = path.read_bytes()
    footer = footer_of(content)
    elements, begin, end = read_field(footer, 2)
    for element in elements.values:
        for name, (converted, logical) in types.items():
            if element[NAME][1] == name.encode():
                element.pop(CONVERTED, None), element.pop(LOGICAL, None)
                if converted is not None:
                    element[CONVERTED] = (Kind.I32, converted)
                if logical is not None:
                    element[LOGICAL] = (Kind.STRUCT, {logical: (Kind.STRUCT, {})})
    changed = footer[:begin] + write_items(elements) + footer[end:]
    body = content[: -8 - len(footer)]
    path.write_bytes(body + changed + len(changed).to_bytes(4, "little") + b"PAR1")
    return path


def types_of(path) -> dict[str, tuple[object, object]]:
    elements, _, _ = read_field(footer_of(path.read_bytes()), 2)
    assert isinstance(elements, Items)
    return {e[NAME][1].decode(): (e.get(CONVERTED), e.get(LOGICAL)) for e in elements.values[1:]}


def test_duckdb_reads_the_same_types_and_values(model, tmp_path):
    source, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    duckdb.sql(f"copy ({DUCKDB}) to '{source}' (format parquet)")
    report = score(ScoreConfig(inputs=(source,), output=output, model=model))
    assert report.notes == []
    before, after = (duckdb.sql(f"from '{path}'") for path in (source, output))
    assert list(zip(after.columns, after.types, strict=True))[: len(before.columns)] == list(
        zip(before.columns, before.types, strict=True)
    )
    kept = duckdb.sql(f"select {', '.join(before.columns)} from '{output}'")
    assert kept.fetchall() == before.fetchall()
    verify_output(output)


@pytest.mark.parametrize(
    ("converted", "logical"),
    [(4, ENUM), (4, None), (None, BSON), (20, BSON), (None, GEOMETRY), (None, UNHEARD_OF)],
)
def test_what_arrow_takes_for_bytes_keeps_its_type(converted, logical, model, tmp_path):
    source, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    kind = pa.struct([("x", pa.binary())])
    table = pa.table(
        {
            "text": ["a", None],
            "one": [b"x", b"y"],
            "list": pa.array([[b"x"], None]),
            "struct": pa.array([{"x": b"y"}, None], kind),
        }
    )
    pq.write_table(table, source, store_schema=False)
    retyped(source, one=(converted, logical), element=(converted, logical), x=(converted, logical))
    score(ScoreConfig(inputs=(source,), output=output, model=model))
    before, after = types_of(source), types_of(output)
    assert {name: after[name] for name in before} == before
    assert pq.read_table(output).select(table.column_names).to_pydict() == table.to_pydict()
    # The order of such a type is not that of its bytes: no least and greatest value is noted.
    group = pq.read_metadata(output).row_group(0)
    noted = {group.column(i).path_in_schema: group.column(i).statistics for i in range(4)}
    assert [path for path, told in noted.items() if told is None] == [
        "one",
        "list.list.element",
        "struct.x",
    ]
    verify_output(output)


def test_a_type_of_a_group_stays_too(model, tmp_path):
    source, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    variant = {"metadata": b"\x01\0\0", "value": b"\x0c\1"}
    kind = pa.struct([("metadata", pa.binary()), ("value", pa.binary())])
    table = pa.table({"text": ["a"], "any": pa.array([variant], kind)})
    pq.write_table(table, source, store_schema=False)
    retyped(source, any=(None, VARIANT))
    score(ScoreConfig(inputs=(source,), output=output, model=model))
    assert types_of(output)["any"] == types_of(source)["any"]
    assert pq.read_table(output)["any"].to_pylist() == [variant]


def test_what_does_not_fit_what_arrow_writes_is_told():
    schema = pa.schema([("text", pa.string()), ("span", pa.binary(12))])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.schema([("span", pa.binary(11))]).empty_table(), sink)
    footer = footer_of(sink.getvalue().to_pybytes())
    struct, _ = read_struct(footer)
    struct[2][1].values[1][CONVERTED] = (Kind.I32, 21)
    from textbatch.data.readers.parquet_types import _columns

    wanted = _columns(struct[2][1])
    assert tried_types(schema, wanted).lost == {"span": "INTERVAL"}
    assert with_types(footer, {}).footer == footer


def test_labels_of_enum_or_bytes_are_labels(tmp_path):
    path = tmp_path / "in.parquet"
    table = pa.table({"text": [b"refund", b"login"], "label": [b"a", "é".encode()]})
    pq.write_table(table, path, store_schema=False)
    retyped(path, label=(4, ENUM))
    rows = read_labelled([path], ReadOptions(), text_column="text", label_column="label")
    assert rows.labels.to_pylist() == ["a", "é"]


def test_types_are_looked_at_only_where_arrow_may_drop_one(tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": ["a"], "at": pa.array([1], pa.time64("us"))}), path)
    assert open_source(path).types == {}


@pytest.mark.parametrize("kind", ["json", "blob", "varchar"])
def test_texts_of_duckdbs_types_are_scored(kind, model, tmp_path):
    source, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    rows = "select unnest(['\"refund my card\"', '\"login\"'])"
    duckdb.sql(f"copy ({rows}::{kind} as text) to '{source}' (format parquet)")
    report = score(ScoreConfig(inputs=(source,), output=output, model=model))
    assert report.rows_out == 2
    assert duckdb.sql(f"describe from '{output}'").fetchall()[0][1] == kind.upper()
