"""Values of the command line, taken as they are where typer's check of them could say nothing."""

from __future__ import annotations

from typing import Any


def take_plainly(param: Any) -> None:  # noqa: ANN401 - any of typer's parameters
    """Spare a parameter of texts the library that typer checks values with.

    Releases of typer that check with pydantic import it for the first value, and make a validator
    for each parameter: together as long as the rest of the parsing.

    Args:
        param: It is changed. One of another kind is checked by typer as soon as it has a value.
    """
    made = getattr(param, "get_runtime_param", None)
    if made is not None and "get_runtime_param" not in vars(param):
        vars(param)["get_runtime_param"] = lambda: _Plain(made)


class _Plain:
    """Stands for typer's own check."""

    def __init__(self, made: Any) -> None:  # noqa: ANN401 - typer's own
        self._made = made

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401 - typer's own
        """What the command gets for a value.

        Args:
            value: A text, several, or None.
            param: The parameter that has it.
            ctx: typer's context.
        """
        several = param.multiple or param.nargs == -1
        kind = param.type_descriptor.annotation
        if value is None:
            return () if several else None
        if kind is str and isinstance(value, str) and not several:
            return value
        if kind == list[str] and several and not isinstance(value, str):
            return list(value)
        return self._made().coerce(value, param=param, ctx=ctx)
