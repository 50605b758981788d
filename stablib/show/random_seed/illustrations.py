"""Figures of the random seed paper that rest on no data: a surface, and two distributions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stablib.metrics import (
    pair_mean,
    pairwise_jaccard_distance,
    pairwise_relative_entropy,
    top_share,
)
from stablib.mitigation import ASWA
from stablib.show.exhibit import Exhibit, record
from stablib.show.random_seed.comparison import TOP
from stablib.show.style import PALETTE, figure
from stablib.studies.random_seed import RandomSeed
from stablib.studies.random_seed.surface import (
    EPOCHS,
    LEARNING_RATE,
    MOMENTUM,
    NOISE,
    STEPS,
    Computed,
    height,
    walk,
)

#: Where descent begins, on both sides of the ridge that leads to the saddle.
STARTS = ((0.05, 1.6), (-0.05, 1.6))
#: Seeds of the noise over which distances are averaged.
SEEDS = 50

#: Two distributions with the two numbers of the thesis; it prints no weights.
CONSTRUCTED = np.array(
    [
        [0.045, 0.045, 0.045, 0.53, 0.11, 0.045, 0.045, 0.045, 0.045, 0.045],
        [0.045, 0.045, 0.045, 0.11, 0.53, 0.045, 0.045, 0.045, 0.045, 0.045],
    ]
)


def trajectories(study: RandomSeed) -> Exhibit:
    """Descent past a saddle with and without ASWA (RS-F2)."""
    methods = {"SGD with momentum": None, "the same with ASWA": ASWA()}
    x, y = np.meshgrid(np.linspace(-1.8, 1.8, 121), np.linspace(-1.2, 2.0, 107))
    frames = []
    with figure(width=8.8, height=4.4, columns=2) as made:
        for axes, (name, method) in zip(made.axes, methods.items(), strict=True):
            axes.contour(x, y, height((x, y)), levels=14, colors="#888888", alpha=0.6)
            for number, start in enumerate(STARTS):
                found = walk(method, start, seed=number)
                axes.plot(*found.steps.T, color=PALETTE[number], linewidth=0.8, alpha=0.7)
                axes.plot(
                    *found.epochs.T,
                    "o",
                    color=PALETTE[number],
                    markersize=4,
                    label=f"seed {number}",
                )
                frames.append(
                    pd.DataFrame(found.epochs, columns=["x", "y"]).assign(
                        method=name, seed=number, epoch=np.arange(1, EPOCHS + 1)
                    )
                )
            axes.set(title=name, xlabel="first weight")
            axes.legend()
        made.axes[0].set_ylabel("second weight")
        said = "; ".join(f"{name}: {_where_walks_lead(m)}" for name, m in methods.items())
        return record(
            "RS-F2",
            made,
            made_by=trajectories,
            results=[
                Computed(
                    study,
                    f"z = x^4/4 - x^2/2 + y^2, learning rate {LEARNING_RATE}, momentum {MOMENTUM}, "
                    f"noise of sd {NOISE} on each gradient, {EPOCHS} epochs of {STEPS} steps",
                )
            ],
            numbers=pd.concat(frames, ignore_index=True),
            finding=f"From one start with {SEEDS} seeds of the noise: {said}.",
            alt=f"Two panels of contours with two paths each, dots at the ends of epochs. {said}.",
            caption=(
                "Two starts on a surface with a saddle at the origin, between two valleys. Dots: "
                "weights with which an epoch ends; with ASWA that is the average so far. The "
                "valleys lie side by side, so the first weight tells them apart. The paper's "
                "surface is drawn, not given, so this one is ours."
            ),
        )


def _where_walks_lead(method: ASWA | None) -> str:
    """How near the saddle many walks from one start come, and where they end."""
    walks = [walk(method, STARTS[0], seed) for seed in range(SEEDS)]
    nearest = float(np.median([np.linalg.norm(w.steps, axis=1).min() for w in walks]))
    ends = np.stack([w.epochs[-1] for w in walks])
    first, second = ends.std(axis=0)
    return (
        f"nearest to the saddle {nearest:.2f} (median), sd of the last weights {first:.2f} and "
        f"{second:.2f}, {100 * (ends[:, 0] < 0).mean():.0f} % in the left valley"
    )


def two_distributions(study: RandomSeed) -> Exhibit:
    """Two distributions that Jaccard's distance cannot tell apart (TH-F4.3)."""
    entropy = float(pair_mean(pairwise_relative_entropy(CONSTRUCTED)))
    distance = float(pair_mean(pairwise_jaccard_distance(top_share(CONSTRUCTED, TOP))))
    items = np.arange(1, CONSTRUCTED.shape[1] + 1)
    with figure(width=6.4, height=3.6) as made:
        axes = made.axes[0]
        for number, weights in enumerate(CONSTRUCTED):
            axes.bar(
                items + 0.4 * number - 0.2,
                weights,
                width=0.38,
                color=PALETTE[number],
                label=f"model {number + 1}",
            )
        axes.set(xlabel="item", ylabel="attention", xticks=items)
        axes.legend()
        return record(
            "TH-F4.3",
            made,
            made_by=two_distributions,
            results=[Computed(study, "constructed: the thesis prints no weights")],
            numbers=pd.DataFrame(CONSTRUCTED.T, columns=["model 1", "model 2"]),
            finding=(
                f"Relative entropy {entropy:.2f} nats, Jaccard distance {distance:.0f}: the two "
                "most attended items are the same, in another order."
            ),
            alt="Bars of two distributions over ten items; items 4 and 5 change places.",
            caption="The simplest pair of distributions that has the two numbers of the thesis.",
        )
