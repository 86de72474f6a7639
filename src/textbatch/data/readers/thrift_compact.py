"""Reads and writes Thrift's compact protocol, which footers and page headers of Parquet use.

No schema is needed. Arrow does not give access to everything there: not to the sizes of pages, and
not to types that it does not know. What is not understood is kept, so that it can be written again
unchanged.

See https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

_DEEPEST = 64
_LONG_LIST = 15


class Kind(IntEnum):
    """Thrift's types. A field that is a boolean has its value in its type."""

    TRUE = 1
    FALSE = 2
    BYTE = 3
    I16 = 4
    I32 = 5
    I64 = 6
    DOUBLE = 7
    BINARY = 8
    LIST = 9
    SET = 10
    MAP = 11
    STRUCT = 12
    UUID = 13


@dataclass(slots=True)
class Items:
    """A list or a set.

    Attributes:
        kind: Type of each value.
        values: All values.
    """

    kind: Kind
    values: list[Value]


@dataclass(slots=True)
class Entries:
    """A map.

    Attributes:
        key_kind: Type of each key.
        value_kind: Type of each value.
        pairs: Keys and values.
    """

    key_kind: Kind
    value_kind: Kind
    pairs: list[tuple[Value, Value]]


#: A struct: its values by the numbers of their fields, in order. A double stays as bytes.
Struct: TypeAlias = dict[int, tuple[Kind, "Value"]]
Value: TypeAlias = "bool | int | bytes | Items | Entries | Struct"


class MalformedError(ValueError):
    """The bytes are not a struct, or not a whole one."""


def read_struct(data: bytes, position: int = 0) -> tuple[Struct, int]:
    """Read a struct.

    Args:
        data: Bytes that hold it.
        position: Where it begins.

    Returns:
        The struct, and the position where it ends.

    Raises:
        MalformedError: There is no struct, or its end is missing.
    """
    reader = _Reader(data, position)
    try:
        return reader.struct(), reader.position
    except (IndexError, ValueError, RecursionError) as error:
        raise MalformedError("no Thrift struct") from error


def write_struct(struct: Struct) -> bytes:
    """Turn a struct into bytes."""
    out = bytearray()
    _write_struct(out, struct)
    return bytes(out)


def read_field(data: bytes, number: int) -> tuple[Value, int, int]:
    """Read one field of a struct, and nothing behind it.

    Args:
        data: Begins with the struct.
        number: The field's.

    Returns:
        The value, where its bytes begin, and where they end.

    Raises:
        MalformedError: There is no such field.
    """
    try:
        return _Reader(data, 0).field(number)
    except (IndexError, ValueError, RecursionError) as error:
        raise MalformedError("no such Thrift field") from error


def write_items(items: Items) -> bytes:
    """Make the bytes of a list.

    Args:
        items: The list.
    """
    out = bytearray()
    _write_value(out, Kind.LIST, items)
    return bytes(out)


class _Reader:
    def __init__(self, data: bytes, position: int) -> None:
        self._data, self.position, self._depth = data, position, 0

    def struct(self) -> Struct:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError
        found: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            kind = Kind(head & 15)
            found[number] = (kind, self._value(kind))
        self._depth -= 1
        return found

    def field(self, wanted: int) -> tuple[Value, int, int]:
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            begin, value = self.position, self._value(Kind(head & 15))
            if number == wanted:
                return value, begin, self.position
        raise ValueError

    def _value(self, kind: Kind, *, alone: bool = False) -> Value:
        if kind in (Kind.TRUE, Kind.FALSE):
            return (self._byte() if alone else kind) == Kind.TRUE
        if kind in (Kind.I16, Kind.I32, Kind.I64):
            return self._integer()
        if kind is Kind.STRUCT:
            return self.struct()
        if kind is Kind.BINARY:
            return self._bytes(self._varint())
        if kind in (Kind.LIST, Kind.SET):
            return self._items()
        if kind is Kind.MAP:
            return self._entries()
        return self._bytes({Kind.BYTE: 1, Kind.DOUBLE: 8, Kind.UUID: 16}[kind])

    def _items(self) -> Items:
        head = self._byte()
        size = head >> 4 if head >> 4 != _LONG_LIST else self._varint()
        self._check(size)
        kind = Kind(head & 15)
        return Items(kind, [self._value(kind, alone=True) for _ in range(size)])

    def _entries(self) -> Entries:
        size = self._varint()
        self._check(size)
        head = self._byte() if size else 0x11
        key, value = Kind(head >> 4), Kind(head & 15)
        return Entries(
            key,
            value,
            [(self._value(key, alone=True), self._value(value, alone=True)) for _ in range(size)],
        )

    def _byte(self) -> int:
        byte = self._data[self.position]
        self.position += 1
        return byte

    def _bytes(self, size: int) -> bytes:
        self._check(size)
        self.position += size
        return self._data[self.position - size : self.position]

    def _check(self, size: int) -> None:
        """Refuse a size that cannot be true: each value has at least one byte."""
        if size > len(self._data) - self.position:
            raise ValueError

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


def _write_struct(out: bytearray, struct: Struct) -> None:
    last = 0
    for number, (kind, value) in struct.items():
        if kind in (Kind.TRUE, Kind.FALSE):
            kind = Kind.TRUE if value else Kind.FALSE
        if 0 < number - last <= 15:
            out.append((number - last) << 4 | kind)
        else:
            out.append(kind)
            _write_varint(out, _zigzag(number))
        if not isinstance(value, bool):
            _write_value(out, kind, value)
        last = number
    out.append(0)


def _write_value(out: bytearray, kind: Kind, value: Value) -> None:
    if isinstance(value, bool):
        out.append(Kind.TRUE if value else Kind.FALSE)
    elif isinstance(value, int):
        _write_varint(out, _zigzag(value))
    elif isinstance(value, bytes):
        if kind is Kind.BINARY:
            _write_varint(out, len(value))
        out += value
    elif isinstance(value, Items):
        _write_size(out, len(value.values), value.kind)
        for item in value.values:
            _write_value(out, value.kind, item)
    elif isinstance(value, Entries):
        _write_pairs(out, value)
    else:
        _write_struct(out, value)


def _write_size(out: bytearray, size: int, kind: Kind) -> None:
    out.append(min(size, _LONG_LIST) << 4 | kind)
    if size >= _LONG_LIST:
        _write_varint(out, size)


def _write_pairs(out: bytearray, entries: Entries) -> None:
    _write_varint(out, len(entries.pairs))
    if entries.pairs:
        out.append(entries.key_kind << 4 | entries.value_kind)
    for key, value in entries.pairs:
        _write_value(out, entries.key_kind, key)
        _write_value(out, entries.value_kind, value)


def _write_varint(out: bytearray, value: int) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1
