"""Settings of a study: presets, changed values, and the notebooks' parameters."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from stablib.errors import UsageError, unknown


class Settings(BaseModel):
    """Base of every study's settings: everything that a reader may change about it.

    Each field is a parameter of every notebook of the paper, with the field's description as its
    help. A field whose type allows None has a default that is no number: the text of its
    description says which.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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
        if first["type"] == "literal_error":
            allowed = re.findall(r"'([^']*)'", first["ctx"]["expected"])
            raise unknown(place, first["input"], allowed) from error
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


def parameters(model: type[BaseModel]) -> dict[str, tuple[str, str]]:
    """Type and help of the notebook parameter of each field.

    Examples
    --------
    >>> from pydantic import Field
    >>> class Few(Settings):
    ...     n_runs: int = Field(default=3, description="runs per method")
    >>> parameters(Few)
    {'n_runs': ('int', 'runs per method')}
    """
    hints = typing.get_type_hints(model)
    return {
        name: (_plain(hints[name]), field.description or "")
        for name, field in model.model_fields.items()
    }


def _plain(hint: Any) -> str:
    """Name of the plain type of a field: int, float or str."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is typing.Literal:
        hint = type(typing.get_args(hint)[0])
    return str(hint.__name__)
