"""Diagrams of the networks (Figures 1 and 5)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from stablib.show.exhibit import Exhibit, record
from stablib.show.style import PALETTE, figure
from stablib.studies.synthetic_irreproducibility import Curves, Design
from stablib.workloads.streams.recipe import StreamRecipe

#: Units drawn of a wider layer.
_DRAWN = 7


def networks(curves: Curves) -> Exhibit:
    """The networks as graphs, from the recipes of the study (SI-F1)."""
    design = Design(curves.study.settings)
    every = [*design.simple(), *design.towers(), *design.embeddings(), *design.quadratic()]
    recipes = {curve.name: curve.recipes[0] for curve in reversed(every)}
    shown = [
        ("linear", recipes["linear"]),
        ("one unit", recipes["relu 1"]),
        ("two units", recipes["relu 2"]),
        ("tower", recipes["relu 16-8-4-2"]),
        ("embeddings", recipes["relu, adagrad 0.1"]),
        ("quadratic data", recipes["relu"]),
    ]
    numbers = pd.DataFrame(
        {
            "network": [name for name, _ in shown],
            "layers": ["-".join(map(str, (32, *r.widths))) for _, r in shown],
            "parameters": [r.n_parameters for _, r in shown],
        }
    )
    with figure(width=9.0, height=5.5, columns=3, rows=2, sharey=False) as made:
        for axes, (name, recipe) in zip(made.axes, shown, strict=True):
            _draw(axes, recipe)
            layers = "-".join(str(width) for width in (32, *recipe.widths))
            axes.set_title(f"{name}: {layers}", fontsize=10)
        return record(
            "SI-F1",
            made,
            made_by=networks,
            results=[curves],
            numbers=numbers,
            alt=(
                "Six networks as graphs, inputs below and the output above: "
                + "; ".join(f"{name} {'-'.join(map(str, r.widths))}" for name, r in shown)
                + "."
            ),
            caption=(
                f"The networks (Figures 1 and 5). Inputs below; of wider layers {_DRAWN} units are "
                "drawn. Embeddings map each half of the inputs to two units of its own."
            ),
        )


def _draw(axes: Axes, recipe: StreamRecipe) -> None:
    """Layers from below, every unit joined to those that feed it."""
    widths = [32, *recipe.widths]
    places = [np.linspace(-1.0, 1.0, min(w, _DRAWN)) if w > 1 else np.zeros(1) for w in widths]
    for level in range(1, len(widths)):
        for here in places[level]:
            for below in places[level - 1]:
                if recipe.embedding and level == 1 and here * below < 0.0:
                    continue  # Each half of the inputs has embedding units of its own.
                axes.plot([below, here], [level - 1, level], color="#88888866", linewidth=0.7)
    for level, row in enumerate(places):
        color = PALETTE[0] if level == 0 else PALETTE[3] if level == len(places) - 1 else PALETTE[2]
        axes.plot(row, np.full(len(row), level), "o", color=color, markersize=7)
        if widths[level] > _DRAWN:
            axes.text(1.08, level, f"{widths[level]}", va="center", fontsize=9)
    axes.set_axis_off()
    axes.set_xlim(-1.1, 1.4)
