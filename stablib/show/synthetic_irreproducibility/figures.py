"""Figures of the synthetic irreproducibility paper: PD over windows and against loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, left_out, record
from stablib.show.in_print import in_print
from stablib.show.style import PALETTE, figure
from stablib.show.synthetic_irreproducibility import claims
from stablib.show.synthetic_irreproducibility.comparison import decades, mean_of, table, with_long
from stablib.studies.synthetic_irreproducibility import Curves


def simple(curves: Curves, long: Curves | None = None) -> Exhibit:
    """PD of linear, one- and two-unit models over windows and against loss (SI-F2)."""
    return _windows_and_losses(
        curves,
        exhibit="SI-F2",
        made_by=simple,
        measured=[m for each in with_long(curves, long) for m in claims.simple(each)],
        results=with_long(curves, long),
        style=_by_initial_weights,
        caption=(
            "Mean relative PD over pairs against the shuffling window (left) and against the "
            "excess loss (right; points are labelled with log2 z). Broken lines, 'diff': the two "
            "models of a pair start from distinct weights. Bars: 95 % bootstrap intervals over "
            f"pairs. All models: AdaGrad, learning rate {curves.recipe.learning_rate:g}."
        ),
    )


def simple_long(curves: Curves | None) -> Exhibit:
    """The same curves on streams as long as the paper's (SI-X1)."""
    if curves is None:
        return left_out("SI-X1", "this preset has no longer streams, or none is in the store")
    return _windows_and_losses(
        curves,
        exhibit="SI-X1",
        made_by=simple_long,
        measured=[],
        style=_by_initial_weights,
        caption=(
            "As SI-F2 and SI-F6, on streams of the paper's own length, for the models and "
            "windows of which all pairs are in the store."
        ),
    )


def towers(
    curves: Curves, simple_curves: Curves, many: Curves, long: Curves | None = None
) -> Exhibit:
    """PD of narrow towers over windows and against loss, and how many are stuck (SI-F6)."""
    lengths, stuck = with_long(curves, long), claims.stuck(many)
    n_towers = many.curves[0].points[0].loss.size
    return _windows_and_losses(
        curves,
        exhibit="SI-F6",
        made_by=towers,
        measured=[
            m
            for each, singles in zip(lengths, (simple_curves, long), strict=False)
            if singles
            for m in claims.towers(each, singles)
        ]
        + [stuck],
        results=[*lengths, many],
        caption=(
            "As SI-F2, for towers of 16, 8, 4 and 2 hidden units with the same initial weights in "
            f"a pair, and the linear model. Not in the figure: of {n_towers} ReLU towers with "
            f"initial weights of their own, {stuck.variant}, window of one mini-batch, "
            f"{stuck.value:.1f} % are stuck, with a 95 % Wilson interval from {stuck.low:.1f} to "
            f"{stuck.high:.1f} %."
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
        note=_gains(curves) + _concentration(curves),
        caption=(
            "As SI-F2, for hidden layers of 1024 and 512 units on quadratic data; the same initial "
            "weights in a pair. TL: both models start from one trained before on as many examples, "
            "so they have seen twice the data, and train with a learning rate of 0.01."
        ),
    )


def _gains(curves: Curves) -> str:
    """At which windows smooth activations help."""
    kinds = ("smelu", "swish")
    smooth = [c.points for c in curves.curves if c.points[0].recipe.activation in kinds]
    parts = []
    for number, point in enumerate(curves["relu"].points):
        best = min((points[number].pd for points in smooth), key=mean_of)
        gain = decades(np.stack([point.pd, best], axis=1))
        parts.append(f"{gain:z.1f} (log2 z = {point.recipe.log2_window})")
    return f" ReLU lies above the best smooth activation by {', '.join(parts)} decades."


def _concentration(curves: Curves) -> str:
    """How few examples decide relative PD, which divides by their true probability."""
    # The only figure that draws examples anew, and so needs the compiled streams.
    from stablib.workloads.streams.training import evaluation_set

    truth = evaluation_set(curves.recipe, curves.plans[0]).truth
    weight = np.sort(1.0 / truth)[::-1]
    share = weight[: len(weight) // 100].sum() / weight.sum()
    return (
        f" One percent of the evaluation examples carry {100 * share:.0f} % of the sum of 1/p, by "
        "which differences are weighted: beside PD relative to the truth, the claims are checked "
        "with PD relative to the mean prediction."
    )


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
    results: Sequence[Curves] = (),
    note: str = "",
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
        left.set(xlabel="log₂ z, window in mini-batches", ylabel="relative PD (fraction)")
        left.set_yscale("log")
        right.set(xlabel="excess label loss (nats)", xscale="log")
        right.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        right.xaxis.set_major_formatter(FuncFormatter(lambda value, _: in_print(f"{value:.0e}")))
        right.xaxis.set_minor_formatter(NullFormatter())
        right.tick_params(axis="x", labelrotation=30)
        handles, labels = left.get_legend_handles_labels()
        made.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)
        return record(
            exhibit,
            made,
            made_by=made_by,
            results=results or [curves],
            numbers=numbers,
            alt=_describe(numbers),
            measured=measured,
            finding=_finding(numbers) + note,
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
        f"At its smallest window, PD goes from {ends['first'].min():.1e} ({low}) to "
        f"{ends['first'].max():.1e} ({high}); at its widest, from "
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
