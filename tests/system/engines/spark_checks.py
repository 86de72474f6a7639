"""Comes after the code of docs/spark.md, in the same process: a start of Spark takes long."""

import json

#: A column of each type of Spark that goes to Python.
KINDS = {
    "flag": "id > 1",
    "tiny": "cast(id as tinyint)",
    "big": "9223372036854775807 - id",
    "number": "cast(id as float) / 3",
    "code": "cast('1234567890123456789012345678.1234567890' as decimal(38, 10))",
    "bytes": "unhex('ff00')",
    "day": "if(id = 1, date'9999-12-31', date'0001-01-01')",
    "at": "if(id = 1, timestamp'9999-12-30 23:59:59.999999', timestamp'1500-01-01 01:02:03.4')",
    "local": "timestamp_ntz'9999-12-31 23:59:59.999999'",
    "list": "array('a', null, cast(id as string))",
    "map": "map('k', id, 'l', null)",
    "struct": "named_struct('at', timestamp'2999-12-31', 'days', array(date'2024-02-29'))",
    "deep": "array(named_struct('m', map('k', array(timestamp'1500-01-01 00:00:00'))))",
    "span": "interval '2 03:04:05.000006' day to second",
    "doc": "parse_json('{\"a\": [1, 2]}')",
    "clock": "time'12:13:14.5'",
    "nothing": "null",
}
TEXTS = "array(cast('the refund' as binary), unhex('ff'), null, unhex(''))"
cells = ", ".join(f"{cell} as {name}" for name, cell in KINDS.items())
rows = f"select id, cast(b as string) as text, {cells} from range(1, 4) lateral view explode({TEXTS}) as b"  # noqa: E501


def shown(frame, names):
    """Each row as text, with what is no text in it as SQL shows it."""
    shown = [f"to_json(struct(`{name}`))" for name in names]
    return sorted(map(str, frame.selectExpr(*shown).collect()))


told = {"lost": [], "statuses": {}, "errors": []}
odd = spark.sql(rows).coalesce(1)  # noqa: F821 - of the page
plain = [name for name in odd.columns if name != "text"]
for large in ("false", "true"):
    spark.conf.set("spark.sql.execution.arrow.useLargeVarTypes", large)  # noqa: F821
    answer = textbatch.spark.score(odd, "model", probabilities=True, top_k=2)  # noqa: F821
    if answer.schema.fields[: len(odd.columns)] != odd.schema.fields:
        told["lost"].append("schema")
    if shown(answer, plain) != shown(odd, plain):
        told["lost"].append("cells")
    found = answer.select("status").collect()
    told["statuses"][large] = sorted({row.status for row in found})
    joined = textbatch.spark.score(  # noqa: F821
        odd.selectExpr("array('the', 'refund') as words"), "model", text_column="words",
        join_lists=" ",
    )  # fmt: skip
    told["statuses"][f"joined {large}"] = sorted({row.status for row in joined.collect()})
for frame, model, options in (
    (odd, "model", {"text_column": "no"}),
    (odd, "model", {"text_column": "id"}),
    (odd, "no-model", {}),
    (answer, "model", {}),
    (odd.selectExpr("text", "id as STATUS"), "model", {}),
    (odd.selectExpr("text", "id", "id"), "model", {}),
    (odd, "model", {"top_k": -1}),
):
    try:
        textbatch.spark.score(frame, model, **options)  # noqa: F821
    except textbatch.TextbatchError as error:  # noqa: F821
        told["errors"].append(type(error).__name__)
    else:
        told["errors"].append("none")
print("told", json.dumps(told))
