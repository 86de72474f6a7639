"""A command, made from its class of options and the function that runs it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

import typer
from typer.core import TyperGroup

from textbatch.cli.console import log, log_as
from textbatch.cli.help import HelpedCommand, flags_of, help_of, metavar_of
from textbatch.cli.machine import check_machine
from textbatch.cli.settings.file import SettingsFile, find_settings
from textbatch.cli.settings.resolve import (
    Setting,
    Settings,
    check_names,
    unknown_variables,
    values_of,
    with_short_forms,
)
from textbatch.errors import ConflictError, UsageError, require_extra
from textbatch.options import Option, Options, options_of

C = TypeVar("C", bound=Options)
_CONTEXT = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)


class Command(HelpedCommand):
    """A command that takes each option from its flag, the environment, the file or the default."""

    settings: Settings
    extra: str


@dataclass(frozen=True, kw_only=True)
class Given(Generic[C]):
    """What a command was given.

    Attributes:
        options: The class of its options.
        values: The given values, by the names of the options.
        context: The context of typer's parser.
        run: Id of the run.
    """

    options: type[C]
    values: Mapping[str, Any]
    context: typer.Context
    run: UUID

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - of the option's type
        """The value of an option, which is not checked yet."""
        (option,) = (one for one in options_of(self.options) if one.name == name)
        return option.made(self.values[name])

    def made(self) -> C:
        """Make the options, and check them and their paths.

        Raises:
            UsageError: An option is out of its range.
            ConflictError: Options exclude each other.
            TextbatchError: A path cannot be that of a file, or may not be looked at.
        """
        # Here, not at the top: `--help` must be quick.
        from textbatch.data.storage.places import check_usable

        config = self.options.given(self.values)
        check_usable(config)
        return config


def short_id(run: UUID) -> str:
    """The id of a run in reports and footers. The id in lineage events begins with it."""
    return run.hex[:16]


def add_command(
    app: typer.Typer,
    name: str,
    options: type[C],
    run: Callable[[Given[C]], int | None],
    *,
    flags_only: bool = False,
    anywhere: bool = False,
    extra: str = "",
) -> None:
    """Add a command.

    Args:
        app: The group that gets the command.
        name: Name of the command.
        options: The class of its options.
        run: Runs the command. Its docstring is the help.
        flags_only: Whether it takes no values from variables and the settings file.
        anywhere: Whether it begins on a machine that lacks what other commands need.
        extra: The extra of textbatch that it needs.
    """
    about = inspect.cleandoc(run.__doc__ or "")
    settings = Settings(
        command="" if flags_only else name, about=about.splitlines()[0], options=options
    )

    def run_whole(given: Given[C]) -> int | None:
        if extra:
            require_extra(name, extra)
        return run(given)

    def command(context: typer.Context, **given: Any) -> int | None:  # noqa: ANN401
        if not anywhere:
            check_machine(trains=bool(extra))
        return _run(settings, options, run_whole, context, given)

    command.__doc__ = about
    vars(command)["__signature__"] = inspect.Signature(
        [_CONTEXT, *map(_parameter_of, with_short_forms(options))]
    )
    own = {"settings": settings, "extra": extra}
    app.command(name, cls=type("Command", (Command,), own))(command)


def file_of(context: typer.Context) -> SettingsFile | None:
    """Find the settings file: the one that `--config` names, or that of the working directory.

    Raises:
        TextbatchError: It cannot be read or is malformed.
    """
    return find_settings(context.find_root().params.get("config"))


def settings_beside(context: typer.Context) -> dict[str, Settings]:
    """The settings of all commands, by the name of the command."""
    group = context.find_root().command
    assert isinstance(group, TyperGroup)
    return settings_in(group)


def extras_beside(context: typer.Context) -> dict[str, str]:
    """The extra that each command needs, by the name of the command; empty for none."""
    group = context.find_root().command
    assert isinstance(group, TyperGroup)
    return {name: one.extra for name, one in group.commands.items() if isinstance(one, Command)}


def settings_in(group: TyperGroup) -> dict[str, Settings]:
    """The settings of the commands of a group, by the name of the command."""
    found = group.commands.items()
    return {
        name: one.settings
        for name, one in found
        if isinstance(one, Command) and one.settings.command
    }


def _run(
    settings: Settings,
    options: type[C],
    run: Callable[[Given[C]], int | None],
    context: typer.Context,
    given: Mapping[str, Any],
) -> int | None:
    file = file_of(context) if settings.command else None
    if file:
        check_names(file, settings_beside(context))
    found = settings.found(file, given)
    arguments = {
        one.name: given[one.name]
        for one in options_of(options)
        if one.argument and given[one.name] is not None
    }
    with _told_where(found):
        values = {**values_of(found), **arguments}
        # What writes nothing takes no place. `doctor` goes on where libraries are broken.
        if any(one.use == "written" for one in options_of(options)):
            from textbatch.data.storage.places import Place, check_apart

            used = [Place(option="the settings file", given=file.path)] if file else []
            check_apart(options, values, *used)
        this = uuid4()
        if "log_format" in values:
            log_as(values["log_format"], command=settings.command, run_id=short_id(this))
        # A mistyped name would do nothing, night after night.
        of_this = {settings.command: settings} if settings.command else {}
        for warning in unknown_variables(of_this, of_services=False):
            log(f"warning: {warning}")
        return run(Given(options=options, values=values, context=context, run=this))


@contextmanager
def _told_where(settings: list[Setting]) -> Iterator[None]:
    """Add the place of a value to an error, if the value does not come from a flag."""
    try:
        yield
    except (UsageError, ConflictError) as error:
        for one in settings:
            if one.place and f"--{one.option.key}" in error.what.split():
                error.what += f" (set in {one.where})"
        raise


def _parameter_of(option: Option) -> inspect.Parameter:
    """Make the parameter for typer: a text, several texts, or whether the flag is there."""
    kind: Any = bool if option.kind == "truth" else str
    kind = list[str] if option.repeats or (option.many and not option.commas) else kind
    required = option.default is ...
    # As the default, not in an `Annotated`: making those took a tenth of `--help`.
    default: Any = ... if required else None
    about: Any
    if option.argument:
        about = typer.Argument(default, help=help_of(option), show_default=False)
    else:
        flags = flags_of(option)
        about = typer.Option(
            default,
            *(["/".join(flags)] if option.two_way else flags),
            metavar=metavar_of(option),
            help=help_of(option),
            show_default=False,
            autocompletion=_completion(option.choices) if option.choices else None,
        )
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=about,
        annotation=kind if required else kind | None,
    )


def _completion(choices: tuple[str, ...]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete
