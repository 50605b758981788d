"""Widgets of the synthetic irreproducibility paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from stablib.show import widgets
from stablib.show.exhibit import picture
from stablib.show.in_print import raised
from stablib.show.synthetic_irreproducibility.comparison import mean_interval, mean_of
from stablib.show.widgets.hosted import HostedWidget
from stablib.studies.synthetic_irreproducibility import Curves, Point

#: Where the pair whose weights are shown stands among the pairs; larger models' are left out.
_PAIR = 0
_SHOWN_WEIGHTS = 1000


def pd_explorer(curves: Sequence[Curves | None]) -> HostedWidget:
    """PD against window and loss for every model, and the weights of one pair."""
    points, weights = points_frame([group for group in curves if group is not None])
    first = next(group for group in curves if group is not None).curves[0].points[0]
    return widgets.pd_explorer(
        points,
        weights,
        name="pd-explorer",
        truth=first.recipe.data.weights(),
        picture=picture("SI-F2"),
    )


def train_pairs(curves: Curves) -> HostedWidget:
    """Pairs that train in the page, on data from the same truth as those of the curves."""
    truth = curves.curves[0].points[0].recipe.data
    return widgets.train_pairs(
        truth.feature_probabilities(),
        truth.weights(),
        name="train-pairs",
        picture=picture("SI-F2"),
    )


def points_frame(curves: Sequence[Curves]) -> tuple[pd.DataFrame, dict[tuple[str, int], Any]]:
    """Every point at every checkpoint, and the weights of one pair, for the widget."""
    rows, kept, seen = [], {}, set()
    for group in curves:
        for curve in group.curves:
            for point in curve.points:
                if point.recipe in seen:  # The linear model is part of several figures.
                    continue
                seen.add(point.recipe)
                length = raised(point.recipe.log2_examples)
                name = f"{curve.name}, T=2{length}"
                rows += _checkpoints(name, point)
                weights = point.arrays["weights"][_PAIR]
                if 0 < weights.shape[1] <= _SHOWN_WEIGHTS:
                    kept[name, point.recipe.log2_window] = weights
    return pd.DataFrame(rows), kept


def _checkpoints(name: str, point: Point) -> list[dict[str, Any]]:
    r = point.recipe
    model = {(): "linear", (1,): "1 unit", (2,): "2 units"}.get(
        r.hidden,
        ("embedding-" if r.embedding else "tower " if len(r.hidden) > 2 else "")
        + "-".join(map(str, r.hidden)),
    )
    rows = []
    for number, log2_examples in enumerate(point.arrays["log2_examples"][0]):
        pd_values = point.arrays["pd"][:, number]
        low, high = mean_interval(pd_values)
        rows.append(
            {
                "curve": name,
                "model": model + (" (quadratic data)" if r.data.kind == "quadratic" else ""),
                "activation": (r.activation if r.hidden else "none")
                + (", warm start" if r.warm_start else ""),
                "beta": r.beta,
                "optimizer": f"{r.optimizer} {r.learning_rate:g}",
                "init": "same" if r.same_init else "distinct",
                "log2_window": r.log2_window,
                "log2_examples": int(log2_examples),
                "stream": r.log2_examples,
                "pd": mean_of(pd_values),
                "pd_low": low,
                "pd_high": high,
                "loss": mean_of(point.arrays["loss"][:, number].mean(axis=1)),
            }
        )
    return rows
