"""The names that a pickle may hold, and what stands for each. Nothing of it is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TOKENIZER, LABEL_ENCODER, ARRAY, DTYPE, WRAPPER = (
    "Tokenizer", "LabelEncoder", "ndarray", "dtype", "NumpyArrayWrapper",
)  # fmt: skip
_TOKENIZER_MODULES = (
    "keras_preprocessing.text", "keras.preprocessing.text", "keras.src.preprocessing.text",
    "keras.src.legacy.preprocessing.text", "tf_keras.src.preprocessing.text",
    "tf_keras.preprocessing.text",
)  # fmt: skip
_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
#: All names that a pickle may hold, and what they stand for.
NAMES = {
    **{(module, "Tokenizer"): TOKENIZER for module in _TOKENIZER_MODULES},
    **{(module, "_reconstruct"): "reconstruct" for module in _NUMPY},
    **{(module, "scalar"): "scalar" for module in _NUMPY},
    **{(module, "_frombuffer"): "frombuffer" for module in _NUMERIC},
    # How protocols before 3 write bytes.
    ("_codecs", "encode"): "encode",
    **{(m, n): n for m in ("builtins", "__builtin__") for n in ("int", "long", "object")},
    **{(module, "_reconstructor"): "new" for module in ("copyreg", "copy_reg")},
    ("collections", "OrderedDict"): "dict",
    ("collections", "defaultdict"): "defaultdict",
    ("numpy", "ndarray"): ARRAY,
    ("numpy", "dtype"): DTYPE,
    ("sklearn.preprocessing._label", "LabelEncoder"): LABEL_ENCODER,
    ("sklearn.preprocessing.label", "LabelEncoder"): LABEL_ENCODER,
    ("joblib.numpy_pickle", "NumpyArrayWrapper"): WRAPPER,
}


class UnsafePickleError(ValueError):
    """A pickle that is damaged, or holds something that is not on the list."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a pickle: what it stands for."""

    stands_for: str


@dataclass(slots=True)
class Holder:
    """What a pickle says of an object; no such object is made.

    Attributes:
        kind: What it is, such as `Tokenizer`.
        arguments: What it would be made of.
        state: What it would be given afterwards.
    """

    kind: str
    arguments: tuple[Any, ...] = ()
    state: Any = None


def object_of(name: Name) -> Holder:
    """What stands for a new object of a class.

    Raises:
        UnsafePickleError: Its class is not on the list.
    """
    if name.stands_for not in (TOKENIZER, LABEL_ENCODER, WRAPPER):
        raise UnsafePickleError("it makes an object that is not on the list")
    return Holder(name.stands_for)


def called(name: object, arguments: object) -> Any:  # noqa: ANN401, C901 - one case for each name
    """What stands for the result of a call, which is not made.

    Args:
        name: What the pickle would call.
        arguments: What it would call it with.

    Raises:
        UnsafePickleError: It is not on the list.
    """
    kind = name.stands_for if isinstance(name, Name) else ""
    match kind, arguments:
        case "dict", ():
            return {}
        case "dict", ([*pairs],):
            return _dict_of_pairs(pairs)
        case "defaultdict", ():
            return {}
        case "defaultdict", (Name(stands_for="int" | "long"),):
            return {}
        case "new", (Name() as of, Name(stands_for="object"), None):
            return object_of(of)
        case "reconstruct", (Name(stands_for="ndarray"), _, _):
            return Holder(ARRAY)
        case "dtype", (str() as text, first, second):
            return Holder(DTYPE, (text, first, second))
        case "scalar", (Holder(kind="dtype") as dtype, bytes() as data):
            return Holder("scalar", (dtype, data))
        case "encode", (str() as text, "latin1"):
            return text.encode("latin-1")
        case "frombuffer", (bytes() as data, Holder(kind="dtype") as dtype, tuple(shape), _):
            return Holder(ARRAY, (), (1, shape, dtype, False, data))
        case _:
            raise UnsafePickleError("it calls what is not on the list")


def _dict_of_pairs(pairs: list[Any]) -> dict[Any, Any]:
    found = {}
    for pair in pairs:
        match pair:
            case [str() | int() as key, value]:
                found[key] = value
            case _:
                raise UnsafePickleError("it is damaged")
    return found


def dtype_of(holder: object) -> str:
    """The letter and size of a type of NumPy, such as `U3`.

    Args:
        holder: What the pickle holds of it.

    Raises:
        UnsafePickleError: It is no type of texts, numbers or truths.
    """
    match holder:
        case Holder(kind="dtype", arguments=(str(text), _, _)):
            letter, size = text[:1], text[1:]
            if letter in tuple("UiufbO") and size.isascii() and size.isdecimal() and len(size) < 5:
                return text
    raise UnsafePickleError("it holds an array of another type than texts and numbers")
