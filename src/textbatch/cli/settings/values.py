"""Values of options as flags, variables and settings files hold them."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
#: A colon, but not that of a URI.
_BETWEEN_PATHS = re.compile(":(?!//)")
_TOML: dict[str, tuple[type, ...]] = {
    "truth": (bool,),
    "whole": (int,),
    "number": (int, float),
    "text": (str,),
    "path": (str,),
}


def value_of_text(option: Option, text: str) -> object:
    """An option's value of one text, as a flag has it.

    Raises:
        ValueError: It is none.
    """
    if option.commas:
        return tuple(_one(option, part) for part in text.split(","))
    return _one(option, text)


def value_of_texts(option: Option, texts: Sequence[str]) -> object:
    """The value of an option that is given several times.

    Raises:
        ValueError: A text is none of its values.
    """
    return tuple(_one(option, text) for text in texts)


def value_of_variable(option: Option, text: str) -> object:
    """An option's value of an environment variable: several paths have colons between them.

    Raises:
        ValueError: It is none.
    """
    if not option.many or option.commas:
        return value_of_text(option, text)
    parts = _BETWEEN_PATHS.split(text) if option.kind == "path" else text.split()
    return value_of_texts(option, [part for part in parts if part])


def value_of_toml(option: Option, value: object) -> object:
    """An option's value of what a settings file holds.

    Raises:
        ValueError: It has another kind than the option.
    """
    if option.many and not option.commas:
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return value_of_texts(option, value)
        raise ValueError
    wanted = (str,) if option.commas else _TOML[option.kind]
    # In Python, true is a number too.
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
    """What an option's value has to be, in words."""
    if option.commas:
        return "whole numbers with commas between" if option.kind == "whole" else _WORDS["text"]
    if option.many:
        return "a list of texts in quotes"
    if option.choices:
        return "one of " + ", ".join(f'"{choice}"' for choice in option.choices)
    return _WORDS[option.kind]
