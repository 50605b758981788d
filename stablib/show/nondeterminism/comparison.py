"""How much runs vary, in the five measures of the paper: what its exhibits share."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from stablib.metrics import (
    Interval,
    centred_interval,
    disagreement_of_runs,
    pair_mean,
    pairwise_ensemble_delta,
    pairwise_spearman,
    resampled_pair_mean,
    resampled_sd,
    sd_over_runs,
)
from stablib.papers.claims import Measured
from stablib.show.exhibit import answered, with_interval
from stablib.show.resamples import NO_INTERVAL, Resamples
from stablib.studies.nondeterminism import ALL, OTHER_SEEDS, Nondeterminism, Results

#: The paper's claims.
CLAIMS = Nondeterminism.claims()

#: What a larger share of resamples says may be so.
_MAY_BE = 0.025
#: Resamples of runs for every interval.
RUNS = Resamples(1000, 20210718)


class Measure(NamedTuple):
    """One way to say how much runs vary: its name in claims, its column, and its digits there.

    ``is_sd`` tells a standard deviation over runs from a mean over pairs. What is smaller the more
    runs vary is taken from ``falls_from``, its value for equal runs.
    """

    name: str
    column: str
    digits: int
    is_sd: bool = False
    falls_from: float | None = None


#: In the order of the paper's columns.
MEASURES = (
    Measure("accuracy-sd", "sd of accuracy (points)", 2, is_sd=True),
    Measure("ce-sd", "sd of cross-entropy (nats)", 4, is_sd=True),
    Measure("disagreement", "disagreement (%)", 1),
    Measure("spearman", "Spearman's ρ", 3, falls_from=1.0),
    Measure("delta", "gain of a pair (points)", 2),
)


#: Column of what classifiers reach.
ACCURACY = "accuracy (%)"


class Varied(NamedTuple):
    """How a set of runs varies.

    Parameters
    ----------
    levels : ndarray of float64, shape (n_runs,)
        What each run reaches: accuracy in percent, or what ``level`` says.
    values : ndarray of float64, shape (n_measures,)
        In the order of ``measures``.
    replicates : ndarray of float64, shape (n_resamples, n_measures)
        The same in resamples of the runs.
    measures : tuple of Measure, optional
        The paper's five of classifiers by default.
    level : str, default ACCURACY
        Column of the mean of ``levels``.
    """

    levels: NDArray[np.float64]
    values: NDArray[np.float64]
    replicates: NDArray[np.float64]
    measures: tuple[Measure, ...] = MEASURES
    level: str = ACCURACY

    @property
    def amounts(self) -> NDArray[np.float64]:
        """The values such that more means more variable: 1 - rho in the place of rho."""
        return self._rising(self.values)

    @property
    def resampled_amounts(self) -> NDArray[np.float64]:
        """The same of the replicates."""
        return self._rising(self.replicates)

    @property
    def cells(self) -> dict[str, str]:
        """Columns of a table: sds with their error bars, means over pairs with intervals."""
        found = {self.level: f"{self.levels.mean():.2f}"}
        for number, measure in enumerate(self.measures):
            value, draws, digits = self.values[number], self.replicates[:, number], measure.digits
            if measure.is_sd:
                found[measure.column] = f"{_small(value, digits)} ± {_small(draws.std(), digits)}"
            else:
                low, high = centred_interval(float(value), draws)
                found[measure.column] = f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
        return found

    def _rising(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = values.copy()
        for number, measure in enumerate(self.measures):
            if measure.falls_from is not None:
                found[..., number] = measure.falls_from - found[..., number]
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
        Of all examples, or of the first ones where labels and losses are given.
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
    first = gold[: exact.shape[1]]
    if losses is None:
        of_gold = exact[:, np.arange(len(gold)), gold]
        losses = (logsumexp(exact, axis=2) - of_gold).mean(axis=1)
    accuracies = 100.0 * (predicted == gold).mean(axis=1)
    weights = RUNS.weights(len(exact), other_seeds=other_seeds)
    of_runs = np.stack([accuracies, losses], axis=1)
    matrices = np.stack(
        [
            disagreement(predicted),
            pairwise_spearman(exact),
            pairwise_ensemble_delta(
                exact, lambda run: 100.0 * float((run.argmax(axis=1) == first).mean())
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


def single_runs(pool: Results, count: int) -> tuple[Varied, list[Varied]]:
    """How runs of which everything varies vary: a mean over sets of so many, and each set.

    By luck a few runs may be far more alike than as many others.

    Parameters
    ----------
    pool : Results
        Has such runs with two sets of seeds.
    count : int
        Runs in a set; the sets share none.
    """
    logits, losses, labels = (
        np.concatenate([of[row] for row in (ALL, OTHER_SEEDS)])
        for of in (pool.logits, pool.losses, pool.labels)
    )
    sets = [
        varied(logits[k], pool.gold, losses=losses[k], labels=labels[k])
        for k in np.arange(len(labels) // count * count).reshape(-1, count)
    ]
    levels = np.concatenate([one.levels for one in sets])
    means = (np.mean([getattr(s, of) for s in sets], axis=0) for of in ("values", "replicates"))
    return Varied(levels, *means), sets


def disagreement(labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Share of the examples on which each two runs disagree, in percent: (n_runs, n_runs)."""
    return 100.0 * disagreement_of_runs(labels)


def ratios(of: Varied, to: Varied) -> list[tuple[float, Interval]]:
    """How many times as variable runs are as others, in each measure."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = of.amounts / to.amounts
    draws = _over(of.resampled_amounts, to.resampled_amounts)
    return [finite(value, draws[:, k]) for k, value in enumerate(values)]


def largest_ratios(many: Sequence[Varied]) -> list[tuple[float, Interval]]:
    """How many times as variable the most variable runs are as the least, in each measure."""
    with np.errstate(divide="ignore", invalid="ignore"):
        amounts = np.stack([one.amounts for one in many])
        values = amounts.max(axis=0) / amounts.min(axis=0)
    draws = np.stack([one.resampled_amounts for one in many])
    found = _over(draws.max(axis=0), draws.min(axis=0))
    return [finite(value, found[:, k]) for k, value in enumerate(values)]


def if_equal(runs: Sequence[Varied]) -> tuple[float, float]:
    """Largest over smallest sd of accuracy that equally variable rows would show by chance.

    Accuracies are taken about the mean of their row, and dealt out to rows at random.

    Returns
    -------
    mean, high : float
        Mean, and the 97.5 % quantile; nan if no row would vary.
    """
    rng = np.random.default_rng(RUNS.seed)
    centred = np.concatenate([one.levels - one.levels.mean() for one in runs])
    dealt = rng.permuted(np.tile(centred, (RUNS.n_resamples, 1)), axis=1)
    sds = dealt.reshape(RUNS.n_resamples, len(runs), -1).std(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = sds.max(axis=1) / sds.min(axis=1)
    known = found[np.isfinite(found)]  # Of few runs and images, a row may not vary at all.
    if not known.size:
        return float("nan"), float("nan")
    return float(known.mean()), float(np.quantile(known, 0.975))


def said_of(
    measures: Sequence[Measure],
    ratios: Sequence[tuple[float, Interval]],
    nulls: Sequence[float] | None = None,
) -> str:
    """Say ratios by measure, and what they are of other seeds, where that is given."""
    beside = [""] * len(ratios) if nulls is None else [f" (other seeds {n:.2f})" for n in nulls]
    return ", ".join(
        f"{measure.column} {with_interval(*ratio, 2)}{null}"
        for measure, ratio, null in zip(measures, ratios, beside, strict=True)
    )


def reduction(of: Varied, baseline: Varied) -> tuple[float, Interval]:
    """Mean relative reduction of the five measures, in percent."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = 100.0 * (1.0 - of.amounts / baseline.amounts).mean()
    draws = _over(of.resampled_amounts, baseline.resampled_amounts)
    return finite(value, 100.0 * (1.0 - draws).mean(axis=1))


def _over(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ratios of resampled amounts by measure; nan where that below the line is negative.

    The gain of a pair may be. Of a measure that may as well be nothing, all are: a ratio to it has
    no interval.
    """
    negative = others < 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(negative, np.nan, some / others)
    found[:, negative.mean(axis=0) > _MAY_BE] = np.nan
    return found


#: The answer to a claim of the paper, see :func:`stablib.show.exhibit.answered`.
answer = functools.partial(answered, CLAIMS)


def answer_of_all(
    claim: str, found: Mapping[str, tuple[float, Interval]], *, null: float | None = None
) -> list[Measured]:
    """Answers of several variants to one claim about all of them.

    The least favourable stands first, and is the one that is judged; empty if there is no such
    claim.
    """
    if claim not in CLAIMS:
        return []
    rule, target = CLAIMS[claim].rule, CLAIMS[claim].target

    def favour(value: float) -> float:
        if rule == "at_most":
            return -value
        if rule == "value":
            assert target is not None
            return -abs(value - target)
        return value

    ordered = sorted(found.items(), key=lambda item: favour(item[1][0]))
    return [each for name, one in ordered for each in answer(claim, one, variant=name, null=null)]


def less_in_percent(ratio: tuple[float, Interval], *, sign: float = 1.0) -> tuple[float, Interval]:
    """A ratio as percent below one, or above it with a ``sign`` of -1."""
    value, interval = ratio
    low, high = sorted(sign * 100.0 * (1.0 - end) for end in interval)
    return sign * 100.0 * (1.0 - value), Interval(low, high)


def by_luck(pool: Results, count: int) -> list[float]:
    """By how many percent a set of so many runs varies less, or more, at most, by measure.

    Parameters
    ----------
    pool, count
        As for :func:`single_runs`, from whose mean over all sets it is measured.
    """
    usual, sets = single_runs(pool, count)
    apart = [[less_in_percent(ratio)[0] for ratio in ratios(one, usual)] for one in sets]
    return [max(map(abs, of_measure)) for of_measure in zip(*apart, strict=True)]


def level(one: Varied) -> tuple[float, Interval]:
    """What runs reach on average, with a 95 % bootstrap interval."""
    mean = float(one.levels.mean())
    weights = RUNS.weights(len(one.levels))
    return mean, centred_interval(mean, weights @ one.levels / len(one.levels))


def of_measure(one: Varied, number: int) -> tuple[float, Interval]:
    """One of the measures with its interval."""
    value = float(one.values[number])
    return value, centred_interval(value, one.replicates[:, number])


def finite(value: float, draws: NDArray[np.float64]) -> tuple[float, Interval]:
    """A value with the interval of its replicates; nan where there is none."""
    if not np.isfinite(value):
        return float("nan"), NO_INTERVAL
    if np.isnan(draws).all():
        return float(value), NO_INTERVAL
    return float(value), centred_interval(float(value), draws)


def _small(value: float, digits: int) -> str:
    """Write a number that may be far below one."""
    return f"{value:.{digits}f}" if value == 0.0 or value >= 10.0**-digits else f"{value:.1e}"
