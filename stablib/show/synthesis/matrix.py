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
from stablib.mitigation import L2, SWA
from stablib.show.exhibit import Exhibit, record, with_interval
from stablib.show.resamples import Resamples
from stablib.studies.synthesis import CONTROL, ENSEMBLE, OTHER_SEEDS, Matrix
from stablib.studies.synthesis.design import METHODS
from stablib.studies.synthesis.look import Predicted
from stablib.workloads.language import LikelyWords
from stablib.workloads.text import LabelledRecipe, n_train

#: Resamples of runs for every interval.
RUNS = Resamples(1000, 20261201, fewest=5, of_few=True)
#: Share of the accuracy of plain runs that a method may cost to count as a help.
_LOSS = 0.01
#: A run has failed with a smaller share of the accuracy of plain ones, or so many points behind the
#: median of those with the same method.
_FAILED, _BEHIND = 0.5, 10.0


class Effect(NamedTuple):
    """What a method does on a workload.

    Parameters
    ----------
    apart : ndarray of float64, shape (n_runs,)
        By how much each run differs from the others on average, in percent of the examples.
    reduction, interval
        By how many percent two runs differ less than plain ones.
    gain, gain_interval
        Accuracy above that of plain runs, in points.
    accuracies : ndarray of float64, shape (n_runs,)
        In percent.
    trainings : int
        Behind one prediction.
    softened : bool, default False
        Whether accuracy is a mean probability that the method lowers by itself.
    """

    apart: NDArray[np.float64]
    reduction: float
    interval: Interval
    gain: float
    gain_interval: Interval
    accuracies: NDArray[np.float64]
    trainings: int
    softened: bool = False

    @property
    def disagreement(self) -> float:
        """Of two runs with it, in percent of the examples."""
        return float(self.apart.mean())


def effects(found: Matrix) -> dict[str, dict[str, Effect]]:
    """Effects by workload and method, plain runs first."""
    every: dict[str, dict[str, Effect]] = {}
    for workload, rows in found.runs.items():
        of = every[workload] = {}
        for row in rows:
            trainings = found.trainings(workload, row)
            if row != ENSEMBLE:
                plain, same = found.plain(workload, row)
                own = found.predicted(workload, row)
                one = _effect(own, plain, same_seeds=same, trainings=trainings)
                of[row] = one._replace(softened=found.softened(workload, row))
            elif (together := found.ensembles(workload)) is not None:
                of[row] = _effect(*together, same_seeds=True, trainings=trainings)
    return every


def _effect(own: Predicted, plain: Predicted, *, same_seeds: bool, trainings: int = 1) -> Effect:
    """Compare runs with plain ones.

    Those with the same seeds are drawn together; an ensemble is drawn with all its members, which
    follow each other among the plain runs.
    """
    n_runs, n_plain = len(own.labels), len(plain.labels)
    apart, base = (100.0 * disagreement_of_runs(each.labels) for each in (own, plain))
    drawn = RUNS.weights(n_runs)
    if same_seeds:
        drawn_plain = np.repeat(drawn, n_plain // n_runs, axis=1)
    else:
        drawn_plain = RUNS.weights(n_plain, other_seeds=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        reduction = float(100.0 * (1.0 - np.divide(pair_mean(apart), pair_mean(base))))
        reductions = 100.0 * (
            1.0 - resampled_pair_mean(apart, drawn) / resampled_pair_mean(base, drawn_plain)
        )
    gain = float(own.accuracies.mean() - plain.accuracies.mean())
    gains = drawn @ own.accuracies / n_runs - (
        drawn_plain @ plain.accuracies / drawn_plain.sum(axis=1)
    )
    return Effect(
        apart.sum(axis=1) / (n_runs - 1),
        reduction,
        RUNS.interval(reduction, reductions, n_runs),
        gain,
        RUNS.interval(gain, gains, n_runs),
        own.accuracies,
        trainings,
    )


def mitigations(found: Matrix) -> Exhibit:
    """Reduction of disagreement by method and workload, with the change of accuracy."""
    every = effects(found)
    table: dict[str, dict[str, str]] = {}
    reasons: dict[str, int] = {}
    rows = [CONTROL, *METHODS]
    for row in rows:
        title = f"{row} of {found.study.settings.members}" if row == ENSEMBLE else row
        cells = {}
        for workload, of in every.items():
            if row not in of:
                why = found.why_not(workload, row)
                cells[workload] = f"({reasons.setdefault(why, len(reasons) + 1)})"
            elif row == CONTROL:
                one = of[row]
                cells[workload] = f"{one.disagreement:.1f} % differ; {one.accuracies.mean():.1f} %"
            else:
                cells[workload] = _cell(of[row])
        table[title] = cells
    notes = "; ".join(f"({number}) {why}" for why, number in reasons.items())
    return record(
        "SY-T1",
        pd.DataFrame.from_dict(table, orient="index"),
        made_by=mitigations,
        results=[found],
        caption=(
            "In each cell: by how many percent the disagreement of two runs is below that of plain "
            "runs; by how many points the mean accuracy is above theirs; times how many trainings "
            "are behind one prediction: ensembles are not of the same size everywhere. Brackets "
            "have 95 % bootstrap intervals over runs or ensembles, widened for few; there are "
            f"{_n_runs(found)}. The first row has the disagreement and the accuracy of plain runs. "
            "A method with fewer runs is held "
            "against the plain runs with its seeds, other seeds against all. For the recommender "
            "two runs differ on a held-out item if one has it among its first ten and the other "
            "has not, and accuracy is the hit rate; for the language model it is the mean "
            "probability of the right word, which softer targets lower by themselves: whether they "
            "cost anything cannot be told. Of its teachers it learns how likely the likeliest "
            f"{LikelyWords().n_likely} words are, and that all others are "
            "alike, to which flattened targets give much. CNN and BiLSTM "
            "are looked at twice, at the best epoch "
            "by the validation texts as in the tables of their paper, and after the last. A shared "
            "teacher is trained once for all students; of snapshots and views a prediction takes "
            f"several passes. L2 adds {L2().decay:g} to the weight decay that plain runs have, and "
            f"SWA averages the last {SWA().last_epochs} epochs. "
            f"Of fewer than {RUNS.fewest} runs or ensembles no interval is given. Views of "
            "photographs are mirrored and shifted, as in training; those of digits are shifted, "
            f"which their training never does. {_failed(every)} {notes}."
        ),
        details=f"{_ensembles(found)} {_made_of(found)}",
        finding=_finding(every),
    )


def _cell(effect: Effect) -> str:
    """Reduction, change of accuracy and cost."""
    gain = with_interval(effect.gain, effect.gain_interval)
    sign = "" if gain.startswith("-") else "+"
    reduction = with_interval(effect.reduction, effect.interval, 0)
    return f"{reduction}; {sign}{gain}; \u00d7{effect.trainings}"


def n_failed(one: Effect, plain: Effect) -> int:
    """How many runs learnt little beside plain ones, or beside the others with their method.

    Of softened probabilities it cannot be told.
    """
    if one.softened:
        return 0
    usual, middle = float(plain.accuracies.mean()), float(np.median(one.accuracies))
    return int((one.accuracies < max(_FAILED * usual, middle - _BEHIND)).sum())


def _failed(every: dict[str, dict[str, Effect]]) -> str:
    """Say how many runs failed, and of which cells."""
    said = []
    for workload, of in every.items():
        for row, one in of.items():
            count = n_failed(one, of[CONTROL])
            if count:
                said.append(f"{count} of {len(one.accuracies)} with {row} on {workload}")
    return (
        f"Runs that failed, with less than {100 * _FAILED:.0f} % of the accuracy of plain ones or "
        f"{_BEHIND:.0f} points less than the median of their cell: {'; '.join(said)}."
        if said
        else ""
    )


def _ensembles(found: Matrix) -> str:
    """How many ordinary ensembles there are, and on how many examples, by workload."""
    said = []
    for workload, rows in found.runs.items():
        together = found.ensembles(workload) if ENSEMBLE in rows else None
        if together is not None:
            count, examples = together[0].labels.shape
            said.append(f"{count} on {examples:,} examples of {workload}")
    return f"Ordinary ensembles: {'; '.join(said)}."


#: What a method is made of that is not the same on all workloads, by row, in words.
_PARTS: Mapping[str, tuple[str, Callable[[Any, int], str]]] = {
    "TGTSS, own": (
        "first step that is averaged (of language models, of about so many)",
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
    """Methods that help in every column in which they are, in two at least.

    What may cost accuracy is no help; where that cannot be told, a cell does not count.
    """
    helps: dict[str, list[bool]] = {}
    for of in every.values():
        most = _LOSS * of[CONTROL].accuracies.mean()
        for row, one in of.items():
            told = not (one.softened or math.isnan(one.interval.low))
            if row not in (CONTROL, OTHER_SEEDS) and told:
                better = one.interval.low > 0.0 and one.gain_interval.low > -most
                helps.setdefault(row, []).append(better)
    several = {row: each for row, each in helps.items() if len(each) > 1}
    always = [f"{row} ({len(each)})" for row, each in several.items() if all(each)]
    never = [f"{row} ({len(each)})" for row, each in several.items() if not any(each)]
    mixed = [
        f"{row} ({sum(each)} of {len(each)})"
        for row, each in several.items()
        if any(each) and not all(each)
    ]
    parts = [("every column", always), ("some columns", mixed), ("none", never)]
    said = [f"with {', '.join(names)} in {where}" for where, names in parts if names]
    if not always:
        said.insert(0, "with no method in every column")
    return (
        f"Two runs differ less, and accuracy falls by less than {100 * _LOSS:.0f} % of itself, "
        f"both by whole intervals: {'; '.join(said)}."
    )


def _n_runs(found: Matrix) -> str:
    """How many runs or ensembles a cell has."""
    counts = sorted({len(r) for rows in found.runs.values() for r in rows.values()})
    few = sum(len(r) == counts[0] for rows in found.runs.values() for r in rows.values())
    every = sum(len(rows) for rows in found.runs.values())
    return f"{counts[0]} to {counts[-1]}, and {counts[0]} in {few} of {every} cells"
