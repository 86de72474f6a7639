from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.arrow import MAJOR

from textbatch.data.readers.json_types import types_of_job, unwritable
from textbatch.errors import DataError

NULL, INT, DOUBLE, TEXT = pa.null(), pa.int64(), pa.float64(), pa.string()


def schema(**kinds: pa.DataType) -> pa.Schema:
    return pa.schema(list(kinds.items()))


def obj(**kinds: pa.DataType) -> pa.DataType:
    return pa.struct(list(kinds.items()))


UNITED = [
    (NULL, TEXT, TEXT),
    (NULL, NULL, TEXT),
    (INT, DOUBLE, DOUBLE),
    (NULL, pa.list_(NULL), pa.list_(TEXT)),
    (pa.list_(NULL), pa.list_(INT), pa.list_(INT)),
    (obj(a=NULL), obj(a=INT, b=TEXT), obj(a=INT, b=TEXT)),
    (obj(a=INT), obj(b=NULL), obj(a=INT, b=TEXT)),
    (obj(), obj(a=INT), obj(a=INT)),
    (pa.list_(obj(a=INT)), pa.list_(obj(a=DOUBLE)), pa.list_(obj(a=DOUBLE))),
]


@pytest.mark.parametrize(("one", "other", "both"), UNITED)
def test_files_have_one_type_together_whichever_comes_first(one, other, both):
    for first, second in ((one, other), (other, one)):
        found = types_of_job([("a", schema(text=TEXT, n=first)), ("b", schema(n=second, z=INT))])
        assert found.names == ["text", "n", "z"]
        if pa.types.is_struct(both):
            assert {f.name: f.type for f in found.field("n").type} == {f.name: f.type for f in both}
        else:
            assert found.field("n").type == both


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (INT, TEXT, "b has string in column 'n' where a has int64; give the column one type"),
        (TEXT, pa.bool_(), "b has bool in column 'n' where a has string"),
        (pa.list_(INT), pa.list_(TEXT), "b has list in column 'n' where a has list"),
        (obj(jane=INT), obj(jane=TEXT), "b has struct in column 'n' where a has struct"),
        (obj(a=INT), INT, "b has int64 in column 'n' where a has struct"),
    ],
)
def test_files_that_do_not_go_together_are_told_by_name_and_column(one, other, message):
    with pytest.raises(DataError, match=message):
        types_of_job([("a", schema(text=TEXT, n=one)), ("b", schema(n=other))])


@pytest.mark.parametrize(
    ("there", "new", "both"),
    [
        (TEXT, NULL, TEXT),
        (DOUBLE, INT, DOUBLE),
        (INT, INT, INT),
        (pa.list_(DOUBLE), pa.list_(INT), pa.list_(DOUBLE)),
        (obj(a=DOUBLE, b=TEXT), obj(a=INT), obj(a=DOUBLE, b=TEXT)),
        (obj(a=INT), obj(a=INT, b=TEXT), obj(a=INT, b=TEXT)),
    ],
)
def test_what_is_there_stays_as_it_is(there, new, both):
    found = types_of_job([("a", schema(x=INT, n=new))], schema(n=there, old=TEXT))
    assert found.names == ["n", "old", "x"]
    assert found.field("n").type == both


@pytest.mark.parametrize(
    ("there", "new"),
    [
        (INT, DOUBLE),
        (TEXT, INT),
        (INT, TEXT),
        (pa.list_(INT), pa.list_(DOUBLE)),
        (obj(a=INT), obj(a=DOUBLE)),
        (obj(a=INT), TEXT),
    ],
)
def test_what_does_not_fit_there_is_told(there, new):
    with pytest.raises(DataError, match=r"a has .* in column 'n' where the parts .* --overwrite"):
        types_of_job([("a", schema(n=new))], schema(n=there))


def test_objects_without_keys_are_found_at_any_depth():
    for kind in (obj(), pa.list_(obj()), obj(a=obj()), pa.list_(pa.list_(obj(a=INT, b=obj())))):
        assert "without any key" in unwritable(kind)
    for kind in (INT, pa.list_(INT), obj(a=INT)):
        assert not unwritable(kind)


@pytest.mark.skipif(MAJOR < 26, reason="Arrow before 26 reads deeper ones")
@pytest.mark.parametrize("outer", [pa.list_, lambda kind: obj(a=kind)], ids=["list", "object"])
def test_what_arrow_cannot_read_back_is_found(outer, tmp_path):
    kind = INT
    while not unwritable(kind):
        kind, last = outer(kind), kind
    pq.write_table(pa.table({"n": pa.nulls(1, last)}), tmp_path / "a.parquet")
    assert pq.read_schema(tmp_path / "a.parquet").field("n").type == last
    pq.write_table(pa.table({"n": pa.nulls(1, kind)}), tmp_path / "b.parquet")
    with pytest.raises(OSError, match="too deep"):
        pq.read_schema(tmp_path / "b.parquet")
    assert "nests deeper" in unwritable(kind)
