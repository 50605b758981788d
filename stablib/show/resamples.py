"""Resamples of runs, from which the exhibits of a paper take their intervals."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

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
    """

    n_resamples: int
    seed: int

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

    def mean(self, values: NDArray[np.float64]) -> tuple[float, Interval]:
        """Mean of one number a run, with its interval."""
        value = float(values.mean())
        return value, centred_interval(value, self.weights(len(values)) @ values / len(values))

    def sd(self, values: NDArray[np.float64]) -> tuple[float, Interval]:
        """Standard deviation (ddof 1) of one number a run, with its interval."""
        value = float(values.std(ddof=1))
        factor = np.sqrt(len(values) / (len(values) - 1))
        draws = factor * resampled_sd(values[:, None], self.weights(len(values)))[:, 0]
        return value, centred_interval(value, draws)

    def pairs(self, matrix: NDArray[np.float64]) -> tuple[float, Interval]:
        """Mean over pairs of runs of a matrix (n_runs, n_runs), with its interval.

        Examples
        --------
        >>> Resamples(100, 0).pairs(np.array([[0.0, 2.0], [2.0, 0.0]]))[0]
        2.0
        """
        value = float(pair_mean(matrix))
        draws = resampled_pair_mean(matrix, self.weights(len(matrix)))
        return value, centred_interval(value, draws)
