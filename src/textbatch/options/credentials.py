"""Credentials in places. A place is printed, logged and written into reports, so it has none.

They are refused where a place comes in. So nothing that is printed later needs to be cleaned.
"""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

from textbatch.errors import ConflictError, printable

#: A scheme and its slashes, wherever they are in a text. `Path` leaves one slash. A single letter
#: is a drive. All expressions here are linear in the length of a text, which may be a long one.
_SCHEME = re.compile(r"(?<![A-Za-z0-9+.\-])[0-9+.\-]*+([A-Za-z][A-Za-z0-9+.\-]++)\s*+:([/\\]+)")
#: A user and a password where a place begins, without a scheme or after a mistyped one.
_BARE = re.compile(r"[\s/]*+(\w+/{2,})?[^\s/:@]+:(?!/)[^@]*[^@/]@[^/]")
_PORT = re.compile(r"[^:@]+:\d{1,5}")
#: `container@account` is Azure's own form of an address.
_AZURE_SCHEMES = ("abfs", "abfss", "az", "wasb", "wasbs")
_AZURE_ADDRESS = re.compile(r"[a-z0-9$\-]{1,63}@[a-z0-9\-]+\.(dfs|blob)\.[a-z.]+")
_ACCESS_KEY = re.compile(r"A[KS]IA[A-Z0-9]{16}")
#: A parameter; a `?` alone is a glob's.
_PARAMETER = re.compile(r"[?#][^/?#=]{2,}=")
_SECRET_PARAMETER = re.compile(
    r"[?#&;]\s*+(sig\s*+=|(?=[\w\-]*(signature|token|secret|passw|credential|key))[\w\-]++\s*+=)",
    re.IGNORECASE,
)
_LONGEST_QUOTED = 100
#: How much of a place is looked at. No store and no system has longer names.
_LONGEST_PLACE = 8 << 10
#: Where the credentials of a scheme belong.
_WHERE = {
    **dict.fromkeys(("s3", "s3a"), "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    **dict.fromkeys(("gs", "gcs"), "GOOGLE_APPLICATION_CREDENTIALS"),
    **dict.fromkeys(_AZURE_SCHEMES, "AZURE_STORAGE_ACCOUNT_NAME and the variable of its key"),
    "hf": "HF_TOKEN",
}


def has_credentials(text: str) -> bool:
    """Whether a text holds a URI with a user, a password, a token or a signature.

    Args:
        text: A word of a command line, or a part of a message.
    """
    return any(
        _SECRET_PARAMETER.search(form)
        or any(
            _is_telling(
                found[1].lower(), len(found[2]), form[found.end() : found.end() + _LONGEST_PLACE]
            )
            for found in _SCHEME.finditer(form)
        )
        for form in _forms(text)
    )


def refuse_credentials(given: object, what: str = "", *, bare: bool = True) -> None:
    """Refuse a place that holds credentials. The error does not quote it.

    Args:
        given: A path or a URI, as it was given. What is neither is let pass.
        what: What it was given for, such as a flag.
        bare: Whether a user and a password count where there is no URI.

    Raises:
        ConflictError: It holds some.
    """
    place = os.fsdecode(given) if isinstance(given, str | os.PathLike) else ""
    if not (has_credentials(place) or (bare and any(map(_BARE.match, _forms(place))))):
        return
    found = _SCHEME.search(place)
    scheme = found[1].lower() if found else ""
    shown = f"{scheme}://***" if scheme in _WHERE else "a place"
    variables = _WHERE.get(scheme, "the variables of its store")
    told = f"{what}: " if what else ""
    raise ConflictError(
        f"{told}{shown} with a user, a password or a query, which logs would show",
        f"leave it out, and set {variables}; write a file of such a name as ./NAME",
    )


def quoted(value: object) -> str:
    """Tell a value that does not fit: a text in quotes, escaped, cut, without credentials."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if has_credentials(text):
        return "'***'"
    told = printable(text if len(text) <= _LONGEST_QUOTED else f"{text[:_LONGEST_QUOTED]}…")
    return f"'{told}'" if isinstance(value, str) else told


def _forms(text: str) -> set[str]:
    """The text, and what it means where it is percent-encoded, once or twice."""
    once = unquote(text)
    return {text, once, unquote(once)}


def _is_telling(scheme: str, slashes: int, rest: str) -> bool:
    """Whether there are credentials in what follows a scheme."""
    # `file:///` has no host.
    host = "" if scheme == "file" and slashes > 2 else re.split(r"[/\\]", rest)[0]
    if "@" in host:
        return scheme not in _AZURE_SCHEMES or not _AZURE_ADDRESS.fullmatch(host)
    if ":" in host and (not _PORT.fullmatch(host) or "@" in rest):
        return True
    if scheme in ("http", "https", "ftp", "ftps") and re.search(r"[?#]", rest):
        return True
    return bool(_ACCESS_KEY.search(host) or _PARAMETER.search(rest))
