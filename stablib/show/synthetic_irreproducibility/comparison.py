"""Compare curves: what the figures of the synthetic irreproducibility paper share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from stablib.metrics import Interval, bootstrap_interval, centred_interval, resample_runs
from stablib.papers.claims import Measured
from stablib.studies.synthetic_irreproducibility import Curves, Point, Traced, windows

#: Resamples of pairs.
_RESAMPLES = 1000

#: Ways to split pairs into halves.
_SPLITS = 200


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


def counted(claim: str, hits: NDArray[np.bool_], variant: str = "") -> Measured:
    """A share in percent with its Wilson interval: none of 16 does not mean that there are none."""
    found = binomtest(int(hits.sum()), hits.size).proportion_ci(method="wilson")
    share, low, high = (100.0 * float(x) for x in (hits.mean(), found.low, found.high))
    return Measured(f"si-{claim}", share, low, high, variant)


def decades(pairs: NDArray[np.float64]) -> float:
    """log10 of the ratio of two means; pairs (n_pairs, 2) hold numerator and denominator."""
    above, below = pairs.mean(axis=0)
    if above <= 0.0 or below <= 0.0:
        return float("nan")
    return float(np.log10(above / below))


def above(claim: str, first: NDArray[Any], second: NDArray[Any], variant: str = "") -> Measured:
    """By how many decades the first lies above the second, pair by pair on the same examples."""
    return measure(claim, decades, np.stack([first, second], axis=1), variant=variant)


def apart(
    claim: str, candidates: Iterable[tuple[NDArray[Any], NDArray[Any]]], variant: str = ""
) -> Measured:
    """By how many decades two means differ, either way; the smallest of several candidates.

    Any two means differ by something. So the null is what the same curves give with other seeds:
    one half of the pairs against the other half.
    """

    def least(pairs: NDArray[np.float64]) -> float:
        return min(abs(decades(pairs[:, number])) for number in range(pairs.shape[1]))

    pairs = _stacked(candidates)
    rng, half, found = generator(), len(pairs) // 2, []
    for _ in range(_SPLITS):
        order = rng.permutation(len(pairs))
        one, other = pairs[order[:half]], pairs[order[half : 2 * half]]
        found += [least(np.stack([one[..., k], other[..., k]], axis=-1)) for k in (0, 1)]
    answer = measure(claim, least, pairs, variant=variant)
    return dataclasses.replace(answer, null=mean_of(np.array(found)))


def length(curves: Curves) -> str:
    """Length of the streams, as a variant of a claim."""
    return f"T = 2^{curves.curves[-1].log2_examples}"


def with_long(curves: Curves, long: Curves | None) -> list[Curves]:
    """The curves, and the same on long streams if these have all of them up to the widest window.

    Of the long ones only those windows are taken that all of them have.
    """
    traced = {curve.name: curve for curve in long.curves} if long else {}
    same = [traced.get(curve.name) for curve in curves.curves]
    if long is None or None in same:
        return [curves]
    whole = [curve for curve in same if curve is not None]
    common = set.intersection(*({p.recipe.log2_window for p in c.points} for c in whole))
    if not common.issuperset(windows(long.recipe.log2_examples, 2)):
        return [curves]
    kept = tuple(
        Traced(c.name, tuple(p for p in c.points if p.recipe.log2_window in common)) for c in whole
    )
    return [curves, dataclasses.replace(long, curves=kept)]


def losses(point: Point) -> NDArray[np.float64]:
    """Excess loss of each pair: the mean of its two models."""
    mean: NDArray[np.float64] = point.loss.mean(axis=1)
    return mean


def least_above(
    claim: str, candidates: Iterable[tuple[NDArray[Any], NDArray[Any]]], variant: str = ""
) -> Measured:
    """The smallest of several :func:`above`, of the same pairs: a claim about all of them.

    Pairs are resampled for all candidates together, so the interval knows that the smallest is
    picked.
    """
    return measure(claim, _least, _stacked(candidates), variant=variant)


def most_above(
    claim: str, candidates: Iterable[tuple[NDArray[Any], NDArray[Any]]], variant: str = ""
) -> Measured:
    """The largest of several :func:`above`, see :func:`least_above`."""
    swapped = [(below, above) for above, below in candidates]
    return measure(claim, lambda pairs: -_least(pairs), _stacked(swapped), variant=variant)


def _stacked(candidates: Iterable[tuple[NDArray[Any], NDArray[Any]]]) -> NDArray[Any]:
    """Shape (n_pairs, n_candidates, 2)."""
    return np.stack([np.stack(both, axis=1) for both in candidates], axis=1)


def _least(pairs: NDArray[np.float64]) -> float:
    return min(decades(pairs[:, number]) for number in range(pairs.shape[1]))


def loss_spread(claim: str, groups: Iterable[Iterable[Traced]], variant: str = "") -> Measured:
    """Largest over smallest mean loss within a group of curves, of the group where it is most."""
    values = np.stack(
        [np.stack([losses(p) for c in group for p in c.points], axis=1) for group in groups],
        axis=1,
    )

    def widest(values: NDArray[np.float64]) -> float:
        means = values.mean(axis=0)
        return float((means.max(axis=1) / means.min(axis=1)).max())

    return measure(claim, widest, values, variant=variant)


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
