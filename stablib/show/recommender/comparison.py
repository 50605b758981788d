"""Runs of recommenders compared: what the exhibits share."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.data import entry
from stablib.metrics import (
    Interval,
    bootstrap_interval,
    disagreement_of_runs,
    over_examples,
    pairwise_jaccard_index,
    pairwise_rank_biased_overlap,
    resampled_sd,
    sd_over_runs,
)
from stablib.show.exhibit import answered, with_interval
from stablib.show.resamples import NO_INTERVAL, Resamples
from stablib.studies.recommender import Recommender, Results
from stablib.studies.recommender.results import K

#: The thesis's claims.
CLAIMS = Recommender.claims()

#: The answer to a claim of the thesis, see :func:`stablib.show.exhibit.answered`.
answer = functools.partial(answered, CLAIMS)

#: Resamples of runs for every interval.
RUNS = Resamples(500, 20190725, fewest=5)

#: First users whose lists are compared by rank-biased overlap, which takes long.
_OVERLAPPED = 500

#: A mean score above it is high (Figure 3.11).
HIGH = 0.8

#: What the thesis reports of two runs' attention to items with such scores.
SAID_AT_HIGH = CLAIMS["f311-jaccard"]

#: Edges of the bins of confidence, from that of a coin.
CONFIDENCE = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 1.0])


#: Mean of one number a run, with its interval over runs.
mean_of = RUNS.mean


def over_runs(
    statistic: Callable[..., float], *samples: NDArray[np.float64]
) -> tuple[float, Interval]:
    """A statistic of arrays with a leading run axis, with its interval over runs."""
    value = float(statistic(*samples))
    if min(map(len, samples)) < RUNS.fewest:
        return value, NO_INTERVAL
    return value, bootstrap_interval(
        statistic, *samples, rng=RUNS.seed, n_resamples=RUNS.n_resamples
    )


def by_bin(
    values: NDArray[np.float64], places: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean of each run's values in bins of their places: (n_runs, n_bins), nan where none is.

    A value on an edge counts with the bin below it, but for the first.

    Examples
    --------
    >>> by_bin(np.array([[1.0, 2.0, 4.0]]), np.array([[0.5, 0.6, 0.61]]), CONFIDENCE)[:, :2]
    array([[1.5, 4. ]])
    """
    n_bins = len(edges) - 1
    found = np.full((len(values), n_bins), np.nan)
    for run, (numbers, where) in enumerate(zip(values, places, strict=True)):
        bins = np.searchsorted(edges[1:-1], where, side="left")
        counts = np.bincount(bins, minlength=n_bins)
        sums = np.bincount(bins, weights=numbers, minlength=n_bins)
        np.divide(sums, counts, out=found[run], where=counts > 0)
    return found


def curve(by_run: NDArray[np.float64], edges: NDArray[np.float64]) -> pd.DataFrame:
    """Mean over runs of values by bin, with intervals over runs; bins that are empty are left out.

    A run without a value in a bin does not count there.
    """
    rows = []
    weights = RUNS.weights(len(by_run))
    for number, column in enumerate(by_run.T):
        there = ~np.isnan(column)
        if not there.any():
            continue
        mean = float(column[there].mean())
        counts = weights[:, there]
        totals = counts.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            draws = counts @ column[there] / totals
        low, high = RUNS.interval(mean, draws, int(there.sum()))
        rows.append(
            {
                "from": edges[number],
                "to": edges[number + 1],
                "middle": (edges[number] + edges[number + 1]) / 2.0,
                "mean": mean,
                "low": low,
                "high": high,
            }
        )
    return pd.DataFrame(rows)


def hit_disagreement(results: Results, row: str) -> tuple[float, Interval]:
    """Held-out items that one of two runs has among its first ten and the other not, in percent.

    No threshold of scores is in it, so a model cannot agree with itself by being less sure.
    """
    return RUNS.pairs(100.0 * disagreement_of_runs((results.ranks[row] < K).astype(int)))


def label_disagreement(results: Results, row: str) -> tuple[float, Interval]:
    """Held-out items that one of two runs calls chosen (above .5) and the other not, in percent."""
    return RUNS.pairs(100.0 * disagreement_of_runs(results.labels(row)))


def overlap_of_tens(results: Results, row: str) -> tuple[float, Interval]:
    """Rank-biased overlap of two runs' first ten items, mean over pairs and users, fraction."""
    first = results.first(row)[:, :_OVERLAPPED]
    per_user = over_examples(pairwise_rank_biased_overlap, list(first.transpose(1, 0, 2)))
    return RUNS.pairs(per_user.mean(axis=0))


def shared_of_tens(results: Results, row: str) -> tuple[float, Interval]:
    """How many of the first ten items two runs share, mean over pairs and users."""
    first = results.first(row)
    n_candidates = int(first.max()) + 1
    members = np.zeros((*first.shape[:2], n_candidates))
    np.put_along_axis(members, first, 1.0, axis=2)
    matrix = np.einsum("iuc,juc->ij", members, members) / first.shape[1]
    return RUNS.pairs(matrix)


def score_sd(results: Results, row: str) -> tuple[float, Interval]:
    """Sd over runs (ddof 0) of the probability of the items held out, mean over users."""
    scores = results.chosen(row)
    value, n_runs = float(sd_over_runs(scores).mean()), len(scores)
    draws = resampled_sd(scores, RUNS.weights(n_runs)).mean(axis=1)
    return value, RUNS.interval(value, draws, n_runs)


def attended_matrices(results: Results, row: str) -> NDArray[np.float64]:
    """Jaccard index of the most attended tenth by user: (n_users, n_runs, n_runs)."""
    return np.stack([pairwise_jaccard_index(chosen) for chosen in results.top(row)])


def chance_jaccard(results: Results, row: str) -> float:
    """Jaccard index of tenths that are drawn at random from the same histories, mean over users.

    Expected for sets of k of n items: by the hypergeometric distribution of what they share.
    """
    from scipy.stats import hypergeom

    lengths = results.runs[row]["lengths"][0].astype(np.int64)
    expected = {}
    for n in np.unique(lengths):
        k = int(results.top_count(int(n)))
        shared = np.arange(k + 1)
        expected[n] = float((hypergeom.pmf(shared, n, k, k) * shared / (2 * k - shared)).sum())
    return float(np.mean([expected[n] for n in lengths]))


def attended_jaccard(
    results: Results, row: str, *, above: float | None = None
) -> tuple[float, Interval]:
    """Jaccard index of two runs' most attended tenth, mean over pairs and users, fraction.

    ``above`` keeps the users whose held-out item has a larger mean score.
    """
    matrix = mean_jaccards(results, row, above=above)
    return RUNS.pairs(matrix) if matrix is not None else (float("nan"), NO_INTERVAL)


def mean_jaccards(
    results: Results, row: str, *, above: float | None = None
) -> NDArray[np.float64] | None:
    """The same of each two runs, mean over users: (n_runs, n_runs); None if no user is left."""
    matrices = attended_matrices(results, row)
    if above is not None:
        matrices = matrices[results.chosen(row).mean(axis=0)[: len(matrices)] > above]
    return matrices.mean(axis=0) if len(matrices) else None


def confidence(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of the predicted one of two classes."""
    return np.maximum(chances, 1.0 - chances)


def cell(found: tuple[float, Interval], digits: int = 1) -> str:
    """A value with its interval, as a table shows it."""
    return with_interval(*found, digits)


def named(results: Results) -> str:
    """Name of the data for the reader."""
    return entry(results.dataset.name).title
