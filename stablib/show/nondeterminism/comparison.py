"""How much runs vary, in the five measures of the paper: what its exhibits share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from stablib.metrics import (
    Interval,
    centred_interval,
    pair_mean,
    pairwise_ensemble_delta,
    pairwise_spearman,
    resample_runs,
    resampled_pair_mean,
    resampled_sd,
    sd_over_runs,
)
from stablib.papers.claims import Measured
from stablib.studies.nondeterminism import Nondeterminism

#: The paper's claims.
CLAIMS = Nondeterminism.claims()

#: Resamples of runs for every interval, and the seed with which they are drawn.
RESAMPLES, SEED = 1000, 20210718

#: Measures in the order of the paper's columns: name in claims, column, digits.
MEASURES = (
    ("accuracy-sd", "sd of accuracy (points)", 2),
    ("ce-sd", "sd of cross-entropy (nats)", 4),
    ("disagreement", "disagreement (%)", 1),
    ("spearman", "Spearman's ρ", 3),
    ("delta", "gain of a pair (points)", 2),
)
_SPEARMAN = 3


class Varied(NamedTuple):
    """How a set of runs varies.

    Parameters
    ----------
    accuracies : ndarray of float64, shape (n_runs,)
        In percent.
    values : ndarray of float64, shape (5,)
        In the order of :data:`MEASURES`.
    replicates : ndarray of float64, shape (n_resamples, 5)
        The same in resamples of the runs.
    """

    accuracies: NDArray[np.float64]
    values: NDArray[np.float64]
    replicates: NDArray[np.float64]

    @property
    def amounts(self) -> NDArray[np.float64]:
        """The values such that more means more variable: 1 - rho in the place of rho."""
        return _amounts(self.values)

    @property
    def cells(self) -> dict[str, str]:
        """Columns of a table: sds with their error bars, means over pairs with intervals."""
        found = {"accuracy (%)": f"{self.accuracies.mean():.2f}"}
        for number, (_, column, digits) in enumerate(MEASURES):
            value, draws = self.values[number], self.replicates[:, number]
            if number < 2:
                found[column] = f"{_small(value, digits)} ± {_small(draws.std(), digits)}"
            else:
                low, high = centred_interval(float(value), draws)
                found[column] = f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
        return found


def varied(
    logits: NDArray[np.floating],
    gold: NDArray[np.integer],
    *,
    losses: NDArray[np.float64] | None = None,
    labels: NDArray[np.integer] | None = None,
    other_seeds: bool = False,
) -> Varied:
    """Measure how runs vary.

    Parameters
    ----------
    logits : ndarray of float, shape (n_runs, n_examples, n_classes)
    gold : ndarray of int, shape (n_examples,)
    losses : ndarray of float64, shape (n_runs,), optional
        Mean cross-entropy of each run, where it is known better than the logits say.
    labels : ndarray of int, shape (n_runs, n_examples), optional
        Predicted labels, likewise.
    other_seeds : bool, default False
        Draw other resamples: the runs are not paired with those they are compared with.
    """
    exact = np.asarray(logits, dtype=np.float64)
    predicted = exact.argmax(axis=2) if labels is None else labels
    if losses is None:
        of_gold = exact[:, np.arange(len(gold)), gold]
        losses = (logsumexp(exact, axis=2) - of_gold).mean(axis=1)
    accuracies = 100.0 * (predicted == gold).mean(axis=1)
    weights = drawn(len(exact), other_seeds=other_seeds)
    of_runs = np.stack([accuracies, losses], axis=1)
    matrices = np.stack(
        [
            disagreement(predicted),
            pairwise_spearman(exact),
            pairwise_ensemble_delta(
                exact, lambda run: 100.0 * float((run.argmax(axis=1) == gold).mean())
            ),
        ]
    )
    return Varied(
        accuracies,
        np.concatenate([sd_over_runs(of_runs), pair_mean(matrices)]),
        np.concatenate(
            [resampled_sd(of_runs, weights), resampled_pair_mean(matrices, weights)], axis=1
        ),
    )


def disagreement(labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Share of the examples on which each two runs disagree, in percent: (n_runs, n_runs)."""
    return 100.0 * np.array([(labels != one).mean(axis=1) for one in labels])


def drawn(n_runs: int, *, other_seeds: bool = False) -> NDArray[np.int64]:
    """How often each run counts in each resample; the same for all sets of equal seeds."""
    rng = np.random.default_rng(SEED + other_seeds)
    return resample_runs(n_runs, rng=rng, n_resamples=RESAMPLES)


def ratios(of: Varied, to: Varied) -> list[tuple[float, Interval]]:
    """How many times as variable runs are as others, in each measure."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = of.amounts / to.amounts
        draws = _amounts(of.replicates) / _amounts(to.replicates)
    return [finite(value, draws[:, k]) for k, value in enumerate(values)]


def largest_ratios(many: Sequence[Varied]) -> list[tuple[float, Interval]]:
    """How many times as variable the most variable runs are as the least, in each measure."""
    with np.errstate(divide="ignore", invalid="ignore"):
        amounts = np.stack([one.amounts for one in many])
        draws = np.stack([_amounts(one.replicates) for one in many])
        values, found = (a.max(axis=0) / a.min(axis=0) for a in (amounts, draws))
    return [finite(value, found[:, k]) for k, value in enumerate(values)]


def if_equal(runs: Sequence[Varied]) -> tuple[float, float]:
    """Largest over smallest sd of accuracy that equally variable rows would show by chance.

    Accuracies are taken about the mean of their row, and dealt out to rows at random.

    Returns
    -------
    mean, high : float
        Mean, and the 97.5 % quantile; nan if no row would vary.
    """
    rng = np.random.default_rng(SEED)
    centred = np.concatenate([one.accuracies - one.accuracies.mean() for one in runs])
    dealt = rng.permuted(np.tile(centred, (RESAMPLES, 1)), axis=1)
    sds = dealt.reshape(RESAMPLES, len(runs), -1).std(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = sds.max(axis=1) / sds.min(axis=1)
    known = found[np.isfinite(found)]  # Of few runs and images, a row may not vary at all.
    if not known.size:
        return float("nan"), float("nan")
    return float(known.mean()), float(np.quantile(known, 0.975))


def reduction(of: Varied, baseline: Varied) -> tuple[float, Interval]:
    """Mean relative reduction of the five measures, in percent."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = 100.0 * (1.0 - of.amounts / baseline.amounts).mean()
        draws = 100.0 * (1.0 - _amounts(of.replicates) / _amounts(baseline.replicates)).mean(axis=1)
    return finite(value, draws)


def answer(
    claim: str,
    found: tuple[float, Interval],
    *,
    variant: str = "",
    null: float | None = None,
) -> list[Measured]:
    """The answer to a claim of the paper; empty if it makes none."""
    value, interval = found
    return [Measured(claim, value, *interval, variant, null)] if claim in CLAIMS else []


def of_measure(one: Varied, number: int) -> tuple[float, Interval]:
    """One of the five measures with its interval."""
    value = float(one.values[number])
    return value, centred_interval(value, one.replicates[:, number])


def _amounts(values: NDArray[np.float64]) -> NDArray[np.float64]:
    found = values.copy()
    found[..., _SPEARMAN] = 1.0 - found[..., _SPEARMAN]
    return found


def finite(value: float, draws: NDArray[np.float64]) -> tuple[float, Interval]:
    """A value with the interval of its replicates; nan where it is not finite."""
    if not np.isfinite(value):
        return float("nan"), Interval(float("nan"), float("nan"))
    return float(value), centred_interval(float(value), draws)


def _small(value: float, digits: int) -> str:
    """Write a number that may be far below one."""
    return f"{value:.{digits}f}" if value == 0.0 or value >= 10.0**-digits else f"{value:.1e}"
