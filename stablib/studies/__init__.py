"""Which runs the exhibits of each paper need; the one registry of papers."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stablib.errors import UsageError, unknown

if TYPE_CHECKING:
    from stablib.studies.base import Study

__all__ = ["PAPERS", "open_study", "papers", "study_class"]

#: The studies: names of the papers, and where each study is defined.
PAPERS: Mapping[str, str] = {
    "local_instability": "stablib.studies.local_instability:LocalInstability",
    "nondeterminism": "stablib.studies.nondeterminism:Nondeterminism",
    "random_seed": "stablib.studies.random_seed:RandomSeed",
    "recommender": "stablib.studies.recommender:Recommender",
    "synthesis": "stablib.studies.synthesis:Synthesis",
    "synthetic_irreproducibility": (
        "stablib.studies.synthetic_irreproducibility:SyntheticIrreproducibility"
    ),
}


def papers() -> dict[str, str]:
    """The registry, and the studies that the variable ``STABLIB_PAPERS`` adds to it.

    It holds one or more ``name=module:Class``, with commas between them.

    Raises
    ------
    UsageError
        If the variable has another form.
    """
    added = {}
    for part in filter(None, os.environ.get("STABLIB_PAPERS", "").split(",")):
        name, sign, place = part.partition("=")
        if not (sign and name and ":" in place):
            raise UsageError(f"STABLIB_PAPERS must hold name=module:Class, got {part!r}")
        added[name.strip()] = place.strip()
    return {**PAPERS, **added}


def study_class(paper: str) -> type[Study]:
    """Return the study of a paper.

    Raises
    ------
    UsageError
        If there is none, or it cannot be imported.
    """
    known = papers()
    if paper not in known:
        raise unknown("paper", paper, known)
    module, _, name = known[paper].partition(":")
    try:
        found: type[Study] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"the study of {paper!r} cannot be imported: {error}") from error
    if not (isinstance(found, type) and hasattr(found, "presets")):
        raise UsageError(f"the study of {paper!r} is no Study: {known[paper]}")
    return found


def open_study(
    paper: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    preset: str = "laptop",
    strict: bool = False,
    **changes: Any,
) -> Any:
    """Open the study of a paper.

    Parameters
    ----------
    paper : str
        One of :func:`papers`.
    parameters : mapping of str to object, optional
        A notebook's variables, ``vars()``: of these, the preset and the settings are taken.
    preset : str, default "laptop"
        ``"smoke"``, ``"laptop"`` or ``"paper"``.
    strict : bool, default False
        Refuse data that only stands in for what was asked for.
    **changes
        Settings that differ from the preset's; None keeps the preset's value.

    Returns
    -------
    Study
        The paper's own.

    Raises
    ------
    UsageError
        If the paper, the preset or a setting is unknown, or a value is not allowed.

    Examples
    --------
    >>> open_study("local_instability", n_runs=10).settings.n_runs
    10
    >>> open_study("synthetic_irreproducibility", preset="smoke").settings.n_pairs
    2
    """
    chosen = study_class(paper)
    if parameters is not None:
        preset = parameters.get("preset", preset)
        known = type(next(iter(chosen.presets.values()))).model_fields
        changes = {**{k: parameters[k] for k in known if k in parameters}, **changes}
    return chosen(preset, strict=strict, **changes)
