"""Turns the texts of flags, variables and settings files into values of options."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textbatch.data.choices import MODEL_NAME
from textbatch.options import Option

_TRUTHS = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}
_WORDS = {
    "truth": "true or false",
    "whole": "a whole number",
    "number": "a number",
    "text": "a text in quotes",
    "path": "a text in quotes",
}
#: A colon between paths; not the colon of a URI.
_BETWEEN_PATHS = re.compile(":(?!//)")
_NAMED = re.compile(f"{MODEL_NAME}=")
_BETWEEN_NAMES = re.compile(rf":(?={MODEL_NAME}=)")
_TOML: dict[str, tuple[type, ...]] = {
    "truth": (bool,),
    "whole": (int,),
    "number": (int, float),
    "text": (str,),
    "path": (str,),
}


def value_of_text(option: Option, text: str) -> object:
    """Turn the text of a flag into a value.

    Args:
        option: The option.
        text: The text.

    Raises:
        ValueError: It does not fit the option.
    """
    if option.commas:
        return tuple(_one(option, part) for part in text.split(","))
    return _one(option, text)


def value_of_texts(option: Option, texts: Sequence[str]) -> object:
    """Turn the texts of an option that is given several times into a value.

    Args:
        option: The option.
        texts: The texts.

    Raises:
        ValueError: A text does not fit the option.
    """
    return tuple(_one(option, text) for text in texts)


def value_of_variable(option: Option, text: str) -> object:
    """Turn an environment variable into a value. Several paths have colons between them.

    Of an option that repeats, a colon separates only where a name and `=` follow it.

    Args:
        option: The option.
        text: The variable.

    Raises:
        ValueError: It does not fit the option.
    """
    if option.repeats and _NAMED.match(text):
        return value_of_texts(option, _BETWEEN_NAMES.split(text))
    if not option.many or option.commas:
        return value_of_text(option, text)
    parts = _BETWEEN_PATHS.split(text) if option.kind == "path" else text.split()
    return value_of_texts(option, [part for part in parts if part])


def value_of_toml(option: Option, value: object) -> object:
    """Turn what a settings file holds into a value.

    Args:
        option: The option.
        value: What the file holds.

    Raises:
        ValueError: It does not fit the option.
    """
    if isinstance(value, list) if option.repeats else (option.many and not option.commas):
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return value_of_texts(option, value)
        raise ValueError
    wanted = (str,) if option.commas else _TOML[option.kind]
    # In Python a bool is a number too.
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise ValueError
    return value_of_text(option, value) if isinstance(value, str) else value


def _one(option: Option, text: str) -> object:
    if option.choices and text not in option.choices:
        raise ValueError
    if option.kind == "whole":
        return int(text)
    if option.kind == "number":
        return float(text)
    if option.kind == "truth":
        if text.strip().lower() not in _TRUTHS:
            raise ValueError
        return _TRUTHS[text.strip().lower()]
    return text


def kind_of(option: Option) -> str:
    """Say in words what the value of an option must be."""
    if option.commas:
        return "whole numbers with commas between" if option.kind == "whole" else _WORDS["text"]
    if option.many:
        return "a list of texts in quotes"
    if option.repeats:
        return "a text in quotes, or a list of them"
    if option.choices:
        return "one of " + ", ".join(f'"{choice}"' for choice in option.choices)
    return _WORDS[option.kind]
