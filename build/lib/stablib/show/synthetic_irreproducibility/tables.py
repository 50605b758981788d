"""Tables of the synthetic irreproducibility paper."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from stablib.show.exhibit import Exhibit, record
from stablib.show.synthetic_irreproducibility.comparison import losses, mean_interval, mean_of
from stablib.studies.synthetic_irreproducibility import Curves, Point


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
    low, high = mean_interval(point.pd)
    return f"{mean_of(point.pd):.1e} [{low:.1e}, {high:.1e}]"
