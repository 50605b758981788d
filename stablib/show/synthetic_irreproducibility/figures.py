"""Figures of the synthetic irreproducibility paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy import stats

from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record
from stablib.show.style import PALETTE, figure
from stablib.show.synthetic_irreproducibility import claims
from stablib.show.synthetic_irreproducibility.comparison import interval, losses, mean_of, table
from stablib.streams import network
from stablib.streams.recipe import StreamRecipe
from stablib.studies.stream_session import Curves, Point

#: Where the pair that is drawn stands among the pairs.
_PAIR = 0


def simple(curves: Curves, long: Curves | None = None) -> Exhibit:
    """PD of linear, one- and two-unit models over windows and against loss (SI-F2)."""
    measured = claims.simple(curves, _length(curves))
    if long is not None and _complete(long, curves):
        measured += claims.simple(long, _length(long))
    return _windows_and_losses(
        curves,
        exhibit="SI-F2",
        made_by=simple,
        measured=measured,
        style=_by_initial_weights,
        caption=(
            "Mean relative PD over pairs against the shuffling window (left) and against the "
            "excess loss (right; points are labelled with log2 z). Broken lines, 'diff': the two "
            "models of a pair start from distinct weights. Bars: 95 % bootstrap intervals over "
            "pairs. All models: AdaGrad, learning rate 0.1."
        ),
    )


def simple_long(curves: Curves | None) -> Exhibit | None:
    """The same curves on streams as long as the paper's (SI-X1)."""
    if curves is None:
        return None
    return _windows_and_losses(
        curves,
        exhibit="SI-X1",
        made_by=simple_long,
        measured=[],
        style=_by_initial_weights,
        caption="As SI-F2 and SI-F6, on streams of the paper's own length and three windows.",
    )


def towers(curves: Curves, simple_curves: Curves) -> Exhibit:
    """PD of narrow towers over windows and against loss (SI-F6)."""
    return _windows_and_losses(
        curves,
        exhibit="SI-F6",
        made_by=towers,
        measured=claims.towers(curves, simple_curves, _length(curves)),
        caption=(
            "As SI-F2, for towers of 16, 8, 4 and 2 hidden units with the same initial weights in "
            "a pair, and the linear model."
        ),
    )


def embeddings(curves: Curves) -> Exhibit:
    """PD of wide models on embeddings (SI-F8)."""
    return _windows_and_losses(
        curves,
        exhibit="SI-F8",
        made_by=embeddings,
        measured=claims.embeddings(curves),
        style=_by_activation,
        caption=(
            "As SI-F2, for two two-dimensional embeddings and 1000 hidden units, by activation, "
            "optimizer and learning rate; the same initial weights in a pair."
        ),
    )


def quadratic(curves: Curves) -> Exhibit:
    """PD of wide layers on quadratic data (SI-F10)."""
    return _windows_and_losses(
        curves,
        exhibit="SI-F10",
        made_by=quadratic,
        measured=claims.quadratic(curves),
        caption=(
            "As SI-F2, for hidden layers of 1024 and 512 units on quadratic data; the same initial "
            "weights in a pair. TL: both models start from one trained before on as many examples, "
            "so they have seen twice the data, and train with a learning rate of 0.01."
        ),
    )


def _length(curves: Curves) -> str:
    return f"T = 2^{curves.curves[-1].log2_examples}"


def _complete(long: Curves, curves: Curves) -> bool:
    """Whether the long curves have every curve with the same number of windows."""
    names = [curve.name for curve in curves.curves]
    counts = {len(curve.points) for curve in long.curves if curve.name in names}
    return all(name in long for name in names) and len(counts) == 1


Style = Callable[[str, int], dict[str, Any]]


def _plain(name: str, number: int) -> dict[str, Any]:
    return {"color": PALETTE[number % len(PALETTE)]}


def _by_initial_weights(name: str, number: int) -> dict[str, Any]:
    """A colour a model; broken lines for distinct initial weights."""
    names = ("linear", "identity 1", "relu 1", "identity 2", "relu 2")
    base = name.removesuffix(", diff")
    place = names.index(base) if base in names else 5 + number % 5
    return {"color": PALETTE[place], "linestyle": "--" if name.endswith("diff") else "-"}


def _by_activation(name: str, number: int) -> dict[str, Any]:
    """A colour an optimizer; broken lines for the identity."""
    kind, _, optimizer = name.partition(", ")
    if kind == "linear":
        return {"color": PALETTE[7]}
    place = ("adagrad 1", "adagrad 0.1", "sgd 0.1", "sgd 0.01").index(optimizer)
    return {"color": PALETTE[place], "linestyle": "--" if kind == "identity" else "-"}


def _windows_and_losses(
    curves: Curves,
    *,
    exhibit: str,
    made_by: Callable[..., Any],
    measured: Sequence[Measured],
    caption: str,
    style: Style = _plain,
) -> Exhibit:
    """PD against window and against loss, one line a curve."""
    numbers = table(curves)
    with figure(width=9.5, height=6.2, columns=2) as made:
        left, right = made.axes
        for number, (name, rows) in enumerate(numbers.groupby("curve", sort=False)):
            look = {**style(str(name), number), "marker": "o", "markersize": 4}
            spread = np.clip([rows.pd - rows.pd_low, rows.pd_high - rows.pd], 0.0, None)
            left.errorbar(rows.log2_window, rows.pd, yerr=spread, label=name, **look)
            right.plot(rows.excess_loss_nats, rows.pd, **look)
            for row in rows.iloc[[0, -1]].itertuples():
                right.annotate(
                    f"{row.log2_window}",
                    (row.excess_loss_nats, row.pd),
                    fontsize=8,
                    xytext=(4, 0),
                    textcoords="offset points",
                )
        left.set(xlabel="log2 z, window in mini-batches", ylabel="relative PD (fraction)")
        left.set_yscale("log")
        right.set(xlabel="excess label loss (nats)", xscale="log")
        handles, labels = left.get_legend_handles_labels()
        made.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)
        return record(
            exhibit,
            made,
            made_by=made_by,
            results=[curves],
            numbers=numbers,
            alt=_describe(numbers),
            measured=measured,
            finding=_finding(numbers),
            caption=caption,
        )


def _ends(numbers: pd.DataFrame) -> pd.DataFrame:
    """PD at the smallest and at the widest window, by curve."""
    grouped = numbers.groupby("curve", sort=False)["pd"]
    return pd.DataFrame({"first": grouped.first(), "last": grouped.last()})


def _finding(numbers: pd.DataFrame) -> str:
    """The range of PD and loss in words."""
    ends = _ends(numbers)
    low, high = ends["first"].idxmin(), ends["first"].idxmax()
    spread = numbers.groupby("curve")["excess_loss_nats"].agg(lambda x: x.max() / x.min())
    widest = spread.idxmax()
    return (
        f"With windows of one mini-batch PD goes from {ends['first'].min():.1e} ({low}) to "
        f"{ends['first'].max():.1e} ({high}); with the widest windows from "
        f"{ends['last'].min():.1e} ({ends['last'].idxmin()}) to {ends['last'].max():.1e} "
        f"({ends['last'].idxmax()}). The excess loss of a curve changes over windows by a factor "
        f"of at most {spread.max():.2f} ({widest})."
    )


def _describe(numbers: pd.DataFrame) -> str:
    ends = _ends(numbers)
    parts = [
        f"{name} from {row['first']:.1e} to {row['last']:.1e}" for name, row in ends.iterrows()
    ]
    return (
        "Lines of PD over windows and against loss. From the smallest to the widest window: "
        + "; ".join(parts)
        + "."
    )


def pair_weights(curves: Curves) -> Exhibit:
    """Weights of both models of a pair by index (SI-F3)."""
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
                        "index": np.arange(models.shape[1]),
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
            results=[curves],
            numbers=pd.concat(frames, ignore_index=True),
            measured=claims.weights(curves, _length(curves)),
            finding=(
                f"{turned.sum()} of {len(turned)} pairs of single identity units with distinct "
                "initial weights ended with opposite signs at the smallest window."
            ),
            alt=(
                "Four panels of weights by index, two markers for the two models of a pair: they "
                "coincide for the linear model, are mirror images for the single identity unit "
                "where a flipped pair exists, and scatter for two units."
            ),
            caption=(
                "Weights of both models of a pair by index. The second panel shows the first pair "
                "with opposite signs, if there is one."
            ),
        )


def weight_differences(curves: Curves) -> Exhibit:
    """Differences of the weights of a pair of single ReLU units (SI-F4)."""
    points = [curves["relu 1"].points[0], curves["relu 1"].points[-1]]
    gaps = [p.arrays["weights"][_PAIR].astype(np.float64) for p in points]
    rows = [models[0] - models[1] for models in gaps]
    with figure(width=8.0, height=5.0, rows=2, sharey=False) as made:
        for axes, point, row in zip(made.axes, points, rows, strict=True):
            axes.axhline(0.0, color="#888888", linewidth=0.8)
            axes.plot(row, "o", color=PALETTE[0], markersize=5)
            axes.set(title=f"log2 z = {point.recipe.log2_window}", ylabel="weight difference")
        made.axes[-1].set_xlabel("index of the parameter")
        sizes = [float(np.sqrt((row**2).mean())) for row in rows]
        return record(
            "SI-F4",
            made,
            made_by=weight_differences,
            results=[curves],
            numbers=pd.DataFrame(
                {
                    "index": np.arange(len(rows[0])),
                    **{
                        f"difference_log2z_{p.recipe.log2_window}": row
                        for p, row in zip(points, rows, strict=True)
                    },
                }
            ),
            measured=claims.differences(curves, _length(curves)),
            finding=(
                f"Root mean square difference of this pair: {sizes[0]:.1e} at the smallest window, "
                f"{sizes[1]:.1e} at the widest."
            ),
            alt=(
                "Two panels of weight differences by index around zero; their sizes are "
                f"{sizes[0]:.1e} above and {sizes[1]:.1e} below."
            ),
            caption="Weight differences of a pair of single ReLU units with the same initial weights.",
        )


def parameter_cloud(curves: Curves) -> Exhibit:
    """Weights of one model of a pair of ReLU towers against the other's (SI-F7)."""
    point = curves["relu 16-8-4-2"].points[-1]
    models = point.arrays["weights"][_PAIR].astype(np.float64)
    frames = []
    with figure(width=6.0, height=5.5) as made:
        axes = made.axes[0]
        pairs = zip(*(network.layers(point.recipe, m) for m in models), strict=True)
        for number, ((first, _), (second, _)) in enumerate(pairs):
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
        r = float(np.corrcoef(*models)[0, 1])
        return record(
            "SI-F7",
            made,
            made_by=parameter_cloud,
            results=[curves],
            numbers=pd.concat(frames, ignore_index=True),
            measured=claims.cloud(point),
            finding=f"The weights of this pair correlate with r = {r:.2f}.",
            alt=f"Scatter of paired weights by layer around the diagonal; correlation {r:.2f}.",
            caption=(
                "Weights of a pair of ReLU towers 16-8-4-2 with the same initial weights, widest "
                "window; on the line both models agree."
            ),
        )


def _diagonal(axes: Axes) -> None:
    low, high = axes.get_xlim()
    axes.plot([low, high], [low, high], color="#888888", linewidth=0.8, zorder=0)


def embedding_clouds(curves: Curves) -> Exhibit:
    """Embeddings and hidden weights of two pairs of ReLU models (SI-F9)."""
    points = curves["relu, adagrad 0.1"].points
    point = min(points, key=lambda p: abs(p.recipe.log2_window - 10))
    parts = [_embedding_parts(point.recipe, pair) for pair in point.arrays["weights"]]
    aligned = np.array([_correlation(e) for e, _, _ in parts])
    hidden = np.array([_correlation(np.hstack([i, o])) for _, i, o in parts])
    chosen = [int(aligned.argmax()), int(aligned.argmin())]
    frames = []
    with figure(width=8.5, height=7.5, columns=2, rows=2, sharey=False) as made:
        for row, pair in enumerate(chosen):
            embedding, inputs, outputs = parts[pair]
            left, right = made.axes[2 * row], made.axes[2 * row + 1]
            left.scatter(*embedding, s=16, color=PALETTE[0])
            right.scatter(*inputs, s=6, alpha=0.4, color=PALETTE[3], label="into the unit")
            right.scatter(*outputs, s=6, alpha=0.4, color=PALETTE[0], label="out of the unit")
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

        both = np.stack([aligned, hidden], axis=1)
        rank = together(both) if np.ptp(aligned) > 0 and np.ptp(hidden) > 0 else float("nan")
        answer = Measured("si-f9-together", rank, *interval(_quiet(together), both))
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
                f"{point.recipe.log2_window}): those with the best and the least correlated "
                "embeddings. Red: weights into hidden units, blue: out of them."
            ),
        )


def _quiet(statistic: Callable[[NDArray[np.float64]], float]) -> Callable[..., float]:
    """Give nan, in silence, where a resample has no variation."""

    def safe(both: NDArray[np.float64]) -> float:
        return statistic(both) if (np.ptp(both, axis=0) > 0.0).all() else float("nan")

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
    return float(np.corrcoef(two)[0, 1])


def points_frame(curves: Sequence[Curves]) -> tuple[pd.DataFrame, dict[tuple[str, int], Any]]:
    """Every point at every checkpoint, and the weights of one pair, for the widget."""
    rows, kept = [], {}
    for group in curves:
        for curve in group.curves:
            for point in curve.points:
                name = f"{curve.name}, T=2^{point.recipe.log2_examples}"
                rows += _checkpoints(name, point)
                weights = point.arrays["weights"][_PAIR]
                if 0 < weights.shape[1] <= 1000:
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
        low, high = interval(mean_of, pd_values)
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
                "pd_low": max(low, 0.0),
                "pd_high": high,
                "loss": mean_of(point.arrays["loss"][:, number].mean(axis=1)),
            }
        )
    return rows


__all__ = [
    "embedding_clouds",
    "embeddings",
    "losses",
    "pair_weights",
    "parameter_cloud",
    "points_frame",
    "quadratic",
    "simple",
    "simple_long",
    "towers",
    "weight_differences",
]
