"""A pickle, read as data.

`pickle` runs what a file tells it to run. This interpreter knows a few opcodes and a closed list of
names. It imports nothing and calls nothing: a name is a text, and what a pickle would make of it is
an inert holder or a plain value.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from textbatch.model.keras_files.pickle_names import (
    ARRAY,
    NAMES,
    WRAPPER,
    Holder,
    Name,
    UnsafePickleError,
    called,
    dtype_of,
    object_of,
)
from textbatch.model.keras_files.pickle_opcodes import opcodes_of

#: Limits on what a pickle may hold.
_MAX_OPCODES, _MAX_STACK, _MAX_CONTAINERS, _MAX_MARKS = 30_000_000, 1_000_000, 10_000, 1_000
_MAX_MEMO = 2_000_000
#: Larger numbers stand for nothing here, and collide as keys.
_MAX_NUMBER = 2**53


def read_pickle(file: io.BytesIO) -> Any:  # noqa: ANN401 - plain values and holders
    """Read a pickle, and joblib's arrays in it.

    Args:
        file: The pickle, from its current position on.

    Returns:
        Plain values, and a `Holder` for each object.

    Raises:
        UnsafePickleError: It is damaged, too large, or names something that is not on the list.
    """
    try:
        with warnings.catch_warnings():
            # Of escapes in byte strings that mean nothing.
            warnings.simplefilter("ignore")
            return _Machine(file).run()
    except UnsafePickleError:
        raise
    except (ValueError, TypeError, LookupError, EOFError, RecursionError) as error:
        # The texts of such errors quote the file.
        raise UnsafePickleError("it is damaged") from error


def _text_of_python_2(value: str) -> str:
    """A byte string of Python 2, which `pickletools` gives as Latin-1."""
    return value.encode("latin-1").decode("utf-8")


@dataclass
class _Machine:
    file: io.BytesIO
    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    containers: int = 0
    inside: bool = False

    def run(self) -> Any:  # noqa: ANN401
        for steps, (name, argument) in enumerate(opcodes_of(self.file)):
            if name in _VALUES:
                self.stack.append(_VALUES[name](argument))
            elif name in _PUTS:
                self.memo[len(self.memo) if argument is None else argument] = self.stack[-1]
            elif name in _GETS:
                self.stack.append(self.memo[int(argument or 0)])
            elif name == "STOP":
                (result,) = self.stack
                return result
            elif name in _ACTIONS:
                _ACTIONS[name](self, argument)
            else:
                raise UnsafePickleError(f"it uses {name}, which no such file needs")
            if steps > _MAX_OPCODES or len(self.stack) > _MAX_STACK or len(self.memo) > _MAX_MEMO:
                raise UnsafePickleError("it is too large")
        raise UnsafePickleError("it is cut off")

    def made(self, container: Any) -> None:  # noqa: ANN401
        """Push a new container, within the limits."""
        self.containers += 1
        if self.containers > _MAX_CONTAINERS:
            raise UnsafePickleError("it is too large")
        self.stack.append(container)

    def since_mark(self) -> list[Any]:
        """Pop what was pushed since the last mark."""
        at = self.marks.pop()
        if at > len(self.stack):
            raise UnsafePickleError("it is damaged")
        found = self.stack[at:]
        del self.stack[at:]
        return found

    def mark(self, _: object) -> None:
        """MARK."""
        self.marks.append(len(self.stack))
        if len(self.marks) > _MAX_MARKS:
            raise UnsafePickleError("it is nested too deep")

    def pop(self, _: object) -> None:
        """POP."""
        self.stack.pop()

    def name(self, argument: str) -> None:
        """GLOBAL: module and name in one text."""
        module, _, name = argument.partition(" ")
        self.named(module, name)

    def stack_name(self, _: object) -> None:
        """STACK_GLOBAL: module and name from the stack."""
        name, module = self.stack.pop(), self.stack.pop()
        self.named(module, name)

    def named(self, module: object, name: object) -> None:
        """Push a name, if it is on the list."""
        known = NAMES.get((module, name)) if isinstance(module, str) else None  # type: ignore[arg-type]
        if known is None:
            raise UnsafePickleError("it names code that no Tokenizer and no labels need")
        self.stack.append(Name(known))

    def call(self, _: object) -> None:
        """REDUCE: what would be a call."""
        arguments, name = self.stack.pop(), self.stack.pop()
        self.made(called(name, arguments))

    def new(self, _: object) -> None:
        """NEWOBJ: what would be a new object."""
        arguments, name = self.stack.pop(), self.stack.pop()
        if not isinstance(name, Name) or arguments != ():
            raise UnsafePickleError("it makes an object that is not on the list")
        if name.stands_for == "dict":
            self.made({})
        else:
            self.made(object_of(name))

    def build(self, _: object) -> None:
        """BUILD: what would be the state of an object."""
        state, holder = self.stack.pop(), self.stack[-1]
        if not isinstance(holder, Holder) or holder.state is not None:
            raise UnsafePickleError("it gives a state to what takes none")
        holder.state = state
        if holder.kind == WRAPPER:
            self.stack[-1] = self.joblib_array(state)

    def joblib_array(self, state: dict[str, Any]) -> Holder:
        """The array whose content joblib writes after its wrapper, outside the pickle."""
        dtype, shape = state["dtype"], state["shape"]
        if dtype_of(dtype).startswith("O"):
            if self.inside:
                raise UnsafePickleError("it has an array in an array")
            found = _Machine(self.file, inside=True).run()
            if not isinstance(found, Holder):
                raise UnsafePickleError("it is damaged")
            return found
        if state.get("numpy_array_alignment_bytes") is not None:
            self.file.read(self.file.read(1)[0])
        (length,) = shape
        size = int(dtype_of(dtype)[1:]) * (4 if dtype_of(dtype)[0] == "U" else 1) * length
        data = self.file.read(size)
        if len(data) < size:
            raise UnsafePickleError("it is cut off")
        return Holder(ARRAY, (), (1, shape, dtype, False, data))

    def dict_of(self, _: object) -> None:
        """DICT: all pairs since the mark."""
        values = self.since_mark()
        self.made({})
        self.put(values)

    def items(self, _: object) -> None:
        """SETITEMS: all pairs since the mark."""
        self.put(self.since_mark())

    def item(self, _: object) -> None:
        """SETITEM: one pair."""
        value, key = self.stack.pop(), self.stack.pop()
        self.put([key, value])

    def put(self, values: list[Any]) -> None:
        """Put pairs into the dictionary on top of the stack."""
        target, keys = self.stack[-1], values[::2]
        if not isinstance(target, dict) or len(values) % 2:
            raise UnsafePickleError("it is damaged")
        if not all(isinstance(key, str | int) for key in keys):
            raise UnsafePickleError("it has keys that are neither texts nor numbers")
        target.update(zip(keys, values[1::2], strict=True))

    def append(self, _: object) -> None:
        """APPEND."""
        value = self.stack.pop()
        self.extended([value])

    def appends(self, _: object) -> None:
        """APPENDS: everything since the mark."""
        self.extended(self.since_mark())

    def extended(self, values: list[Any]) -> None:
        """Put values into the list on top of the stack."""
        if not isinstance(self.stack[-1], list):
            raise UnsafePickleError("it is damaged")
        self.stack[-1].extend(values)

    def tuple_of(self, count: int) -> None:
        """TUPLE1 to TUPLE3."""
        if len(self.stack) < count:
            raise UnsafePickleError("it is damaged")
        values = tuple(self.stack[-count:])
        del self.stack[-count:]
        self.made(values)


def _number(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, int) and abs(value) >= _MAX_NUMBER:
        raise UnsafePickleError("it holds a number that is too large")
    return value


def _as_is(value: Any) -> Any:  # noqa: ANN401
    return value


#: Opcodes that push a plain value: what makes it of the argument.
_VALUES: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"), _number),
    **dict.fromkeys(("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), _as_is),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "FLOAT", "BINFLOAT"), _as_is),
    "BYTEARRAY8": bytes,
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING"), _text_of_python_2),
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_TUPLE": lambda _: (),
}
_PUTS = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": lambda _machine, _: None,
    "FRAME": lambda _machine, _: None,
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.stack_name,
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.new,
    "BUILD": _Machine.build,
    "EMPTY_DICT": lambda machine, _: machine.made({}),
    "DICT": _Machine.dict_of,
    "SETITEM": _Machine.item,
    "SETITEMS": _Machine.items,
    "EMPTY_LIST": lambda machine, _: machine.made([]),
    "LIST": lambda machine, _: machine.made(machine.since_mark()),
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "TUPLE": lambda machine, _: machine.made(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
}
