"""TOML from outside: settings, templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textbatch.errors import InputNotFoundError, TextbatchError, UsageError, storage_errors

#: Limit on what people write by hand, in bytes.
_MAX_BYTES = 1 << 20


def read_written(path: Path, *, missing: type[TextbatchError] = InputNotFoundError) -> bytes:
    """Read a file that a person has written. It may be a pipe.

    Args:
        path: The file.
        missing: The error for a file that is not there.

    Raises:
        UsageError: It is too large for that.
        TextbatchError: It is not there, or cannot be read.
    """
    with storage_errors(path, "cannot read", missing=missing), path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise UsageError(
            f"{path} has more than {_MAX_BYTES:,} bytes, which nobody writes by hand",
            "check the path",
        )
    return data


def parse_toml(data: bytes, name: object) -> dict[str, Any]:
    """Parse TOML.

    Args:
        data: The content of the file.
        name: Its name, for messages.

    Raises:
        UsageError: It is malformed, not UTF-8, nested too deeply, or has a number that is too long.
    """
    # Imported here, because most runs have no file, and `--help` must be fast.
    import tomllib

    try:
        found = tomllib.loads(data.decode("utf-8-sig"))
        check_numbers(found)
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not UTF-8", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is not TOML: {error}", "mend that line") from None
    except RecursionError:
        raise UsageError(f"{name} is nested too deeply", "write plain tables") from None
    except ValueError:
        raise UsageError(f"{name} has a number of more than 64 bits", "mend it") from None
    return found


def check_numbers(value: object) -> None:
    """Refuse whole numbers of more than 64 bits: some can neither be printed nor made a float.

    Args:
        value: What a file holds.

    Raises:
        ValueError: There is one.
    """
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            check_numbers(one)
    elif isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise ValueError
