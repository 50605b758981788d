"""Presets and changed settings, the same way for every study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from stablib.errors import UsageError, unknown

S = TypeVar("S", bound=BaseModel)


def choose(presets: Mapping[str, S], preset: str, changes: Mapping[str, Any]) -> S:
    """Return a preset's settings with some changed.

    Parameters
    ----------
    presets : mapping of str to BaseModel
        All presets of the study.
    preset : str
        One of them.
    changes : mapping of str to object
        Fields that differ; None keeps the preset's value.

    Raises
    ------
    UsageError
        If the preset or a field is unknown, or a value is not allowed.
    """
    if preset not in presets:
        raise unknown("preset", preset, presets)
    base = presets[preset]
    known = type(base).model_fields
    for name in changes:
        if name not in known:
            raise unknown("setting", name, known)
    given = {name: value for name, value in changes.items() if value is not None}
    return validated(type(base), {**base.model_dump(), **given})


def validated(model: type[S], fields: Mapping[str, Any]) -> S:
    """Make a model; what pydantic refuses becomes one clear line.

    Raises
    ------
    UsageError
        Names the first field that is refused, what came and why.
    """
    try:
        return model(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        if first["type"] in ("greater_than_equal", "less_than_equal"):
            why = _allowed(model, place) or why
        text = f"{place}: {why}, got {first['input']!r}" if place else why
        raise UsageError(text) from error


def _allowed(model: type[BaseModel], name: str) -> str | None:
    """The whole range of a field that has two bounds; pydantic names only the one passed."""
    field = model.model_fields.get(name)
    bounds = field.metadata if field else []
    low = next((bound.ge for bound in bounds if hasattr(bound, "ge")), None)
    high = next((bound.le for bound in bounds if hasattr(bound, "le")), None)
    return None if low is None or high is None else f"must be between {low} and {high}"
