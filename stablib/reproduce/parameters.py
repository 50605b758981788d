"""Parameters of notebooks: what they are, and whether given values fit."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import papermill

from stablib.errors import UsageError, unknown
from stablib.studies import open_study


def declared(notebook: Path) -> dict[str, dict[str, str]]:
    """Return the typed parameters of a notebook: name -> type, default and help."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: dict[str, dict[str, str]] = papermill.inspect_notebook(str(notebook))
    return found


def parse(pairs: Sequence[str]) -> dict[str, str]:
    """Split ``name=value`` pairs.

    Raises
    ------
    UsageError
        If a pair has no ``=``.
    """
    given = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise UsageError(f"parameter {pair!r} must have the form name=value")
        given[name.strip()] = value.strip()
    return given


def check(notebook: Path, given: Mapping[str, str], *, paper: str) -> dict[str, Any]:
    """Turn given texts into values of the declared types.

    Raises
    ------
    UsageError
        If a name is unknown, a value is not of the declared type, or the study refuses it.
    """
    known = declared(notebook)
    values = {}
    for name, text in given.items():
        if name not in known:
            raise unknown("parameter", name, known)
        values[name] = _convert(name, text, known[name]["inferred_type_name"])
    open_study(paper=paper, **values)
    return values


def _convert(name: str, text: str, declared_type: str) -> Any:
    """Convert one value; ``Optional[float]`` and the like accept ``None`` too.

    ``Optional`` and not ``float | None``: papermill reads no other form of annotation.
    """
    inner = declared_type.removeprefix("Optional[").removesuffix("]")
    if inner != declared_type and text == "None":
        return None
    kinds: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "str": str}
    try:
        return kinds[inner](text)
    except ValueError:
        raise UsageError(f"parameter {name!r} must be {inner}, got {text!r}") from None
