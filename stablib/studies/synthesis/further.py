"""Methods on the models of other chapters that do not try them: trained for this chapter alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from stablib.mitigation import (
    ASWA,
    EMA,
    L2,
    NASWA,
    SWA,
    TGTSS,
    Averaged,
    Ensemble,
    LabelSmoothing,
    Snapshot,
    StepSWA,
)
from stablib.studies.converged import temporal
from stablib.studies.synthesis.look import Look
from stablib.studies.synthesis.settings import SynthesisSettings
from stablib.training import Record
from stablib.training.method import Method
from stablib.workloads.text import LabelledRecipe

#: Averages of the weights that are looked at beside plain training.
AVERAGES: Mapping[str, StepSWA | EMA] = {"SWA of every step": StepSWA(), "EMA": EMA()}


def further(
    plain: Look,
    record: Record,
    settings: SynthesisSettings,
    *,
    own: TGTSS | None = None,
) -> dict[str, Look]:
    """Every method that a recipe of plain runs honours, with the first of their seeds, by row.

    Parameters
    ----------
    plain : Look
        At runs of the recipe.
    record : Record
        What is kept of each run; the look's array is in it.
    settings : SynthesisSettings
        How many runs, at most as many as there are plain ones, and teachers of an ensemble.
    own : TGTSS, optional
        TGTSS with teachers of one's own; by default it averages the last of their steps.
    """
    request = plain.request
    recipe, plans = request.recipe, request.plans[: settings.extra_runs]
    assert isinstance(recipe, LabelledRecipe)
    beside = Averaged(record=record, methods=tuple(AVERAGES.values()))
    averaged = dataclasses.replace(request, plans=plans, records=(beside,))
    found = {
        row: dataclasses.replace(plain.beside(method.kind), request=averaged)
        for row, method in AVERAGES.items()
    }
    methods = _methods(recipe)
    if "lesson" in recipe.workload.honours:
        methods |= _taught(own or temporal(recipe, converged=settings.converged), settings)
    for row, method in methods.items():
        with_it = dataclasses.replace(
            request, recipe=recipe.with_method(method), plans=plans, records=(record,)
        )
        found[row] = dataclasses.replace(plain, request=with_it)
    return found


def _methods(recipe: LabelledRecipe) -> dict[str, Method]:
    return {
        "SWA": SWA(),
        "ASWA": ASWA(),
        "NASWA": NASWA(),
        "L2": L2(),
        "Label smoothing": LabelSmoothing(alpha=0.1),
        "Snapshots": Snapshot(cycles=_cycles(recipe.n_epochs)),
    }


def _taught(own: TGTSS, settings: SynthesisSettings) -> dict[str, Method]:
    """Methods with teachers."""
    ensemble = Ensemble(members=settings.members)
    return {
        "TGTSS, shared": own.model_copy(update={"teacher": "shared"}),
        "TGTSS, own": own,
        "Ensemble, shared": ensemble,
        "Ensemble, own": ensemble.model_copy(update={"teacher": "own"}),
    }


def _cycles(n_epochs: int) -> int:
    """Members of a snapshot ensemble: three, or the next number that divides the epochs."""
    return next(c for c in range(min(3, n_epochs), n_epochs + 1) if n_epochs % c == 0)
