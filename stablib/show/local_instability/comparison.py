"""Compare methods by their label entropy: what the tables of the local instability paper share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import (
    Interval,
    accuracy,
    centred_interval,
    mean_sd,
    percentage_reduction,
    reduction_replicates,
    share_of_reduction,
)
from stablib.papers.claims import Measured
from stablib.show.exhibit import answered, with_interval
from stablib.studies.local_instability import CONTROL, LocalInstability, Results, Variant

#: Why an exhibit is left out of a study of another data set.
NOT_LOOKED_AT = "its data set is not among those looked at"

#: The paper's claims.
CLAIMS = LocalInstability.claims()


#: Of the bootstrap.
SEED = 20230710


def generator() -> np.random.Generator:
    """The bootstrap's generator: fixed, so that a rebuilt page shows the same intervals."""
    return np.random.default_rng(SEED)


def members_note(many: Sequence[Results]) -> str:
    """How many teachers an ensemble has, shared or one's own."""
    settings = many[0].study.settings
    return (
        f"'Ensemble, shared' has {settings.members} teachers for all students, 'Ensemble, own' "
        f"{settings.own_members} for each student, so these two differ in more than sharing."
    )


def claim_name(table: str, dataset: str, variant: Variant, quantity: str) -> str:
    """Identifier of the paper's claim about a method, if it makes one."""
    return f"{table}-{dataset}-{variant.method.replace('_', '-')}-{quantity}"


def answer(
    table: str,
    results: Results,
    variant: Variant,
    quantity: str,
    value: float,
    interval: Interval,
    null: float | None = None,
) -> list[Measured]:
    """The answer to the paper's claim about a method; empty if the paper makes none.

    ``null`` is what other seeds of control give.
    """
    claim = claim_name(table, results.dataset.name, variant, quantity)
    return answered(CLAIMS, claim, (value, interval), variant=variant.teacher, null=null)


def reductions(
    results: Results, *, subset: NDArray[np.bool_] | None = None
) -> tuple[pd.DataFrame, dict[Variant, NDArray[np.float64]]]:
    """Reduction of LE_m by each method, with intervals.

    Returns
    -------
    frame : DataFrame
        Columns ``reduction``, ``low``, ``high`` (percent), ``share`` (percent of the shared
        ensemble's reduction), ``share_low``, ``share_high``; one row a method but control.
    replicates : dict of Variant to ndarray, shape (n_resamples,)
        Of the reduction.
    """
    control = results.runs[CONTROL]
    replicates, rows = {}, {}
    for method in results.runs:
        if method == CONTROL:
            continue
        value = percentage_reduction(results.le_m[method], results.le_m[CONTROL], where=subset)
        # The same generator for every method: all are compared with the same resamples of control.
        draws = reduction_replicates(
            results.labels(method),
            results.labels(CONTROL),
            rng=generator(),
            where=subset,
            paired=results.runs[method].plans == control.plans,
        )
        replicates[method] = draws
        rows[method] = {"reduction": value, **centred_interval(value, draws)._asdict()}
    frame = pd.DataFrame.from_dict(rows, orient="index")
    best = next((m for m in frame.index if m.method == "ensemble"), None)
    if best is None:
        return frame, replicates
    for method in frame.index:
        share = share_of_reduction(frame.loc[method, "reduction"], frame.loc[best, "reduction"])
        # Shares are ratios of two centred quantities: their replicates are centred likewise.
        ratio = 100.0 * _centred(replicates, frame, method) / _centred(replicates, frame, best)
        interval = centred_interval(share, ratio) if np.isfinite(share) else Interval(share, share)
        frame.loc[method, ["share", "share_low", "share_high"]] = share, *interval
    return frame, replicates


def _centred(
    replicates: Mapping[Variant, NDArray[np.float64]], frame: pd.DataFrame, method: Variant
) -> NDArray[np.float64]:
    draws = replicates[method]
    known = draws[np.isfinite(draws)]  # A resample without any entropy has no reduction.
    centre = known.mean() if known.size else np.nan
    shifted: NDArray[np.float64] = draws - centre + frame.loc[method, "reduction"]
    return shifted


def correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson correlation; nan, in silence, if one of them does not vary, as in a few runs."""
    if np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def cells(frame: pd.DataFrame, value: str, low: str, high: str, digits: int = 1) -> dict[str, str]:
    """One column of a table, from three columns of :func:`reductions`."""
    return {
        method.title: with_interval(row[value], Interval(row[low], row[high]), digits)
        for method, row in frame.iterrows()
    }


def percent_correct(results: Results, method: Variant) -> NDArray[np.float64]:
    """Accuracy of each run of a method, in percent."""
    return 100.0 * accuracy(results.labels(method), results.gold)


def mean_and_sd(values: NDArray[np.float64]) -> str:
    """Write mean and standard deviation (ddof 1)."""
    return "{:.1f} ± {:.1f}".format(*mean_sd(values))


def reported(table: str, dataset: str, methods: Iterable[Variant]) -> dict[str, str]:
    """The paper's own numbers, by our row names."""
    names = {method.title: claim_name(table, dataset, method, "reduction") for method in methods}
    return {title: CLAIMS[name].reported for title, name in names.items() if name in CLAIMS}
