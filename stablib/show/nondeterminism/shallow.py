"""Networks without depth, and what the learning rate does (section 4.2, appendix B)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record
from stablib.show.nondeterminism.comparison import Varied, answer, of_measure, ratios
from stablib.show.nondeterminism.tables import CAPTION, rows_of
from stablib.show.style import figure, line
from stablib.studies.nondeterminism import BIT, Results


def shallow(by_model: Mapping[str, Results]) -> Exhibit:
    """Networks without depth: what everything does, and one bit (ND-T8)."""
    table: dict[tuple[str, str], dict[str, str]] = {}
    measured: list[Measured] = []
    bits: dict[str, Varied] = {}
    for model, results in by_model.items():
        title = results.recipe.network
        if any(n_diverged(results, losses) for losses in results.losses.values()):
            table |= {(title, row): {"accuracy (%)": "diverged"} for row in results.runs}
            continue
        found = rows_of(results)
        bits[model] = found[BIT]
        for row, one in found.items():
            table[title, row] = one.cells
        name = model.replace("_", "-")
        measured += answer(f"t8-{name}-bit-accuracy-sd", of_measure(found[BIT], 0))
        measured += answer(f"t8-{name}-bit-ce-sd", of_measure(found[BIT], 1))
    for model, one in bits.items():
        if model != "linear" and "linear" in bits:
            measured += answer(
                f"t8-{model.replace('_', '-')}-above-linear", ratios(one, bits["linear"])[1]
            )
    said = ", ".join(
        f"{by_model[model].recipe.network} {one.values[1]:.1e}" for model, one in bits.items()
    )
    return record(
        "ND-T8",
        pd.DataFrame.from_dict(table, orient="index").fillna("–"),
        made_by=shallow,
        results=list(by_model.values()),
        measured=measured,
        finding=f"Sd of cross-entropy over runs that differ by one bit, in nats: {said}.",
        caption=(
            "A linear model and networks with one hidden layer. "
            f"{DIVERGED} {_pixels(by_model)} {CAPTION}"
        ),
    )


#: What captions say of :func:`n_diverged`.
DIVERGED = "A run with a loss ten times that of guessing is called diverged."


def n_diverged(results: Results, losses: NDArray[np.float64]) -> int:
    """How many runs have diverged: have a loss ten times that of guessing, or none at all."""
    return int((~(losses < 10.0 * np.log(results.dataset.n_classes))).sum())


def by_rate(by_model: Mapping[str, Results]) -> Exhibit:
    """What one bit does at several learning rates, with and without depth (ND-X2)."""
    frame = pd.concat([_by_rate(results) for results in by_model.values()], ignore_index=True)
    learned = frame.dropna()
    with figure(width=8.8, height=4.6, columns=2, sharey=False) as made:
        for axes, measure in zip(made.axes, _DIFFERENCES, strict=True):
            for number, (network, part) in enumerate(learned.groupby("network", sort=False)):
                # A difference of nothing has no place on a logarithmic axis.
                seen = part[part[measure] > 0.0]
                ends = (seen[measure], seen[f"{measure}, least"], seen[f"{measure}, most"])
                line(axes, seen["learning rate"], *ends, number=number, label=str(network))
            axes.set(xscale="log", xlabel="largest learning rate", ylabel=measure)
            if (learned[measure] > 0.0).any():  # Of few images, none may differ anywhere.
                axes.set_yscale("log")
            rates = sorted(set(frame["learning rate"]))
            axes.set_xticks(rates, [f"{rate:g}" for rate in rates], rotation=45)
            axes.minorticks_off()
        handles, labels = made.axes[1].get_legend_handles_labels()
        made.legend(handles, labels, loc="outside lower center", ncols=3)
        reached = [
            f"{network} {part[_DIFFERENCES[0]].iloc[0]:.1f} at {part['learning rate'].iloc[0]:g} "
            f"and {part[_DIFFERENCES[0]].iloc[-1]:.1f} at {part['learning rate'].iloc[-1]:g}"
            for network, part in learned.groupby("network", sort=False)
        ]
        finding = (
            f"One bit gives so many percent of the test images another label: {'; '.join(reached)}."
        )
        return record(
            "ND-X2",
            made,
            made_by=by_rate,
            results=list(by_model.values()),
            numbers=frame,
            finding=finding,
            alt=f"Disagreement and difference of loss over learning rates, by network. {finding}",
            caption=(
                "Runs against one from which they differ by one bit of one weight: share of test "
                "images that get another label, and difference of the test loss; means, and from "
                "the smallest to the largest. Where none differs there is no mark, and none where "
                f"any has diverged. {DIVERGED} {_pixels(by_model)}"
            ),
        )


def _pixels(by_model: Mapping[str, Results]) -> str:
    """Say how large the images are, which is the same for all."""
    _, height, width = next(iter(by_model.values())).recipe.shape
    return f"Images have {height} x {width} pixels."


#: What differs from the unchanged run.
_DIFFERENCES = ("disagreement (%)", "difference of cross-entropy (nats)")


def _by_rate(results: Results) -> pd.DataFrame:
    """Differences of twins from the first run of a network, a row a learning rate."""
    rows = []
    for rate, labels in results.labels.items():
        losses = results.losses[rate]
        row = {
            "network": results.recipe.network,
            "learning rate": float(rate),
            "twins": len(losses) - 1,
        }
        if not n_diverged(results, losses):
            row["accuracy (%)"] = 100.0 * float((labels[0] == results.gold).mean())
            apart = (
                100.0 * (labels[1:] != labels[0]).mean(axis=1),
                np.abs(losses[1:] - losses[0]),
            )
            for measure, values in zip(_DIFFERENCES, apart, strict=True):
                row |= {
                    measure: values.mean(),
                    f"{measure}, least": values.min(),
                    f"{measure}, most": values.max(),
                }
        rows.append(row)
    return pd.DataFrame(rows)
