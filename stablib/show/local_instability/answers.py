"""Answers to what the local instability paper says beside its tables' cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import (
    HIGH_ENTROPY,
    bootstrap_interval,
    centred_interval,
    confidence_mean,
    confidence_sd,
)
from stablib.papers.claims import Measured
from stablib.show.local_instability.comparison import CLAIMS, generator
from stablib.studies.local_instability import CONTROL, NULL, Results, Variant

#: Resamples of runs for the intervals of counts.
_RESAMPLES = 500

#: Methods that treat all examples alike.
SIMPLE = (Variant("l2"), Variant("swa"), Variant("label_smoothing"))
ENSEMBLES = (Variant("ensemble", "shared"), Variant("ensemble", "own"))
TGTSS = (Variant("tgtss", "shared"), Variant("tgtss", "own"))


def over_runs(
    claim: str, statistic: Callable[..., float], *samples: NDArray[Any], variant: str = ""
) -> list[Measured]:
    """A statistic of runs with its bootstrap interval; empty if there is no such claim."""
    if claim not in CLAIMS:
        return []
    interval = bootstrap_interval(statistic, *samples, rng=generator(), n_resamples=_RESAMPLES)
    return [Measured(claim, float(statistic(*samples)), *interval, variant)]


def of_utterance(name: str, labels: NDArray[np.integer], gold: NDArray[Any]) -> list[Measured]:
    """How far the runs scatter on an utterance of Table 1.

    Parameters
    ----------
    name : str
        Part of the claims' names.
    labels : ndarray of int, shape (n_runs,)
        Predicted class indices.
    gold : ndarray of float, shape (n_runs,)
        Probability of the gold label.
    """
    return [
        *over_runs(f"t1-{name}-labels", lambda runs: float(len(np.unique(runs))), labels),
        *over_runs(f"t1-{name}-sigma", lambda runs: float(np.std(runs)), gold),
        *over_runs(f"t1-{name}-range", lambda runs: float(np.ptp(runs)), gold),
    ]


def of_regions(results: Results) -> list[Measured]:
    """How many utterances lie where the appendix sees some (A.1)."""
    confidence = results.confidence(CONTROL)
    name = results.dataset.name

    def share(region: Callable[..., NDArray[np.bool_]]) -> Callable[..., float]:
        return lambda runs: 100.0 * float(region(confidence_mean(runs), confidence_sd(runs)).mean())

    regions: Mapping[str, Callable[..., NDArray[np.bool_]]] = {
        "unstable": lambda mu, sigma: (sigma > 0.2) & (mu > 0.25) & (mu < 0.75),
        "wrong": lambda mu, sigma: (mu < 0.1) & (sigma < 0.1),
        "bulk": lambda mu, sigma: (mu > 0.9) & (sigma < 0.1),
    }
    return [
        measured
        for region, inside in regions.items()
        for measured in over_runs(f"a1-{name}-{region}", share(inside), confidence)
    ]


def leads(
    claim: str,
    frame: pd.DataFrame,
    replicates: Mapping[Variant, NDArray[np.float64]],
    leaders: Sequence[Variant],
    others: Sequence[Variant],
) -> list[Measured]:
    """By how many points the reduction by each leader is above the best of some others."""
    if claim not in CLAIMS:
        return []
    best = frame.loc[list(others), "reduction"].idxmax()
    found = []
    for leader in leaders:
        value = float(frame.loc[leader, "reduction"] - frame.loc[best, "reduction"])
        interval = centred_interval(value, replicates[leader] - replicates[best])
        found.append(Measured(claim, value, *interval, leader.teacher))
    return found


def most_accurate(
    results: Results, percent: Mapping[Variant, NDArray[np.float64]]
) -> list[Measured]:
    """By how much the mean accuracy of each ensemble is above the best of the other methods."""
    others = [v for v in results.runs if v not in (*ENSEMBLES, NULL)]
    best = max(others, key=lambda v: percent[v].mean())
    return [
        measured
        for leader in ENSEMBLES
        for measured in over_runs(
            f"t3-{results.dataset.name}-ensemble-most-accurate",
            lambda first, second: float(first.mean() - second.mean()),
            percent[leader],
            percent[best],
            variant=leader.teacher,
        )
    ]


def settled(results: Results, method: Variant) -> list[Measured]:
    """Utterances that control leaves unsettled within a run and the method does not.

    Percent of the utterances with LE_s above 0.56 in control whose LE_s is halved, mean over the
    watched runs; the null is the same by other seeds of control.
    """
    claim = f"f8-{results.dataset.name}-settled"

    def halved(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
        unsettled = before > HIGH_ENTROPY
        return 100.0 * float((after[unsettled] < before[unsettled] / 2).mean())

    (found,) = over_runs(claim, halved, results.le_s[CONTROL], results.le_s[method]) or (None,)
    if found is None:
        return []
    null = halved(results.le_s[CONTROL], results.le_s[NULL])
    return [Measured(claim, found.value, found.low, found.high, method.teacher, null)]
