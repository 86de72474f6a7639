"""Names of integer labels, from the footer of Parquet that Hugging Face's datasets wrote."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.choices import LabelNaming
from textbatch.data.readers.column_names import shown
from textbatch.data.readers.label_values import label_texts
from textbatch.data.readers.source import Source
from textbatch.data.readers.text_column import stored_type
from textbatch.data.strict_json import parse_json
from textbatch.errors import DataError

_KEY = b"huggingface"
#: What datasets write for a row without a label.
_NO_LABEL = -1
_REMEDY = "mend it where it is written, or take the integers with --label-names off"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChoice:
    """Where labels stand, what their integers mean, and how much their rows count.

    Attributes:
        column: The column.
        naming: `off` takes the integers themselves.
        weight: Column with the weights of the rows; None if all count the same.
        soft: Column with labels and their shares, instead of the column of labels; None without.
        confidence: Column that tells how sure the label is; None if it is.
        several: Whether a row has any number of labels.
        separator: What stands between them in a text; None where the column holds lists.
        known: Labels of a model, if there is one. The names are left alone where it knows the
            integers and none of the names, because it was trained on the integers.
    """

    column: str
    naming: LabelNaming = "auto"
    weight: str | None = None
    soft: str | None = None
    confidence: str | None = None
    several: bool = False
    separator: str | None = None
    known: Collection[str] = ()

    @property
    def labels(self) -> str:
        """The column that the labels come from."""
        return self.soft or self.column

    def there_in(self, source: Source, *, beside: bool) -> LabelChoice:
        """Without columns that a source lacks, though it has labels.

        Args:
            source: The source.
            beside: Whether it has held-out rows: their labels may be sure, and all count the same,
                though those to learn from are not. Else shares alone may be lacking.
        """

        def there(column: str | None) -> str | None:
            return column if column in source.schema.names else None

        if not beside:
            has_labels = self.column in source.schema.names
            return replace(self, soft=there(self.soft)) if has_labels else self
        return replace(
            self,
            weight=there(self.weight),
            soft=there(self.soft),
            confidence=there(self.confidence),
        )


class LabelColumn:
    """A label column of a source: how its values become texts.

    Attributes:
        weight: Column with the weights of the rows; None if all count the same.
    """

    def __init__(self, source: Source, choice: LabelChoice) -> None:
        """Look whether integers have names.

        Args:
            source: The source, which has the column.
            choice: The column.

        Raises:
            DataError: The names in the footer cannot be used.
        """
        column = choice.column
        self.weight = choice.weight
        self._where = f"{source.file} column {shown(column)}"
        self._names: tuple[str, ...] | None = None
        kind = source.schema.field(column).type
        if choice.naming == "auto" and pa.types.is_integer(stored_type(kind)):
            names = _names_in(getattr(source, "metadata", None), column, self._where)
            if names and not _knows_integers(choice.known, names):
                self._names = names

    def texts(self, values: pa.Array) -> pa.Array:
        """Labels as texts: the names of integers that have some, else see `label_texts`.

        Args:
            values: Some rows of the column. Shape `(rows,)`.

        Returns:
            Texts; null without a label. Shape `(rows,)`.

        Raises:
            DataError: An integer has no name. -1 is a missing label.
        """
        if self._names is None:
            return label_texts(values)
        if isinstance(values, pa.ExtensionArray):
            return self.texts(values.storage)
        if pa.types.is_dictionary(values.type):
            return self.texts(values.dictionary).take(values.indices)
        last = len(self._names) - 1
        numbers = pc.if_else(
            pc.equal(values, pa.scalar(_NO_LABEL)), None, values.cast(pa.int64(), safe=False)
        )
        beyond = pc.or_(pc.less(numbers, 0), pc.greater(numbers, last))
        if count := pc.sum(beyond).as_py() or 0:
            raise DataError(
                f"{self._where} has {count:,} integers that are no label: its footer names those "
                f"from 0 to {last:,}",
                _REMEDY,
            )
        return pa.array(self._names, pa.large_string()).take(numbers)


def _names_in(
    metadata: Mapping[bytes, bytes] | None, column: str, where: str
) -> tuple[str, ...] | None:
    """The names in a footer; None without any for this column."""
    found = (metadata or {}).get(_KEY)
    if found is None:
        return None
    try:
        feature = parse_json(found)["info"]["features"][column]
    except (ValueError, LookupError, TypeError):
        return None  # A footer of another form, or without this column: it names nothing.
    if not isinstance(feature, dict):
        return None
    # Cards of datasets have `{"class_label": {"names": {"0": ...}}}`, the footer a flat form.
    inner = feature.get("class_label")
    if isinstance(inner, dict):
        feature = inner
    elif feature.get("_type") != "ClassLabel":
        return None
    names = _listed(feature.get("names"))
    if names is None or len(set(names)) != len(names):
        raise DataError(f"{where} has names of labels in its footer that cannot be used", _REMEDY)
    return names


def _listed(names: object) -> tuple[str, ...] | None:
    """Names in the order of their integers: of a list, or of an object by integer."""
    if isinstance(names, dict):
        names = [names.get(str(number)) for number in range(len(names))]
    if not isinstance(names, list) or not names:
        return None
    return tuple(names) if all(isinstance(name, str) for name in names) else None


def _knows_integers(known: Collection[str], names: tuple[str, ...]) -> bool:
    integers = {str(number) for number in range(len(names))}
    return not integers.isdisjoint(known) and set(names).isdisjoint(known)
