"""Every mitigation on every workload, in one unit (SY-T1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import (
    Interval,
    disagreement_of_runs,
    pair_mean,
    resampled_pair_mean,
)
from stablib.show.exhibit import Exhibit, record, with_interval
from stablib.show.resamples import Resamples
from stablib.studies.synthesis import CONTROL, ENSEMBLE, OTHER_SEEDS, Matrix
from stablib.studies.synthesis.design import METHODS
from stablib.workloads.text import LabelledRecipe, n_train

#: Resamples of runs for every interval.
RUNS = Resamples(1000, 20261201, fewest=5)
#: Points of accuracy that a method may cost to count as a help.
_LOSS = 1.0


class Effect(NamedTuple):
    """What a method does on a workload.

    Parameters
    ----------
    disagreement : float
        Of two runs with it, in percent of the examples.
    reduction, interval
        Of that of plain runs, in percent.
    gain : float
        Accuracy above that of plain runs, in points.
    accuracies : ndarray of float64, shape (n_runs,)
        In percent.
    """

    disagreement: float
    reduction: float
    interval: Interval
    gain: float
    accuracies: NDArray[np.float64]


def effects(found: Matrix) -> dict[str, dict[str, Effect]]:
    """Effects by workload and method, plain runs first."""
    members = found.study.settings.members
    every = {}
    for workload, rows in found.runs.items():
        gold = found.gold[workload]
        of = {}
        for row in rows:
            if row == ENSEMBLE:
                together = found.ensembles(workload, members)
                if together is not None:
                    # Of some workloads the scores of the first examples alone are kept.
                    of[row] = _effect(*together, gold[: together[0].shape[1]], same_seeds=True)
                continue
            plain, same = found.plain(workload, row)
            of[row] = _effect(found.labels(workload, row), plain, gold, same_seeds=same)
        every[workload] = of
    return every


def _effect(
    labels: NDArray[np.integer],
    plain: NDArray[np.integer],
    gold: NDArray[np.integer],
    *,
    same_seeds: bool,
) -> Effect:
    """Compare runs with plain ones.

    Those with the same seeds are drawn together; an ensemble is drawn with all its members, which
    follow each other among the plain runs.
    """
    apart, base = (100.0 * disagreement_of_runs(each) for each in (labels, plain))
    mean, of_plain = float(pair_mean(apart)), float(pair_mean(base))
    own = RUNS.weights(len(labels))
    if same_seeds:
        weights = np.repeat(own, len(plain) // len(labels), axis=1)
    else:
        weights = RUNS.weights(len(plain), other_seeds=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        reduction = 100.0 * (1.0 - np.divide(mean, of_plain))
        draws = 100.0 * (1.0 - resampled_pair_mean(apart, own) / resampled_pair_mean(base, weights))
    accuracies, before = (100.0 * (each == gold).mean(axis=1) for each in (labels, plain))
    return Effect(
        mean,
        float(reduction),
        RUNS.interval(float(reduction), draws, len(labels)),
        float(accuracies.mean() - before.mean()),
        accuracies,
    )


def mitigations(found: Matrix) -> Exhibit:
    """Reduction of disagreement by method and workload, with the change of accuracy."""
    every = effects(found)
    table: dict[str, dict[str, str]] = {}
    reasons: dict[str, int] = {}
    rows = [CONTROL, *METHODS]
    for row in rows:
        title = f"{row} of {found.study.settings.members}" if row == ENSEMBLE else row
        cells = {"trainings a prediction": METHODS.get(row, "1")}
        for workload, of in every.items():
            if row not in of:
                why = found.why_not(workload, row)
                cells[workload] = f"({reasons.setdefault(why, len(reasons) + 1)})"
            elif row == CONTROL:
                one = of[row]
                cells[workload] = f"{one.disagreement:.1f} % of two runs differ"
            else:
                one = of[row]
                cells[workload] = (
                    f"{with_interval(one.reduction, one.interval, 0)}; {one.gain:+z.1f} points"
                )
        table[title] = cells
    notes = "; ".join(f"({number}) {why}" for why, number in reasons.items())
    return record(
        "SY-T1",
        pd.DataFrame.from_dict(table, orient="index"),
        made_by=mitigations,
        results=[found],
        caption=(
            "By how many percent the disagreement of two runs is below that of plain runs, with "
            "95 % bootstrap intervals over runs, and by how many points the mean accuracy is "
            "above theirs; the first row has the disagreement of plain runs. A method with fewer "
            "runs is held against the plain runs with its seeds. For the recommender two runs "
            "differ on a held-out item if one has it among its first ten and the other has not, "
            "and accuracy is the hit rate. CNN and BiLSTM are looked at after the last epoch, not "
            "at their best checkpoint as in the tables of their paper. "
            f"Of fewer than {RUNS.fewest} runs or ensembles no interval is given. Views of "
            "photographs are mirrored and shifted, as in training; those of digits are shifted, "
            f"which their training never does. {notes}."
        ),
        details=f"{_ensembles(found)} {_made_of(found)}",
        finding=_finding(every),
    )


def _ensembles(found: Matrix) -> str:
    """How many ordinary ensembles there are, and on how many examples, by workload."""
    said = []
    for workload, rows in found.runs.items():
        together = (
            found.ensembles(workload, found.study.settings.members) if ENSEMBLE in rows else None
        )
        if together is not None:
            count, examples = together[0].shape
            said.append(f"{count} on {examples:,} examples of {workload}")
    return f"Ordinary ensembles: {'; '.join(said)}."


#: What a method is made of that is not the same on all workloads, by row, in words.
_PARTS: Mapping[str, tuple[str, Callable[[Any, int], str]]] = {
    "Ensemble, shared": ("teachers", lambda method, _: f"{method.members}"),
    "Ensemble, own": ("teachers", lambda method, _: f"{method.members}"),
    "TGTSS, own": (
        "first step that is averaged",
        lambda method, n_steps: f"{method.after_step + 1:,} of {n_steps:,}",
    ),
    "Snapshots": ("members", lambda method, _: f"{method.cycles}"),
}


def _made_of(found: Matrix) -> str:
    """What methods are made of that is not the same on all workloads."""
    parts = []
    for row, (what, of) in _PARTS.items():
        counts: dict[str, list[str]] = {}
        for workload, rows in found.runs.items():
            if row in rows:
                recipe = cast(LabelledRecipe, rows[row].recipe)
                size = recipe.steps(n_train(recipe)) if row.startswith("TGTSS") else 0
                counts.setdefault(of(recipe.method, size), []).append(workload)
        said = "; ".join(f"{n} on {', '.join(where)}" for n, where in counts.items())
        parts.append(f"{row}, {what}: {said}." if said else "")
    return " ".join(filter(None, parts))


def _finding(every: dict[str, dict[str, Effect]]) -> str:
    """Methods that help on every workload on which they were run, on two at least.

    What costs accuracy is no help.
    """
    helps: dict[str, list[bool]] = {}
    for of in every.values():
        for row, one in of.items():
            if row not in (CONTROL, OTHER_SEEDS) and not math.isnan(one.interval.low):
                better = one.interval.low > 0.0 and one.gain > -_LOSS
                helps.setdefault(row, []).append(better)
    several = {row: each for row, each in helps.items() if len(each) > 1}
    always = [f"{row} ({len(each)})" for row, each in several.items() if all(each)]
    never = [f"{row} ({len(each)})" for row, each in several.items() if not any(each)]
    mixed = [
        f"{row} ({sum(each)} of {len(each)})"
        for row, each in several.items()
        if any(each) and not all(each)
    ]
    parts = [
        (
            f"Whole intervals above 0 for at most {_LOSS:g} point of accuracy on every workload "
            "tried",
            always,
        ),
        ("on some", mixed),
        ("on none", never),
    ]
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names) + "."
