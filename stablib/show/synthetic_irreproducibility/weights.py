"""Figures of the synthetic irreproducibility paper: the weights of paired models."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy import stats

from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record
from stablib.show.style import PALETTE, figure
from stablib.show.synthetic_irreproducibility import claims
from stablib.show.synthetic_irreproducibility.comparison import interval, length, with_long
from stablib.studies.synthetic_irreproducibility import Curves
from stablib.studies.synthetic_irreproducibility.design import EMBEDDING_WINDOW
from stablib.workloads.streams import network
from stablib.workloads.streams.recipe import StreamRecipe

#: Where the pair that is drawn stands among the pairs.
_PAIR = 0


def pair_weights(curves: Curves, long: Curves | None = None) -> Exhibit:
    """Weights of both models of a pair by index (SI-F3)."""
    lengths = with_long(curves, long)
    identity = curves["identity 1, diff"].points[0]
    turned = claims.flipped(identity.arrays["weights"])
    place = int(np.argmax(turned))
    chosen = [
        ("linear, distinct, widest window", curves["linear, diff"].points[-1], _PAIR),
        ("one identity unit, distinct, smallest window", identity, place),
        ("two identity units, same, widest window", curves["identity 2"].points[-1], _PAIR),
        ("two ReLU units, same, widest window", curves["relu 2"].points[-1], _PAIR),
    ]
    frames = []
    with figure(width=8.5, height=9.0, rows=4, sharey=False) as made:
        for axes, (title, point, pair) in zip(made.axes, chosen, strict=True):
            models = point.arrays["weights"][pair]
            for number, (values, marker) in enumerate(zip(models, "ox", strict=True)):
                axes.plot(
                    values, marker, color=PALETTE[number], markersize=5, label=f"model {number + 1}"
                )
            axes.set(title=title, ylabel="weight")
            frames.append(
                pd.DataFrame(
                    {
                        "model": title,
                        "pair": pair,
                        "index": np.arange(1, models.shape[1] + 1),
                        "weight_1": models[0],
                        "weight_2": models[1],
                    }
                )
            )
        made.axes[-1].set_xlabel("index of the parameter (weights and bias, layer by layer)")
        made.axes[0].legend(loc="upper right")
        return record(
            "SI-F3",
            made,
            made_by=pair_weights,
            results=lengths,
            numbers=pd.concat(frames, ignore_index=True),
            measured=[m for each in lengths for m in _of_weights(each)],
            finding=(
                f"{turned.sum()} of {len(turned)} pairs of single identity units with distinct "
                "initial weights ended with opposite signs at the smallest window."
            ),
            alt=(
                "Four panels of weights by index, two markers for the two models of a pair. "
                "Correlation of the two models: "
                + "; ".join(
                    f"{title}, {_correlation(point.arrays['weights'][pair]):.3f}"
                    for title, point, pair in chosen
                )
                + "."
            ),
            caption=(
                "Weights of both models of a pair by index. The second panel shows the first pair "
                "with opposite signs, if there is one."
            ),
        )


def _of_weights(curves: Curves) -> list[Measured]:
    return claims.cosines(curves) + claims.flips(curves) + claims.deviations(curves)


def weight_differences(curves: Curves, long: Curves | None = None) -> Exhibit:
    """Differences of the weights of a pair of single ReLU units (SI-F4)."""
    points = [curves["relu 1"].points[0], curves["relu 1"].points[-1]]
    gaps = [p.arrays["weights"][_PAIR].astype(np.float64) for p in points]
    rows = [models[0] - models[1] for models in gaps]
    with figure(width=8.0, height=5.0, rows=2, sharey=False) as made:
        for axes, point, row in zip(made.axes, points, rows, strict=True):
            axes.axhline(0.0, color="#888888", linewidth=0.8)
            axes.plot(row, "o", color=PALETTE[0], markersize=5)
            axes.set(title=f"log₂ z = {point.recipe.log2_window}", ylabel="weight difference")
        made.axes[-1].set_xlabel("index of the parameter")
        sizes = [claims.differences_of(point)[_PAIR] for point in points]
        return record(
            "SI-F4",
            made,
            made_by=weight_differences,
            results=with_long(curves, long),
            numbers=pd.DataFrame(
                {
                    "index": np.arange(1, len(rows[0]) + 1),
                    **{
                        f"difference_log2z_{p.recipe.log2_window}": row
                        for p, row in zip(points, rows, strict=True)
                    },
                }
            ),
            measured=[m for c in with_long(curves, long) for m in claims.differences(c)],
            finding=(
                f"Root mean square difference of this pair: {sizes[0]:.1e} at the smallest window, "
                f"{sizes[1]:.1e} at the widest."
            ),
            alt=(
                "Two panels of weight differences by index around zero; their sizes are "
                f"{sizes[0]:.1e} above and {sizes[1]:.1e} below."
            ),
            caption=(
                "Weight differences of a pair of single ReLU units with the same initial weights."
            ),
        )


def parameter_cloud(curves: Curves, long: Curves | None = None) -> Exhibit:
    """Weights of one model of a pair of ReLU towers against the other's (SI-F7)."""
    lengths = with_long(curves, long)
    point = curves["relu 16-8-4-2"].points[-1]
    found = claims.correlations_of(point)
    aligned = claims.correlations_of(point, align="units")
    pair = int(np.argsort(found)[len(found) // 2])
    frames = []
    with figure(width=6.0, height=5.5) as made:
        axes = made.axes[0]
        layers = zip(*claims.networks(point, pair), strict=True)
        for number, ((first, _), (second, _)) in enumerate(layers):
            axes.scatter(
                first, second, s=14, alpha=0.7, color=PALETTE[number], label=f"layer {number + 1}"
            )
            frames.append(
                pd.DataFrame(
                    {"layer": number + 1, "model_1": first.ravel(), "model_2": second.ravel()}
                )
            )
        _diagonal(axes)
        axes.set(xlabel="weight in model 1", ylabel="weight in model 2")
        axes.legend()
        return record(
            "SI-F7",
            made,
            made_by=parameter_cloud,
            results=lengths,
            numbers=pd.concat(frames, ignore_index=True),
            measured=[m for each in lengths for m in claims.cloud(each)],
            finding=(
                f"Over {len(found)} pairs the weights correlate with r between {found.min():.2f} "
                f"and {found.max():.2f}, median {np.median(found):.2f}; with the second model's "
                f"units put in the order that fits best, between {aligned.min():.2f} and "
                f"{aligned.max():.2f}."
            ),
            alt=(
                "Scatter of paired weights by layer around the diagonal; correlation "
                f"{found[pair]:.2f}."
            ),
            caption=(
                "Weights of the pair of ReLU towers 16-8-4-2 with the median correlation; the same "
                "initial weights, widest window. On the line both models agree."
            ),
        )


def _diagonal(axes: Axes) -> None:
    low, high = axes.get_xlim()
    axes.plot([low, high], [low, high], color="#888888", linewidth=0.8, zorder=0)


def embedding_clouds(curves: Curves) -> Exhibit:
    """Embeddings and hidden weights of two pairs of ReLU models (SI-F9)."""
    (point,) = curves.curves[0].points
    parts = [_embedding_parts(point.recipe, pair) for pair in point.arrays["weights"]]
    aligned = np.array([_correlation(e) for e, _, _ in parts])
    hidden = np.array([_correlation(np.hstack([i, o])) for _, i, o in parts])
    chosen = [int(aligned.argmax()), int(aligned.argmin())]
    frames = []
    with figure(width=8.5, height=7.5, columns=2, rows=2, sharey=False) as made:
        for row, pair in enumerate(chosen):
            embedding, inputs, outputs = parts[pair]
            left, right = made.axes[2 * row], made.axes[2 * row + 1]
            left.scatter(embedding[0], embedding[1], s=16, color=PALETTE[0])
            right.scatter(
                inputs[0],
                inputs[1],
                s=6,
                alpha=0.4,
                color=PALETTE[3],
                label="into the unit",
                rasterized=True,  # Thousands of points would make the page slow.
            )
            right.scatter(
                outputs[0],
                outputs[1],
                s=6,
                alpha=0.4,
                color=PALETTE[0],
                label="out of the unit",
                rasterized=True,
            )
            for axes, title in ((left, "embeddings"), (right, "hidden weights")):
                _diagonal(axes)
                axes.set(title=f"pair {pair}: {title}", xlabel="model 1", ylabel="model 2")
            kinds = ("embedding", "input", "output")
            frames += [
                pd.DataFrame({"pair": pair, "kind": kind, "model_1": v[0], "model_2": v[1]})
                for kind, v in zip(kinds, (embedding, inputs, outputs), strict=True)
            ]
        made.axes[1].legend(loc="upper left", fontsize=8)

        def together(both: NDArray[np.float64]) -> float:
            return float(stats.spearmanr(both[:, 0], both[:, 1]).statistic)

        both: NDArray[np.float64] = np.stack([aligned, hidden], axis=1)
        rank = together(both) if np.ptp(aligned) > 0 and np.ptp(hidden) > 0 else float("nan")
        answer = Measured("si-f9-together", rank, *interval(_quiet(together), both), length(curves))
        return record(
            "SI-F9",
            made,
            made_by=embedding_clouds,
            results=[curves],
            numbers=pd.concat(frames, ignore_index=True),
            measured=[answer],
            finding=(
                f"Over {len(parts)} pairs, embeddings correlate with r between {aligned.min():.2f} "
                f"and {aligned.max():.2f} and hidden weights between {hidden.min():.2f} and "
                f"{hidden.max():.2f}; rank correlation of the two {rank:.2f}."
            ),
            alt=(
                "Four scatter plots of paired weights: the pair with the best correlated "
                f"embeddings (r {aligned.max():.2f}) above, the worst ({aligned.min():.2f}) below."
            ),
            caption=(
                "Weights of two pairs of ReLU models on embeddings (AdaGrad 0.1, log2 z = "
                f"{point.recipe.log2_window}; the paper's window is log2 z = {EMBEDDING_WINDOW}, "
                "and this the nearest of the curves above): those with the best and the least "
                "correlated embeddings."
            ),
        )


def _quiet(statistic: Callable[[NDArray[np.float64]], float]) -> Callable[..., float]:
    """Give nan, in silence, where a resample has no variation."""

    def safe(both: NDArray[np.float64]) -> float:
        varies = np.ptp(both[:, 0]) > 0.0 and np.ptp(both[:, 1]) > 0.0
        return statistic(both) if varies else float("nan")

    return safe


def _embedding_parts(
    recipe: StreamRecipe, models: NDArray[np.floating]
) -> tuple[NDArray[np.float64], ...]:
    """Embeddings, weights into and out of hidden units, each of shape (2, n)."""
    layers = [network.layers(recipe, m.astype(np.float64)) for m in models]
    mask = network.embedding_mask()
    return (
        np.stack([own[0][0][mask] for own in layers]),
        np.stack([own[1][0].ravel() for own in layers]),
        np.stack([own[2][0].ravel() for own in layers]),
    )


def _correlation(two: NDArray[np.float64]) -> float:
    return float(np.corrcoef(two[0], two[1])[0, 1])
