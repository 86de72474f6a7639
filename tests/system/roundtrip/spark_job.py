"""Write and read Parquet with Spark, in Spark's own environment.

python spark_job.py write FOLDER
python spark_job.py read FILES.json RESULT.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession

TEXTS = ["'refund my card'", "''", "cast(null as string)", "'cannot log in'"]
#: Columns of four rows, of which the third has none: an expression for the others.
COLUMNS = {
    "flag": "id > 1",
    "tiny": "cast(id - 129 as tinyint)",
    "small": "cast(id - 32769 as smallint)",
    "big": "9223372036854775807 - id",
    "number": "cast(id as float) / 3",
    "real": "if(id = 1, double('NaN'), -1 / double(id))",
    "small_code": "cast(id as decimal(4, 1)) / 2",
    "code": "cast('1234567890123456789012345678.1234567890' as decimal(38, 10))",
    "bytes": "unhex('ff00')",
    "day": "if(id = 1, date'9999-12-31', date'0001-01-01')",
    "at": "if(id = 1, timestamp'9999-12-31 23:59:59.999999', timestamp'1500-01-01 01:02:03.4')",
    "local": "timestamp_ntz'9999-12-31 23:59:59.999999'",
    "list": "array('a', null, cast(id as string))",
    "map": "map('k', id, 'l', null)",
    "struct": "named_struct('at', timestamp'9999-12-31', 'days', array(date'2024-02-29'))",
    "deep": "array(named_struct('m', map('k', array(timestamp'1500-01-01 00:00:00'))))",
    "month": "interval '3' month",
    "span": "interval '2 03:04:05.000006' day to second",
    "padded": "cast('x' as char(3))",
}
#: A folder, the timestamps in it, the version of Parquet, and the columns; of old calendars few.
FILES = [
    ("v1", "TIMESTAMP_MICROS", "v1", list(COLUMNS)),
    ("v2", "TIMESTAMP_MICROS", "v2", list(COLUMNS)),
    ("int96", "INT96", "v1", list(COLUMNS)),
    ("int96 julian", "INT96", "v1", ["at"]),
]


def session() -> SparkSession:
    return (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )


def write(folder: Path) -> None:
    spark = session()
    rows = ", ".join(f"({number}, {text})" for number, text in enumerate(TEXTS, 1))
    for name, times, version, columns in FILES:
        cells = ", ".join(f"if(id = 3, null, {COLUMNS[key]}) as {key}" for key in columns)
        frame = spark.sql(f"select id, text, {cells} from values {rows} as t(id, text)")
        spark.conf.set("spark.sql.parquet.outputTimestampType", times)
        calendar = "LEGACY" if "julian" in name else "CORRECTED"
        spark.conf.set("spark.sql.parquet.int96RebaseModeInWrite", calendar)
        writer = frame.coalesce(1).write.option("parquet.writer.version", version)
        # Without dictionaries version 2 has delta encodings.
        writer.option("parquet.enable.dictionary", version == "v1").parquet(str(folder / name))


def read(files: list[str]) -> dict[str, dict[str, list[str]]]:
    spark = session()
    return {file: columns(spark, file) for file in files}


def columns(spark: SparkSession, file: str) -> dict[str, list[str]]:
    """A file's columns, as both of Spark's readers see them: by batches and by rows."""
    try:
        names = spark.read.parquet(file).columns
        found = {name: [] for name in names}
        for vectorized in ("true", "false"):
            spark.conf.set("spark.sql.parquet.enableVectorizedReader", vectorized)
            frame = spark.read.parquet(file)
            # JSON shows bytes, and the text of the same shows microseconds.
            shown = [f"to_json(struct(`{name}`))" for name in names]
            shown += [f"cast(struct(`{name}`) as string)" for name in names]
            rows = frame.selectExpr(*shown).collect()
            for number, field in enumerate(frame.schema):
                cells = [(row[number], row[number + len(names)]) for row in rows]
                found[field.name] += [field.dataType.simpleString(), repr(cells)]
    except Exception:
        return {"": ["not read"]}
    return found


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]))
    else:
        found = read(json.loads(Path(sys.argv[2]).read_text()))
        Path(sys.argv[3]).write_text(json.dumps(found))
