"""The traceback that `--debug` shows. The messages in it may come from other libraries."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterator

from textbatch.errors import bounded, printable
from textbatch.options.credentials import has_credentials

#: Names of variables whose values are secrets, and the shortest value that can be one.
_SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSW|CREDENTIAL|SAS|CONNECTION_STRING|_AUTH")
_SHORTEST = 6


def told_traceback(error: BaseException) -> str:
    """Tell where an error and its causes come from, as Python does.

    Their messages are escaped and shortened; what looks like credentials, and values of variables
    that hold some, are left out.
    """
    return "\n".join(_lines(error)) + "\n"


def _lines(error: BaseException) -> Iterator[str]:
    chain = list(_chain(error))
    for one, leads_to in reversed(chain):
        yield "Traceback (most recent call last):"
        for frame in traceback.extract_tb(one.__traceback__):
            yield f'  File "{printable(frame.filename)}", line {frame.lineno}, in {frame.name}'
            if frame.line:
                yield f"    {printable(frame.line)}"
        yield f"{type(one).__name__}: {_message(one)}"
        if leads_to:
            yield f"\n{leads_to}\n"


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """An error and those that it came from, each with the words that lead to the one before."""
    seen: set[int] = set()
    found: BaseException | None = error
    told = ""
    while found is not None and id(found) not in seen:
        yield found, told
        seen.add(id(found))
        if found.__cause__ is not None:
            told = "The above exception was the direct cause of the following exception:"
            found = found.__cause__
        else:
            told = "During handling of the above exception, another exception occurred:"
            found = None if found.__suppress_context__ else found.__context__


def _message(error: BaseException) -> str:
    text = str(error)
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name.upper()) and len(value) >= _SHORTEST:
            text = text.replace(value, "***")
    # Blanks may stand in a URI, so its end is not known.
    return "***" if has_credentials(text) else bounded(printable(text))
