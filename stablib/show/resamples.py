"""Resamples of runs, from which the exhibits of a paper take their intervals."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from stablib.metrics import (
    Interval,
    centred_interval,
    pair_mean,
    resample_runs,
    resampled_pair_mean,
    resampled_sd,
)

#: Where there is no interval.
NO_INTERVAL = Interval(float("nan"), float("nan"))


@dataclasses.dataclass(frozen=True)
class Resamples:
    """How runs are resampled: the same for all sets of runs with the same seeds.

    So two methods are compared seed by seed. A rebuilt page shows the same intervals.

    Parameters
    ----------
    n_resamples : int
        How many there are.
    seed : int
        With which they are drawn.
    fewest : int, default 2
        Of fewer runs no interval is given: it would be far too narrow.
    of_few : bool, default False
        Widen intervals by what resamples of few runs lack: they vary less than the runs by
        sqrt((n - 1) / n), and their tails are those of a normal distribution instead of Student's.
    """

    n_resamples: int
    seed: int
    fewest: int = 2
    of_few: bool = False

    def weights(self, n_runs: int, *, other_seeds: bool = False) -> NDArray[np.int64]:
        """How often each run counts in each resample.

        Parameters
        ----------
        n_runs : int
        other_seeds : bool, default False
            Draw other resamples: the runs are not paired with those they are compared with.

        Returns
        -------
        ndarray of int64, shape (n_resamples, n_runs)
        """
        rng = np.random.default_rng(self.seed + other_seeds)
        return resample_runs(n_runs, rng=rng, n_resamples=self.n_resamples)

    def interval(self, value: float, draws: NDArray[np.float64], n_runs: int) -> Interval:
        """Interval of a value from its replicates, (n_resamples,), if there are runs enough."""
        if n_runs < self.fewest:
            return NO_INTERVAL
        if self.of_few:
            tails = stats.t.ppf(0.975, n_runs - 1) / stats.norm.ppf(0.975)
            draws = value + tails * np.sqrt(n_runs / (n_runs - 1)) * (draws - value)
        return centred_interval(value, draws)

    def mean(self, values: NDArray[np.float64]) -> tuple[float, Interval]:
        """Mean of one number a run, (n_runs,), with its interval."""
        value = float(values.mean())
        return value, self.interval(value, self.means(values), len(values))

    def sd(self, values: NDArray[np.float64]) -> tuple[float, Interval]:
        """Standard deviation (ddof 1) of one number a run, (n_runs,), with its interval."""
        value = float(values.std(ddof=1))
        return value, self.interval(value, self.sds(values), len(values))

    def means(
        self, values: NDArray[np.floating], *, other_seeds: bool = False
    ) -> NDArray[np.float64]:
        """Means of resampled runs, (n_resamples, ...), of numbers by run, (n_runs, ...).

        Examples
        --------
        >>> Resamples(4, 0).means(np.full(3, 0.5))
        array([0.5, 0.5, 0.5, 0.5])
        """
        weights = self.weights(len(values), other_seeds=other_seeds)
        return np.asarray(weights @ values / len(values))

    def sds(self, values: NDArray[np.float64], *, other_seeds: bool = False) -> NDArray[np.float64]:
        """Standard deviations (ddof 1) of resampled runs, (n_resamples,), of one number a run.

        Examples
        --------
        >>> Resamples(4, 0).sds(np.full(3, 0.5))
        array([0., 0., 0., 0.])
        """
        n_runs = len(values)
        weights = self.weights(n_runs, other_seeds=other_seeds)
        return np.sqrt(n_runs / (n_runs - 1)) * resampled_sd(values[:, None], weights)[:, 0]

    def pairs(self, matrix: NDArray[np.float64]) -> tuple[float, Interval]:
        """Mean over pairs of runs of a matrix, (n_runs, n_runs), with its interval.

        Examples
        --------
        >>> Resamples(100, 0).pairs(np.array([[0.0, 2.0], [2.0, 0.0]]))[0]
        2.0
        """
        n_runs, value = len(matrix), float(pair_mean(matrix))
        draws = resampled_pair_mean(matrix, self.weights(n_runs))
        return value, self.interval(value, draws, n_runs)
