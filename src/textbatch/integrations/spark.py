"""Scores a DataFrame of Spark (4.0 or later), with `DataFrame.mapInArrow`.

The driver checks the model, the options and the columns, and sends the model to the executors.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary
from zipfile import ZipFile, ZipInfo

import pyarrow as pa

from textbatch.data.storage.location import PathLike, is_local, local
from textbatch.errors import DataError
from textbatch.model.choices import DeviceName, EngineName, PrecisionName
from textbatch.scoring.config import ScoreTableOptions
from textbatch.scoring.scorer import Scorer, plain_type
from textbatch.text.choices import OnLong

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class _SparkScorer(Scorer):
    def threads(self) -> int | None:
        """As many as Spark gives to a task, where it runs one."""
        from pyspark import TaskContext

        task = TaskContext.get()
        return self.options.threads or (task.cpus() if task else None)


def score(
    frame: DataFrame,
    model: PathLike = "model",
    *,
    text_column: str | None = None,
    prefix: str = "",
    probabilities: bool = False,
    top_k: int = 0,
    min_confidence: float = 0.0,
    min_precision: float = 0.0,
    strict_precision: bool = False,
    novelty: bool = False,
    max_novelty: float = 0.0,
    explain: int = 0,
    label_sets: float | None = None,
    join_lists: str | None = None,
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    precision: PrecisionName = "f32",
    early_exit: bool = False,
    on_long: OnLong = "auto",
    threads: int | None = None,
    ship: bool = True,
) -> DataFrame:
    """Add the columns that `textbatch score` adds.

    Nothing is computed before Spark needs the rows. The columns of `frame` stay as they are. Spark
    has no dictionaries: labels and statuses are strings.

    Args:
        frame: Any columns, one of them text.
        model: Model directory on the driver, or an address in an object store.
        text_column: Column that holds the text. None means the model's.
        prefix: Prefix for the names of the added columns.
        probabilities: Add the probability of every label.
        top_k: Add the K best labels.
        min_confidence: Withhold labels with a smaller confidence.
        min_precision: Withhold labels that are not shown to be right this often, as 0.95.
        strict_precision: Refuse labels with too few held-out answers for --min-precision.
        novelty: Add how unlike all labels the text is: the share of ordinary texts that are as
            unlike.
        max_novelty: Withhold labels of texts whose novelty is below this, as 0.01.
        explain: Add the K words that carried the decision, with weights; it takes long.
        label_sets: Add all labels that may be right: the true one is among them this often, as
            0.95. None means none.
        join_lists: Join texts that are lists of strings, with this between. None means refuse them.
        engine: What runs the network.
        device: Where it runs.
        precision: int8 is faster, if the model allows it; fast is int8 with --early-exit.
        early_exit: The linear model answers alone where the network would not change the label.
        on_long: Of texts longer than the model reads: the part to use, or windows over all of it.
        threads: CPU threads to use. None means what this process may use.
        ship: Send a model that is on the driver to the executors. False means they find it at the
            same path.

    Returns:
        The rows of `frame`, with the columns added.

    Raises:
        DataError: There is no such column, or it holds no text, or two columns have one name.
        ConflictError: An added column has the name of one that is there.
        BundleError: The bundle is missing, damaged or unsafe.
        QualityGateError: As in `Model.score_table`.
        UsageError: An option is out of its range.
    """
    scorer = _SparkScorer.of(ScoreTableOptions.given(locals()))
    declared = _declared(frame, scorer)
    place = scorer.options.model
    archive = ""
    if ship and is_local(place):
        archive = _shipped(frame.sparkSession, local(place), scorer.fingerprint)

    def textbatch_score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import SparkFiles

        here = Path(SparkFiles.get(archive)) if archive else None
        for batch in batches:
            yield _as_declared(scorer.score(batch, here), batch.schema, scorer.text_column)

    return frame.mapInArrow(textbatch_score, declared)


def _declared(frame: DataFrame, scorer: Scorer) -> Any:  # noqa: ANN401 - a StructType
    """The schema of the result. Spark wants exactly this of every batch."""
    from pyspark.sql import types

    text_type = None
    if scorer.text_column in frame.columns:
        text_type = _arrow_type(frame.schema[frame.columns.index(scorer.text_column)].dataType)
    scorer.check_columns(frame.columns, text_type)
    fields = list(frame.schema.fields)
    for field in scorer.added.fields():
        fields.append(types.StructField(field.name, _spark_type(field.type)))
    return types.StructType(fields)


def _arrow_type(kind: Any) -> pa.DataType:  # noqa: ANN401 - a DataType of Spark
    """The Arrow type of a column of texts."""
    from pyspark.sql import types

    if isinstance(kind, types.ArrayType):
        return pa.list_(_arrow_type(kind.elementType))
    if isinstance(kind, types.StringType | types.CharType | types.VarcharType):
        return pa.string()
    if isinstance(kind, types.BinaryType | types.NullType):
        return pa.binary()
    raise DataError(
        f"the text column holds {kind.simpleString()}, not text", "name a text column or cast it"
    )


def _spark_type(kind: pa.DataType) -> Any:  # noqa: ANN401 - a DataType of Spark
    """Spark's type for that of an added column."""
    from pyspark.sql import types

    if pa.types.is_struct(kind):
        return types.StructType(
            [types.StructField(one.name, _spark_type(one.type)) for one in kind]
        )
    if not pa.types.is_dictionary(kind) and kind.num_fields:
        return types.ArrayType(_spark_type(kind.value_type))
    return types.FloatType() if kind == pa.float32() else types.StringType()


def _as_declared(scored: pa.RecordBatch, given: pa.Schema, text_column: str) -> pa.RecordBatch:
    """The rows in the types that Spark asks for. What it gave goes back just as it came."""
    kind = given.field(text_column).type
    kind = getattr(kind, "value_type", kind)
    # A setting of Spark makes all texts large ones.
    large = pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
    text = pa.large_string() if large else pa.string()
    added = list(scored.schema)[len(given) :]
    kinds = [plain_type(field.type, text) for field in added]
    fields = [pa.field(field.name, kind) for field, kind in zip(added, kinds, strict=True)]
    columns = scored.columns[len(given) :]
    cast = [column.cast(kind) for column, kind in zip(columns, kinds, strict=True)]
    schema = pa.schema([*given, *fields])
    return pa.RecordBatch.from_arrays([*scored.columns[: len(given)], *cast], schema=schema)


#: The archives that an application of Spark has got. They must stay as long as it runs.
_SHIPPED: WeakKeyDictionary[Any, dict[str, TemporaryDirectory[str]]] = WeakKeyDictionary()
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def _shipped(session: SparkSession, model: Path, fingerprint: str) -> str:
    """Send a model to the executors, which unpack it. Returns the name of the folder there."""
    # With Spark Connect there is no context on this side.
    context = getattr(session, "sparkContext", None)
    known = _SHIPPED.setdefault(session if context is None else context, {})
    name = f"textbatch-{fingerprint}.zip"
    if name not in known:
        folder = TemporaryDirectory(prefix="textbatch-")
        path = Path(folder.name) / name
        with ZipFile(path, "w") as archive:
            for file in sorted(one for one in model.iterdir() if one.is_file()):
                # The same bytes whenever it is packed: Spark refuses another file of one name.
                archive.writestr(ZipInfo(file.name, _LONG_AGO), file.read_bytes())
        if context is None:
            session.addArtifact(str(path), archive=True)
        else:
            context.addArchive(str(path))
        known[name] = folder
    return name
