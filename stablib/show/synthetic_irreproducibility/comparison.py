"""Compare curves: what the figures of the synthetic irreproducibility paper share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import Interval, bootstrap_interval, centred_interval, resample_runs
from stablib.papers.claims import Measured
from stablib.studies.stream_session import Curves, Point, Traced

#: Resamples of pairs.
_RESAMPLES = 1000


def generator() -> np.random.Generator:
    """The bootstrap's generator: fixed, so that a rebuilt page shows the same intervals."""
    return np.random.default_rng(20210219)


def interval(statistic: Callable[..., float], *samples: NDArray[Any]) -> Interval:
    """95 % bootstrap interval over pairs; nothing to resample gives the value itself."""
    return bootstrap_interval(statistic, *samples, rng=generator(), n_resamples=_RESAMPLES)


def mean_of(values: NDArray[np.float64]) -> float:
    """Mean over pairs."""
    return float(np.mean(values))


def mean_interval(values: NDArray[np.float64]) -> Interval:
    """95 % bootstrap interval of the mean over pairs; not below 0, as what is averaged is not."""
    drawn = resample_runs(len(values), rng=generator(), n_resamples=_RESAMPLES)
    low, high = centred_interval(mean_of(values), drawn @ values / len(values))
    return Interval(max(low, 0.0), high)


def measure(
    claim: str, statistic: Callable[..., float], *samples: NDArray[Any], variant: str = ""
) -> Measured:
    """A statistic of pairs with its interval, as the answer to a claim."""
    value = statistic(*samples)
    return Measured(f"si-{claim}", value, *interval(statistic, *samples), variant)


def decades(pairs: NDArray[np.float64]) -> float:
    """log10 of the ratio of two means; pairs (n_pairs, 2) hold numerator and denominator."""
    above, below = pairs.mean(axis=0)
    if above <= 0.0 or below <= 0.0:
        return float("nan")
    return float(np.log10(above / below))


def above(claim: str, first: NDArray[Any], second: NDArray[Any], variant: str = "") -> Measured:
    """By how many decades the first lies above the second, pair by pair on the same examples."""
    return measure(claim, decades, np.stack([first, second], axis=1), variant=variant)


def length(curves: Curves) -> str:
    """Length of the streams, as a variant of a claim."""
    return f"T = 2^{curves.curves[-1].log2_examples}"


def with_long(curves: Curves, long: Curves | None) -> list[Curves]:
    """The curves, and the long ones if these have all of them, with as many windows each."""
    windows = {curve.name: len(curve.points) for curve in long.curves} if long else {}
    needed = [windows.get(curve.name) for curve in curves.curves]
    whole = long is not None and None not in needed and len(set(needed)) == 1
    return [curves, long] if long is not None and whole else [curves]


def losses(point: Point) -> NDArray[np.float64]:
    """Excess loss of each pair: the mean of its two models."""
    mean: NDArray[np.float64] = point.loss.mean(axis=1)
    return mean


def smallest(claim: str, candidates: Iterable[Measured], variant: str = "") -> Measured:
    """The candidate with the smallest value, as the answer to a claim about all of them."""
    least = min(candidates, key=lambda m: m.value)
    return Measured(f"si-{claim}", least.value, least.low, least.high, variant)


def spans(curves: Iterable[Traced]) -> NDArray[np.float64]:
    """PD and loss of all points of some curves, shape (n_pairs, n_points, 2)."""
    points = [point for curve in curves for point in curve.points]
    return np.stack([np.stack([p.pd, losses(p)], axis=1) for p in points], axis=1)


def wider_span(values: NDArray[np.float64]) -> float:
    """Decades that mean PD spans over points more than mean loss does."""
    means = np.log10(values.mean(axis=0))
    spread = means.max(axis=0) - means.min(axis=0)
    return float(spread[0] - spread[1])


def table(curves: Curves) -> pd.DataFrame:
    """One row a point: PD with its interval over pairs, and mean loss."""
    rows = []
    for curve in curves.curves:
        for point in curve.points:
            low, high = mean_interval(point.pd)
            rows.append(
                {
                    "curve": curve.name,
                    "log2_window": point.recipe.log2_window,
                    "log2_examples": point.recipe.log2_examples,
                    "n_pairs": len(point.pd),
                    "pd": mean_of(point.pd),
                    "pd_low": low,
                    "pd_high": high,
                    "pd_relative_to_mean": mean_of(point.arrays["pd_mean"][:, -1]),
                    "excess_loss_nats": mean_of(losses(point)),
                }
            )
    return pd.DataFrame(rows)
