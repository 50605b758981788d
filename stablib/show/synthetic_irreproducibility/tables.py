"""Tables of the synthetic irreproducibility paper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.runs.provenance import instructions_of
from stablib.show.exhibit import Exhibit, record
from stablib.show.synthetic_irreproducibility.comparison import losses, mean_interval, mean_of
from stablib.studies.synthetic_irreproducibility import Again, Curves, Point


def overview(many: Sequence[Curves]) -> Exhibit:
    """PD of every curve at its smallest and widest window (SI-X2)."""
    rows, values = {}, {}
    for curves in many:
        for curve in curves.curves:
            first, last = curve.points[0], curve.points[-1]
            name = f"{curve.name} ({first.recipe.data.kind} data)"
            values[name] = mean_of(last.pd) / mean_of(first.pd)
            rows[name] = {
                "log2 T": str(first.recipe.log2_examples),
                f"PD, log2 z = {first.recipe.log2_window}": _estimate(first),
                "PD, widest window": f"{_estimate(last)} (2^{last.recipe.log2_window})",
                "excess loss (nats)": f"{mean_of(losses(last)):.2e}",
            }
    most = max(values, key=lambda name: values[name])
    least = min(values, key=lambda name: values[name])
    return record(
        "SI-X2",
        pd.DataFrame.from_dict(rows, orient="index"),
        made_by=overview,
        results=many,
        finding=(
            f"Shuffling raises PD most for {most}, by a factor of {values[most]:.1e}, and least "
            f"for {least}, by {values[least]:.1f}."
        ),
        caption=(
            "Mean relative PD with 95 % bootstrap intervals over pairs. Streams differ in length "
            "between the groups, so compare loss within a group only."
        ),
    )


def _estimate(point: Point) -> str:
    return _with_interval(point.pd)


def again(found: Again) -> Exhibit:
    """Are two processors one? Pairs that differ by rounding, trained on both (SI-X3)."""
    rows, ratios = {}, {}
    for model, kept in found.kept.items():
        now = found.now[model]
        before, after = (runs["pd"][:, -1] for runs in (kept, now))
        last = zip(kept["weights"], now["weights"], strict=True)
        same = sum(np.array_equal(a, b) for a, b in last)
        ratios[model] = max(mean_of(after), mean_of(before)) / min(mean_of(after), mean_of(before))
        rows[model] = {
            f"PD, kept ({instructions_of(kept.provenance)})": _with_interval(before),
            f"PD, now ({instructions_of(now.provenance)})": _with_interval(after),
            "pairs with the same last weights": f"{same} of {len(kept)}",
        }
    most = max(ratios, key=lambda model: ratios[model])
    return record(
        "SI-X3",
        pd.DataFrame.from_dict(rows, orient="index"),
        made_by=again,
        results=[found],
        finding=(
            f"The PD of {most} differs most, by a factor of {ratios[most]:.1e}; it is the same to "
            f"the bit for {', '.join(m for m, ratio in ratios.items() if ratio == 1.0) or 'none'}."
        ),
        caption=(
            "Mean PD relative to the truth of pairs with the same seeds that differ by rounding, "
            "with 95 % bootstrap intervals over pairs: as kept, and trained again while this page "
            "was made. In brackets, the processor whose instructions were used; 'generic' has no "
            "vector instructions beyond the common ones."
        ),
    )


def _with_interval(values: NDArray[np.float64]) -> str:
    low, high = mean_interval(values)
    return f"{mean_of(values):.1e} [{low:.1e}, {high:.1e}]"
