"""Intervals over runs, as the exhibits take them."""

from __future__ import annotations

import numpy as np
import pytest

from stablib.metrics import centred_interval
from stablib.show.resamples import NO_INTERVAL, Resamples

VALUES = np.random.default_rng(3).normal(size=7)
MATRIX = np.abs(VALUES[:, None] - VALUES)
RUNS = Resamples(40, 11)


def drawn() -> list[list[int]]:
    """The runs of each resample, one after the other."""
    return [np.repeat(np.arange(7), row).tolist() for row in RUNS.weights(7)]


def apart(rows: list[int]) -> float:
    """Mean over the pairs of different runs."""
    pairs = [(i, j) for i in rows for j in rows if i != j]
    return float(np.mean([MATRIX[i, j] for i, j in pairs]))


@pytest.mark.parametrize(
    ("found", "statistic"),
    [
        (RUNS.mean(VALUES), lambda rows: VALUES[rows].mean()),
        (RUNS.pairs(MATRIX), apart),
    ],
    ids=["mean", "pairs"],
)
def test_intervals_are_those_of_a_loop_over_resamples(found, statistic) -> None:
    value, interval = found
    assert value == pytest.approx(statistic(list(range(7))))
    expected = centred_interval(value, [statistic(rows) for rows in drawn()])
    assert interval == pytest.approx(expected)


def test_the_sd_has_the_spread_of_sds_about_their_own_mean() -> None:
    value, interval = RUNS.sd(VALUES)
    assert value == pytest.approx(VALUES.std(ddof=1))
    loop = [VALUES[rows].std(ddof=1) for rows in drawn()]
    assert interval == pytest.approx(centred_interval(value, loop))


def test_other_seeds_have_other_resamples_and_equal_seeds_the_same() -> None:
    assert np.array_equal(RUNS.weights(7), RUNS.weights(7))
    assert not np.array_equal(RUNS.weights(7), RUNS.weights(7, other_seeds=True))


def test_of_too_few_runs_there_is_a_value_and_no_interval() -> None:
    few = Resamples(40, 11, fewest=8)
    for found in (few.mean(VALUES), few.sd(VALUES), few.pairs(MATRIX)):
        assert np.isfinite(found[0])
        assert np.isnan(found[1]).all()
    assert np.isnan(NO_INTERVAL).all()


@pytest.mark.parametrize("n_runs", [5, 10])
def test_intervals_of_few_runs_hold_what_they_promise_if_widened(n_runs: int) -> None:
    """How often the interval of a mean misses the mean that runs are drawn with."""
    drawn = np.random.default_rng(0).normal(size=(2000, n_runs))
    missed = {}
    for of_few in (False, True):
        resamples = Resamples(1000, 1, of_few=of_few)
        draws = drawn @ resamples.weights(n_runs).T / n_runs
        intervals = [
            resamples.interval(float(values.mean()), own, n_runs)
            for values, own in zip(drawn, draws, strict=True)
        ]
        missed[of_few] = np.mean([not each.low <= 0.0 <= each.high for each in intervals])
    assert missed[True] == pytest.approx(0.05, abs=0.015)
    assert missed[False] > 0.09
