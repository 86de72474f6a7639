"""The places of the models of a run: one, or several with names, as `NAME=PLACE`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from textbatch.data.choices import LONGEST_MODEL_NAME, MODEL_NAME, MOST_MODELS
from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError
from textbatch.options.credentials import quoted

#: What stands before the `=` of a place that has no name: the `=` is in a path or in a URI.
_OF_A_PLACE = re.compile(r"[./\\~:]")


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """Where a model is.

    Attributes:
        name: Its name; empty for a model without one.
        place: Its place.
    """

    name: str
    place: Location


@dataclass(frozen=True, slots=True)
class NamedModels:
    """The places of models with names.

    Attributes:
        each: At least one.

    Raises:
        ConflictError: A name cannot begin the names of columns, or two are the same. Or there are
            too many models.
    """

    each: tuple[ModelPlace, ...]

    def __post_init__(self) -> None:
        for one in self.each:
            _check_name(one.name)
        names = [one.name.casefold() for one in self.each]
        if twice := next(
            (one.name for one in self.each if names.count(one.name.casefold()) > 1), None
        ):
            raise ConflictError(
                f"two models have the name {quoted(twice)}; case makes no difference",
                "give each a name of its own",
            )
        if len(self.each) > MOST_MODELS:
            raise ConflictError(
                f"there are {len(self.each)} models; a run takes {MOST_MODELS} at most",
                "score with the others in a second run",
            )

    @property
    def places(self) -> tuple[Location, ...]:
        """The places alone."""
        return tuple(one.place for one in self.each)

    def __str__(self) -> str:
        return " ".join(f"{one.name}={one.place}" for one in self.each)


def models_of(given: object) -> Location | NamedModels:
    """Make the places of models from what was given.

    Args:
        given: A place; a text `NAME=PLACE`; several of these texts; or places by their names.

    Returns:
        The place of a model without a name, or those of models with names.

    Raises:
        ConflictError: Several models have no names, or see `NamedModels`. Or a text can be read
            both as a place and as a name and a place.
        TypeError: It is something else.
    """
    if isinstance(given, NamedModels):
        return given
    if isinstance(given, Mapping):
        return _named([ModelPlace(str(name), location_of(place)) for name, place in given.items()])
    if not isinstance(given, list | tuple):
        one = _model_of(given)
        return NamedModels((one,)) if one.name else one.place
    found = [_model_of(one) for one in given]
    if len(found) == 1 and not found[0].name:
        return found[0].place
    if nameless := next((one.place for one in found if not one.name), None):
        raise ConflictError(
            f"--model {nameless} is one of several models and has no name",
            "write each as --model NAME=PLACE, or give one only",
        )
    return _named(found)


def places_of_models(models: Location | NamedModels) -> Iterable[Location]:
    """The places of models, whether they have names or not."""
    return models.places if isinstance(models, NamedModels) else (models,)


def _named(found: list[ModelPlace]) -> NamedModels:
    if not found:
        raise ConflictError("no model is given", "name at least one")
    return NamedModels(tuple(found))


def _model_of(given: Any) -> ModelPlace:  # noqa: ANN401 - `location_of` tells what it takes
    if not isinstance(given, str):
        return ModelPlace("", location_of(given))
    name, equals, place = given.partition("=")
    if not equals or _OF_A_PLACE.search(name):
        return ModelPlace("", location_of(given))
    _check_name(name, f"; a place with = in it is written as ./{given}")
    if not place:
        raise ConflictError(f"--model {name}= names no place", f"write it as {name}=PLACE")
    if _is_there(given):
        raise ConflictError(
            f"--model {quoted(given)} is a model {quoted(name)} in {quoted(place)}, and there is a "
            "file or folder of this whole name too",
            f"write ./{given} for it, or rename it",
        )
    return ModelPlace(name, location_of(place))


def _check_name(name: str, beside: str = "") -> None:
    if len(name) > LONGEST_MODEL_NAME or not re.fullmatch(MODEL_NAME, name):
        raise ConflictError(
            f"{quoted(name)} is no name for a model, with which the names of columns could begin",
            f"take a letter, then letters, digits and _, {LONGEST_MODEL_NAME} at most{beside}",
        )


def _is_there(text: str) -> bool:
    with suppress(ValueError):
        return os.path.lexists(text)
    return False
